"""Backgrounds of movies: sampling of frames, and the empty scene from them.

Images are (row, col[, channel]) uint8, colour is BGR.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from herdbook.arrays import Floats, Image, Ints
from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.geometry.intervals import tracked_intervals
from herdbook.movie.frame import Frame
from herdbook.movie.reading import read_frame_samples
from herdbook.segmentation.borrowing import Lender, without_resting
from herdbook.segmentation.changes import find_changes
from herdbook.segmentation.noise import NOISE_STEPS, pixel_noise
from herdbook.segmentation.scene_file import read_scene
from herdbook.segmentation.statistics import background, brightness_spread, collect_frames, robust_background
from herdbook.segmentation.thresholds import LIMITED_BLACK, grey_to_luma
from herdbook.segmentation.transitions import (
    Transition,
    change_columns,
    locate_change,
    mixed,
    refuse_changes,
    spans_between,
    steps_between,
)
from herdbook.system.progress import progress

# Colour is used for pictures and for the white balance of crops: a quarter of the frames is enough, and needs a quarter of the memory.
COLOUR_EVERY = 4
LUMA_BLOCK = 25
# Statistics from which animals that rest are taken out; the others are extremes, which they do not reach or which they are.
STATISTICS_OF_GROUND = ("median", "mean", "mode")


def time_windows(index: Index, window_s: float) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of windows of equal duration, as near to `window_s` as possible; none is empty."""
    number = max(1, round(index.duration_s / window_s))
    starts = np.searchsorted(index.time_s, np.arange(number) * index.duration_s / number - 1e-9)
    return list(pairwise([*np.unique(starts[starts < len(index)]).tolist(), len(index)]))


def spread_frames(first: int, end: int, count: int) -> Ints:
    """At most `count` frames, int64, spread evenly over first .. end - 1."""
    return np.unique(np.linspace(first, end - 1, min(count, end - first)).round().astype(np.int64))


def tracked_frames(indices: Sequence[Index], intervals: Sequence[Sequence[Sequence[int]]], movies: Sequence[Path]) -> Ints:
    """The frames in the intervals of several movies, numbered as if these were one movie."""
    starts = accumulate((len(index) for index in indices), initial=0)
    parts = zip(starts, indices, intervals, movies, strict=False)
    spans = np.concatenate([start + tracked_intervals(given, len(index), movie) for start, index, given, movie in parts])
    return np.concatenate([np.arange(first, end) for first, end in spans])


def sample_frames(movies: Sequence[Path], indices: Sequence[Index], picks: Ints) -> Iterator[Frame]:
    """The frames `picks` of several movies, numbered as if these were one movie."""
    starts = [0, *accumulate(len(index) for index in indices)]
    for path, index, (start, stop) in zip(movies, indices, pairwise(starts), strict=True):
        yield from read_frame_samples(path, index, (picks[(picks >= start) & (picks < stop)] - start).tolist())


def luma_of(colours: Image, full_range: bool) -> Image:
    """Luma (h, w) of colours (h, w, 3) BGR, in the range of the movie."""
    table = np.rint([grey_to_luma(level, full_range) for level in range(256)]).astype(np.uint8)
    return np.asarray(table[cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)], np.uint8)


def empty_scene(sample: list[Image], settings: dict[str, Any]) -> Image:
    """The empty scene from a sample of frames."""
    statistic = settings["statistic"]
    if settings["resting"] and statistic in STATISTICS_OF_GROUND:
        return robust_background(sample, statistic, settings["polarity"])
    return background(sample, statistic)


def noise_levels(sample: list[Image], scene: Image, polarity: str) -> Image:
    """Noise of the sample around the scene, in steps of the artifact."""
    return np.minimum(np.rint(pixel_noise(sample, scene, polarity) * NOISE_STEPS), 255).astype(np.uint8)


class FrameSample(NamedTuple):
    """Sampled frames: `lumas` uint8 (h, w) of all, and those frames from which colours are taken."""

    lumas: list[Image]
    coded: list[Frame]


