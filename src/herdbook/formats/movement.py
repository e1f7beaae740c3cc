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
from herdbook.formats.hdf5 import copy_values, dataset_names, dataset_text, open_values, read_values
from herdbook.formats.poses import Poses, check_length
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks

# The dimensions of movement's variables, in the order of Poses; later versions name them in the singular.
DIMENSIONS = {"time": 0, "individuals": 1, "individual": 1, "keypoints": 2, "keypoint": 2, "space": 3}

# A time is that of a frame if it is nearer to it than a quarter of the way to the next one.
MOST_OFF = 0.25


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
    """Body points of a netCDF file of movement: position by time, space, keypoints, individuals.

    Its times tell the frames, which need not be all of the movie. Raises HerdbookError if they do not.
    """
    with open_values(path) as file:
        frames = _frames(path, file)
        order = _order(path, file["position"])
        xy = np.transpose(read_values(file["position"]), order).astype(np.float64)
        names = {DIMENSIONS[name]: dataset_names(file[name]) for name in DIMENSIONS if name in file and DIMENSIONS[name] in (1, 2)}
        if names.keys() != {1, 2} or xy.shape[3] != 2:
            raise HerdbookError(f"{path}: expected positions in x and y by keypoints and individuals, found {xy.shape}")
        likelihood = np.full(xy.shape[:3], np.nan)
        if "confidence" in file:
            likelihood = np.transpose(read_values(file["confidence"]), _order(path, file["confidence"])).astype(np.float64)
    if frames.tolist() == list(range(len(xy))):
        return Poses(names[1], names[2], xy, likelihood)
    length = int(frames[-1]) + 1
    check_length(length, len(frames), len(names[1]) * len(names[2]))
    places, sure = np.full((length, *xy.shape[1:]), np.nan), np.full((length, *xy.shape[1:3]), np.nan)
    places[frames], sure[frames] = xy, likelihood
    return Poses(names[1], names[2], places, sure)


def rewrite_movement(path: Path, poses: Poses, like: Path) -> None:
    """Write the values of the netCDF file `like` with other places."""
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        xy = poses.xy[_frames(like, file)]
        copy_values(file, new.file, {"position": np.transpose(xy, np.argsort(_order(like, file["position"])))})


def rename_movement(path: Path, poses: Poses, like: Path) -> None:
    """Write the points as a netCDF file of all frames, with the rate of the file `like`."""
    with open_values(like) as file:
        fps = float(np.ravel(file.attrs.get("fps", np.nan))[0])
        times = read_values(file["time"]).astype(np.float64) if "time" in file else np.zeros(0)
    if not fps > 0:
        fps = 1 / float(np.median(np.diff(times))) if len(times) > 1 and np.all(np.diff(times) > 0) else 1.0
    write_poses(path, poses, np.arange(len(poses)) / fps, fps)


def _frames(path: Path, file: h5py.File) -> NDArray[np.int64]:
    """The frame of each time of a file (times,), rising."""
    position = file["position"]
    count = position.shape[_order(path, position)[0]]
    every = np.arange(count, dtype=np.int64)
    # Herdbook writes all frames of a movie, with the times at which they were filmed.
    if dataset_text(file.attrs.get("source_software")) == SOFTWARE:
        return every
    if "time" not in file or file["time"].dtype.kind not in "iuf" or count == 0:
        return every
    times = read_values(file["time"]).astype(np.float64)
    unit, fps = dataset_text(file.attrs.get("time_unit")), file.attrs.get("fps")
    rate = 1.0 if unit == "frames" else float(np.ravel(fps)[0]) if fps is not None else float("nan")
    step = float(times[1]) if count > 1 else 1.0
    if not np.isfinite(rate) or rate <= 0:
        # Without a rate only times from 0 in equal steps tell their frames: all of them.
        if step > 0 and np.allclose(times, every * step, rtol=0, atol=step * MOST_OFF):
            return every
        raise HerdbookError(
            f"{path}: its times begin at {times[0]:g} or are not equally spaced, and it has no attribute fps: their frames cannot be told. "
            "Set ds.attrs['fps'] and ds.attrs['time_unit'] = 'seconds', and save it again."
        )
    frames = np.rint(times * rate)
    wrong = np.flatnonzero(~(np.abs(times * rate - frames) <= MOST_OFF) | (frames < 0) | (np.diff(frames, prepend=-1) <= 0))
    if len(wrong):
        row = int(wrong[0])
        found = f"time {times[row]:g} ({unit or 'seconds'}, row {row + 1}) is frame {times[row] * rate:g} at {rate:g} frames/s"
        raise HerdbookError(
            f"{path}: {found}; expected whole frames from 0, each once and in order. Correct the attribute fps, or give the numbers of the "
            "frames as times, with the attribute time_unit = 'frames'."
        )
    return frames.astype(np.int64)


def _order(path: Path, variable: h5py.Dataset) -> list[int]:
    """The axes of a variable in the order of Poses."""
    names = [dimension[0].name.rsplit("/", 1)[-1] if len(dimension) else "" for dimension in variable.dims]
    if any(name not in DIMENSIONS for name in names):
        raise HerdbookError(f"{path}: {variable.name} has the dimensions {', '.join(names)}, expected those of movement's poses")
    return sorted(range(len(names)), key=lambda axis: DIMENSIONS[names[axis]])
