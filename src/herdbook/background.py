"""Stage background: the image of the empty scene of a movie or a recording."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from herdbook.artifacts import Background, Index
from herdbook.backgrounds import background, robust_background
from herdbook.errors import HerdbookError
from herdbook.movie import Frame, read_frame_samples
from herdbook.progress import progress
from herdbook.stage import Job, run_stage

STAGE = "background"
STAGE_VERSION = 1

# Colour serves pictures and the white balance of crops; a quarter of the frames give it well enough at a quarter of the memory.
COLOUR_EVERY = 4


def sample_frames(movies: Sequence[Path], indices: Sequence[Index], count: int) -> Iterator[Frame]:
    """Frames spread evenly over several movies as if they were one, at most `count`."""
    starts = [0, *accumulate(len(index) for index in indices)]
    picks = np.unique(np.linspace(0, starts[-1] - 1, min(count, starts[-1])).round().astype(np.int64))
    for path, index, (start, stop) in zip(movies, indices, pairwise(starts), strict=True):
        yield from read_frame_samples(path, index.pts, (picks[(picks >= start) & (picks < stop)] - start).tolist())


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
    lumas, colours = [], []
    frames = sample_frames(movies, indices, settings["frames"])
    total = min(settings["frames"], sum(len(index) for index in indices))
    for number, frame in enumerate(progress(frames, total=total, stage=STAGE)):
        lumas.append(frame.luma.copy())
        if number % COLOUR_EVERY == 0 and not reference.grey:
            colours.append(frame.bgr().copy())

    def combine(sample: list[np.ndarray]) -> np.ndarray:
        if settings["resting"] and settings["statistic"] == "median":
            return robust_background(sample, "median", settings["polarity"])
        return background(sample, settings["statistic"])

    luma = combine(lumas)
    bgr = combine(colours) if colours else np.repeat(luma[:, :, None], 3, axis=2)
    Background(luma=luma, bgr=bgr, frames_used=len(lumas)).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("reference", "out"), many=("movie", "index"), argv=argv)


if __name__ == "__main__":
    main()