def take_sample(frames: Iterable[Frame], *, coloured: bool) -> FrameSample:
    """Hold the frames; `coloured`: whether the movie has colours."""
    lumas: list[Image] = []
    coded: list[Frame] = []
    for number, frame in enumerate(frames):
        if number % LUMA_BLOCK == 0:
            # Unlike single frames, a block is large enough to be returned to the system as soon as it is released.
            block = np.empty((LUMA_BLOCK, *frame.luma.shape), np.uint8)
        block[number % LUMA_BLOCK] = frame.luma
        lumas.append(block[number % LUMA_BLOCK])
        if number % COLOUR_EVERY == 0 and coloured:
            coded.append(frame)
    return FrameSample(lumas, coded)


def scene_of(sample: FrameSample, settings: dict[str, Any], given: tuple[Image, Image] | None, *, coloured: bool) -> dict[str, Any]:
    """Columns of the artifact for one window, from its sample of frames, which is released, and `frames`, the number of good ones.

    `given`: luma and colours of a given scene, used instead of computed ones; `coloured`: whether the movie has colours.
    """
    lumas, coded = sample
    good = collect_frames(lumas)
    luma = given[0] if given else empty_scene(lumas, settings)
    scene: dict[str, Any] = {"luma": luma, "luma_noise": noise_levels(good, luma, settings["polarity"])}
    facts = {"spread": brightness_spread(np.array([frame.mean() for frame in good])), "frames": len(good)}
    lumas.clear()  # 200 MB of 1080p, released before the colours are processed
    del good
    if coloured:
        colours = [coded.pop(0).bgr().copy() for _ in range(len(coded))]
        scene["bgr"] = given[1] if given else empty_scene(colours, settings)
        scene["bgr_noise"] = noise_levels(collect_frames(colours), scene["bgr"], settings["polarity"])
    else:
        scene |= {name: np.repeat(scene[plane][:, :, None], 3, axis=2) for name, plane in (("bgr", "luma"), ("bgr_noise", "luma_noise"))}
    return scene | facts


@dataclass(frozen=True)
class SceneSource:
    """Movies of one size that share a background, their frames numbered as if these were one movie; `tracked` int64 (n,): frames to use."""

    movies: Sequence[Path]
    indices: Sequence[Index]
    tracked: Ints

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.indices[0].width, self.indices[0].height

    @property
    def black(self) -> int:
        """Luma of black."""
        return 0 if self.indices[0].full_range else LIMITED_BLACK

    @property
    def coloured(self) -> bool:
        """Whether there are colours."""
        return not all(index.grey for index in self.indices)

    def picks(self, first: int, end: int, count: int) -> Ints:
        """At most `count` of the tracked frames in first .. end - 1, spread evenly."""
        start, stop = np.searchsorted(self.tracked, (first, end)).tolist()
        return self.tracked[spread_frames(start, stop, count)]

    def times_s(self, picks: Ints) -> Floats:
        """Time of each frame, one movie after the other."""
        starts_s = accumulate((index.duration_s for index in self.indices), initial=0.0)
        times_s = np.concatenate([start_s + index.time_s for start_s, index in zip(starts_s, self.indices, strict=False)])
        return np.asarray(times_s[picks])

    def name_frame(self, frame: int) -> str:
        """Movie and frame in words."""
        starts = [0, *accumulate(len(index) for index in self.indices)]
        movie = int(np.searchsorted(starts, frame, side="right")) - 1
        return f"{self.movies[movie]}, frame {frame - starts[movie]}"


