"""From frames to blobs: the background, pixels that differ from it, connected components and their features."""
