"""Analysis files of SLEAP, read and written. Dimensions are as in `poses.Poses`."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.errors import HerdbookError
from herdbook.formats.files import POINT, SOFTWARE
from herdbook.formats.hdf5 import copy_values, dataset_names, open_values, read_values
from herdbook.formats.poses import Poses
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks
from herdbook.version import VERSION


def read_sleap(path: Path) -> Poses:
    """Body points of a SLEAP analysis file: tracks (individuals, 2, points, frames)."""
    with open_values(path) as file:
        tracks = read_values(file["tracks"])
        if tracks.ndim != 4 or tracks.shape[1] != 2 or "node_names" not in file:
            raise HerdbookError(f"{path}: expected a SLEAP analysis file with tracks (animals, 2, points, frames), found {tracks.shape}")
        points = dataset_names(file["node_names"])
        individuals = dataset_names(file["track_names"]) if "track_names" in file else ()
        scores = read_values(file["point_scores"]).transpose(2, 0, 1) if "point_scores" in file else None
    xy = tracks.transpose(3, 0, 2, 1).astype(np.float64)
    xy[np.isnan(xy).any(axis=-1)] = np.nan
    likelihood = np.full(xy.shape[:3], np.nan) if scores is None else scores.astype(np.float64)
    # A movie of one animal may have no tracks' names.
    return Poses(individuals or tuple(f"track_{k}" for k in range(len(tracks))), points, xy, likelihood)


def rewrite_sleap(path: Path, poses: Poses, like: Path) -> None:
    """Write the values of the analysis file `like` with other places; an animal that has any counts as present."""
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        instead: dict[str, Any] = {"tracks": poses.xy.transpose(1, 3, 2, 0)}
        if "track_occupancy" in file:
            present = poses.known.any(axis=2)
            instead["track_occupancy"] = present if file["track_occupancy"].shape == present.shape else present.T
        copy_values(file, new.file, instead)


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