def make_background(
    movies: Sequence[Path],
    indices: Sequence[Index],
    intervals: Sequence[Sequence[Sequence[int]]],
    settings: dict[str, Any],
    image: Path | None = None,
    *,
    stage: str,
) -> tuple[Background, int]:
    """The background of one or several movies of one size, and the number of sampled frames that were skipped as black or broken.

    `intervals` of each movie, [] for the whole movie; `settings` as passed to stage background; `image`: file that shows the empty scene;
    `stage`: name for the progress. Where the scene of a movie changes for good, another window begins. Raises HerdbookError for an image or
    intervals that do not fit the movies, and for a change in several movies that share a background, or share an image.
    """
    given = None
    if image is not None:
        colours = read_scene(image, indices[0].width, indices[0].height)
        given = luma_of(colours, indices[0].full_range), colours
    source = SceneSource(movies, indices, tracked_frames(indices, intervals, movies))
    whole = [(0, sum(len(index) for index in indices))]
    windows = time_windows(indices[0], settings["window_s"]) if given is None and settings["window_s"] else whole
    picks = [source.picks(*window, settings["frames"]) for window in windows if np.ptp(np.searchsorted(source.tracked, window))]
    windows = [window for window in windows if np.ptp(np.searchsorted(source.tracked, window))]
    frames = progress(sample_frames(movies, indices, np.concatenate(picks)), total=sum(map(len, picks)), stage=stage)
    scenes: list[tuple[int, dict[str, Any]]] = []
    transitions: list[Transition] = []
    sampled = 0
    for window, part in zip(windows, picks, strict=True):
        sample = take_sample(islice(frames, len(part)), coloured=source.coloured)
        found = _transitions(sample, part, source, image)
        if not found or given is not None or len(movies) > 1:
            sampled += len(part)
            scenes.append((window[0], scene_of(sample, settings, given, coloured=source.coloured)))
            continue
        sample.lumas.clear()
        sample.coded.clear()
        made, number = _scenes_between(found, window, source, settings)
        scenes += made
        transitions += found
        sampled += number
    used = sum(scene.pop("frames", 0) for _, scene in scenes)
    first_frame = np.array([0, *(first for first, _ in scenes[1:])], np.int64)
    stacked = {name: np.stack([scene[name] for _, scene in scenes]) for name in scenes[0][1]}
    changes = change_columns(transitions, *source.size)
    return Background(**stacked, first_frame=first_frame, frames_used=used, **changes), sampled - used


def _transitions(sample: FrameSample, picks: Ints, source: SceneSource, image: Path | None) -> list[Transition]:
    """Where the scene changes in a sample. HerdbookError if one background must serve several scenes."""
    changes = find_changes(sample.lumas, source.times_s(picks), source.black)
    found = [locate_change(one, picks, lambda frames: sample_frames(source.movies, source.indices, frames)) for one in changes]
    if image is not None:
        remedy = "Leave out background.file, or track the frames of only one of the scenes (segment.intervals)."
        refuse_changes(found, source.name_frame, f"The image {image} shows only one of the scenes.", remedy, source.size)
    elif len(source.movies) > 1:
        remedy = "Choose background.scope: movie, or give the movies recordings of their own."
        refuse_changes(found, source.name_frame, "The movies of a recording share one background.", remedy, source.size)
    return found


def _scenes_between(
    transitions: Sequence[Transition], window: tuple[int, int], source: SceneSource, settings: dict[str, Any]
) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """First frame and columns of each scene of a window in which the scene changes, and the number of frames that were sampled for them."""
    spans, scenes, sampled = spans_between(transitions, *window), [], 0
    for first, end in spans:
        picks = source.picks(first, end, settings["frames"])
        sample = take_sample(sample_frames(source.movies, source.indices, picks), coloured=source.coloured)
        scenes.append((first, scene_of(sample, settings, None, coloured=source.coloured)))
        sampled += len(picks)
    scenes = _without_resting(scenes, transitions, settings, source.black)
    fades = []
    for one, (_, before), (_, after) in zip(transitions, scenes, scenes[1:], strict=False):
        steps = steps_between(one, before["luma"], after["luma"])
        fades += [(first, mixed(before, after, share)) for first, share in steps if share < 1]
    return sorted([*scenes, *fades], key=lambda scene: scene[0]), sampled


def _without_resting(
    scenes: list[tuple[int, dict[str, Any]]], transitions: Sequence[Transition], settings: dict[str, Any], black: int
) -> list[tuple[int, dict[str, Any]]]:
    """The scenes without animals that rest through one of them, but not through the one before or after it."""
    if not settings["resting"] or settings["statistic"] not in STATISTICS_OF_GROUND:
        return scenes
    found = []
    for number, (first, scene) in enumerate(scenes):
        for other in (number - 1, number + 1):
            if 0 <= other < len(scenes):
                motion = transitions[min(number, other)].change.motion
                lender = Lender(scenes[other][1], motion.reversed() if motion and other > number else motion)
                scene = without_resting(scene, lender, settings["polarity"], black)
        found.append((first, scene))
    return found
