"""Points of a movie from detected to smoothed: gaps filled, smoothed by LK-RSTC, jumps flagged and optionally repaired.

Positions of animals and body points are treated in the same way, as one column each. Points are (x, y) in px, NaN if missing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.errors import HerdbookError
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.gaps import Gaps, fill_gaps_by_flow
from herdbook.smoothing.jumps import find_jumps, repair_jumps
from herdbook.smoothing.parts import smooth_movie
from herdbook.smoothing.rstc import window_frames


class SmoothedPoints(NamedTuple):
    """Points (T, L, 2): `given` with gaps filled, and `smoothed`; `disagreement` (T, L) px between forward and backward flow; bool (T, L)
    `filled` and `jump`: whether a point was filled, and whether it jumps. All are NaN or False where a point remains unknown.
    """

    given: Floats
    smoothed: Floats
    disagreement: Floats
    filled: NDArray[np.bool_]
    jump: NDArray[np.bool_]

    def of_columns(self, first: int) -> "SmoothedPoints":
        """The points of the columns from `first` on."""
        given, smoothed, disagreement, filled, jump = self
        return SmoothedPoints(given[:, first:], smoothed[:, first:], disagreement[:, first:], filled[:, first:], jump[:, first:])


def checked_window(window_s: float, fps: float, frames: int, movie: str, stretch: str = "movie") -> int:
    """The window in frames. Raises HerdbookError if it has fewer than 2 or more than `frames` frames; `stretch` names these in messages."""
    window = window_frames(window_s, fps)
    if not 2 <= window <= frames:
        raise HerdbookError(
            f"{movie}: the smoothing window (window_s) of {window_s} s is {window} frames at {fps:.3g} frames per second; it must be "
            f"at least 2 and at most the {frames} frames of the {stretch}."
        )
    return window


def smooth_columns(
    source: FrameSource,
    points: Floats,
    gaps: Gaps,
    window: int,
    *,
    trusted: NDArray[np.bool_],
    engine: str = "numba",
    repair: bool = False,
    threads: int = 1,
    stage: str = "smooth",
) -> SmoothedPoints:
    """Fill these gaps of the points (T, L, 2) and smooth them over windows of `window` frames.

    Points that jump are flagged; with `repair` they are replaced by their expected positions and smoothed again. Points that are `trusted`,
    bool (T, L), never jump. `engine` is the optical flow, "numba" or "opencv"; `threads` processes give the same result as one.
    """
    missing = np.isnan(points[..., 0]) | np.isnan(points[..., 1])
    given, between = fill_gaps_by_flow(source, points, gaps, engine)
    # Flow can be wrong, and even leave the frame.
    limit = np.array(source.shape[::-1]) - 1.0
    given = np.where(missing[..., None], np.clip(given, 0, limit), given)
    unknown = np.isnan(given[..., 0]) | np.isnan(given[..., 1])
    result = smooth_movie(source, given, window, engine=engine, threads=threads, stage=stage)
    jump = find_jumps(given, result.expected, window) & ~trusted
    if repair and jump.any():
        result = smooth_movie(source, repair_jumps(given, result.expected, jump), window, engine=engine, threads=threads, stage=stage)
    return SmoothedPoints(
        given,
        np.where(unknown[..., None], np.nan, result.smoothed),
        np.where(unknown, np.nan, np.where(np.isnan(between), result.disagreement, between)),
        missing & ~unknown,
        jump,
    )
