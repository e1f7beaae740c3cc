"""The signals that end a job, also where Python would lose them.

What a handler raises in `__del__`, or in a method that C code calls, is forgotten, and the job would go on to its end. So the wish to end
is kept, and asked for wherever something is counted or written.
"""

import signal
from types import FrameType


class CalledFromC:
    """A class with methods that C code calls: in these a signal raises nothing and waits to be asked for."""


_pending = False


def raise_interrupt() -> None:
    """Raise KeyboardInterrupt if a signal has asked the job to end."""
    global _pending
    if _pending:
        _pending = False
        raise KeyboardInterrupt


def end_on_signals() -> None:
    """Make SIGTERM and the interrupt of the keyboard raise KeyboardInterrupt, so that a job tidies up before it ends."""
    # Clusters end a job with SIGTERM, which by itself would leave half-written files.
    signal.signal(signal.SIGTERM, _interrupt)
    # What is started in the background of a shell inherits that this one is ignored.
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
