"""LK-RSTC: points smoothed along the optical flow of the movie (Magana-Salgado et al. 2023, BioMedical Engineering OnLine 22:52)."""
