"""Writing the positions of a movie as files of other tools. The body is one point, its centre; points are (x, y) in px."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import herdbook
from herdbook.deeplabcut_hdf5 import KEY, LEVELS
from herdbook.hdf5_files import new_hdf5
from herdbook.movie_tracks import Tracks
from herdbook.nwb_files import write_nwb
from herdbook.store import replacing, write_text

POINT = "centre"
SOFTWARE = "Herdbook"
# Width of an animal as a share of its length where no animal was seen alone.
SLENDER = 0.4


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


def write_deeplabcut(path: Path, tracks: Tracks) -> None:
    """Table of DeepLabCut for several animals, .h5 or .csv, with a row for each frame."""
    values = np.concatenate([tracks.xy, tracks.dense(tracks.confidence)[..., None]], axis=2)
    columns = pd.MultiIndex.from_product([[SOFTWARE], list(tracks.individuals), [POINT], ["x", "y", "likelihood"]], names=LEVELS[1])
    table = pd.DataFrame(values.reshape(tracks.frames, -1), columns=columns)
    with replacing(path) as temporary:
        if path.suffix == ".csv":
            table.round(3).to_csv(temporary)
        else:
            # Format "table" keeps all names of columns in 64 KB of attributes.
            table.to_hdf(temporary, key=KEY, format="table" if 0 < len(tracks.individuals) <= 200 else "fixed", mode="w")


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
    said = {
        "labels_path": "",
        "video_path": tracks.movie,
        "provenance": json.dumps({"software": SOFTWARE, "version": herdbook.__version__}),
    }
    with replacing(path) as temporary, new_hdf5(temporary) as new:
        for name, value in columns.items():
            packed = {"compression": "gzip", "compression_opts": 1} if np.size(value) > 1 else {}
            new.file.create_dataset(name, data=value, **packed)
        for name, words in texts.items():
            new.file.create_dataset(name, data=np.array([word.encode() for word in words], "S") if words else np.zeros(0, "S1"))
        for name, text in said.items():
            new.file.create_dataset(name, data=text)


def write_idtracker_hdf5(path: Path, tracks: Tracks) -> None:
    """trajectories.h5 of idtracker.ai: trajectories (frames, animals, 2), id_probabilities (frames, animals, 1) and their attributes."""
    with replacing(path) as temporary, new_hdf5(temporary) as new:
        new.file.create_dataset("trajectories", data=tracks.xy, compression="gzip", compression_opts=1)
        new.file.create_dataset("id_probabilities", data=tracks.dense(tracks.confidence)[..., None], compression="gzip", compression_opts=1)
        attributes = _idtracker_attributes(tracks)
        for name in ("areas", "setup_points", "identities_groups", "stats"):
            group = new.file.create_group(name)
            for key, value in attributes.pop(name).items():
                group.create_dataset(key, data=value)
        attributes["length_unit"] = attributes["length_unit"] or -1
        for key, value in attributes.items():
            new.file.attrs[key] = value


def write_idtracker_csv(path: Path, tracks: Tracks) -> None:
    """trajectories.csv or id_probabilities.csv of idtracker.ai: time (s in the movie), then the columns of each animal in turn."""
    numbers = range(1, len(tracks.individuals) + 1)
    if path.stem == "trajectories":
        names, values = [f"{axis}{k}" for k in numbers for axis in "xy"], tracks.xy.reshape(tracks.frames, -1)
    else:
        names, values = [f"id_probabilities{k}" for k in numbers], tracks.dense(tracks.confidence)
    table = pd.DataFrame(values, columns=names)
    table.insert(0, "time", tracks.time_s - tracks.time_s[0])
    with replacing(path) as temporary:
        # The readers of this format know no empty cells.
        table.to_csv(temporary, index=False, na_rep="nan", float_format="%.4f")


def write_idtracker_attributes(path: Path, tracks: Tracks) -> None:
    """attributes.json beside the tables of idtracker.ai."""
    write_text(path, json.dumps(_idtracker_attributes(tracks), indent=1, ensure_ascii=False) + "\n")


def write_jaaba(path: Path, tracks: Tracks) -> None:
    """trx.mat of JAABA: a struct for each animal that has a position, from its first to its last; frames and px count from 1."""
    length = tracks.body_length if np.isfinite(tracks.body_length) else 1.0
    width = tracks.body_width if np.isfinite(tracks.body_width) else SLENDER * length
    mm = tracks.px_per_mm if np.isfinite(tracks.px_per_mm) else 1.0
    order = np.argsort(tracks.individual, kind="stable")
    stops = np.searchsorted(tracks.individual[order], np.arange(len(tracks.individuals) + 1))
    structs = []
    for number, name in enumerate(tracks.individuals):
        rows = order[stops[number] : stops[number + 1]]
        if not len(rows):
            continue
        first, last = int(tracks.frame[rows[0]]), int(tracks.frame[rows[-1]])
        at = tracks.frame[rows] - first
        values = np.full((5, last - first + 1), np.nan)
        axes = np.stack([tracks.length[rows], tracks.width[rows]]), [[length], [width]]
        values[:, at] = [tracks.x[rows] + 1, tracks.y[rows] + 1, tracks.heading[rows], *(np.where(np.isfinite(axes[0]), *axes) / 4)]
        x, y, theta, a, b = values[:, None]
        structs.append(
            {
                **{"x": x, "y": y, "theta": theta, "a": a, "b": b, "nframes": last - first + 1.0, "firstframe": first + 1.0},
                **{"endframe": last + 1.0, "off": -float(first), "id": number + 1.0, "name": name, "moviename": tracks.movie, "sex": "?"},
                **{"x_mm": x / mm, "y_mm": y / mm, "theta_mm": theta, "a_mm": a / mm, "b_mm": b / mm, "pxpermm": mm, "fps": tracks.fps},
                **{"dt": np.diff(tracks.time_s[first : last + 1])[None], "timestamps": tracks.time_s[first : last + 1][None]},
            }
        )
    fields = list(structs[0]) if structs else ["x", "y"]
    trx = np.empty((1, len(structs)), [(field, object) for field in fields])
    for number, struct in enumerate(structs):
        trx[0, number] = tuple(struct[field] for field in fields)
    # A fifth of a second to import, for one of many formats.
    from scipy.io import savemat

    with replacing(path) as temporary:
        savemat(str(temporary), {"trx": trx, "timestamps": tracks.time_s[None]}, appendmat=False, do_compression=True)


def write_mot(path: Path, tracks: Tracks) -> None:
    """CSV of MOTChallenge without a header: frame, id, left, top, width, height, confidence, -1, -1, -1; frames, ids and px count from 1.

    Boxes are squares of a median body length (1 px if none is known) around the positions.
    """
    side = tracks.body_length if np.isfinite(tracks.body_length) else 1.0
    rows = pd.DataFrame(
        {
            "frame": tracks.frame + 1,
            "id": tracks.individual + 1,
            "left": tracks.x + 1 - side / 2,
            "top": tracks.y + 1 - side / 2,
            **dict.fromkeys(("width", "height"), np.full(len(tracks.frame), side)),
            "confidence": tracks.confidence,
            **dict.fromkeys(("x", "y", "z"), np.full(len(tracks.frame), -1)),
        }
    )
    with replacing(path) as temporary:
        rows.to_csv(temporary, index=False, header=False, float_format="%.4f")


def write_mot_names(path: Path, tracks: Tracks) -> None:
    """Who has which id in the CSV of MOTChallenge."""
    table = pd.DataFrame({"id": np.arange(1, len(tracks.individuals) + 1), "individual": list(tracks.individuals)})
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


# What writes each template of format_files.MOVIE_FILES.
WRITERS: dict[str, Callable[[Path, Tracks], None]] = {
    "movement/{movie}.nc": write_movement,
    "deeplabcut/{movie}.h5": write_deeplabcut,
    "deeplabcut/{movie}.csv": write_deeplabcut,
    "sleap/{movie}.analysis.h5": write_sleap,
    "idtracker/{movie}/trajectories.h5": write_idtracker_hdf5,
    "idtracker/{movie}/trajectories_csv/trajectories.csv": write_idtracker_csv,
    "idtracker/{movie}/trajectories_csv/id_probabilities.csv": write_idtracker_csv,
    "idtracker/{movie}/trajectories_csv/attributes.json": write_idtracker_attributes,
    "jaaba/{movie}/trx.mat": write_jaaba,
    "mot/{movie}.csv": write_mot,
    "mot/{movie}.names.csv": write_mot_names,
    "nwb/{movie}.nwb": write_nwb,
}


def _idtracker_attributes(tracks: Tracks) -> dict[str, Any]:
    lengths = [tracks.length[tracks.individual == k] * tracks.width[tracks.individual == k] for k in range(len(tracks.individuals))]
    areas = [np.pi / 4 * length[np.isfinite(length)] for length in lengths]
    known = [area if len(area) else np.zeros(1) for area in areas]
    sure = tracks.confidence[np.isfinite(tracks.confidence)]
    return {
        "version": f"{SOFTWARE} {herdbook.__version__}",
        "video_paths": [tracks.movie],
        "frames_per_second": tracks.fps,
        "body_length": tracks.body_length if np.isfinite(tracks.body_length) else 0.0,
        "width": tracks.size[0],
        "height": tracks.size[1],
        "identities_labels": list(tracks.individuals),
        "length_unit": tracks.px_per_mm if np.isfinite(tracks.px_per_mm) else None,
        "stats": {"estimated_accuracy": float(sure.mean()) if len(sure) else 0.0},
        "areas": {name: [float(by(area)) for area in known] for name, by in (("mean", np.mean), ("median", np.median), ("std", np.std))},
        "setup_points": {},
        "identities_groups": {},
    }
