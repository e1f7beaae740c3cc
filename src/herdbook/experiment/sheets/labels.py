"""The table of labels: points in the movies with the name that a person gave. Points are (x, y) in px, frames from 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.errors import nearest
from herdbook.experiment.sheets.table import read_table, refuse_lines

LABEL_COLUMNS = ("movie", "frame", "x", "y", "label")


@dataclass(frozen=True)
class Label:
    """A point in a movie with the name that a person gave it; `line` is its line in the file."""

    movie: str
    frame: int
    x: float
    y: float
    label: str
    line: int


def read_labels(path: Path, movies: Sequence[str], names: Sequence[str]) -> list[Label]:
    """Labels of an experiment: a CSV with the columns movie, frame, x, y, label.

    `movies` and `names` are what its first and last column may hold. All faulty lines are told at once (the first ten in words).
    """
    _, rows = read_table(path, ",", required=LABEL_COLUMNS)
    labels, faults = [], []
    for line, row in rows:
        try:
            label = Label(row["movie"], int(row["frame"]), float(row["x"]), float(row["y"]), row["label"], line)
        except ValueError:
            faults.append(f"line {line}: frame, x and y must be numbers, found {row['frame']!r}, {row['x']!r}, {row['y']!r}")
            continue
        if label.movie not in movies:
            faults.append(f"line {line}: there is no movie {label.movie!r}; {nearest(label.movie, movies)}")
        if label.label not in names:
            faults.append(f"line {line}: the label {label.label!r} is not among identities or other_labels; {nearest(label.label, names)}")
        if not (label.frame >= 0 and abs(label.x) < 1e9 and abs(label.y) < 1e9):
            faults.append(f"line {line}: frame {label.frame} at ({label.x}, {label.y}) is no place in a movie")
        labels.append(label)
    refuse_lines(path, faults)
    return labels
