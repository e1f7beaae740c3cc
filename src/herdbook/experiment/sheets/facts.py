"""The table of facts: what a person knows of single animals at single places and times. Points are (x, y) in px."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

from herdbook.errors import nearest
from herdbook.experiment.sheets.table import read_table, refuse_lines

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


def read_facts(path: Path, movies: Sequence[str] | None, names: Sequence[str]) -> list[Fact]:
    """Facts of an experiment: a CSV with FACT_COLUMNS, of which `last` may be missing when nobody is absent.

    `names` and `movies`, unless it is None, are what its columns of that name may hold. Raises HerdbookError with all faulty lines at once.
    """
    _, rows = read_table(path, ",", required=FACT_COLUMNS[:-1])
    facts, faults = [], []
    for line, row in rows:
        kind = row["fact"]
        found = []
        if kind not in KINDS:
            found.append(f"a fact is one of {', '.join(KINDS)}, found {kind!r}")
        if movies is not None and row["movie"] not in movies:
            found.append(f"there is no movie {row['movie']!r}; {nearest(row['movie'], movies)}")
        if row["name"] not in names:
            found.append(f"the name {row['name']!r} is not among identities or groups; {nearest(row['name'], names)}")
        try:
            facts.append(_fact(row, line))
        except ValueError:
            wanted = ("frame", "last") if kind == ABSENT else ("frame", "x", "y")
            given = ", ".join(repr(row.get(column, "")) for column in wanted)
            found.append(
                f"{', '.join(wanted)} must be numbers" + (", last not before frame" if kind == ABSENT else "") + f", found {given}"
            )
        faults += [f"line {line}: {fault}" for fault in found]
    refuse_lines(path, faults)
    return facts


def _fact(row: dict[str, str], line: int) -> Fact:
    frame, absent = int(row["frame"]), row["fact"] == ABSENT
    x, y = (nan, nan) if absent else (float(row["x"]), float(row["y"]))
    last = int(row.get("last", "")) if absent else frame
    if frame < 0 or last < frame or not (absent or (abs(x) < 1e9 and abs(y) < 1e9)):
        raise ValueError
    return Fact(row["movie"], frame, x, y, row["fact"], row["name"], last, line)
