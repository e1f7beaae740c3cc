"""From blobs to tracklets: links between frames, merges and splits, and the number of animals in each tracklet."""
