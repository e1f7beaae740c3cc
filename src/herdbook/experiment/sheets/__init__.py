"""Tables that users write: movies, labels, facts, corrections, answers. All share one reader and its messages."""
