"""A movie divided into stretches of frames, which are segmented in parallel."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.movie.reading import MovieReader
from herdbook.segmentation.pieces import Piece, joined_pieces, segment_frames
from herdbook.segmentation.segmenter import Segmenter
from herdbook.system.processes import run_side_by_side

# A stretch is decoded by one process; it begins at a keyframe and has at least this many frames.
STRETCH_FRAMES = 1000
# Frames transferred from a process at a time; 128 frames of 16 ants are 0.4 MB.
PIECE_FRAMES = 128


def stretches(keyframe: NDArray[np.bool_], intervals: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of each stretch, from the keyframe flags (frames,) and the intervals (k, 2) of a movie.

    A new stretch begins with each interval. Stretches do not depend on the number of threads.
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
    """Pieces of the movie's intervals (k, 2) in order; with several threads, as many stretches are decoded in parallel."""

    reader = MovieReader(movie, index)

    def run(part: tuple[int, int]) -> Iterator[Piece]:
        return joined_pieces(segment_frames(reader.frames(*part), segmenter, image_step=image_step), PIECE_FRAMES)

    return run_side_by_side(run, stretches(index.keyframe, intervals), threads)
