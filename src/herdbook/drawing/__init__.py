"""What is drawn on frames: overlay, close-ups and mosaics."""
