"""Files of idtracker.ai, written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from herdbook.formats.files import SOFTWARE
from herdbook.system.files import replacing, write_text
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks
from herdbook.version import VERSION


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


def _idtracker_attributes(tracks: Tracks) -> dict[str, Any]:
    lengths = [tracks.length[tracks.individual == k] * tracks.width[tracks.individual == k] for k in range(len(tracks.individuals))]
    areas = [np.pi / 4 * length[np.isfinite(length)] for length in lengths]
    known = [area if len(area) else np.zeros(1) for area in areas]
    sure = tracks.confidence[np.isfinite(tracks.confidence)]
    return {
        "version": f"{SOFTWARE} {VERSION}",
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
