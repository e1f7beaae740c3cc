"""The exception whose message a user reads, and the hint at a similar word that many messages give."""

from collections.abc import Iterable
from difflib import get_close_matches

# Exit status of a stage or command after a HerdbookError.
EXIT_USER_FAULT = 2


class HerdbookError(Exception):
    """A fault in the user's input. The message: what is wrong, where, what was expected and what to do.

    Stages and commands print its message without a traceback and exit with status 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is most similar to `word`, or the list of all known words if none is similar."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"
