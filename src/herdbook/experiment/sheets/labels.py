"""The table of labels: points in the movies with names given by a person. Points are (x, y) in px, frames from 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.experiment.sheets.table import FRAME, PX, Column, read_rows

LABEL_COLUMNS = ("movie", "frame", "x", "y", "label")


@dataclass(frozen=True)
class Label:
    """A point in a movie with the name given by a person; `line` is its line in the file."""

    movie: str
    frame: int
    x: float
    y: float
    label: str
    line: int


def read_labels(path: Path, movies: Sequence[str], names: Sequence[str]) -> list[Label]:
    """Labels of an experiment: a CSV with LABEL_COLUMNS; `movies` and `names` are the allowed values of columns movie and label.

    Raises HerdbookError with all faults at once.
    """
    columns = (
        Column("movie", among=movies),
        Column("frame", FRAME),
        Column("x", PX),
        Column("y", PX),
        Column("label", among=names, listed="identities and other_labels"),
    )
    return read_rows(path, columns, Label)
