"""netCDF files of movement, read and written. Dimensions are as in `poses.Poses`."""

import shutil
from pathlib import Path

import h5py
import numpy as np

from herdbook.errors import HerdbookError
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.hdf5 import dataset_names, whole_dataset
from herdbook.formats.poses import Poses
from herdbook.system.files import replacing
from herdbook.tables.tracks import Tracks

# The dimensions of movement's variables, in the order of Poses; later versions name them in the singular.
DIMENSIONS = {"time": 0, "individuals": 1, "individual": 1, "keypoints": 2, "keypoint": 2, "space": 3}


def write_movement(path: Path, tracks: Tracks, names: str = "singular") -> None:
    """NetCDF as movement saves its datasets of poses; `names` of the dimensions are singular (from movement 0.17 on) or plural."""
    # Half a second to import, which the other formats need not pay.
    import xarray as xr

    keypoint, individual = ("keypoint", "individual") if names == "singular" else ("keypoints", "individuals")
    dimensions = ("time", "space", keypoint, individual)
    position = np.transpose(tracks.xy, (0, 2, 1))[:, :, None, :]
    confidence = tracks.dense(tracks.confidence)[:, None, :]
    attributes = {"ds_type": "poses", "fps": tracks.fps, "time_unit": "seconds", "source_software": SOFTWARE, "source_file": tracks.movie}
    if np.isfinite(tracks.px_per_mm):
        attributes["px_per_mm"] = tracks.px_per_mm
    if tracks.start:
        attributes["recording_start"] = tracks.start
    dataset = xr.Dataset(
        {"position": (dimensions, position), "confidence": ((dimensions[0], *dimensions[2:]), confidence)},
        {"time": tracks.time_s, "space": ["x", "y"], keypoint: [POINT], individual: np.array(tracks.individuals, object)},
        attributes,
    )
    packed = {name: {"zlib": True, "complevel": 1} for name in ("position", "confidence") if dataset[name].size}
    with replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=packed)


def read_movement(path: Path) -> Poses:
    """Body points of a netCDF file of movement: position by time, space, keypoints, individuals."""
    with h5py.File(path, "r") as file:
        order = _order(path, file["position"])
        xy = np.transpose(whole_dataset(file["position"]), order).astype(np.float64)
        names = {DIMENSIONS[name]: dataset_names(file[name]) for name in DIMENSIONS if name in file and DIMENSIONS[name] in (1, 2)}
        if names.keys() != {1, 2} or xy.shape[3] != 2:
            raise HerdbookError(f"{path}: expected positions in x and y by keypoints and individuals, found {xy.shape}")
        likelihood = np.full(xy.shape[:3], np.nan)
        if "confidence" in file:
            likelihood = np.transpose(whole_dataset(file["confidence"]), _order(path, file["confidence"])).astype(np.float64)
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    return Poses(names[1], names[2], xy, likelihood)


def rewrite_movement(path: Path, poses: Poses, like: Path) -> None:
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
