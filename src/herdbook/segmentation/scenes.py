"""Backgrounds of movies: sampling of frames, and the empty scene from them.

Images are (row, col[, channel]) uint8, colour is BGR.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from herdbook.arrays import Image, Ints
from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.geometry.intervals import tracked_intervals
from herdbook.movie.frame import Frame
from herdbook.movie.reading import read_frame_samples
from herdbook.segmentation.noise import NOISE_STEPS, pixel_noise
from herdbook.segmentation.scene_file import read_scene
from herdbook.segmentation.statistics import background, brightness_spread, collect_frames, robust_background
from herdbook.segmentation.thresholds import grey_to_luma
from herdbook.system.progress import progress

# Colour is used for pictures and for the white balance of crops: a quarter of the frames is enough, and needs a quarter of the memory.
COLOUR_EVERY = 4
LUMA_BLOCK = 25


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
    if settings["resting"] and statistic in ("median", "mean", "mode"):
        return robust_background(sample, statistic, settings["polarity"])
    return background(sample, statistic)


def noise_levels(sample: list[Image], scene: Image, polarity: str) -> Image:
    """Noise of the sample around the scene, in steps of the artifact."""
    return np.minimum(np.rint(pixel_noise(sample, scene, polarity) * NOISE_STEPS), 255).astype(np.uint8)


def scene_of(frames: Iterable[Frame], settings: dict[str, Any], given: tuple[Image, Image] | None, *, coloured: bool) -> dict[str, Any]:
    """Columns of the artifact for one window, from its sample of frames, and `frames`, the number of good ones.

    `given`: luma and colours of a given scene, used instead of computed ones; `coloured`: whether the movie has colours.
    """
    lumas: list[Image] = []
    coded = []
    for number, frame in enumerate(frames):
        if number % LUMA_BLOCK == 0:
            # Unlike single frames, a block is large enough to be returned to the system as soon as it is released.
            block = np.empty((LUMA_BLOCK, *frame.luma.shape), np.uint8)
        block[number % LUMA_BLOCK] = frame.luma
        lumas.append(block[number % LUMA_BLOCK])
        if number % COLOUR_EVERY == 0 and coloured:
            coded.append(frame)
    good = collect_frames(lumas)
    luma = given[0] if given else empty_scene(lumas, settings)
    scene: dict[str, Any] = {"luma": luma, "luma_noise": noise_levels(good, luma, settings["polarity"])}
    facts = {"spread": brightness_spread(np.array([frame.mean() for frame in good])), "frames": len(good)}
    del lumas, good, block  # 200 MB of 1080p, released before the colours are processed
    if coloured:
        colours = [coded.pop(0).bgr().copy() for _ in range(len(coded))]
        scene["bgr"] = given[1] if given else empty_scene(colours, settings)
        scene["bgr_noise"] = noise_levels(collect_frames(colours), scene["bgr"], settings["polarity"])
    else:
        scene |= {name: np.repeat(scene[plane][:, :, None], 3, axis=2) for name, plane in (("bgr", "luma"), ("bgr_noise", "luma_noise"))}
    return scene | facts


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
    `stage`: name for the progress. Raises HerdbookError for an image or intervals that do not fit the movies.
    """
    given = None
    if image is not None:
        colours = read_scene(image, indices[0].width, indices[0].height)
        given = luma_of(colours, indices[0].full_range), colours
    whole = [(0, sum(len(index) for index in indices))]
    windows = time_windows(indices[0], settings["window_s"]) if given is None and settings["window_s"] else whole
    tracked = tracked_frames(indices, intervals, movies)
    spans = np.searchsorted(tracked, windows)
    windows = [window for window, (start, stop) in zip(windows, spans, strict=True) if start < stop]
    picks = [tracked[spread_frames(start, stop, settings["frames"])] for start, stop in spans.tolist() if start < stop]
    frames = progress(sample_frames(movies, indices, np.concatenate(picks)), total=sum(map(len, picks)), stage=stage)
    coloured = not all(index.grey for index in indices)
    scenes = [scene_of(islice(frames, len(part)), settings, given, coloured=coloured) for part in picks]
    used = sum(scene.pop("frames") for scene in scenes)
    first_frame = np.array([0, *(first for first, _ in windows[1:])], np.int64)
    stacked = {name: np.stack([scene[name] for scene in scenes]) for name in scenes[0]}
    return Background(**stacked, first_frame=first_frame, frames_used=used), sum(map(len, picks)) - used
