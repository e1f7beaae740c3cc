"""The sheet of movies: one line per movie, instead of the list in the experiment file."""

from functools import partial
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.sheets.table import PATH, Column, Kind, make_rows, read_table, rows_of
from herdbook.experiment.yaml_text import load_yaml


def _value(cell: str) -> Any:
    try:
        return load_yaml(cell)
    except Exception as error:  # YAML makes dates, numbers and sets of texts, each with errors of its own
        raise ValueError from error


SETTING = Kind("a value as in the experiment file, e.g. 25 or [50, 900]", _value)
# Columns that are keys of a movie; for those of the first group, the text is the value.
TEXTS, VALUES = ("recording", "start"), ("fps", "rotate", "stream", "bits")
COLUMNS = (
    Column("name"),
    Column("file", PATH),
    *(Column(name, optional=True) for name in TEXTS),
    Column("times", PATH, optional=True),
    *(Column(name, SETTING, optional=True) for name in VALUES),
)


def read_movie_sheet(path: Path) -> list[dict[str, Any]]:
    """Movies from a sheet: columns name, file, optionally other keys of a movie, and `stage.key` columns for settings of single movies.

    File names are relative to the sheet. Raises HerdbookError if the sheet or a column is missing or a column unknown, and for all faults
    of its lines at once.
    """
    sheet = read_table(path, COLUMNS)
    known = [column.name for column in COLUMNS]
    unknown = [name for name in sheet.header if name and name not in known and "." not in name]
    if unknown:
        hint = nearest(unknown[0], known)
        raise HerdbookError(
            f"{path}: unknown column {unknown[0]!r}; {hint} Settings of single movies are columns such as segment.difference."
        )
    columns = [*COLUMNS, *(Column(name, SETTING, optional=True) for name in sheet.header if "." in name)]
    return make_rows(path, rows_of(read_table(path, columns)), columns, partial(_make_movie, path.parent), delimiter=sheet.delimiter)


def _make_movie(folder: Path, line: int, name: str, file: str, **values: Any) -> dict[str, Any]:
    if not name or not file:
        raise ValueError("every movie needs a name and a file")
    movie: dict[str, Any] = {"name": name, "file": str(folder / file)}
    for column, value in values.items():
        stage, dot, key = column.partition(".")
        if dot:
            movie.setdefault("override", {}).setdefault(stage, {})[key] = value
        else:
            movie[column] = str(folder / value) if column == "times" else value
    return movie
