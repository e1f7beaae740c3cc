"""Body points found by a network that is taught with a few labelled frames: one animal, head up, at a time."""
