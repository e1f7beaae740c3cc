"""The one exception a user is meant to read, and the hint that many of them give."""

from collections.abc import Iterable
from difflib import get_close_matches

# With what a stage or command ends that a HerdbookError ended.
EXIT_USER_FAULT = 2


class HerdbookError(Exception):
    """A fault in what the user gave: says what is wrong, where, what was expected and what to do.

    Stages and commands print its message without a traceback and exit with status 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is nearest to a wrong one, or the list of all when none is near."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"
