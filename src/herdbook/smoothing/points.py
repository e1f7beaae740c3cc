"""Points of a movie from detected to smoothed: gaps filled, smoothed by LK-RSTC, jumps flagged and optionally repaired.

Positions of animals and body points are treated in the same way, as one column each. Points are (x, y) in px, NaN if missing.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.errors import HerdbookError
from herdbook.smoothing.agreement import Agreement, settle
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.gaps import Gaps, fill_gaps_by_flow
from herdbook.smoothing.jumps import find_jumps, repair_jumps
from herdbook.smoothing.parts import smooth_movie
from herdbook.smoothing.rstc import window_frames


class SmoothedPoints(NamedTuple):
    """Points (T, L, 2): `given` with gaps filled, and `smoothed`; `disagreement` (T, L) px between forward and backward flow; bool (T, L)
    `filled`, `jump` and `agrees`: whether a point was filled, whether it jumps, and whether flow and point agree, so that it was smoothed.
    All are NaN or False where a point remains unknown.
    """

    given: Floats
    smoothed: Floats
    disagreement: Floats
    filled: NDArray[np.bool_]
    jump: NDArray[np.bool_]
    agrees: NDArray[np.bool_]

    def of_columns(self, first: int) -> "SmoothedPoints":
        """The points of the columns from `first` on."""
        columns: Any = (column[:, first:] for column in self)
        return SmoothedPoints(*columns)

    def agreement(self, found: NDArray[np.bool_]) -> float:
        """At which share of the first columns' points that were `found`, bool (T, columns), flow and point agree; of those that the flow
        reaches, NaN for none.
        """
        columns = found.shape[1]
        reached = found & ~np.isnan(self.disagreement[:, :columns])
        return float(self.agrees[:, :columns][reached].mean()) if reached.any() else float("nan")

    def as_given(self) -> "SmoothedPoints":
        """The given points, with their gaps filled, not smoothed."""
        return unsmoothed_points(self.given, self.filled)


def unsmoothed_points(given: Floats, filled: NDArray[np.bool_] | None = None) -> SmoothedPoints:
    """Points (T, L, 2) as they are, of which some were `filled`, bool (T, L)."""
    nowhere = np.zeros(given.shape[:2], bool)
    return SmoothedPoints(given, given, np.full(given.shape[:2], np.nan), nowhere if filled is None else filled, nowhere, nowhere)


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
    agreement: Agreement | None = None,
) -> SmoothedPoints:
    """Fill these gaps of the points (T, L, 2) and smooth them over windows of `window` frames.

    Points that jump are flagged; with `repair` they are replaced by their expected positions and smoothed again. Points that are `trusted`,
    bool (T, L), never jump and stay exactly where they are. `engine` is the optical flow, "numba" or "opencv"; `threads` processes give the
    same result as one.

    Without an `agreement` this is LK-RSTC as it was published. With one, a point stays as given where the flow leads farther away from it
    than that allows, and gaps in which forward and backward flow are too far apart become straight lines.
    """
    missing = np.isnan(points[..., 0]) | np.isnan(points[..., 1])
    given, between = fill_gaps_by_flow(source, points, gaps, engine)
    if agreement is not None:
        given = _straighten_lost_gaps(given, gaps, between, agreement.limit)
    # Flow can be wrong, and even leave the frame.
    limit = np.array(source.shape[::-1]) - 1.0
    given = np.where(missing[..., None], np.clip(given, 0, limit), given)
    unknown = np.isnan(given[..., 0]) | np.isnan(given[..., 1])
    tolerance = None if agreement is None else agreement.tolerance
    smooth = partial(smooth_movie, source, window=window, engine=engine, threads=threads, stage=stage, tolerance=tolerance)
    result, start = smooth(given), given
    jump = find_jumps(given, result.expected, window) & ~trusted
    if repair and jump.any():
        start = repair_jumps(given, result.expected, jump)
        result = smooth(start)
    smoothed, agrees = (result.smoothed, result.agreeing > 0) if tolerance is None else settle(start, result, tolerance)
    smoothed = np.where(trusted[..., None], given, smoothed)
    return SmoothedPoints(
        given,
        np.where(unknown[..., None], np.nan, smoothed),
        np.where(unknown, np.nan, np.where(np.isnan(between), result.disagreement, between)),
        missing & ~unknown,
        jump,
        agrees & ~unknown,
    )


def _straighten_lost_gaps(filled: Floats, gaps: Gaps, between: Floats, limit: Floats) -> Floats:
    """The filled points (T, L, 2), with straight lines over those gaps in which the tracks from both ends are farther apart, `between`
    (T, L) px, than the `limit` (T, L) px of one of them.
    """
    straight = filled.copy()
    for label, start, end in zip(*gaps, strict=True):
        inside = slice(start + 1, end)
        # A track that lost its point is far from the one that just left it: at one of the gap's ends.
        if between[inside, label].max() > min(limit[start, label], limit[end, label]):
            straight[start : end + 1, label] = np.linspace(filled[start, label], filled[end, label], end - start + 1)
    return straight
