"""Analysis files of SLEAP, read and written. Dimensions are as in `poses.Poses`."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from herdbook.errors import HerdbookError
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.hdf5 import copy_values, dataset_names, open_values, read_values
from herdbook.formats.poses import Poses
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks
from herdbook.version import VERSION

# The axes of a file's tracks, in the order of Poses, and the two orders in which SLEAP and sleap-io write them.
AXES = ("frame", "track", "node", "xy")
ORDERS = (("track", "xy", "node", "frame"), AXES)
EXPORT_AGAIN = "Export it again, with sleap-io in its order matlab, which is also that of SLEAP's own analysis files"


def read_sleap(path: Path) -> Poses:
    """Body points of a SLEAP analysis file, whatever the order of its axes.

    Raises HerdbookError for another file, and for one whose axes can be told apart neither by the attribute `dims` nor by the names.
    """
    with open_values(path) as file:
        order = _axes(path, file)
        xy = read_values(file["tracks"]).transpose(order).astype(np.float64)
        points = dataset_names(file["node_names"])
        individuals = dataset_names(file["track_names"]) if "track_names" in file else ()
        likelihood = np.full(xy.shape[:3], np.nan)
        if "point_scores" in file:
            scores = file["point_scores"]
            # Without names of their own the axes follow those of the tracks.
            names = _dims(scores) or [name for name in np.array(AXES)[np.argsort(order)].tolist() if name != "xy"]
            likelihood = read_values(scores).transpose([names.index(name) for name in AXES[:3]]).astype(np.float64)
    # A movie of one animal may have no tracks' names.
    individuals = individuals or tuple(f"track_{k}" for k in range(xy.shape[1]))
    if likelihood.shape != xy.shape[:3] or (xy.shape[1], xy.shape[2]) != (len(individuals), len(points)):
        raise HerdbookError(
            f"{path}: its tracks are {xy.shape[1]} animals with {xy.shape[2]} points in {len(xy)} frames, its scores {likelihood.shape}, "
            f"its names those of {len(individuals)} animals and {len(points)} points. {EXPORT_AGAIN}."
        )
    return Poses(individuals, points, xy, likelihood)


def rewrite_sleap(path: Path, poses: Poses, like: Path) -> None:
    """Write the values of the analysis file `like` with other places; an animal that has any counts as present."""
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        instead: dict[str, Any] = {"tracks": poses.xy.transpose(np.argsort(_axes(like, file)))}
        if "track_occupancy" in file:
            present = poses.known.any(axis=2)
            occupancy = file["track_occupancy"]
            as_it_is = _dims(occupancy) == list(AXES[:2]) or (not _dims(occupancy) and occupancy.shape == present.shape)
            instead["track_occupancy"] = present if as_it_is else present.T
        copy_values(file, new.file, instead)


def rename_sleap(path: Path, poses: Poses, like: Path) -> None:
    """Write an analysis file with a track for each individual, and the skeleton and movie of the analysis file `like`."""
    present, likelihood = poses.known.any(axis=2), np.where(poses.known, poses.likelihood, np.nan)
    counted = np.maximum((~np.isnan(likelihood)).sum(axis=2), 1)
    columns: dict[str, Any] = {
        "tracks": poses.xy.transpose(1, 3, 2, 0),
        "track_occupancy": present.astype(np.uint8),
        "point_scores": likelihood.transpose(1, 2, 0),
        "instance_scores": np.where(present, np.nansum(likelihood, axis=2) / counted, np.nan).T,
        "tracking_scores": np.full((len(poses.individuals), len(poses)), np.nan),
    }
    names = {"track_names": poses.individuals, "node_names": poses.points}
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        for name, value in columns.items():
            new.file.create_dataset(name, data=value, **({"compression": "gzip", "compression_opts": 1} if value.size else {}))
        for name, words in names.items():
            new.file.create_dataset(name, data=np.array([word.encode() for word in words], "S"))
        for name in ("edge_names", "edge_inds", "labels_path", "video_path", "video_ind", "provenance"):
            if name in file:
                new.file.create_dataset(name, data=file[name][()])


def _axes(path: Path, file: h5py.File) -> list[int]:
    """The axes of `tracks` in the order of AXES."""
    tracks = file["tracks"]
    if tracks.ndim != 4 or "node_names" not in file:
        raise HerdbookError(f"{path}: expected a SLEAP analysis file with tracks (animals, 2, points, frames), found {tracks.shape}")
    if named := _dims(tracks):
        if sorted(named) != sorted(AXES):
            raise HerdbookError(
                f"{path}: its tracks have the dims {', '.join(map(str, named))}, expected {', '.join(AXES)}. {EXPORT_AGAIN}."
            )
        return [named.index(name) for name in AXES]
    points = len(file["node_names"])
    animals = len(file["track_names"]) if "track_names" in file and len(file["track_names"]) else None
    fit = [
        order
        for order in ORDERS
        if tracks.shape[order.index("xy")] == 2
        and tracks.shape[order.index("node")] == points
        and animals in (None, tracks.shape[order.index("track")])
    ]
    if len(fit) != 1:
        readings = " or ".join(f"({', '.join(order)})" for order in fit or ORDERS)
        how = "can be read in two ways, as" if fit else f"with {points} points and {animals or 'unnamed'} animals are neither"
        raise HerdbookError(f"{path}: its tracks {tracks.shape} {how} {readings}, and no attribute dims tells. {EXPORT_AGAIN}.")
    return [fit[0].index(name) for name in AXES]


def _dims(dataset: h5py.Dataset) -> list[str]:
    """The names of the axes of a dataset, none if it does not tell: JSON, or an array of texts."""
    value = dataset.attrs.get("dims")
    if value is None:
        return []
    value = value.decode() if isinstance(value, bytes) else value
    names = json.loads(value) if isinstance(value, str) else np.atleast_1d(value).tolist()
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def write_sleap(path: Path, tracks: Tracks) -> None:
    """Analysis file of SLEAP: tracks (individuals, 2, 1, frames), and how present and how sure the animals are."""
    xy, confidence = tracks.xy, tracks.dense(tracks.confidence)
    unknown = np.full((len(tracks.individuals), tracks.frames), np.nan)
    columns: dict[str, Any] = {
        "tracks": xy.transpose(1, 2, 0)[:, :, None, :],
        "track_occupancy": np.isfinite(xy[..., 0]).astype(np.uint8),
        "point_scores": confidence.T[:, None, :],
        "instance_scores": confidence.T,
        "tracking_scores": unknown,
        "edge_inds": np.zeros((0, 2), np.int64),
        "video_ind": 0,
    }
    texts = {"track_names": list(tracks.individuals), "node_names": [POINT], "edge_names": []}
    descriptions = {
        "labels_path": "",
        "video_path": tracks.movie,
        "provenance": json.dumps({"software": SOFTWARE, "version": VERSION}),
    }
    with replacing(path) as temporary, new_hdf5(temporary) as new:
        for name, value in columns.items():
            packed = {"compression": "gzip", "compression_opts": 1} if np.size(value) > 1 else {}
            new.file.create_dataset(name, data=value, **packed)
        for name, words in texts.items():
            new.file.create_dataset(name, data=np.array([word.encode() for word in words], "S") if words else np.zeros(0, "S1"))
        for name, text in descriptions.items():
            new.file.create_dataset(name, data=text)
