"""Signals that end a job: it ends wherever they come, and leaves nothing half-written."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.system import interrupts
from herdbook.system.files import write_text
from herdbook.system.hdf5 import _ErrorKeepingFile
from herdbook.system.interrupts import end_on_signals
from herdbook.system.progress import progress

ENDING = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The handlers of a stage, for the time of a test."""
    monkeypatch.setattr(interrupts, "_pending", False)
    before = {number: signal.getsignal(number) for number in ENDING}
    # What is started in the background of a shell inherits that it is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Dying:
    """Something that gets a signal while Python removes it."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def lose_a_signal() -> None:
    """Get a signal whose exception is forgotten."""
    dying = Dying()
    del dying


def write_much(path: Path) -> None:
    with columns_writer(path, "made", Provenance("made", 1)) as writer:
        for _ in range(20):
            writer.append("column", np.arange(100_000))


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_job_at_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("method", ["seek", "write", "flush", "truncate"])
def test_a_signal_that_comes_while_hdf5_writes_ends_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    original = getattr(_ErrorKeepingFile, method)
    calls: list[str] = []

    def interrupted(self: Any, *arguments: Any) -> Any:
        calls.append(method)
        if len(calls) == 1:
            signal.raise_signal(signal.SIGTERM)
        return original(self, *arguments)

    monkeypatch.setattr(_ErrorKeepingFile, method, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_much(tmp_path / "made.h5")
    assert calls
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_python_lost_ends_the_job_before_a_file_takes_its_name(tmp_path: Path) -> None:
    lose_a_signal()
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "table.csv", "a,b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_python_lost_ends_the_job_at_the_next_frame() -> None:
    frames = progress(range(10), total=10, stage="count")
    assert next(frames) == 0
    lose_a_signal()
    with pytest.raises(KeyboardInterrupt):
        next(frames)


def test_an_interrupt_that_the_shell_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_on_signals()
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
