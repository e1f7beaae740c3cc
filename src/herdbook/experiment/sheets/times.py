"""The times that a camera wrote for the frames of a movie: a table with a line for each frame."""

import csv
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.numbers import AmbiguousError, Marks, find_marks
from herdbook.experiment.sheets.table import refuse_faults
from herdbook.experiment.sheets.text import MOST_BYTES_OF_PROGRAMS, named_delimiter, read_text

# Names of the column of times, without the unit that may follow.
NAMES = ("time", "times", "timestamp", "timestamps", "seconds")
UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
# "time", "time_ms", "Timestamp (us)", "time [s]"
_HEADING = re.compile(rf"({'|'.join(NAMES)})[ _]*[(\[]?({'|'.join(UNITS_S)})?[)\]]?", re.IGNORECASE)
_REMEDY = "Give one time for each frame, in s or as dates and times such as 2026-05-17T14:03:20.040"


def read_times(path: Path) -> NDArray[np.float64]:
    """The time of each frame, float64 (frames,), s, strictly increasing; dates and times count from the first.

    The file has one value in each line, or a header that names the column `time` or `timestamp`, if in other units than s with the unit:
    `time_ms`. Raises HerdbookError, which names the first faulty lines, for anything else.
    """
    named, text = named_delimiter(read_text(path, ["time"], most_bytes=MOST_BYTES_OF_PROGRAMS))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 2 if named else 1) if line.strip()]
    if not lines:
        raise HerdbookError(f"{path}: the file of times is empty. {_REMEDY}.")
    delimiter = named or next((sign for sign in "\t;," if sign in lines[0][1]), "")
    rows = _cells([line for _, line in lines], delimiter)
    column, unit_s, has_header = _column(path, rows)
    refuse_faults(
        path,
        [
            f"line {number}: has {len(row)} cells, line {lines[0][0]} {len(rows[0])}. Between commas, times need decimal points"
            for (number, _), row in zip(lines, rows, strict=True)
            if len(row) > len(rows[0])
        ],
    )
    marks = find_marks((row[column].strip() for row in rows[has_header:] if column < len(row)), delimiter)
    cells = [(number, row[column].strip() if column < len(row) else "") for (number, _), row in zip(lines, rows, strict=True)]
    time_s = _seconds(path, cells[has_header:], unit_s, marks)
    late = np.flatnonzero(np.diff(time_s) <= 0)
    pairs = [cells[has_header:][k : k + 2] for k in late.tolist()]
    refuse_faults(
        path,
        [f"line {after}: {later} is not later than {earlier} in line {before}" for (before, earlier), (after, later) in pairs],
    )
    return time_s


def _cells(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Cells of each line; without a `delimiter` a line is one cell, in which a comma is a decimal mark."""
    if not delimiter:
        return [[line.strip()] for line in lines]
    return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))


def _column(path: Path, rows: Sequence[Sequence[str]]) -> tuple[int, float, bool]:
    """Number of the column of times, its unit in s, and whether the first line is a header."""
    header = [cell.strip() for cell in rows[0]]
    named = [(k, found[2]) for k, cell in enumerate(header) if (found := _HEADING.fullmatch(cell))]
    if len(named) == 1:
        return named[0][0], UNITS_S[(named[0][1] or "s").lower()], True
    if len(named) > 1 or len(header) > 1 or _parsed(header[0].replace(",", ".")) is None:
        shown = ", ".join(header)
        raise HerdbookError(
            f"{path}, line 1: expected a time and nothing else, or a header in which one column is called time (in s, or dates) or "
            f"time_ms, time_us, time_ns; found {shown[:80]}. {_REMEDY}."
        )
    return 0, 1.0, False


def _parsed(cell: str) -> float | datetime | None:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return None


def _manner(value: float | datetime | None) -> tuple[bool, bool]:
    """Whether a time is a date, and whether this has a time zone."""
    return isinstance(value, datetime), isinstance(value, datetime) and value.tzinfo is not None


def _seconds(path: Path, cells: Sequence[tuple[int, str]], unit_s: float, marks: Marks) -> NDArray[np.float64]:
    if not cells:
        raise HerdbookError(f"{path}: the file of times has a header and no times. {_REMEDY}.")
    values: list[float | datetime | None] = []
    faults = []
    for number, cell in cells:
        try:
            values.append(_parsed(marks.plain(cell)))
        except AmbiguousError as error:
            faults.append(f"line {number}: the time {error}")
    refuse_faults(path, faults)
    first = values[0]
    for (number, cell), value in zip(cells, values, strict=True):
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            faults.append(f"line {number}: expected a time, found {cell[:40]!r}. {_REMEDY}")
        elif _manner(value) != _manner(first):
            faults.append(f"line {number}: {cell[:40]!r} is written in another way than {cells[0][1][:40]!r} in line {cells[0][0]}")
    refuse_faults(path, faults)
    if isinstance(first, datetime):
        return np.array([(value - first).total_seconds() for value in values if isinstance(value, datetime)])
    return np.array(values, np.float64) * unit_s
