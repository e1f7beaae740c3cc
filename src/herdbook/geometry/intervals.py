"""Tracked intervals of a movie, as rows of first frame and end (exclusive), in order and with frames between them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from herdbook.arrays import Ints
from herdbook.errors import HerdbookError


def interval_faults(intervals: Sequence[Sequence[int]], frames: int) -> list[str]:
    """Messages about intervals that extend beyond a movie of `frames` frames, one each."""
    return [
        f"segment.intervals: [{first}, {end}] extends beyond the movie, which has {frames} frames: end it at {frames} or before"
        for first, end in intervals
        if end > frames
    ]


def tracked_intervals(intervals: Sequence[Sequence[int]], frames: int, movie: object) -> Ints:
    """The intervals of a movie of `frames` frames as int64 (k, 2); the whole movie if there is none.

    Raises HerdbookError, which names `movie`, if one of them extends beyond it.
    """
    faults = interval_faults(intervals, frames)
    if faults:
        raise HerdbookError(f"{movie}: " + "; ".join(faults))
    return np.array(intervals or [[0, frames]], np.int64)


def interval_of(frame: ArrayLike, intervals: Ints) -> Ints:
    """Index of the interval (k, 2) that contains each frame, int64 with the shape of `frame`, -1 for none."""
    frame = np.asarray(frame, np.int64)
    number = np.searchsorted(intervals[:, 0], frame, side="right") - 1
    return np.asarray(np.where((number >= 0) & (frame < intervals[number, 1]), number, -1), np.int64)


def join_intervals(intervals: Ints) -> Ints:
    """Intervals (k, 2) in order, with those merged that have no frame between them."""
    apart = intervals[1:, 0] > intervals[:-1, 1]
    return np.stack([intervals[np.r_[True, apart], 0], intervals[np.r_[apart, True], 1]], 1)
