"""Lines that a job prints."""

import sys

from herdbook.errors import printable


def say(text: str, *, log: bool = True) -> None:
    """Print a line, its control signs written out: into the log of the job, or on its standard output."""
    print(printable(text), file=sys.stderr if log else sys.stdout, flush=True)
