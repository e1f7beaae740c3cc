"""The command `herdbook`: the only room that prints to a terminal."""
