"""Tables that people write: movies, labels, facts, corrections, answers. One reader, one set of messages."""
