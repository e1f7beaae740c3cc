"""Tables of DeepLabCut, csv or h5: predictions of one or several animals, and labelled frames.

Columns are named by scorer, individuals (several animals), bodyparts, coords. Rows are frames, or the images of labelled frames, whose
number is the last one in the image's name.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from herdbook.errors import HerdbookError
from herdbook.formats.deeplabcut_hdf5 import KEY, LEVELS, MOST_ROWS, read_hdf5_table
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.poses import ONLY_ANIMAL, Poses, check_length
from herdbook.system.cells import as_cell, from_cell
from herdbook.system.files import replacing
from herdbook.tables.tracks import Tracks


def read_deeplabcut(path: Path) -> Poses:
    """Body points of a table; animals of a table for a single one are called "animal". Raises HerdbookError for another table."""
    table = _read_table(path)
    rows = _frames_of(path, table)
    names = [(column[1] if len(column) == 4 else ONLY_ANIMAL, column[-2], column[-1]) for column in table.columns]
    individuals, points = tuple(dict.fromkeys(n[0] for n in names)), tuple(dict.fromkeys(n[1] for n in names))
    frames = int(rows.max(initial=-1)) + 1
    check_length(frames, len(rows) * len({n[:2] for n in names}), len(individuals) * len(points))
    xy = np.full((frames, len(individuals), len(points), 2), np.nan)
    likelihood = np.full(xy.shape[:3], np.nan)
    columns = {"x": xy[..., 0], "y": xy[..., 1], "likelihood": likelihood}
    for (individual, point, coord), column in zip(names, table.to_numpy(float).T, strict=True):
        if coord in columns:
            columns[coord][rows, individuals.index(individual), points.index(point)] = column
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    return Poses(individuals, points, xy, likelihood)


def rewrite_deeplabcut(path: Path, poses: Poses, like: Path) -> None:
    """Write the points into a table with the columns of `like`; one of labelled frames becomes one of all frames."""
    table = _read_table(like)
    if not len(table) or _frames_of(like, table).tolist() != list(range(len(poses))):
        table = pd.DataFrame(np.nan, index=range(len(poses)), columns=table.columns)
    values: dict[Any, Any] = {}
    for column in table.columns:
        who = poses.individuals.index(column[1] if len(column) == 4 else ONLY_ANIMAL)
        point = poses.points.index(column[-2])
        axis = {"x": 0, "y": 1}.get(column[-1])
        values[column] = poses.likelihood[:, who, point] if axis is None else poses.xy[:, who, point, axis]
    moved = pd.DataFrame(values, index=table.index)
    moved.columns = table.columns
    with replacing(path) as temporary:
        if path.suffix.lower() == ".csv":
            _as_cells(moved).to_csv(temporary)
        else:
            _needing_tables(lambda: moved.to_hdf(temporary, key=KEY, format="table", mode="w"))


def _read_table(path: Path) -> pd.DataFrame:
    table: pd.DataFrame
    if path.suffix.lower() != ".csv":
        table = read_hdf5_table(path)
    else:
        try:
            head = pd.read_csv(path, header=None, nrows=4, dtype=str, keep_default_na=False)
            levels = next((names for names in LEVELS if head.iloc[: len(names), 0].tolist() == names), None)
            if levels is None:
                raise ValueError("its first column does not begin with " + ", ".join(LEVELS[0]))
            index = int((head.iloc[len(levels) - 1].isin(["x", "y", "likelihood"])).to_numpy().argmax())
            table = pd.read_csv(path, header=list(range(len(levels))), index_col=list(range(index)))
            table.columns = pd.MultiIndex.from_tuples([tuple(map(from_cell, name)) for name in table.columns], names=levels)
        except (ValueError, pd.errors.ParserError) as error:
            raise HerdbookError(f"{path}: expected a table of DeepLabCut, found something else ({error})") from error
    if list(table.columns.names) not in LEVELS:
        raise HerdbookError(f"{path}: expected columns of {', '.join(LEVELS[1])}, found {', '.join(map(str, table.columns.names))}")
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
    numbers = [re.findall(r"\d+", str(entry)) for entry in entries]
    if not all(numbers):
        raise HerdbookError(f"{path}: expected frames or images with a number, found {entries[numbers.index([])]!r}")
    return np.array([int(found[-1]) for found in numbers], np.int64)


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
