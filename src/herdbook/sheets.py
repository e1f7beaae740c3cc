"""Small tables that people write: the sheet of movies and the labels. Faults name the file and the line."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from herdbook.errors import HerdbookError, nearest

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


def read_movie_sheet(path: Path) -> list[dict[str, Any]]:
    """Movies from a TSV sheet: columns name, file, optionally recording and start, and `stage.key` columns for settings of single movies.

    File names are relative to the sheet. Raises HerdbookError when the sheet or a column is missing.
    """
    header, rows = read_table(path, "\t", required=("name", "file"))
    known = ("name", "file", "recording", "start")
    unknown = [c for c in header if c not in known and "." not in c]
    if unknown:
        hint = nearest(unknown[0], known)
        raise HerdbookError(
            f"{path}: unknown column {unknown[0]!r}; {hint} Settings of single movies are columns such as segment.difference."
        )
    movies = []
    for line, row in rows:
        if not row["name"] or not row["file"]:
            raise HerdbookError(f"{path}, line {line}: every movie needs a name and a file, separated by a tab.")
        movie: dict[str, Any] = {"name": row["name"], "file": str(path.parent / row["file"])}
        movie |= {key: row[key] for key in ("recording", "start") if row.get(key)}
        for column in header:
            if "." in column and row[column]:
                stage, key = column.split(".", 1)
                movie.setdefault("override", {}).setdefault(stage, {})[key] = _value(row[column], f"{path}, line {line}: {column}")
        movies.append(movie)
    return movies


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


def refuse_lines(path: Path, faults: Sequence[str]) -> None:
    """Raise HerdbookError with the faults of a table's lines, the first ten in words, if there are any."""
    if faults:
        more = f"\n  and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise HerdbookError(f"{path}: {len(faults)} faulty lines:\n  " + "\n  ".join(faults[:10]) + more)


def read_table(path: Path, delimiter: str, required: Sequence[str]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows of a text table, each row with its line in the file and its cells by column.

    Raises HerdbookError when the file or one of the required columns is missing, or when it is no text.
    """
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Expected a table with the columns {', '.join(required)}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter=delimiter, restval="")
            header = [h.strip() for h in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [
                (reader.line_num, {k: (v or "").strip() for k, v in row.items() if k is not None and isinstance(v, str)}) for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise HerdbookError(f"{path}: not a readable text table ({error}).") from error
    missing = [c for c in required if c not in header]
    if missing:
        kind = "tab" if delimiter == "\t" else "comma"
        raise HerdbookError(f"{path}: missing columns {', '.join(missing)}; found {', '.join(header) or 'nothing'} ({kind}-separated).")
    return header, rows


def _value(text: str, place: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise HerdbookError(f"{place} holds {text!r}. Expected a value as in the experiment file, e.g. 25 or [50, 900].") from error
