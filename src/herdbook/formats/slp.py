"""Label files of SLEAP (.slp), predictions or labelled frames, read and written without SLEAP. Dimensions are as in `poses.Poses`.

A file holds frames, their instances (bodies) and the points of these as tables, and describes skeletons and tracks as JSON. An instance
that a person labelled counts instead of a predicted one of the same track; instances without a track are slots by their order in the frame.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.text import composed
from herdbook.formats.hdf5 import copy_values, dataset_text, open_values, read_texts, read_values
from herdbook.formats.poses import Poses, check_length
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5

TABLES = ("frames", "instances", "points", "pred_points")
# Before this version of the format the middle of the first pixel was at (0.5, 0.5).
MIDDLES_AT_WHOLE = 1.1
USER, PREDICTED = 0, 1


def is_slp(file: h5py.File) -> bool:
    """Whether an HDF5 file is one of labels of SLEAP."""
    return "metadata" in file and all(name in file for name in TABLES)


def read_slp(path: Path) -> Poses:
    """Body points of a file of labels or predictions of one movie. Raises HerdbookError for several movies or skeletons."""
    with open_values(path) as file:
        description = _description(file)
        points = _node_names(path, description)
        frames, instances, placed, predicted = (read_values(file[name]) for name in TABLES)
        tracks = [composed(str(json.loads(text)[1])) for text in read_texts(file["tracks_json"])] if "tracks_json" in file else []
        shift = 0.5 if _format_of(file) < MIDDLES_AT_WHOLE else 0.0
    if len(np.unique(frames["video"])) > 1:
        raise HerdbookError(f"{path}: its labels are of {len(np.unique(frames['video']))} movies. Save those of each movie as a file.")
    slots, size = _slots(instances, len(tracks))
    names = (*tracks, *(f"instance_{k}" for k in range(size - len(tracks))))
    # Without a sign in the file: the largest of none would be no number.
    number, time = frames["frame_id"].astype(np.int64), frames["frame_idx"].astype(np.int64)
    length = int(time.max(initial=-1)) + 1
    check_length(length, len(placed) + len(predicted), len(names) * len(points))
    xy, likelihood = np.full((length, len(names), len(points), 2), np.nan), np.full((length, len(names), len(points)), np.nan)
    frame_of = np.zeros(int(number.max(initial=-1)) + 1, np.int64)
    frame_of[number] = time
    # Predicted ones first, so that a person's replace them.
    for k in sorted(range(len(instances)), key=lambda k: instances["instance_type"][k] != PREDICTED):
        row = instances[k]
        table = predicted if row["instance_type"] == PREDICTED else placed
        own = table[int(row["point_id_start"]) : int(row["point_id_end"])]
        if len(own) != len(points):
            raise HerdbookError(f"{path}: an instance has {len(own)} points, its skeleton {len(points)}. Save the file again with SLEAP.")
        place = np.stack([own["x"], own["y"]], 1).astype(np.float64) - shift
        place[~own["visible"].astype(bool) | np.isnan(place).any(axis=1)] = np.nan
        xy[frame_of[row["frame_id"]], slots[k]] = place
        likelihood[frame_of[row["frame_id"]], slots[k]] = own["score"] if "score" in (own.dtype.names or ()) else np.nan
    return Poses(names, points, xy, likelihood)


def rename_slp(path: Path, poses: Poses, like: Path) -> None:
    """Write `poses` as predictions of a track for each individual, with the movie and the skeleton of the file `like`."""
    with open_values(like) as file, replacing(path) as temporary, new_hdf5(temporary) as new:
        kinds = {name: file[name].dtype for name in TABLES}
        shift = 0.5 if _format_of(file) < MIDDLES_AT_WHOLE else 0.0
        video = int(read_values(file["frames"])["video"][0]) if len(file["frames"]) else 0
        bodies = np.argwhere(poses.known.any(axis=2))
        shown = np.unique(bodies[:, 0])
        joints = len(poses.points)
        first = np.searchsorted(bodies[:, 0], shown)
        frames = _table(
            kinds["frames"],
            len(shown),
            frame_id=np.arange(len(shown)),
            video=video,
            frame_idx=shown,
            instance_id_start=first,
            instance_id_end=np.append(first[1:], len(bodies))[: len(shown)],
        )
        at = bodies[:, 0], bodies[:, 1]
        start = np.arange(len(bodies)) * joints
        instances = _table(
            kinds["instances"],
            len(bodies),
            instance_id=np.arange(len(bodies)),
            instance_type=PREDICTED,
            frame_id=np.searchsorted(shown, bodies[:, 0]),
            track=bodies[:, 1],
            from_predicted=-1,
            score=np.nan_to_num(np.where(poses.known[at], np.nan_to_num(poses.likelihood[at]), 0).mean(axis=1)),
            point_id_start=start,
            point_id_end=start + joints,
        )
        place = poses.xy[at].reshape(-1, 2) + shift
        known = ~np.isnan(place[:, 0])
        score = np.nan_to_num(poses.likelihood[at].ravel())
        predicted = _table(kinds["pred_points"], len(place), x=place[:, 0], y=place[:, 1], visible=known, score=score)
        tables = (frames, instances, np.zeros(0, kinds["points"]), predicted)
        tracks = np.array([json.dumps([0, name]).encode() for name in poses.individuals], "S")
        copy_values(file, new.file, dict(zip(TABLES, tables, strict=True)) | {"tracks_json": tracks})


def _description(file: h5py.File) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(dataset_text(file["metadata"].attrs["json"]))
    return described


def _format_of(file: h5py.File) -> float:
    return float(np.ravel(file["metadata"].attrs.get("format_id", 1.0))[0])


def _node_names(path: Path, description: dict[str, Any]) -> tuple[str, ...]:
    """The points of the only skeleton, in its order."""
    skeletons = description["skeletons"]
    if len(skeletons) != 1:
        raise HerdbookError(f"{path}: expected one skeleton, found {len(skeletons)}. Save a file with that of the animals alone.")
    every = [composed(str(node["name"] if isinstance(node, dict) else node)) for node in description["nodes"]]
    return tuple(every[int(node["id"] if isinstance(node, dict) else node)] for node in skeletons[0]["nodes"])


def _slots(instances: NDArray[Any], tracks: int) -> tuple[NDArray[np.int64], int]:
    """The slot of each instance: its track, or, without one, its number among those without one in its frame after the tracks."""
    slots = instances["track"].astype(np.int64)
    free = np.flatnonzero(slots < 0)
    order = free[np.argsort(instances["frame_id"][free], kind="stable")]
    frame = instances["frame_id"][order]
    slots[order] = tracks + np.arange(len(order)) - np.searchsorted(frame, frame)
    return slots, max(tracks, int(slots.max(initial=-1)) + 1)


def _table(kind: np.dtype[Any], rows: int, **columns: Any) -> NDArray[Any]:
    """Rows of this kind; fields that are not given are 0."""
    table = np.zeros(rows, kind)
    for name, values in columns.items():
        if name in (kind.names or ()):
            table[name] = values
    return table
