"""Intervals: the stretches of a movie that are tracked, as rows first frame and end (exclusive), in order and with frames between them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from herdbook.arrays import Ints
from herdbook.errors import HerdbookError


def interval_faults(intervals: Sequence[Sequence[int]], frames: int) -> list[str]:
    """Intervals that reach beyond a movie of `frames` frames, one text each."""
    return [
        f"segment.intervals: [{first}, {end}] reaches beyond the movie, which has {frames} frames: end at {frames} or before"
        for first, end in intervals
        if end > frames
    ]


def tracked_intervals(intervals: Sequence[Sequence[int]], frames: int, movie: object) -> Ints:
    """The intervals of a movie of `frames` frames as int64 (k, 2); the whole movie if there is none.

    Raises HerdbookError that names the movie when one of them reaches beyond it.
    """
    faults = interval_faults(intervals, frames)
    if faults:
        raise HerdbookError(f"{movie}: " + "; ".join(faults))
    return np.array(intervals or [[0, frames]], np.int64)


def interval_of(frame: ArrayLike, intervals: Ints) -> Ints:
    """Number of the interval (k, 2) that each frame lies in, int64 of the frames' shape, -1 for none."""
    frame = np.asarray(frame, np.int64)
    number = np.searchsorted(intervals[:, 0], frame, side="right") - 1
    return np.asarray(np.where((number >= 0) & (frame < intervals[number, 1]), number, -1), np.int64)


def join_intervals(intervals: Ints) -> Ints:
    """Intervals (k, 2) in order, those that follow each other without a frame between them as one."""
    apart = intervals[1:, 0] > intervals[:-1, 1]
    return np.stack([intervals[np.r_[True, apart], 0], intervals[np.r_[apart, True], 1]], 1)
