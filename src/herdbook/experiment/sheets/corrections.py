"""The table of corrections: places that a person gave, so that they survive every new run. Points are (x, y) in px, frames from 0."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.table import read_table

COLUMNS = ("movie", "frame", "individual", "point", "x", "y")


@dataclass(frozen=True)
class Correction:
    """Where an individual (`point` "") or its body point is in a frame, NaN if it is not to be seen; `place` is where that is written."""

    movie: str
    frame: int
    individual: str
    point: str
    x: float
    y: float
    place: str


def read_corrections(path: Path) -> list[Correction]:
    """Corrections of an experiment: a CSV with the columns movie, frame, individual, point, x, y, or a JSON list of such objects.

    An empty point means the animal itself; empty x and y mean that it is not to be seen. All faulty lines are told at once.
    """
    found, faults = [], []
    for place, row in _rows(path):
        try:
            x, y = (float("nan") if row[name] in ("", None) else float(row[name]) for name in ("x", "y"))
            frame = int(row["frame"])
            if frame < 0 or np.isnan(x) != np.isnan(y) or not (np.isnan(x) or abs(x) + abs(y) < 1e9):
                raise ValueError
        except (ValueError, TypeError):
            faults.append(f"{place}: expected a frame, and x and y in px or both empty, found {row['frame']}, {row['x']}, {row['y']}")
            continue
        found.append(Correction(str(row["movie"]), frame, str(row["individual"]), str(row["point"] or ""), x, y, place))
    _raise_faults(path, faults)
    return found


def _rows(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The rows with the place of each in the file."""
    if path.suffix.lower() != ".json":
        return [(f"line {line}", dict(row)) for line, row in read_table(path, ",", COLUMNS)[1]]
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Expected corrections with {', '.join(COLUMNS)}.")
    try:
        rows = [(f"entry {k}", dict(entry)) for k, entry in enumerate(json.loads(path.read_text(encoding="utf-8")))]
    except (ValueError, TypeError) as error:
        raise HerdbookError(f"{path}: expected a list of objects with {', '.join(COLUMNS)} ({error}).") from error
    for place, row in rows:
        if missing := [name for name in COLUMNS if name not in row]:
            raise HerdbookError(f"{path}, {place}: missing {', '.join(missing)}; expected {', '.join(COLUMNS)}.")
    return rows


def _raise_faults(path: Path, faults: Sequence[str]) -> None:
    if faults:
        more = f"\n  and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise HerdbookError(f"{path}: {len(faults)} faulty corrections:\n  " + "\n  ".join(faults[:10]) + more)
