"""The table of corrections: positions given by a person, which are used in every new run. Points are (x, y) in px, frames from 0."""

import json
from dataclasses import dataclass
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

from herdbook.errors import parsing
from herdbook.experiment.sheets.table import FRAME, PX_OR_EMPTY, Column, make_rows, read_rows
from herdbook.experiment.sheets.text import read_text

PLACE = (Column("x", PX_OR_EMPTY), Column("y", PX_OR_EMPTY))
COLUMNS = (Column("movie"), Column("frame", FRAME), Column("individual"), Column("point"), *PLACE)


@dataclass(frozen=True)
class Correction:
    """Position of an individual (`point` "") or body point in a frame, NaN if it cannot be seen; `place` is its line or entry."""

    movie: str
    frame: int
    individual: str
    point: str
    x: float
    y: float
    place: str


def read_corrections(path: Path) -> list[Correction]:
    """Corrections of an experiment: a CSV with the columns movie, frame, individual, point, x, y, or a JSON list of such objects.

    An empty point means the animal itself; empty x and y (null in JSON) mean that it cannot be seen. Raises HerdbookError with all faults
    at once.
    """
    if path.suffix.lower() == ".json":
        return make_rows(path, _entries(path), COLUMNS, partial(_make_correction, "entry"), unit="entry")
    return read_rows(path, COLUMNS, partial(_make_correction, "line"))


def _make_correction(unit: str, line: int, x: float, y: float, **values: Any) -> Correction:
    if isnan(x) != isnan(y):
        raise ValueError(f"x and y must be both given or both empty, found only {'y' if isnan(x) else 'x'}")
    return Correction(**values, x=x, y=y, place=f"{unit} {line}")


def _entries(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The objects of a JSON list, numbered from 0, with their values as cells."""
    names = [column.name for column in COLUMNS]
    with parsing(path, f"expected a list of objects with {', '.join(names)}", "Write it again, or as a CSV."):
        entries = json.loads(read_text(path, names, unicode_only=True))
        if not (isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)):
            raise ValueError("its content is something else")
        rows = [(number, {name: _cell(value) for name, value in entry.items()}) for number, entry in enumerate(entries)]
    # Rows without any text count as little as in a table.
    return [(number, cells) for number, cells in rows if any(cells.values())]


def _cell(value: Any) -> str:
    """A JSON value as the text of a table's cell."""
    return "" if value is None else str(value)
