"""SLEAP's analysis files and movement's netCDF files, which are HDF5 with names of their own. Dimensions are told as in `poses.Poses`."""

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.poses import Poses
from herdbook.store import replacing

# The dimensions of movement's variables, in the order of Poses; later versions name them in the singular.
DIMENSIONS = {"time": 0, "individuals": 1, "individual": 1, "keypoints": 2, "keypoint": 2, "space": 3}


# Packed a thousand times smaller at best; a small dataset may say what it will.
MOST_PACKED, LEAST_BYTES = 2000, 1 << 26


def read_sleap(path: Path) -> Poses:
    """Body points of a SLEAP analysis file: tracks (individuals, 2, points, frames)."""
    with h5py.File(path, "r") as file:
        tracks = _whole(file["tracks"])
        if tracks.ndim != 4 or tracks.shape[1] != 2 or "node_names" not in file:
            raise HerdbookError(f"{path}: expected a SLEAP analysis file with tracks (animals, 2, points, frames), found {tracks.shape}")
        points = _names(file["node_names"])
        individuals = _names(file["track_names"]) if "track_names" in file else ()
        scores = _whole(file["point_scores"]).transpose(2, 0, 1) if "point_scores" in file else None
    xy = tracks.transpose(3, 0, 2, 1).astype(np.float64)
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    likelihood = np.full(xy.shape[:3], np.nan) if scores is None else scores.astype(np.float64)
    # A movie of one animal may have no tracks' names.
    return Poses(individuals or tuple(f"track_{k}" for k in range(len(tracks))), points, xy, likelihood)


def write_sleap(path: Path, poses: Poses, like: Path) -> None:
    """Write a copy of the analysis file `like` with other places; an animal that has any counts as present."""
    with replacing(path) as temporary:
        shutil.copyfile(like, temporary)
        with h5py.File(temporary, "r+") as file:
            file["tracks"][...] = poses.xy.transpose(1, 3, 2, 0)
            if "track_occupancy" in file:
                present = poses.known.any(axis=2)
                occupancy = file["track_occupancy"]
                occupancy[...] = present if occupancy.shape == present.shape else present.T


def read_movement(path: Path) -> Poses:
    """Body points of a netCDF file of movement: position by time, space, keypoints, individuals."""
    with h5py.File(path, "r") as file:
        order = _order(path, file["position"])
        xy = np.transpose(_whole(file["position"]), order).astype(np.float64)
        names = {DIMENSIONS[name]: _names(file[name]) for name in DIMENSIONS if name in file and DIMENSIONS[name] in (1, 2)}
        if names.keys() != {1, 2} or xy.shape[3] != 2:
            raise HerdbookError(f"{path}: expected positions in x and y by keypoints and individuals, found {xy.shape}")
        likelihood = np.full(xy.shape[:3], np.nan)
        if "confidence" in file:
            likelihood = np.transpose(_whole(file["confidence"]), _order(path, file["confidence"])).astype(np.float64)
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    return Poses(names[1], names[2], xy, likelihood)


def write_movement(path: Path, poses: Poses, like: Path) -> None:
    """Write a copy of the netCDF file `like` with other places."""
    with replacing(path) as temporary:
        shutil.copyfile(like, temporary)
        with h5py.File(temporary, "r+") as file:
            file["position"][...] = np.transpose(poses.xy, np.argsort(_order(like, file["position"])))


def _order(path: Path, variable: h5py.Dataset) -> list[int]:
    """The axes of a variable in the order of Poses."""
    names = [dimension[0].name.rsplit("/", 1)[-1] if len(dimension) else "" for dimension in variable.dims]
    if any(name not in DIMENSIONS for name in names):
        raise HerdbookError(f"{path}: {variable.name} has the dimensions {', '.join(names)}, expected those of movement's poses")
    return sorted(range(len(names)), key=lambda axis: DIMENSIONS[names[axis]])


def _whole(dataset: h5py.Dataset) -> NDArray[Any]:
    """The values of a dataset. Raises ValueError for one that says that it is far larger than what is stored."""
    if dataset.nbytes > max(LEAST_BYTES, MOST_PACKED * min(dataset.id.get_storage_size(), Path(dataset.file.filename).stat().st_size)):
        raise ValueError(f"{dataset.name} says that it holds {dataset.shape} values, which are not there")
    values: NDArray[Any] = dataset[...]
    return values


def _names(dataset: h5py.Dataset) -> tuple[str, ...]:
    return tuple(entry.decode() if isinstance(entry, bytes) else str(entry) for entry in np.atleast_1d(dataset[...]).tolist())
