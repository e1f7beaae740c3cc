"""The results of an experiment in Python: `herdbook.load("results/ants16")`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import open_artifact, read_attributes, read_column
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.layout import MADE_BY, artifact
from herdbook.experiment.output import CONTACT_GAP_S
from herdbook.system.hdf5 import open_hdf5
from herdbook.tables.event_tables import EVENT_COLUMNS, event_table, tracklet_table
from herdbook.tables.positions import recording_clocks
from herdbook.tables.tracks import Tracks, read_tracks

# The arguments of the stages by which tables are read.
READ = ("trajectories", "index", "blobs", "tracklets", "identities")


@dataclass(frozen=True)
class Results:
    """What was found in an experiment, read when it is asked for. `folder` is that of the experiment among the results."""

    folder: Path
    recordings: dict[str, list[str]]
    export_settings: Mapping[str, Any]

    @cached_property
    def trajectories(self) -> xr.Dataset:
        """All positions by time, individual and space, NaN where an animal has none.

        Variables: `position` (time, individual, space) px; `heading` rad, `speed` px/s, `length` (of the body, where it is alone) px,
        `confidence`, all (time, individual). Along time: `recording`, `movie`, `frame`. Time (s) begins anew with each
        recording; `recording` gives one of them. Attributes: fps, px_per_mm (NaN if unknown).
        """
        parts = [self._dataset(recording, movie) for recording, movies in self.recordings.items() for movie in movies]
        return xr.concat(parts, "time", join="outer", combine_attrs="override", data_vars="minimal")

    def recording(self, name: str) -> xr.Dataset:
        """`trajectories` of one recording."""
        self._check_recording(name)
        return self.trajectories.isel(time=self.trajectories["recording"].values == name)

    @cached_property
    def tracklets(self) -> pd.DataFrame:
        """The rows of tracklets.csv: a row for each tracklet and animal in it."""
        parts = []
        for recording, movies in self.recordings.items():
            identities = Identities.load(self._path("identities", recording))
            parts += [tracklet_table(m, Tracklets.load(self._path("tracklets", m)), identities, self._arenas) for m in movies]
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def events(self) -> pd.DataFrame:
        """The rows of events.csv: merges, contacts, exits, entrances, and who is hidden."""
        parts = []
        for recording, movies in self.recordings.items():
            files = {kind: {movie: self._path(kind, movie) for movie in movies} for kind in READ if kind != "identities"}
            files["identities"] = {recording: self._path("identities", recording)}
            gap_s = float(self.export_settings.get("contact_gap_s", CONTACT_GAP_S))
            parts.append(event_table(recording, movies, files, self.named, self._arenas, gap_s))
        known = [part for part in parts if len(part)]
        return pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=list(EVENT_COLUMNS))

    @cached_property
    def settings(self) -> pd.DataFrame:
        """The settings that each artifact was made with: stage, file, key, value, and the versions of stage and package."""
        rows = []
        for path in sorted(self.folder.glob("*/*.h5")):
            with open_hdf5(path) as file:
                attributes = read_attributes(file)
            if "settings" in attributes:
                values = _flat(json.loads(attributes["settings"]))
                versions = int(attributes["stage_version"]), str(attributes["herdbook_version"])
                rows += [(attributes["stage"], path.stem, key, value, *versions) for key, value in values.items()]
        return pd.DataFrame(rows, columns=["stage", "file", "key", "value", "stage_version", "herdbook_version"])

    @property
    def named(self) -> bool:
        """Whether the animals keep their names: marking is not none."""
        if "marking" in self.export_settings:
            return bool(self.export_settings["marking"] != "none")
        with open_artifact(self._path("identities", next(iter(self.recordings))), Identities.kind) as file:
            return bool(json.loads(file.attrs["settings"]).get("marking") != "none")

    @property
    def px_per_mm(self) -> float:
        """Number of px in a mm, NaN if the experiment gives no scale."""
        return float(self.export_settings.get("px_per_mm") or np.nan)

    @property
    def _arenas(self) -> Sequence[str]:
        return list(self.export_settings.get("arenas", []))

    @cached_property
    def _movies(self) -> dict[str, tuple[float, float]]:
        """When each movie begins in its recording, and how long it lasts (s)."""
        found = {}
        for movies in self.recordings.values():
            start_s = 0.0
            for movie in movies:
                duration_s = Index.load(self._path("index", movie)).duration_s
                found[movie] = start_s, duration_s
                start_s += duration_s
        return found

    def _dataset(self, recording: str, movie: str) -> xr.Dataset:
        tracks = self.tracks(movie)
        columns = {
            name: (("time", "individual"), tracks.dense(getattr(tracks, name))) for name in ("heading", "speed", "length", "confidence")
        }
        along = {"recording": recording, "movie": movie}
        return xr.Dataset(
            {"position": (("time", "individual", "space"), tracks.xy), **columns},
            {
                "time": tracks.time_s,
                "individual": np.array(tracks.individuals, object),
                "space": ["x", "y"],
                **{name: ("time", np.full(tracks.frames, value, object)) for name, value in along.items()},
                "frame": ("time", np.arange(tracks.frames)),
            },
            {"fps": tracks.fps, "px_per_mm": self.px_per_mm, "start": tracks.start},
        )

    def tracks(self, movie: str) -> Tracks:
        """The positions of one movie as columns; lasting names also of animals without a position."""
        recording = next((name for name, movies in self.recordings.items() if movie in movies), "")
        if not recording:
            raise HerdbookError(f"{self.folder}: there is no movie {movie!r}; there are {', '.join(self._movies)}")
        durations = {name: duration_s for name, (_, duration_s) in self._movies.items()}
        clocks = recording_clocks(self.recordings, self.export_settings.get("starts", {}), durations)
        files = {kind: self._path(kind, recording if kind == "identities" else movie) for kind in READ}
        start_s = self._movies[movie][0]
        return read_tracks(movie, files, start_s, all_names=self.named, px_per_mm=self.px_per_mm, start=clocks[recording])

    def duration_s(self, movie: str) -> float:
        """How long a movie lasts (s)."""
        return self._movies[movie][1]

    def tracked_frames(self, movie: str) -> int:
        """In how many frames of a movie animals are tracked."""
        with open_artifact(self._path("blobs", movie), Blobs.kind) as file:
            return int(np.diff(read_column(file, "intervals")).sum())

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / artifact(MADE_BY[kind], name)

    def _check_recording(self, name: str) -> None:
        if name not in self.recordings:
            raise HerdbookError(f"{self.folder}: there is no recording {name!r}; there are {', '.join(self.recordings)}")


def load(folder: str | Path) -> Results:
    """The results in an experiment's folder; they are read when they are asked for. Raises HerdbookError if there are none."""
    folder = Path(folder).expanduser()
    recordings: dict[str, list[str]] = {}
    for path in sorted(folder.glob(artifact("propagate", "*"))):
        recordings[path.stem] = Identities.load(path, without=("animals",)).movies
    if not recordings:
        raise HerdbookError(
            f"{folder}: holds no results. Expected the folder of an experiment, such as results/demo, after snakemake has run."
        )
    table = folder / "trajectories.h5"
    settings: dict[str, Any] = {}
    if table.is_file():
        with open_artifact(table, "export") as file:
            settings = json.loads(file.attrs["settings"])
    # The table knows the order of the experiment file.
    order = [name for name in settings.get("recordings", {}) if name in recordings]
    return Results(folder, {name: recordings[name] for name in dict.fromkeys([*order, *recordings])}, settings)


def _flat(values: Mapping[str, Any], place: str = "") -> dict[str, str]:
    """Nested settings as dotted keys with values as JSON."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{place}{key}.")
        else:
            flat[f"{place}{key}"] = json.dumps(value, ensure_ascii=False)
    return flat
