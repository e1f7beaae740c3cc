"""Tables of DeepLabCut, csv or h5: predictions of one or several animals, and labelled frames.

Columns are named by scorer, individuals (several animals), bodyparts, coords. Rows are frames, or the images of labelled frames, whose
number is the last one in the image's name.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.numbers import whole_number
from herdbook.experiment.sheets.text import composed
from herdbook.formats.deeplabcut_csv import read_csv_table
from herdbook.formats.deeplabcut_hdf5 import KEY, LEVELS, MOST_ROWS, read_hdf5_table
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.poses import ONLY_ANIMAL, Poses, check_length
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing
from herdbook.tables.tracks import Tracks

_NUMBER = re.compile(r"[+-]?\d*\.?\d*(?:[eE][+-]?\d+)?|[+-]?nan|[+-]?inf")


def read_deeplabcut(path: Path) -> Poses:
    """Body points of a table; animals of a table for a single one are called "animal". Raises HerdbookError for another table."""
    table = _read_table(path)
    rows = _frames_of(path, table)
    names = [(_animal_of(column), composed(column[-2]), column[-1]) for column in table.columns]
    individuals, points = tuple(dict.fromkeys(n[0] for n in names)), tuple(dict.fromkeys(n[1] for n in names))
    frames = int(rows.max(initial=-1)) + 1
    check_length(frames, len(rows) * len({n[:2] for n in names}), len(individuals) * len(points))
    xy = np.full((frames, len(individuals), len(points), 2), np.nan)
    likelihood = np.full(xy.shape[:3], np.nan)
    columns = {"x": xy[..., 0], "y": xy[..., 1], "likelihood": likelihood}
    for (individual, point, coord), column in zip(names, table.to_numpy(float).T, strict=True):
        if coord in columns:
            columns[coord][rows, individuals.index(individual), points.index(point)] = column
    return Poses(individuals, points, xy, likelihood)


def rewrite_deeplabcut(path: Path, poses: Poses, like: Path) -> None:
    """Write the points into a table with the columns of `like`; one of labelled frames becomes one of all frames."""
    table = _read_table(like)
    if not len(table) or _frames_of(like, table).tolist() != list(range(len(poses))):
        table = pd.DataFrame(np.nan, index=range(len(poses)), columns=table.columns)
    values: dict[Any, Any] = {}
    for column in table.columns:
        who = poses.individuals.index(_animal_of(column))
        point = poses.points.index(composed(column[-2]))
        axis = {"x": 0, "y": 1}.get(column[-1])
        values[column] = poses.likelihood[:, who, point] if axis is None else poses.xy[:, who, point, axis]
    moved = pd.DataFrame(values, index=table.index)
    moved.columns = table.columns
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            _as_cells(moved).to_csv(temporary)
        else:
            _needing_tables(lambda: moved.to_hdf(temporary, key=KEY, format="table", mode="w"))


def rename_deeplabcut(path: Path, poses: Poses, like: Path) -> None:
    """Write the points as a table of several animals, with the scorer of the table `like`."""
    scorer = _read_table(like).columns[0][0]
    values = np.concatenate([poses.xy, poses.likelihood[..., None]], axis=-1)
    names = [[scorer], list(poses.individuals), list(poses.points), ["x", "y", "likelihood"]]
    table = pd.DataFrame(values.reshape(len(poses), -1), columns=pd.MultiIndex.from_product(names, names=LEVELS[1]))
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            _as_cells(table).to_csv(temporary)
        else:
            _needing_tables(lambda: table.to_hdf(temporary, key=KEY, format="table", mode="w"))


def _animal_of(column: Sequence[str]) -> str:
    return composed(column[1]) if len(column) == 4 else ONLY_ANIMAL


def _read_table(path: Path) -> pd.DataFrame:
    table = read_csv_table(path) if path.suffix.lower() == ".csv" else read_hdf5_table(path)
    columns = table.columns
    if list(columns.names) not in LEVELS:
        raise HerdbookError(f"{path}: expected columns of {', '.join(LEVELS[1])}, found {', '.join(map(str, columns.names))}")
    if not columns.is_unique:
        twice = " ".join(columns[columns.duplicated()][0][1:])
        raise HerdbookError(
            f"{path}: the column {twice} is there twice. Delete or rename one of them: each point of each animal has one x."
        )
    coords: dict[tuple[str, ...], set[str]] = {}
    for column in columns:
        coords.setdefault(tuple(column[:-1]), set()).add(column[-1])
    for name, found in coords.items():
        lacking = {"x", "y"} - found
        if lacking:
            raise HerdbookError(
                f"{path}: {' '.join(name[1:])} has no column {' and '.join(sorted(lacking))}, only {', '.join(sorted(found))}. "
                "Write the table again with x and y of each point, or delete the columns of this one."
            )
    return table


def _as_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its names as cells of a CSV."""
    names = pd.MultiIndex.from_tuples([tuple(map(as_cell, name)) for name in table.columns], names=table.columns.names)
    return table.set_axis(names, axis="columns")


def _frames_of(path: Path, table: pd.DataFrame) -> Any:
    """The frame of each row."""
    if len(table) > MOST_ROWS:
        raise HerdbookError(f"{path}: has {len(table):,} rows, at most {MOST_ROWS:,} are read. Split the table and its movie.")
    entries = [entry[-1] if isinstance(entry, tuple) else entry for entry in table.index]
    frames = np.array([_frame_of(path, entry, row) for row, entry in enumerate(entries, 1)], np.int64)
    values, counts = np.unique(frames, return_counts=True)
    if (counts > 1).any():
        frame = values[counts > 1][0]
        rows = np.flatnonzero(frames == frame)[:2].tolist()
        one, other = (f"{row + 1} ({'/'.join(entry) if isinstance(entry := table.index[row], tuple) else entry})" for row in rows)
        raise HerdbookError(
            f"{path}: frame {frame} is there {counts[counts > 1][0]} times, in data rows {one} and {other}. Keep one row for each frame, "
            "and only rows of this movie."
        )
    return frames


def _frame_of(path: Path, entry: Any, row: int) -> int:
    """The number in the first column of a row: a whole number, also as 12.0, or the last one in the name of an image."""
    text = str(entry)
    with suppress(ValueError):
        frame = whole_number(text)
        if frame >= 0:
            return frame
    found = re.findall(r"\d+", PurePath(text.replace("\\", "/")).stem) or re.findall(r"\d+", text)
    if not found or _NUMBER.fullmatch(text):
        raise HerdbookError(f"{path}: data row {row}: expected the number of a frame, or an image with one in its name, found {text!r:.60}")
    return int(found[-1])


def _needing_tables(work: Any) -> Any:
    try:
        return work()
    except ImportError as error:
        raise HerdbookError("DeepLabCut's .h5 needs the package tables: pip install tables, or use DeepLabCut's .csv") from error


def write_deeplabcut(path: Path, tracks: Tracks) -> None:
    """Table of DeepLabCut for several animals, .h5 or .csv, with a row for each frame."""
    values = np.concatenate([tracks.xy, tracks.dense(tracks.confidence)[..., None]], axis=2)
    columns = pd.MultiIndex.from_product([[SOFTWARE], list(tracks.individuals), [POINT], ["x", "y", "likelihood"]], names=LEVELS[1])
    table = pd.DataFrame(values.reshape(tracks.frames, -1), columns=columns)
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            _as_cells(table.round(3)).to_csv(temporary)
        else:
            # Format "table" keeps all names of columns in 64 KB of attributes.
            table.to_hdf(temporary, key=KEY, format="table" if 0 < len(tracks.individuals) <= 200 else "fixed", mode="w")
