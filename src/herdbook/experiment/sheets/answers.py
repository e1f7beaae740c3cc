"""The table of answers: random points of the results, and whether a person finds the name at each of them right."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from herdbook.experiment.sheets.table import FRAME, NUMBER, NUMBER_OR_EMPTY, PX_OR_EMPTY, TEXT, WHOLE, Column, Kind, read_rows
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

RIGHT, WRONG, CANNOT_SAY = ANSWERS = ("right", "wrong", "cannot say")
# Answers as a person may write them, in lower case.
SHORT = {"r": RIGHT, "w": WRONG, "c": CANNOT_SAY, "?": CANNOT_SAY, **{answer: answer for answer in ANSWERS}, "": ""}
NOT_ASSIGNED = "not assigned"
# Points that have moved by more than this (px) since they were drawn belong to older results.
MOVED_PX = 1.0


@dataclass(frozen=True)
class Point:
    """A random animal in a random frame.

    `time_s`: since the recording began; `x`, `y`: its position, px, NaN for none; `known`: how its identity is known, one of HOW_KNOWN,
    `interpolated` between blobs, or NOT_ASSIGNED; `answer`: one of ANSWERS, or empty.
    """

    number: int
    recording: str
    movie: str
    frame: int
    time_s: float
    individual: str
    x: float
    y: float
    confidence: float
    source: str
    known: str
    answer: str = ""

    @property
    def assigned(self) -> bool:
        """Whether the animal has a position there."""
        return self.known != NOT_ASSIGNED


POINT_COLUMNS = tuple(field.name for field in fields(Point))


def write_answers(path: Path, points: Iterable[Point]) -> None:
    """Write the table into which a person writes answers."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(POINT_COLUMNS)
        writer.writerows(answer_cells(point) for point in points)


def answer_cells(point: Point) -> list[str]:
    """The cells of a point's row, in the order of POINT_COLUMNS."""
    place = [f"{value:.1f}" if point.assigned else "" for value in (point.x, point.y)]
    sure = f"{point.confidence:.3f}" if point.assigned else ""
    first = [str(point.number), point.recording, point.movie, str(point.frame), f"{point.time_s:.3f}", point.individual]
    return [as_cell(cell) for cell in (*first, *place, sure, point.source, point.known, point.answer)]


def read_answers(path: Path) -> list[Point]:
    """Read a table of answers. Raises HerdbookError with all faults at once."""
    kinds = {"number": WHOLE, "frame": FRAME, "time_s": NUMBER, "x": PX_OR_EMPTY, "y": PX_OR_EMPTY, "confidence": NUMBER_OR_EMPTY}
    kinds["answer"] = Kind(f"one of {', '.join(ANSWERS)}, or r, w, c", lambda cell: SHORT[cell.lower()])
    return read_rows(path, [Column(name, kinds.get(name, TEXT)) for name in POINT_COLUMNS], lambda line, **values: Point(**values))
