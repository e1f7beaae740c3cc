"""One piece of work in a process of its own, with bounded time and memory, and what became of it in the words of a user."""

import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2

from herdbook.errors import EXIT_USER_FAULT, HerdbookError

# CPU time of a piece of work that takes well under a second; wall time for one that waits.
CPU_S, WALL_S = 20, 300
MEMORY_BYTES = 2 << 30
_CRASH, _BUG = 70, 71

PASSED, TOLD = "passed", "told"
FAULTS = ("traceback", "hang", "memory", "crash", "unclear", "wrong")


@dataclass(frozen=True)
class Outcome:
    """What became of a piece of work: PASSED, TOLD (a clear message), or one of FAULTS; its result, all that it printed, CPU time and the
    most memory that it held.
    """

    kind: str
    printed: str
    cpu_s: float
    peak_bytes: int
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def fault(self) -> bool:
        return self.kind in FAULTS


def run_limited(work: Callable[[], dict[str, Any]]) -> Outcome:
    """Do `work` in a fork, which cannot hold more than MEMORY_BYTES nor calculate for more than CPU_S."""
    # A pool of OpenCV's threads would not survive the fork.
    cv2.setNumThreads(1)
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as result:
        child = os.fork()
        if not child:
            _work(work, printed.fileno(), result.fileno())
        _, status, used = os.wait4(child, 0)
        printed.seek(0)
        result.seek(0)
        words = printed.read().decode("utf-8", "replace")
        held = result.read()
        return Outcome(_kind(status, words), words, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, json.loads(held) if held else {})


def _work(work: Callable[[], dict[str, Any]], printed: int, result: int) -> None:
    """The fork's part; it never returns."""
    code = _BUG
    try:
        for target in (1, 2):
            os.dup2(printed, target)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(printed), "w", buffering=1, encoding="utf-8", errors="replace") for _ in range(2))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL_S)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
        most = _mapped_bytes() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            os.write(result, json.dumps(work()).encode())
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else _BUG
        except HerdbookError as error:
            print(f"herdbook: {error}", file=sys.stderr)
            code = EXIT_USER_FAULT
        except BaseException:
            traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _mapped_bytes() -> int:
    """Address space of this process: libraries that its parent loaded, of which it needs few, are no memory of the work."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _kind(status: int, words: str) -> str:
    if os.WIFSIGNALED(status):
        return "hang" if os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL) else "crash"
    code = os.WEXITSTATUS(status)
    if "MemoryError" in words or "Cannot allocate memory" in words or "bad_alloc" in words:
        return "memory"
    if "Traceback (most recent call last)" in words:
        return "traceback"
    if code == 0:
        return PASSED
    return TOLD if code == EXIT_USER_FAULT else "traceback"
