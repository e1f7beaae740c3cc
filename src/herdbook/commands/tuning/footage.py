"""Footage of `herdbook tune` and `herdbook check`: sampled frames of a movie, its background, and the ways of finding animals in them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.store import artifact_fingerprint, open_artifact
from herdbook.commands.movie_scans import scan_of
from herdbook.errors import HerdbookError
from herdbook.experiment.frame_faults import arena_faults, recording_size_faults
from herdbook.experiment.model import Experiment
from herdbook.experiment.scene import BackgroundSection
from herdbook.geometry.intervals import tracked_intervals
from herdbook.job import stage_version
from herdbook.movie.frame import Frame
from herdbook.movie.reading import read_frame_samples
from herdbook.segmentation.arenas import ArenaMap, map_arenas
from herdbook.segmentation.scenes import make_background
from herdbook.segmentation.thresholds import LIMITED_BLACK, LIMITED_RANGE

STAGE = "tune"
_CHANNEL = {"blue": 0, "green": 1, "red": 2}


@dataclass(frozen=True)
class Footage:
    """Sampled frames of a movie, the settings of its stage segment, the masks and the map (height, width) of its arenas, and the number of
    animals in each.
    """

    movie: str
    index: Index
    settings: dict[str, Any]
    masks: list[Path]
    arena: ArenaMap
    numbers: list[int | None]
    frames: list[Frame]


@dataclass(frozen=True)
class Way:
    """A way of finding animals: their polarity, and the background with which frames are compared, or whose level is that of the ground.

    `method` as in the section segment; `given`: it is that of the experiment file; `changes`: what it changes in the section background.
    """

    method: str
    polarity: str
    background: Background
    given: bool = True
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The way in words."""
        if self.method == "intensity":
            return "intensity"
        return "background" + "".join(f", {key} {value}" for key, value in self.changes.items())


def read_footage(experiment: Experiment, movie: str, frames: int) -> Footage:
    """A movie of an experiment prepared for tuning, with at most `frames` frames, spread over its tracked intervals."""
    settings = json.loads(experiment.settings("segment", movie))
    index, path = read_index(experiment, movie), Path(experiment.movie(movie).file)
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{path}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    tracked = np.concatenate([np.arange(*span) for span in tracked_intervals(settings["intervals"], len(index), path)])
    number = min(frames, len(tracked))
    picks = tracked[((np.arange(number) + 0.5) * len(tracked) / number).astype(np.int64)]
    masks = [Path(mask) for mask in experiment.masks.values()]
    return Footage(
        movie=movie,
        index=index,
        settings=settings,
        masks=masks,
        arena=map_arenas(settings["arenas"], (index.height, index.width), masks),
        numbers=json.loads(experiment.settings("tracklets", movie))["numbers"],
        frames=list(read_frame_samples(path, index, picks.tolist())),
    )


def read_background(
    experiment: Experiment, movie: str, polarity: str, changes: Mapping[str, Any] | None = None, *, stage: str = STAGE
) -> Background:
    """The background of a movie with the settings of the experiment, but for animals of this polarity, and with `changes` of its section.

    One that the workflow has made with the same settings is read.
    """
    made = known_background(experiment, movie, polarity, changes)
    if made is not None:
        return made
    section, unit, members, settings = _scene(experiment, movie, polarity, changes)
    indices = {name: read_index(experiment, name) for name in members}
    faults = recording_size_faults({unit: members}, {name: (index.width, index.height) for name, index in indices.items()})
    if faults:
        raise HerdbookError("; ".join(faults))
    return make_background(
        [Path(experiment.movie(name).file) for name in members],
        list(indices.values()),
        [settings["intervals"].get(name, []) for name in members],
        settings,
        Path(section.file) if section.file else None,
        stage=stage,
    )[0]


def known_background(experiment: Experiment, movie: str, polarity: str, changes: Mapping[str, Any] | None = None) -> Background | None:
    """The background that the workflow has made with the settings of `read_background`, None if it has not."""
    section, unit, members, settings = _scene(experiment, movie, polarity, changes)
    given = [Path(experiment.movie(name).file) for name in members] + ([Path(section.file)] if section.file else [])
    return _made_before(experiment.artifact("background", unit), settings, given)


def _scene(
    experiment: Experiment, movie: str, polarity: str, changes: Mapping[str, Any] | None
) -> tuple[BackgroundSection, str, list[str], dict[str, Any]]:
    """The changed section of the background, and of the scene that a movie belongs to its name, its movies and the settings of its job."""
    section = experiment.background.model_copy(update=dict(changes or {}))
    changed = experiment.model_copy(update={"background": section})
    together = section.scope == "recording"
    unit = experiment.recording_of(movie) if together else movie
    settings = json.loads(changed.settings("background", unit)) | {"polarity": polarity}
    return section, unit, experiment.recordings[unit] if together else [movie], settings


def read_index(experiment: Experiment, movie: str) -> Index:
    """The frames of a movie; raises HerdbookError if it has not been simulated yet or cannot be read."""
    path = Path(experiment.movie(movie).file)
    if experiment.simulate and not path.exists():
        raise HerdbookError(f"{path}: this movie has not been simulated yet. Run snakemake first.")
    return Index.from_scan(scan_of(experiment, movie), movie_fingerprint="")


def ground_level(footage: Footage, background: Background) -> float:
    """The median grey level of the background inside the arenas, in the channel that is compared."""
    inside, channel = footage.arena >= 0, footage.settings["channel"]
    if channel in _CHANNEL:
        return float(np.median(background.bgr[0][inside][:, _CHANNEL[channel]]))
    luma = float(np.median(background.luma[0][inside]))
    return luma if footage.index.full_range else (luma - LIMITED_BLACK) / LIMITED_RANGE


def _made_before(path: Path, settings: Mapping[str, Any], given: Sequence[Path]) -> Background | None:
    """The background in this file, if it was made of these given files with these settings by this version of the stage."""
    if not path.is_file():
        return None
    try:
        with open_artifact(path, Background.kind) as file:
            same = json.loads(file.attrs["settings"]) == settings and int(file.attrs["stage_version"]) == stage_version("background")
            inputs = json.loads(file.attrs["inputs"])
        used = {fingerprint for name, fingerprint in inputs.items() if name.partition("/")[0] in ("movie", "image")}
        return Background.load(path) if same and used == {artifact_fingerprint(one) for one in given} else None
    except (HerdbookError, OSError, KeyError, ValueError):
        return None
