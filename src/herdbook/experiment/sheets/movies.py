"""The sheet of movies: one line each, instead of the list in the experiment file."""

from pathlib import Path
from typing import Any

import yaml

from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.sheets.table import read_table


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


def _value(text: str, place: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise HerdbookError(f"{place} holds {text!r}. Expected a value as in the experiment file, e.g. 25 or [50, 900].") from error
