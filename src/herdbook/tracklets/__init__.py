"""From blobs to tracklets: links between frames, merges and splits, and how many animals each tracklet holds."""
