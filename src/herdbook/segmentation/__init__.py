"""From frames to blobs: the empty scene, what stands out from it, connected components and their features."""
