"""Processes that are killed at each of their writes, and a small experiment file, as fixtures."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate")


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _watch(kill_at: int, pipe: int) -> None:
    """Kill this process at its write number `kill_at`, in the middle of the data where it writes some; report the number of writes."""
    count, write, wait = 0, os.write, os.fsync

    def step(half: Callable[[], Any] = lambda: None) -> None:
        nonlocal count
        if count == kill_at:
            half()
            _kill()
        count += 1

    def write_or_die(handle: int, data: bytes) -> int:
        step(lambda: write(handle, data[: len(data) // 2]))
        return write(handle, data)

    def sync_or_die(handle: int) -> None:
        step()
        wait(handle)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            step()

    os.write, os.fsync = write_or_die, sync_or_die
    sys.addaudithook(hook)
    _watch.count = lambda: write(pipe, str(count).encode())  # type: ignore[attr-defined]


def killed_at(number: int, work: Callable[[], None]) -> int | None:
    """Do the work in a process that is killed at its write of this number; None if it was, the number of writes if it ended before."""
    read, pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            _watch(number, pipe)
            work()
            _watch.count()  # type: ignore[attr-defined]
            code = 0
        finally:
            os._exit(code)
    os.close(pipe)
    _, status = os.waitpid(pid, 0)
    told = os.read(read, 20)
    os.close(read)
    if os.WIFSIGNALED(status):
        return None
    assert os.waitstatus_to_exitcode(status) == 0
    return int(told)


@pytest.fixture
def each_kill() -> Callable[[Callable[[], None]], Iterator[int]]:
    """Yields after each run of the work that was killed at one of its writes, all of them in turn."""

    def runs(work: Callable[[], None]) -> Iterator[int]:
        number = 0
        while killed_at(number, work) is None:
            yield number
            number += 1
        assert number > 0

    return runs


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """An experiment file with comments."""
    path = tmp_path / "ants.yaml"
    path.write_text(
        "experiment: ants   # a name\nmovies:\n  - {name: a, file: a.mp4}   # day 1\n  - {name: b.1, file: b.mp4}\n"
        "animals: {marking: none, number: 6}\n\nsegment:\n  difference: 25   # seen on Monday\n#  area: [60, 20000]   # px\n",
        encoding="utf-8",
    )
    return path
