"""The exception whose message a user reads, and the hint at a similar word that many messages give."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

# Exit status of a stage or command after a HerdbookError.
EXIT_USER_FAULT = 2


# Signs that command a terminal, that turn the direction of the text after them, and halves of signs, which cannot be printed.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class HerdbookError(Exception):
    """A fault in the user's input. The message: what is wrong, where, what was expected and what to do.

    Stages and commands print its message without a traceback and exit with status 2.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """A text for a terminal: its control signs but line breaks and tabs are written out, as \\u001b; names come from files of anybody."""
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@contextmanager
def parsing(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Any error while the given file `path` is read becomes a HerdbookError: `what` it is not, the reason, and the `remedy`.

    Libraries fail at hostile or damaged content in every way that there is, also by OverflowError, RecursionError or errors of their own.
    """
    try:
        yield
    except HerdbookError:
        raise
    except Exception as error:
        raise HerdbookError(f"{path}: {what} ({reason_of(error)}). {remedy}") from error


def reason_of(error: Exception) -> str:
    """The first line of an error's message, shortened; for memory that is not there, and for errors without a message, their kind."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{type(error).__name__}: {lines[0]:.200}" if isinstance(error, KeyError) else f"{lines[0]:.200}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that is most similar to `word`, or the list of all known words if none is similar."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(known)}"
