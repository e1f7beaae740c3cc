"""What `herdbook tune` does: sampled frames of a movie are segmented at many differences, which leads to a proposal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arenas import map_arenas
from herdbook.artifacts import Background, Index
from herdbook.blob_tables import chosen_blobs, no_blobs
from herdbook.check import arena_faults, recording_size_faults
from herdbook.errors import HerdbookError
from herdbook.experiment import Experiment
from herdbook.ghosts import find_ghosts
from herdbook.intervals import tracked_intervals
from herdbook.labelling import Blobs
from herdbook.movie import Frame, read_frame_samples, scan_movie
from herdbook.progress import progress
from herdbook.scenes import make_background
from herdbook.segmentation import Segmenter
from herdbook.tuning import Ladder, area_bounds, difference_ladder, rate_ladder, split_areas, two_digits

STAGE = "tune"
OTHER = {"dark": "bright", "bright": "dark"}
# Below the first quality the other polarity is tried; it is proposed if it has this many times the quality.
DOUBTFUL, MUCH_BETTER = 0.5, 2.0
# From these qualities on a proposal is called sure and fairly sure; below the last there is no plateau to speak of.
SURE, FAIRLY_SURE, NO_PLATEAU = 0.6, 0.35, 0.25


@dataclass(frozen=True)
class Footage:
    """A movie made ready: sampled frames, the background, settings of its stage segment, the number of animals in each arena."""

    movie: str
    index: Index
    settings: dict[str, Any]
    masks: list[Path]
    numbers: list[int | None]
    frames: list[Frame]
    background: Background


@dataclass(frozen=True)
class Proposal:
    """Values for the section segment, and what speaks for them.

    `frames` are those looked at, `broken` the numbers of those left out; `blobs` all blobs of each frame at the proposed difference, of
    which those within `area` are accepted; a view of `ladder` is one of the `arenas` of a frame; `animals` live in all arenas together;
    `ghosts` is their share among the accepted blobs.
    """

    movie: str
    polarity: str
    difference: float
    area: tuple[int, int]
    ladder: Ladder
    arenas: int
    animals: int | None
    frames: list[Frame]
    broken: list[int]
    blobs: list[Blobs]
    ghosts: float
    separation: float

    @property
    def quality(self) -> float:
        """Quality of the plateau 0..1, less the ghosts."""
        return self.ladder.quality * (1 - self.ghosts)

    @property
    def sureness(self) -> str:
        """How sure the proposal is, in words."""
        return "sure" if self.quality >= SURE else "fairly sure" if self.quality >= FAIRLY_SURE else "not sure"

    @property
    def plateau(self) -> tuple[int, int]:
        """First and last difference of the plateau."""
        return int(self.ladder.difference[self.ladder.first]), int(self.ladder.difference[self.ladder.last])

    @property
    def accepted(self) -> list[NDArray[np.bool_]]:
        """Which blobs of each frame lie within the proposed area."""
        return [(blobs.area >= self.area[0]) & (blobs.area <= self.area[1]) for blobs in self.blobs]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Accepted blobs of each frame."""
        return np.array([kept.sum() for kept in self.accepted], np.int64)

    @property
    def ladder_counts(self) -> NDArray[np.int64]:
        """Blobs at each difference of the ladder in each frame (k, frames)."""
        counts = self.ladder.counts
        return np.asarray(counts.reshape(len(counts), len(self.frames), self.arenas).sum(axis=2))


def tune_movie(experiment: Experiment, movie: str, frames: int) -> Proposal:
    """Propose values for a movie of an experiment from at most `frames` of its frames.

    Where they are doubtful the other polarity is tried too, and proposed if it is much better. Raises HerdbookError for what cannot be read
    or tuned, and if no difference leaves any blobs that could be animals.
    """
    footage = read_footage(experiment, movie, frames)
    given = footage.settings["polarity"]
    found = propose(footage, given)
    other, quality = OTHER.get(given), found.quality if found else 0.0
    if other and quality < DOUBTFUL:
        better = propose(replace(footage, background=read_background(experiment, movie, other)), other)
        if better and better.quality > max(MUCH_BETTER * quality, NO_PLATEAU):
            return better
    if found is None:
        raise HerdbookError(
            f"movie {movie}: no difference from {difference_ladder()[0]:.0f} to {difference_ladder()[-1]:.0f} grey levels leaves blobs "
            f"that could be animals in {len(footage.frames)} frames. Check segment.polarity ({given}), the arenas and the intervals, and "
            "whether the animals move: what never moves belongs to the background."
        )
    return found


def read_footage(experiment: Experiment, movie: str, frames: int) -> Footage:
    """A movie of an experiment, made ready, with at most `frames` frames spread over what is tracked of it."""
    settings = json.loads(experiment.settings("segment", movie))
    if settings["method"] != "background":
        raise HerdbookError(
            f"segment.method is {settings['method']}, which does not use segment.difference: nothing is to be tuned. Set it to background, "
            "or choose the grey levels and the area by eye."
        )
    index, path = _index(experiment, movie), Path(experiment.movie(movie).file)
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{path}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    tracked = np.concatenate([np.arange(*span) for span in tracked_intervals(settings["intervals"], len(index), path)])
    number = min(frames, len(tracked))
    picks = tracked[((np.arange(number) + 0.5) * len(tracked) / number).astype(np.int64)]
    return Footage(
        movie=movie,
        index=index,
        settings=settings,
        masks=[Path(mask) for mask in experiment.masks.values()],
        numbers=json.loads(experiment.settings("tracklets", movie))["numbers"],
        frames=list(read_frame_samples(path, index.pts, picks.tolist())),
        background=read_background(experiment, movie, settings["polarity"]),
    )


