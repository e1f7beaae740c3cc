"""What a run found, as somebody watches it over the movie: positions of each frame, and the line of time of each animal."""
