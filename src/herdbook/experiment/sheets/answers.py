"""The table of answers: random points of the results, and whether a person finds the name at each of them right."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path

from herdbook.experiment.sheets.table import FRAME, NUMBER, NUMBER_OR_EMPTY, PX_OR_EMPTY, TEXT, WHOLE, Column, Kind, read_rows
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

RIGHT, WRONG, CANNOT_SAY = ANSWERS = ("right", "wrong", "cannot say")
# Answers as a person may write them, in lower case.
SHORT = {"r": RIGHT, "w": WRONG, "c": CANNOT_SAY, "?": CANNOT_SAY, **{answer: answer for answer in ANSWERS}, "": ""}
NOT_ASSIGNED = "not assigned"
# Points that have moved by more than this since they were drawn, px and share of the animals' length, belong to older results. Other
# settings of the segmentation move centres by a few px; in contact, the middles of two animals are half a length apart or more.
MOVED_PX, MOVED_LENGTHS = 1.0, 0.2


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


def farthest_px(length_px: float) -> float:
    """How far a point may have moved (px) and still be about the same animal, which is `length_px` long; NaN if that is not known."""
    return max(MOVED_PX, MOVED_LENGTHS * length_px) if isfinite(length_px) else MOVED_PX


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
