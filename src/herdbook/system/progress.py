"""Progress of a long stage: a bar on a terminal, or a line every half minute in a log file, or as often as HERDBOOK_PROGRESS_S (s) says."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from herdbook.system.interrupts import raise_interrupt
from herdbook.system.words import say

T = TypeVar("T")

# Long enough that the log of a twelve-hour job remains readable; who watches a log asks for more lines by the variable.
LOG_INTERVAL_S = 30.0
VARIABLE = "HERDBOOK_PROGRESS_S"


def _one(_: object) -> int:
    return 1


def progress(items: Iterable[T], *, total: int, stage: str, unit: str = "frames", size: Callable[[T], int] = _one) -> Iterator[T]:
    """Yield the items and report progress, speed and remaining time.

    `total` is the number of units; `size` gives the number of units of an item. Raises KeyboardInterrupt if the job is to end.
    """
    show = _bar if sys.stderr.isatty() else _lines
    for item in show(items, total, stage, unit, size):
        raise_interrupt()
        yield item


def _bar(items: Iterable[T], total: int, stage: str, unit: str, size: Callable[[T], int]) -> Iterator[T]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(stage, total=total, rate="")
        count = 0
        for item in items:
            yield item
            count += size(item)
            bar.update(task, completed=count, rate=f"{count / max(1e-9, time.monotonic() - started):.0f} {unit}/s")


def _lines(items: Iterable[T], total: int, stage: str, unit: str, size: Callable[[T], int]) -> Iterator[T]:
    started = reported = time.monotonic()
    interval_s = float(os.environ.get(VARIABLE) or LOG_INTERVAL_S)
    count = 0
    for item in items:
        yield item
        count += size(item)
        now = time.monotonic()
        if now - reported >= interval_s:
            reported = now
            _print_line(stage, unit, count, total, now - started)
    _print_line(stage, unit, count, max(total, count), time.monotonic() - started)


def _print_line(stage: str, unit: str, count: int, total: int, elapsed_s: float) -> None:
    rate = count / max(elapsed_s, 1e-9)
    left_s = (total - count) / max(rate, 1e-9)
    share = 100 * count / max(1, total)
    say(f"{stage}: {count}/{total} {unit} ({share:.0f} %), {rate:.0f} {unit}/s, {left_s:.0f} s left")
