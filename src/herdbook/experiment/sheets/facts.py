"""The table of facts: what a person knows about single animals in single frames. Points are (x, y) in px, frames from 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from herdbook.experiment.sheets.table import FRAME, PX, Cells, Column, Kind, read_rows

FACT_COLUMNS = ("movie", "frame", "x", "y", "fact", "name", "last")
IS, NOT, ABSENT = KINDS = ("is", "not", "absent")


@dataclass(frozen=True)
class Fact:
    """The animal at a point of a frame `is` or is `not` the one named, or the one named is `absent` from `frame` to `last` (inclusive).

    `kind` is one of KINDS; `x`, `y` px, NaN where it is `absent`; `last` is `frame` unless it is; `line` is its line in the file.
    """

    movie: str
    frame: int
    x: float
    y: float
    kind: str
    name: str
    last: int
    line: int

    def __str__(self) -> str:
        if self.kind == ABSENT:
            return f"line {self.line} ({self.movie}, frames {self.frame} to {self.last}: {self.name} is absent)"
        return f"line {self.line} ({self.movie}, frame {self.frame}: {'is' if self.kind == IS else 'is not'} {self.name})"


def read_facts(path: Path, movies: Sequence[str] | None, names: Sequence[str] | None) -> list[Fact]:
    """Facts of an experiment: a CSV with FACT_COLUMNS, of which `last` may be missing if no animal is absent.

    `movies` and `names` are the allowed values of these columns, None for any. Raises HerdbookError with all faults at once.
    """
    columns = (
        Column("movie", among=movies),
        Column("frame", FRAME),
        Column("x", PX, needed=lambda cells: not _absent(cells)),
        Column("y", PX, needed=lambda cells: not _absent(cells)),
        Column("fact", Kind(f"one of {', '.join(KINDS)}", str, KINDS.__contains__)),
        Column("name", among=names, listed="identities and groups"),
        Column("last", FRAME, optional=True, needed=_absent),
    )
    return read_rows(path, columns, _make_fact)


def _absent(cells: Cells) -> bool:
    return cells["fact"] == ABSENT


def _make_fact(frame: int, fact: str, x: float = nan, y: float = nan, last: int | None = None, **rest: Any) -> Fact:
    last = frame if last is None else last
    if last < frame:
        raise ValueError(f"last must not be before frame, found frames {frame} to {last}")
    return Fact(frame=frame, x=x, y=y, kind=fact, last=last, **rest)
