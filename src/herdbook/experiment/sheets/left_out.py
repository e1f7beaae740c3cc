"""The table of what is no example for the classifier: single images, and tracklets in which no animal can be recognised.

Points are (x, y) in px, frames from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.experiment.sheets.table import FRAME, PX, Column, Kind, read_rows

LEFT_OUT_COLUMNS = ("movie", "frame", "x", "y", "what")
# One image, or the whole tracklet at the point: its mark cannot be read, it holds several animals, or none.
IMAGE, UNREADABLE, SEVERAL, NOTHING = LEFT_OUT_AS = ("image", "unreadable", "several", "nothing")


@dataclass(frozen=True)
class LeftOut:
    """The blob at a point of a frame is no example (`what` IMAGE), or no image of its tracklet is; `line` is its line in the file."""

    movie: str
    frame: int
    x: float
    y: float
    what: str
    line: int


def read_left_out(path: Path, movies: Sequence[str] | None = None) -> list[LeftOut]:
    """What is left out in an experiment: a CSV with LEFT_OUT_COLUMNS; `movies` are the allowed ones, None for any.

    Raises HerdbookError with all faults at once.
    """
    columns = (
        Column("movie", among=movies),
        Column("frame", FRAME),
        Column("x", PX),
        Column("y", PX),
        Column("what", Kind(f"one of {', '.join(LEFT_OUT_AS)}", str, LEFT_OUT_AS.__contains__)),
    )
    return read_rows(path, columns, LeftOut)
