"""The table of events: what a person saw animals do, from frame to frame, noted while watching. Frames from 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.table import FRAME, TEXT, Column, Kind, read_rows

NOTED_COLUMNS = ("movie", "first", "last", "individuals", "event", "note")
# Between the names in the cell of individuals, as in the tables that are exported.
BETWEEN = ";"


@dataclass(frozen=True)
class NotedEvent:
    """An `event` of a movie from frame `first` to `last` (inclusive) of these `individuals`, maybe none; `line` is that in the file."""

    movie: str
    first: int
    last: int
    individuals: tuple[str, ...]
    event: str
    note: str
    line: int


def read_noted(path: Path, movies: Sequence[str] | None, names: Sequence[str] | None) -> list[NotedEvent]:
    """Events of an experiment: a CSV with NOTED_COLUMNS, of which `individuals` and `note` may be empty or missing.

    `movies` and `names` are the allowed movies and individuals, None for any. Raises HerdbookError with all faults at once.
    """
    individuals = "names of the animals" if names is None else f"names of the animals, separated by {BETWEEN}"
    known = None if names is None else frozenset(names)

    def split(cell: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(part.strip() for part in cell.split(BETWEEN) if part.strip()))
        if known is not None and not known.issuperset(found):
            raise ValueError(cell)
        return found

    columns = (
        Column("movie", among=movies),
        Column("first", FRAME),
        Column("last", FRAME),
        Column("individuals", Kind(individuals, split), optional=True),
        Column("event", Kind("a word for what happens", str, bool)),
        Column("note", TEXT, optional=True),
    )
    return read_rows(path, columns, _make)


def frame_faults(events: Sequence[NotedEvent], frames: dict[str, int]) -> list[str]:
    """Events beyond the last frame of their movie, a text for each; `frames`: how many each movie has."""
    return [
        f"line {event.line}: last is {event.last}, but {event.movie} has frames 0..{frames[event.movie] - 1}"
        for event in events
        if event.movie in frames and event.last >= frames[event.movie]
    ]


def refuse_frames(path: Path, events: Sequence[NotedEvent], frames: dict[str, int]) -> None:
    """Raise HerdbookError for events beyond the end of their movies."""
    if faults := frame_faults(events, frames):
        raise HerdbookError("\n  ".join([f"{path}: these events do not fit; correct their lines:", *faults[:10]]))


def _make(movie: str, first: int, last: int, event: str, line: int, individuals: tuple[str, ...] = (), note: str = "") -> NotedEvent:
    if last < first:
        raise ValueError(f"last must not be before first, found frames {first} to {last}")
    return NotedEvent(movie, first, last, individuals, event, note, line)
