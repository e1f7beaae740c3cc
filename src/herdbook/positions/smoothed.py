"""Positions of animals and their body points in one interval of a movie, filled and smoothed together in one pass over its frames."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.smooth import FROM_CORRECTED, FROM_INTERPOLATED
from herdbook.positions.scene import Positions
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.gaps import Gaps, find_gaps
from herdbook.smoothing.points import SmoothedPoints, smooth_columns
from herdbook.smoothing.window import choose_window


class Places(NamedTuple):
    """Of each row of a table of positions: place before and after smoothing (n, 2) px, disagreement (n,) px, whether it jumps (n,);
    and the `window` (frames) that they were smoothed over, 0 for none.
    """

    given: Floats
    smoothed: Floats
    disagreement: Floats
    jump: NDArray[np.bool_]
    window: int


def unsmoothed(table: Positions) -> Places:
    """The places of the table as they are."""
    given = np.stack([table.x, table.y], 1)
    return Places(given, given, np.full(len(table), np.nan), np.zeros(len(table), bool), 0)


def unsmoothed_points(body: Floats) -> SmoothedPoints:
    """Body points (T, L, 2) as they are."""
    nowhere = np.zeros(body.shape[:2], bool)
    return SmoothedPoints(body, body, np.full(body.shape[:2], np.nan), nowhere, nowhere)


def slots_of(table: Positions, pause_frames: int) -> NDArray[np.int64]:
    """A column for each row of the table such that individuals share one only with a pause of at least `pause_frames` between them.

    A few animals at a time make thousands of fragments; smoothing them in shared columns costs what the animals in view cost.
    """
    slot = np.zeros(int(table.individual.max(initial=-1)) + 1, np.int64)
    first = np.full(len(slot), np.iinfo(np.int64).max)
    last = np.full(len(slot), -1)
    np.minimum.at(first, table.individual, table.frame)
    np.maximum.at(last, table.individual, table.frame)
    free: list[int] = []
    for individual in np.argsort(first, kind="stable"):
        if last[individual] < 0:
            continue
        reusable = next((k for k, end in enumerate(free) if end + pause_frames < first[individual]), None)
        if reusable is None:
            free.append(0)
            reusable = len(free) - 1
        free[reusable] = int(last[individual])
        slot[individual] = reusable
    return slot[table.individual]


def smooth_places(
    source: FrameSource,
    table: Positions,
    body: Floats,
    first: int,
    windows: Sequence[int],
    *,
    corrected: NDArray[np.bool_],
    fill: int,
    engine: str,
    repair: bool,
    threads: int,
) -> tuple[Places, SmoothedPoints]:
    """Positions of the table's rows and body points (T, L, 2), smoothed over the best of these windows (frames, ascending).

    `source` holds the T frames of an interval that begins with frame `first`, in which all rows lie. Rows with source interpolated are
    filled anew by flow, as are gaps of at most `fill` frames of the body points, `corrected` (T, L) of which a person gave. The other
    parameters are those of `point_smoothing.smooth_columns`.
    """
    slot = slots_of(table, windows[-1])
    animals = int(slot.max(initial=-1)) + 1
    rows = table.frame - first, slot
    between = table.source == FROM_INTERPOLATED
    inside = np.clip(np.stack([table.x, table.y], 1), 0, np.array(source.shape[::-1]) - 1.0)
    points = np.full((source.n_frames, animals + body.shape[1], 2), np.nan)
    points[rows] = np.where(between[:, None], np.nan, inside)
    points[:, animals:] = body
    trusted = np.zeros(points.shape[:2], bool)
    trusted[rows] = table.source == FROM_CORRECTED
    trusted[:, animals:] = corrected
    of_body = find_gaps(~np.isnan(body[..., 0]), fill)
    gaps = _join(_gaps_of_rows(table, slot, first), of_body._replace(label=of_body.label + animals))
    window = choose_window(source, points, windows, engine)
    result = smooth_columns(source, points, gaps, window, trusted=trusted, engine=engine, repair=repair, threads=threads)
    own = Places(result.given[rows], result.smoothed[rows], result.disagreement[rows], result.jump[rows], window)
    return own, result.of_columns(animals)


def _gaps_of_rows(table: Positions, slot: NDArray[np.int64], first: int) -> Gaps:
    """The gaps that interpolated rows fill."""
    order = np.lexsort((table.frame, table.individual))
    between = table.source[order] == FROM_INTERPOLATED
    before = order[np.flatnonzero(~between[:-1] & between[1:])]
    after = order[np.flatnonzero(between[:-1] & ~between[1:]) + 1]
    return Gaps(slot[before], table.frame[before] - first, table.frame[after] - first)


def _join(a: Gaps, b: Gaps) -> Gaps:
    return Gaps(*(np.concatenate(columns) for columns in zip(a, b, strict=True)))
