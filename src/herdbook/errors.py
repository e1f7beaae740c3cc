"""The one exception a user is meant to read."""


class HerdbookError(Exception):
    """A fault in what the user gave: says what is wrong, where, what was expected and what to do.

    Stages and commands print its message without a traceback and exit with status 2.
    """
