"""Where everybody is in every frame, also inside merged blobs."""
