"""The command `herdbook`: the only room that knows a screen."""