def read_background(experiment: Experiment, movie: str, polarity: str) -> Background:
    """The background of a movie as the experiment wants it, but for animals of this polarity."""
    together = experiment.background.scope == "recording"
    unit = experiment.recording_of(movie) if together else movie
    members = experiment.recordings[unit] if together else [movie]
    indices = {name: _index(experiment, name) for name in members}
    faults = recording_size_faults({unit: members}, {name: (index.width, index.height) for name, index in indices.items()})
    if faults:
        raise HerdbookError("; ".join(faults))
    settings = json.loads(experiment.settings("background", unit)) | {"polarity": polarity}
    image = experiment.background.file
    return make_background(
        [Path(experiment.movie(name).file) for name in members],
        list(indices.values()),
        [settings["intervals"].get(name, []) for name in members],
        settings,
        Path(image) if image else None,
        stage=STAGE,
    )[0]


def propose(footage: Footage, polarity: str) -> Proposal | None:
    """The best values for animals of a polarity; None if no difference leaves blobs that could be animals."""
    settings = footage.settings | {"polarity": polarity, "difference_noise": None, "area": [1, footage.index.width * footage.index.height]}

    def segment(difference: float) -> list[Blobs | None]:
        segmenter = Segmenter(footage.background, settings | {"difference": difference}, footage.index.full_range, footage.masks)
        return [segmenter.blobs(frame) for frame in footage.frames]

    steps = difference_ladder()
    found = [segment(step) for step in progress(steps.tolist(), total=len(steps), stage=STAGE, unit="differences")]
    # A frame is broken if it is so at every difference: a small one alone may mistake a change of the light for a fault.
    good = [any(step[n] is not None for step in found) for n in range(len(footage.frames))]
    frames = [frame for frame, fine in zip(footage.frames, good, strict=True) if fine]
    broken = [frame.index for frame, fine in zip(footage.frames, good, strict=True) if not fine]
    if not frames:
        raise HerdbookError(
            f"movie {footage.movie}: all of {len(broken)} sampled frames are black or differ from the background as a whole. Check the "
            "movie and segment.intervals; segment.flicker: true makes their brightness that of the background."
        )
    arenas = len(footage.numbers)
    animals = np.tile([np.nan if number is None else number for number in footage.numbers], len(frames))
    arena = map_arenas(settings["arenas"], (footage.index.height, footage.index.width), footage.masks)
    ladder = rate_ladder(steps, [_views(_good(step, good), arena, arenas) for step in found], animals)
    if ladder is None:
        return None
    difference = two_digits(ladder.middle)
    blobs = _good(segment(difference), good)
    columns = _views(blobs, arena, arenas)
    split = split_areas(*columns, animals)
    if split is None:
        return None
    area = area_bounds(*columns, split, animals)
    scenes = footage.background
    ghosts = [np.zeros(0, bool)]
    for frame, here in zip(frames, blobs, strict=True):
        scene = scenes.luma[np.searchsorted(scenes.first_frame, frame.index, side="right") - 1]
        ghosts.append(find_ghosts(chosen_blobs(here, (here.area >= area[0]) & (here.area <= area[1])), frame.luma, scene))
    return Proposal(
        movie=footage.movie,
        polarity=polarity,
        difference=difference,
        area=area,
        ladder=ladder,
        arenas=arenas,
        animals=int(np.sum(animals[:arenas])) if np.isfinite(animals).all() else None,
        frames=frames,
        broken=broken,
        blobs=blobs,
        ghosts=float(np.concatenate(ghosts).mean()) if sum(map(len, ghosts)) else 0.0,
        separation=split.separation,
    )


def _index(experiment: Experiment, movie: str) -> Index:
    path = Path(experiment.movie(movie).file)
    if experiment.simulate and not path.exists():
        raise HerdbookError(f"{path}: this movie is yet to be simulated. Run snakemake first.")
    scan = scan_movie(path, on_broken=json.loads(experiment.settings("index", movie))["on_broken"])
    shared = ("pts", "time_s", "keyframe", "width", "height", "fps", "codec", "grey", "full_range")
    return Index(**{name: getattr(scan, name) for name in shared}, movie_fingerprint="")


def _good(blobs: Sequence[Blobs | None], good: Sequence[bool]) -> list[Blobs]:
    """The blobs of the good frames, none where a frame could not be segmented."""
    return [no_blobs() if here is None else here for here, fine in zip(blobs, good, strict=True) if fine]


def _views(blobs: Sequence[Blobs], arena: NDArray[np.int16], arenas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """View and area of all blobs of some frames."""
    heads = [here.runs[here.run_offsets[:-1]] for here in blobs]
    views = [number * arenas + arena[head[:, 0], head[:, 1]] for number, head in enumerate(heads)]
    return np.concatenate(views).astype(np.int64), np.concatenate([here.area for here in blobs]).astype(np.int64)
