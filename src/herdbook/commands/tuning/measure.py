"""Measurements of `herdbook tune`: sampled frames of a movie are segmented at many differences, from which a proposal is made."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.commands.movie_scans import scan_of
from herdbook.commands.tuning.ghosts import find_ghosts
from herdbook.commands.tuning.proposal import Ladder, area_bounds, difference_ladder, rate_ladder, split_areas, two_digits
from herdbook.errors import HerdbookError
from herdbook.experiment.frame_faults import arena_faults, recording_size_faults
from herdbook.experiment.model import Experiment
from herdbook.geometry.intervals import tracked_intervals
from herdbook.movie.frame import Frame
from herdbook.movie.reading import read_frame_samples
from herdbook.segmentation.arenas import map_arenas
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.scenes import make_background
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.tables import chosen_blobs, no_blobs
from herdbook.system.progress import progress

STAGE = "tune"
OTHER = {"dark": "bright", "bright": "dark"}
# Below the first quality the other polarity is tried; it is proposed if its quality is higher by the second factor.
DOUBTFUL, MUCH_BETTER = 0.5, 2.0
# From the first two qualities on, a proposal is called sure and fairly sure; below the last, there is no plateau.
SURE_QUALITY, FAIRLY_SURE_QUALITY, PLATEAU_QUALITY = 0.6, 0.35, 0.25

# Arena and area of each blob of a frame.
_Sizes = tuple[NDArray[np.int16], NDArray[np.int32]]


@dataclass(frozen=True)
class Footage:
    """A movie prepared for tuning: sampled frames, the background, settings of its stage segment, and number of animals in each arena."""

    movie: str
    index: Index
    settings: dict[str, Any]
    masks: list[Path]
    numbers: list[int | None]
    frames: list[Frame]
    background: Background


@dataclass(frozen=True)
class Proposal:
    """Values for the section segment, and the measurements behind them.

    `frames`: those analysed; `broken`: numbers of skipped frames; `blobs`: all blobs of each frame at the proposed difference, of which
    those within `area` are accepted; `arenas`: number of arenas (a view of `ladder` is one arena in one frame); `animals`: number in all
    arenas together, None if unknown; `ghosts`: their share among the accepted blobs; `separation`: as in `Split`.
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
    blobs: list[FrameBlobs]
    ghosts: float
    separation: float

    @property
    def quality(self) -> float:
        """Quality of the plateau 0..1, reduced by the share of ghosts."""
        return self.ladder.quality * (1 - self.ghosts)

    @property
    def sureness(self) -> str:
        """How sure the proposal is, as text."""
        return "sure" if self.quality >= SURE_QUALITY else "fairly sure" if self.quality >= FAIRLY_SURE_QUALITY else "not sure"

    @property
    def plateau(self) -> tuple[int, int]:
        """First and last difference of the plateau, grey levels."""
        return int(self.ladder.difference[self.ladder.first]), int(self.ladder.difference[self.ladder.last])

    @property
    def accepted(self) -> list[NDArray[np.bool_]]:
        """For each frame, whether each blob, bool (n,), is within the proposed area."""
        return [(blobs.area >= self.area[0]) & (blobs.area <= self.area[1]) for blobs in self.blobs]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of accepted blobs in each frame, (frames,)."""
        return np.array([kept.sum() for kept in self.accepted], np.int64)

    @property
    def ladder_counts(self) -> NDArray[np.int64]:
        """Number of blobs at each difference of the ladder in each frame, (k, frames)."""
        counts = self.ladder.counts
        return np.asarray(counts.reshape(len(counts), len(self.frames), self.arenas).sum(axis=2))


def tune_movie(experiment: Experiment, movie: str, frames: int) -> Proposal:
    """Propose values for a movie of an experiment from at most `frames` of its frames.

    If their quality is low, the other polarity is tried as well, and proposed if it is much better. Raises HerdbookError for a movie that
    cannot be read or tuned, and if no difference gives blobs that could be animals.
    """
    footage = read_footage(experiment, movie, frames)
    given = footage.settings["polarity"]
    found = propose(footage, given)
    other, quality = OTHER.get(given), found.quality if found else 0.0
    if other and quality < DOUBTFUL:
        better = propose(replace(footage, background=read_background(experiment, movie, other)), other)
        if better and better.quality > max(MUCH_BETTER * quality, PLATEAU_QUALITY):
            return better
    if found is None:
        raise HerdbookError(
            f"movie {movie}: no difference from {difference_ladder()[0]:.0f} to {difference_ladder()[-1]:.0f} grey levels gives blobs "
            f"that could be animals in {len(footage.frames)} frames. Check segment.polarity ({given}), the arenas and the intervals, and "
            "whether the animals move: an animal that never moves becomes part of the background."
        )
    return found


def read_footage(experiment: Experiment, movie: str, frames: int) -> Footage:
    """A movie of an experiment prepared for tuning, with at most `frames` frames, spread over its tracked intervals."""
    settings = json.loads(experiment.settings("segment", movie))
    if settings["method"] != "background":
        raise HerdbookError(
            f"segment.method is {settings['method']}, which does not use segment.difference: there is nothing to tune. Set it to "
            "background, or choose the grey levels and the area by eye."
        )
    index, path = _index(experiment, movie), Path(experiment.movie(movie).file)
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{path}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    tracked = np.concatenate([np.arange(*span) for span in tracked_intervals(settings["intervals"], len(index), path)])
    number = min(frames, len(tracked))
    picks = tracked[((np.arange(number) + 0.5) * len(tracked) / number).astype(np.int64)]
    # Before the frames are read: this needs much memory for a short time.
    background = read_background(experiment, movie, settings["polarity"])
    return Footage(
        movie=movie,
        index=index,
        settings=settings,
        masks=[Path(mask) for mask in experiment.masks.values()],
        numbers=json.loads(experiment.settings("tracklets", movie))["numbers"],
        frames=list(read_frame_samples(path, index, picks.tolist())),
        background=background,
    )


def read_background(experiment: Experiment, movie: str, polarity: str) -> Background:
    """The background of a movie with the settings of the experiment, but for animals of this polarity."""
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
    """The best values for animals of a polarity; None if no difference gives blobs that could be animals."""
    settings = footage.settings | {"polarity": polarity, "difference_noise": None, "area": [1, footage.index.width * footage.index.height]}
    arena = map_arenas(settings["arenas"], (footage.index.height, footage.index.width), footage.masks)

    def segment(difference: float) -> Iterator[FrameBlobs | None]:
        segmenter = Segmenter(footage.background, settings | {"difference": difference}, footage.index.full_range, footage.masks)
        return map(segmenter.blobs, footage.frames)

    # Only the sizes are kept: at the smallest differences, noise causes very many blobs.
    steps = difference_ladder()
    shown = progress(steps.tolist(), total=len(steps), stage=STAGE, unit="differences")
    found = [[None if blobs is None else _sizes(blobs, arena) for blobs in segment(step)] for step in shown]
    # A frame is broken if no difference can segment it: at a small one, a change of the light may look like a broken frame.
    good = [any(step[n] is not None for step in found) for n in range(len(footage.frames))]
    frames = list(compress(footage.frames, good))
    broken = [frame.index for frame, fine in zip(footage.frames, good, strict=True) if not fine]
    if not frames:
        raise HerdbookError(
            f"movie {footage.movie}: all of {len(broken)} sampled frames are black or differ from the background as a whole. Check the "
            "movie and segment.intervals; segment.flicker: true matches their brightness to that of the background."
        )
    arenas = len(footage.numbers)
    animals = np.tile([np.nan if number is None else number for number in footage.numbers], len(frames))
    ladder = rate_ladder(steps, [_views(compress(step, good), arenas) for step in found], animals)
    if ladder is None:
        return None
    difference = two_digits(ladder.middle)
    blobs = [no_blobs() if here is None else here for here in compress(segment(difference), good)]
    columns = _views([_sizes(here, arena) for here in blobs], arenas)
    split = split_areas(*columns, animals)
    if split is None:
        return None
    area = area_bounds(*columns, split, animals)
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
        ghosts=_share_of_ghosts(frames, blobs, area, footage.background),
        separation=split.separation,
    )


def _index(experiment: Experiment, movie: str) -> Index:
    path = Path(experiment.movie(movie).file)
    if experiment.simulate and not path.exists():
        raise HerdbookError(f"{path}: this movie has not been simulated yet. Run snakemake first.")
    return Index.from_scan(scan_of(experiment, movie), movie_fingerprint="")


def _sizes(blobs: FrameBlobs, arena: NDArray[np.int16]) -> _Sizes:
    heads = blobs.runs[blobs.run_offsets[:-1]]
    return arena[heads[:, 0], heads[:, 1]], blobs.area


def _views(sizes: Iterable[_Sizes | None], arenas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """View and area, int64 (n,) each, of all blobs of some frames, from arena and area of each frame's blobs (None: not segmented)."""
    views, areas = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, here in enumerate(sizes):
        if here is not None:
            views.append(number * arenas + here[0].astype(np.int64))
            areas.append(here[1].astype(np.int64))
    return np.concatenate(views), np.concatenate(areas)


def _share_of_ghosts(frames: Sequence[Frame], blobs: Sequence[FrameBlobs], area: tuple[int, int], background: Background) -> float:
    """Share of ghosts among the blobs whose area is within the bounds."""
    ghosts = [np.zeros(0, bool)]
    for frame, here in zip(frames, blobs, strict=True):
        scene = background.luma[np.searchsorted(background.first_frame, frame.index, side="right") - 1]
        accepted = chosen_blobs(here, (here.area >= area[0]) & (here.area <= area[1]))
        ghosts.append(find_ghosts(accepted, frame.luma, scene))
    found = np.concatenate(ghosts)
    return float(found.mean()) if len(found) else 0.0
