"""Body points to be compared: from files of pose tools, or from tables with a row for each point, such as body_points.csv."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.errors import HerdbookError
from herdbook.formats.pose_files import read_poses
from herdbook.formats.poses import Poses, check_length
from herdbook.tables.position_files import read_columns

NAMES = ("individual", "identity", "id")
# What tells how sure a point is, the first of them that there is.
TOLD = ("expected_error", "likelihood")


def read_points(path: Path) -> dict[str, Poses]:
    """Body points by movie, "" for that of a file which names none.

    A table has the columns [movie,] frame, individual | identity | id, point, x, y, and perhaps expected_error or likelihood. Raises
    HerdbookError for another file.
    """
    if path.suffix.lower() == ".csv" and _is_table(path):
        return _read_table(path)
    return {"": read_poses([path])}


def same_movies(predicted: dict[str, Poses], truth: dict[str, Poses]) -> tuple[list[Poses], list[Poses]]:
    """The points of the movies that both have; a single movie may have another name. Raises HerdbookError if there are none."""
    if len(predicted) == len(truth) == 1:
        return [*predicted.values()], [*truth.values()]
    both = [movie for movie in truth if movie in predicted]
    if not both:
        raise HerdbookError(
            f"the truth is of the movies {', '.join(truth) or '-'}, the other table of {', '.join(predicted) or '-'}: none is in both. "
            "Give files of the same movies."
        )
    return [predicted[movie] for movie in both], [truth[movie] for movie in both]


def _is_table(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = {cell.strip().strip('"') for cell in file.readline().replace(";", ",").replace("\t", ",").split(",")}
    return {"frame", "point", "x", "y"} <= header


def _read_table(path: Path) -> dict[str, Poses]:
    table = read_columns(path, ["frame", "x", "y", *TOLD], ("movie", "point", *NAMES))
    name = next((column for column in NAMES if column in table), None)
    if name is None:
        raise HerdbookError(f"{path}: column {' or '.join(NAMES)} is missing.")
    told = next((column for column in TOLD if column in table), None)
    for column in filter(None, ("frame", "x", "y", told)):
        values = pd.to_numeric(table[column], errors="coerce").astype(float)
        wrong = values.isna() & table[column].notna()
        if column == "frame":
            wrong |= ~((values >= 0) & (values % 1 == 0))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise HerdbookError(
                f"{path}, data row {row + 1}: {column} is '{table[column].iloc[row]}', expected a number. Correct the file."
            )
        table[column] = values
    movies = table["movie"] if "movie" in table else pd.Series("", index=table.index)
    individuals, points = (list(dict.fromkeys(table[column])) for column in (name, "point"))
    return {movie: _poses_of(path, rows, name, told, individuals, points) for movie, rows in table.groupby(movies, sort=False)}


def _poses_of(path: Path, rows: pd.DataFrame, name: str, told: str | None, individuals: Sequence[str], points: Sequence[str]) -> Poses:
    frame = rows["frame"].to_numpy(np.int64)
    who, point = (
        pd.Categorical(rows[column], list(names)).codes.astype(np.int64) for column, names in ((name, individuals), ("point", points))
    )
    key = (frame * len(individuals) + who) * len(points) + point
    _, first, count = np.unique(key, return_index=True, return_counts=True)
    if (count > 1).any():
        row = rows.iloc[int(first[count > 1][0])]
        raise HerdbookError(
            f"{path}: {row['point']} of {row[name]} in frame {int(row['frame'])} is there twice. Keep one row of each point."
        )
    frames = int(frame.max(initial=-1)) + 1
    check_length(frames, len(rows), len(individuals) * len(points))
    xy, sure = np.full((frames, len(individuals), len(points), 2), np.nan), np.full((frames, len(individuals), len(points)), np.nan)
    xy[frame, who, point] = rows[["x", "y"]].to_numpy(float)
    if told:
        sure[frame, who, point] = rows[told].to_numpy(float)
    return Poses(tuple(individuals), tuple(points), xy, sure)
