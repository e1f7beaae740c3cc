"""netCDF files of movement, read and written. Dimensions are as in `poses.Poses`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.errors import HerdbookError
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.hdf5 import copy_values, dataset_names, open_values, read_values
from herdbook.formats.poses import Poses
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks

# The dimensions of movement's variables, in the order of Poses; later versions name them in the singular.
DIMENSIONS = {"time": 0, "individuals": 1, "individual": 1, "keypoints": 2, "keypoint": 2, "space": 3}


def write_movement(path: Path, tracks: Tracks, names: str = "singular") -> None:
    """NetCDF as movement saves its datasets of poses; `names` of the dimensions are singular (from movement 0.17 on) or plural."""
    attributes: dict[str, Any] = {"source_file": tracks.movie}
    if np.isfinite(tracks.px_per_mm):
        attributes["px_per_mm"] = tracks.px_per_mm
    if tracks.start:
        attributes["recording_start"] = tracks.start
    position = np.transpose(tracks.xy, (0, 2, 1))[:, :, None, :]
    confidence = tracks.dense(tracks.confidence)[:, None, :]
    _save(path, position, confidence, [POINT], tracks.individuals, tracks.time_s, tracks.fps, attributes, names=names, packed=True)


def write_poses(path: Path, poses: Poses, time_s: Floats, fps: float) -> None:
    """NetCDF as movement (from 0.17 on) saves its datasets of poses; `time_s` (frames,) of the frames, `fps` their rate (1/s)."""
    points = np.array(poses.points, object)
    _save(path, poses.xy.transpose(0, 3, 2, 1), poses.likelihood.transpose(0, 2, 1), points, poses.individuals, time_s, fps)


def _save(
    path: Path,
    position: NDArray[np.floating],
    confidence: NDArray[np.floating],
    points: Sequence[str] | NDArray[np.object_],
    individuals: Sequence[str],
    time_s: Floats,
    fps: float,
    more: Mapping[str, Any] = MappingProxyType({}),
    *,
    names: str = "singular",
    packed: bool = False,
) -> None:
    """Write `position` (frames, 2, points, individuals) px and `confidence` (frames, points, individuals), with `more` attributes."""
    # Half a second to import, which the other formats need not pay.
    import xarray as xr

    keypoint, individual = ("keypoint", "individual") if names == "singular" else ("keypoints", "individuals")
    dimensions = ("time", "space", keypoint, individual)
    dataset = xr.Dataset(
        {"position": (dimensions, position), "confidence": ((dimensions[0], *dimensions[2:]), confidence)},
        {"time": time_s, "space": ["x", "y"], keypoint: points, individual: np.array(individuals, object)},
        {"ds_type": "poses", "fps": fps, "time_unit": "seconds", "source_software": SOFTWARE, **more},
    )
    sized = [name for name in ("position", "confidence") if packed and dataset[name].size]
    with replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding={name: {"zlib": True, "complevel": 1} for name in sized})


def read_movement(path: Path) -> Poses:
    """Body points of a netCDF file of movement: position by time, space, keypoints, individuals."""
    with open_values(path) as file:
        order = _order(path, file["position"])
        xy = np.transpose(read_values(file["position"]), order).astype(np.float64)
        names = {DIMENSIONS[name]: dataset_names(file[name]) for name in DIMENSIONS if name in file and DIMENSIONS[name] in (1, 2)}
        if names.keys() != {1, 2} or xy.shape[3] != 2:
            raise HerdbookError(f"{path}: expected positions in x and y by keypoints and individuals, found {xy.shape}")
        likelihood = np.full(xy.shape[:3], np.nan)
        if "confidence" in file:
            likelihood = np.transpose(read_values(file["confidence"]), _order(path, file["confidence"])).astype(np.float64)
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    return Poses(names[1], names[2], xy, likelihood)


def rewrite_movement(path: Path, poses: Poses, like: Path) -> None:
    """Write the values of the netCDF file `like` with other places."""
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        copy_values(file, new.file, {"position": np.transpose(poses.xy, np.argsort(_order(like, file["position"])))})


def _order(path: Path, variable: h5py.Dataset) -> list[int]:
    """The axes of a variable in the order of Poses."""
    names = [dimension[0].name.rsplit("/", 1)[-1] if len(dimension) else "" for dimension in variable.dims]
    if any(name not in DIMENSIONS for name in names):
        raise HerdbookError(f"{path}: {variable.name} has the dimensions {', '.join(names)}, expected those of movement's poses")
    return sorted(range(len(names)), key=lambda axis: DIMENSIONS[names[axis]])
