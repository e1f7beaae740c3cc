"""Labelling on the page: one tracklet at a time, whose answers are on the disk at once, and rounds of learning in the background."""
