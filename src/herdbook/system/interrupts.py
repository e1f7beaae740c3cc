"""The signals that end a job, even where Python would lose them.

An exception that a handler raises in `__del__`, or in a method called by C code, is discarded, and the job would continue. Therefore the
signal is stored, and checked wherever items are counted or written.
"""

import signal
from types import FrameType


class CalledFromC:
    """Base of classes with methods that C code calls: in these methods a signal is stored and raises nothing."""


_pending = False


def raise_interrupt() -> None:
    """Raise KeyboardInterrupt if a signal to end the job has been stored."""
    global _pending
    if _pending:
        _pending = False
        raise KeyboardInterrupt


def end_on_signals() -> None:
    """Make SIGTERM and Ctrl-C raise KeyboardInterrupt, so that a job removes its temporary files before it ends."""
    # Clusters end a job with SIGTERM, which by default would leave incomplete files.
    signal.signal(signal.SIGTERM, _interrupt)
    # Processes started in the background of a shell ignore SIGINT; this is kept.
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    global _pending
    _pending = True
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), CalledFromC):
            return
        frame = frame.f_back
    raise KeyboardInterrupt
