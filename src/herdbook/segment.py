"""Stage segment: decodes a movie once and keeps its blobs: features, outlines as runs, and images of some of them."""

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import Background, Blobs, Index
from herdbook.errors import HerdbookError
from herdbook.excess import count_excess, excess_table, first_frames
from herdbook.intervals import tracked_intervals
from herdbook.movie import MovieReader
from herdbook.pieces import Piece, PieceWriter, joined_pieces, segment_frames
from herdbook.place_faults import arena_faults
from herdbook.progress import progress
from herdbook.segmentation import Segmenter, unread_images
from herdbook.side_by_side import run_side_by_side
from herdbook.stage import Job, run_stage
from herdbook.store import columns_writer, write_text

STAGE = "segment"
STAGE_VERSION = 4

# A stretch is what one process decodes at a time; it begins at a keyframe and has at least this many frames.
STRETCH_FRAMES = 1000
# Frames handed over at a time; 128 frames of 16 ants are 0.4 MB.
PIECE_FRAMES = 128
# A job that stops at frames with more blobs than animals names this many of them at most.
ENOUGH_EXCESS = 10


def stretches(keyframe: NDArray[np.bool_], intervals: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First frame and end of each stretch, from the keyframe flags (frames,) and the intervals (k, 2) of a movie; an interval begins with
    a stretch of its own. They are the same for any number of threads.
    """
    parts: list[tuple[int, int]] = []
    for first, end in intervals.tolist():
        starts = [first]
        for frame in (np.flatnonzero(keyframe[first:end]) + first).tolist():
            if frame - starts[-1] >= STRETCH_FRAMES:
                starts.append(frame)
        parts += pairwise([*starts, end])
    return parts


def segment_movie(
    movie: Path, index: Index, intervals: NDArray[np.int64], segmenter: Segmenter, *, image_step: int, threads: int
) -> Iterator[Piece]:
    """Pieces of the movie's intervals (k, 2) in order; with several threads, that many stretches are decoded side by side."""

    reader = MovieReader(movie, index.pts)

    def run(part: tuple[int, int]) -> Iterator[Piece]:
        return joined_pieces(segment_frames(reader.frames(*part), segmenter, image_step=image_step), PIECE_FRAMES)

    return run_side_by_side(run, stretches(index.keyframe, intervals), threads)


def excess_words(excess: NDArray[np.int64]) -> str:
    """The frames (m, 3) with more blobs than animals, in a sentence."""
    _, blobs, animals = excess[0]
    frames = first_frames(excess[:, 0].tolist())
    return f"there are more blobs than animals in frames {frames} ({blobs} blobs and {animals} animals in the first)."


def broken_words(broken: Sequence[int], tracked: int) -> str:
    """The frames that were not segmented, in a sentence."""
    return (
        f"{len(broken)} of {tracked} frames were not segmented, because they are black or differ from the background as a whole: "
        f"frames {first_frames(broken)}."
    )


def _work(job: Job) -> None:
    settings, movie = job.settings, job.file("movie")
    index, background = Index.load(job.file("index")), Background.load(job.file("background"), without=unread_images(settings))
    index.check_movie(movie)
    faults = arena_faults(settings["arenas"], index.width, index.height)
    if faults:
        raise HerdbookError(f"{movie}: the arenas do not fit the frame:\n  " + "\n  ".join(faults))
    intervals = tracked_intervals(settings["intervals"], len(index), movie)
    tracked = int(np.diff(intervals).sum())
    segmenter = Segmenter(background, settings, index.full_range, job.files["masks"])
    step = max(1, round(index.fps / settings["images_per_s"]))
    pieces = segment_movie(movie, index, intervals, segmenter, image_step=step, threads=job.threads)
    broken: list[int] = []
    excess = np.zeros((0, 3), np.int64)
    with columns_writer(job.file("out"), Blobs.kind, job.provenance()) as writer:
        store = PieceWriter(writer)
        for piece in progress(pieces, total=tracked, stage=STAGE, size=lambda piece: piece.frames):
            store.add(piece)
            broken += piece.broken
            if settings["on_excess"] != "ignore":
                excess = np.concatenate([excess, count_excess(piece.columns["frame"], piece.columns["arena"], settings["numbers"])])
            if settings["on_excess"] == "stop" and len(excess) >= ENOUGH_EXCESS:
                break
        if settings["on_excess"] == "stop" and len(excess):
            raise HerdbookError(f"{movie}: {excess_words(excess)} Raise segment.area or segment.difference, or let on_excess be warn.")
        if broken:
            print(f"{STAGE}: {broken_words(broken, tracked)}", file=sys.stderr)
        if store.blobs == 0:
            raise HerdbookError(
                f"{movie}: no blob was found in {tracked} frames. Lower segment.difference ({settings['difference']}), check "
                f"segment.polarity ({settings['polarity']}) and segment.area ({settings['area']})."
                + (f" {broken_words(broken, tracked)}" if broken else "")
            )
        store.finish(intervals, frames=len(index), width=index.width, height=index.height, fps=index.fps)
        table = job.file("out").with_suffix(".excess.csv")
        write_text(table, excess_table(excess, index.time_s))
        if len(excess):
            print(f"{STAGE}: {excess_words(excess)} All of them are in {table}.", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "background", "out"), many=("masks",), argv=argv)


if __name__ == "__main__":
    main()
