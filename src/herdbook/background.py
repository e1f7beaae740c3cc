"""Stage background: the image of the empty scene of a movie or a recording, or one for each window of time of a movie."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import Background, Index
from herdbook.background_noise import NOISE_STEPS, pixel_noise
from herdbook.backgrounds import background, brightness_spread, collect_frames, robust_background
from herdbook.errors import HerdbookError
from herdbook.intervals import tracked_intervals
from herdbook.movie import Frame, read_frame_samples
from herdbook.progress import progress
from herdbook.stage import Job, run_stage
from herdbook.thresholds import grey_to_luma

STAGE = "background"
STAGE_VERSION = 2

# Colour serves pictures and the white balance of crops; a quarter of the frames give it well enough at a quarter of the memory.
COLOUR_EVERY = 4

Image = NDArray[np.uint8]
Frames = NDArray[np.int64]


def time_windows(index: Index, window_s: float) -> list[tuple[int, int]]:
    """First frame and end of windows that share the movie's time evenly and are about as long as told; none is empty."""
    number = max(1, round(index.duration_s / window_s))
    starts = np.searchsorted(index.time_s, np.arange(number) * index.duration_s / number - 1e-9)
    return list(pairwise([*np.unique(starts[starts < len(index)]).tolist(), len(index)]))


def spread_frames(first: int, end: int, count: int) -> Frames:
    """At most `count` frames spread evenly over first .. end - 1."""
    return np.unique(np.linspace(first, end - 1, min(count, end - first)).round().astype(np.int64))


def tracked_frames(indices: Sequence[Index], intervals: Sequence[Sequence[Sequence[int]]], movies: Sequence[Path]) -> Frames:
    """The frames in the intervals of each of several movies, counted as if they were one."""
    starts = accumulate((len(index) for index in indices), initial=0)
    told = zip(starts, indices, intervals, movies, strict=False)
    spans = np.concatenate([start + tracked_intervals(given, len(index), movie) for start, index, given, movie in told])
    return np.concatenate([np.arange(first, end) for first, end in spans])


def sample_frames(movies: Sequence[Path], indices: Sequence[Index], picks: Frames) -> Iterator[Frame]:
    """These frames of several movies, counted as if they were one."""
    starts = [0, *accumulate(len(index) for index in indices)]
    for path, index, (start, stop) in zip(movies, indices, pairwise(starts), strict=True):
        yield from read_frame_samples(path, index.pts, (picks[(picks >= start) & (picks < stop)] - start).tolist())


def read_scene(path: Path, index: Index) -> tuple[Image, Image]:
    """Luma (h, w) and colours (h, w, 3) of an image of the empty scene, grey or colour."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if path.is_file() else None
    if image is None:
        raise HerdbookError(f"{path}: cannot be read as an image. Give a PNG, TIFF or JPEG file as background.file.")
    if image.shape[:2] != (index.height, index.width):
        raise HerdbookError(
            f"{path}: the image is {image.shape[1]} x {image.shape[0]} px, but the movie is {index.width} x {index.height} px. "
            "background.file needs an image of the empty scene in the size of the movie."
        )
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    table = np.rint([grey_to_luma(level, index.full_range) for level in range(256)]).astype(np.uint8)
    return table[grey], np.asarray(image, np.uint8)


def empty_scene(sample: list[Image], settings: dict[str, Any]) -> Image:
    """The scene from a sample of frames."""
    statistic = settings["statistic"]
    if settings["resting"] and statistic in ("median", "mean", "mode"):
        return robust_background(sample, statistic, settings["polarity"])
    return background(sample, statistic)


def noise_levels(sample: list[Image], scene: Image, polarity: str) -> Image:
    """Noise of the sample around the scene as the artifact holds it."""
    return np.minimum(np.rint(pixel_noise(sample, scene, polarity) * NOISE_STEPS), 255).astype(np.uint8)


def scene_of(frames: Iterable[Frame], settings: dict[str, Any], given: tuple[Image, Image] | None, *, coloured: bool) -> dict[str, Any]:
    """What the artifact holds of one window, by column, from its sample of frames, and the number of good ones among them (`frames`).

    `given` luma and colours of the scene stand in for computed ones; `coloured` movies have more to tell than luma.
    """
    lumas, colours = [], []
    for number, frame in enumerate(frames):
        lumas.append(frame.luma.copy())
        if number % COLOUR_EVERY == 0 and coloured:
            colours.append(frame.bgr().copy())
    good = collect_frames(lumas)
    luma = given[0] if given else empty_scene(lumas, settings)
    scene = {"luma": luma, "luma_noise": noise_levels(good, luma, settings["polarity"])}
    if coloured:
        scene["bgr"] = given[1] if given else empty_scene(colours, settings)
        scene["bgr_noise"] = noise_levels(collect_frames(colours), scene["bgr"], settings["polarity"])
    else:
        scene |= {name: np.repeat(scene[plane][:, :, None], 3, axis=2) for name, plane in (("bgr", "luma"), ("bgr_noise", "luma_noise"))}
    return {**scene, "spread": brightness_spread(np.array([frame.mean() for frame in good])), "frames": len(good)}


def _work(job: Job) -> None:
    movies, settings = job.files["movie"], job.settings
    indices = [Index.load(path) for path in job.files["index"]]
    reference = Index.load(job.file("reference"))
    for path, index in zip(movies, indices, strict=True):
        if (index.width, index.height) != (reference.width, reference.height):
            raise HerdbookError(
                f"{path}: the frames are {index.width} x {index.height} px, but those of the recording's first movie "
                f"({job.file('reference').stem}) are {reference.width} x {reference.height} px. Movies of one recording must have the "
                f"same size: give this one another recording."
            )
    given = read_scene(job.file("image"), reference) if job.files["image"] else None
    whole = [(0, sum(len(index) for index in indices))]
    windows = time_windows(indices[0], settings["window_s"]) if given is None and settings["window_s"] else whole
    intervals = [settings["intervals"].get(path.stem, []) for path in job.files["index"]]
    tracked = tracked_frames(indices, intervals, movies)
    spans = np.searchsorted(tracked, windows)
    windows = [window for window, (start, stop) in zip(windows, spans, strict=True) if start < stop]
    picks = [tracked[spread_frames(start, stop, settings["frames"])] for start, stop in spans.tolist() if start < stop]
    frames = progress(sample_frames(movies, indices, np.concatenate(picks)), total=sum(map(len, picks)), stage=STAGE)
    scenes = [scene_of(islice(frames, len(part)), settings, given, coloured=not reference.grey) for part in picks]
    used = sum(scene.pop("frames") for scene in scenes)
    broken = sum(map(len, picks)) - used
    if broken:
        print(f"{STAGE}: {broken} of {broken + used} sampled frames are black, broken or unlike the others and left out", file=sys.stderr)
    first_frame = np.array([0, *(first for first, _ in windows[1:])], np.int64)
    stacked = {name: np.stack([scene[name] for scene in scenes]) for name in scenes[0]}
    Background(**stacked, first_frame=first_frame, frames_used=used).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("reference", "out"), many=("movie", "index"), optional=("image",), argv=argv)


if __name__ == "__main__":
    main()
