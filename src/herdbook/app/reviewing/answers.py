"""Answers of a page as rows of the tables of facts and corrections, and how they are taken back."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from herdbook.app.live import Live
from herdbook.app.reviewing.people_files import made_table, table_of
from herdbook.app.saving.journal import NothingToUndoError
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.facts import ABSENT, KINDS

# What can be undone together: the last step of any of these tables.
TABLES = ("facts", "corrections")
NOT_UNDERSTOOD = "the page sent an answer that is not understood"
# A swap needs two; nobody knows more of one moment than that.
MOST_ROWS = 64


def facts_of(live: Live, rows: Any) -> list[dict[str, Any]]:
    """Facts as the page sends them: `movie`, `frame`, `fact`, `name`, and `x`, `y` or `last`. Raises HerdbookError for anything else."""
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_ROWS or not all(isinstance(row, dict) for row in rows):
        raise HerdbookError(NOT_UNDERSTOOD)
    found = []
    for row in rows:
        movie, frame = _place(live, row)
        kind, name = row.get("fact"), row.get("name")
        if kind not in KINDS:
            raise HerdbookError(NOT_UNDERSTOOD)
        if name not in live.experiment.animals.classes:
            raise HerdbookError(f"{name!r} is none of the animals: {', '.join(live.experiment.animals.classes)}")
        fact: dict[str, Any] = {"movie": movie, "frame": frame, "fact": kind, "name": name}
        if kind == ABSENT:
            last = row.get("last")
            if not isinstance(last, int) or not frame <= last < len(live.movie(movie).index):
                raise HerdbookError(NOT_UNDERSTOOD)
            found.append(fact | {"last": last})
        else:
            found.append(fact | _point(live, movie, row))
    return found


def correction_of(live: Live, row: Mapping[str, Any]) -> dict[str, Any]:
    """A correction as the page sends it: `movie`, `frame`, `individual`, `x`, `y`. Raises HerdbookError for anything else."""
    movie, frame = _place(live, row)
    if row.get("individual") not in live.experiment.animals.individuals:
        raise HerdbookError(f"{row.get('individual')!r} is none of the animals")
    return {"movie": movie, "frame": frame, "individual": row["individual"], "point": ""} | _point(live, movie, row)


def write_facts(live: Live, facts: Sequence[Mapping[str, Any]]) -> None:
    """Write facts as one step, unless they are all there already."""
    table = made_table(live, "facts")
    known = {_said(row) for row in table.rows()}
    new = [fact for fact in facts if _said(fact) not in known]
    if not new:
        raise HerdbookError("this answer is in the table already")
    table.add(*new)


def write_correction(live: Live, correction: Mapping[str, Any]) -> None:
    """Write a correction; one of the same animal and frame is replaced."""
    table = made_table(live, "corrections")
    key = {name: correction[name] for name in ("movie", "frame", "individual", "point")}
    same = [row for row in table.rows() if all(row.get(name, "") == str(value) for name, value in key.items())]
    if same:
        table.change({name: same[-1][name] for name in correction}, correction)
    else:
        table.add(correction)


def undo(live: Live) -> str:
    """Take back the last answer; the table that was changed. Raises NothingToUndoError if there is none."""
    steps = {kind: table_of(live, kind).last_step()[0] for kind in TABLES}
    kind = max(TABLES, key=lambda one: steps[one])
    if not steps[kind]:
        raise NothingToUndoError("there is no answer to take back")
    table_of(live, kind).undo()
    return kind


def _said(fact: Mapping[str, Any]) -> tuple[str, ...]:
    """What a fact says, apart from how its numbers are written."""
    where = [f"{float(fact[name]):.2f}" if fact.get(name) not in (None, "") else "" for name in ("x", "y")]
    return (*(str(fact.get(name, "")) for name in ("movie", "frame", "fact", "name", "last")), *where)


def _place(live: Live, row: Mapping[str, Any]) -> tuple[str, int]:
    movie, frame = row.get("movie"), row.get("frame")
    if not isinstance(movie, str) or not isinstance(frame, int) or isinstance(frame, bool):
        raise HerdbookError(NOT_UNDERSTOOD)
    live.movie_exists(movie)
    if not 0 <= frame < len(live.movie(movie).index):
        raise HerdbookError(f"{movie} has no frame {frame}")
    return movie, frame


def _point(live: Live, movie: str, row: Mapping[str, Any]) -> dict[str, float]:
    index = live.movie(movie).index
    x, y = row.get("x"), row.get("y")
    if not all(isinstance(value, int | float) and isfinite(value) for value in (x, y)):
        raise HerdbookError(NOT_UNDERSTOOD)
    if not (-0.5 <= x <= index.width - 0.5 and -0.5 <= y <= index.height - 0.5):  # type: ignore[operator]
        raise HerdbookError(f"({x:g}, {y:g}) is outside of the picture of {movie}")
    return {"x": float(x), "y": float(y)}  # type: ignore[arg-type]
