"""Positions of animals and their body points in one interval of a movie, filled and smoothed together in one pass over its frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.smooth import FROM_CORRECTED, FROM_INTERPOLATED, Trajectories
from herdbook.positions.agreement import find_agreement, join_kinds, kinds_of_points, kinds_of_positions
from herdbook.positions.located import Located
from herdbook.positions.locating import head_directions
from herdbook.positions.scene import Positions
from herdbook.smoothing.agreement import LEAST_AGREEING
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.gaps import Gaps, find_gaps
from herdbook.smoothing.points import SmoothedPoints, checked_window, smooth_columns, unsmoothed_points
from herdbook.smoothing.window import choose_window, windows_to_try


class _Shares(NamedTuple):
    positions: float
    points: float


class Places(NamedTuple):
    """Of each row of a table of positions: place before and after smoothing (n, 2) px, disagreement (n,) px, whether it jumps (n,);
    the `window` (frames) that they were smoothed over, 0 for none; the shares of the positions and of the body points that flow reaches at
    which it agrees with what was found, `agreement` and `points_agreement`, NaN for none.
    """

    given: Floats
    smoothed: Floats
    disagreement: Floats
    jump: NDArray[np.bool_]
    window: int
    agreement: float
    points_agreement: float


def unsmoothed(given: Floats, agreement: float = np.nan, points_agreement: float = np.nan) -> Places:
    """Places (n, 2) as they are."""
    n = len(given)
    return Places(given, given, np.full(n, np.nan), np.zeros(n, bool), 0, agreement, points_agreement)


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
    width_px: float,
    farthest_px: Floats,
    fill: int,
    engine: str,
    repair: bool,
    threads: int,
) -> tuple[Places, SmoothedPoints]:
    """Positions of the table's rows and body points (T, L, 2), smoothed over the best of these windows (frames, ascending).

    `source` holds the T frames of an interval that begins with frame `first`, in which all rows lie. Rows with source interpolated are
    filled anew by flow, as are gaps of at most `fill` frames of the body points, `corrected` (T, L) of which a person gave. `width_px` is
    the width of an animal, `farthest_px` (L,) as of `agreement.farthest_px`. The other parameters are those of
    `smoothing.points.smooth_columns`. Where flow and blob disagree, the blob counts; if that is the rule, nothing is smoothed.
    """
    slot = slots_of(table, windows[-1])
    animals = int(slot.max(initial=-1)) + 1
    rows = table.frame - first, slot
    between = table.source == FROM_INTERPOLATED
    places = np.stack([table.x, table.y], 1)
    inside = np.clip(places, 0, np.array(source.shape[::-1]) - 1.0)
    points = np.full((source.n_frames, animals + body.shape[1], 2), np.nan)
    points[rows] = np.where(between[:, None], np.nan, inside)
    points[:, animals:] = body
    trusted = np.zeros(points.shape[:2], bool)
    trusted[rows] = table.source == FROM_CORRECTED
    trusted[:, animals:] = corrected
    known = ~np.isnan(body[..., 0])
    of_body = find_gaps(known, fill)
    gaps = _join(_gaps_of_rows(table, slot, first), of_body._replace(label=of_body.label + animals))
    kinds = kinds_of_positions(table, rows, (source.n_frames, animals), width_px)
    agreement = find_agreement(source, points, join_kinds(kinds, kinds_of_points(known, corrected, farthest_px)), trusted, engine)
    window = choose_window(source, points, windows, engine, agreement)
    result = smooth_columns(
        source, points, gaps, window, trusted=trusted, engine=engine, repair=repair, threads=threads, agreement=agreement
    )
    exact = table.source == FROM_CORRECTED
    # A person may place an animal outside of the frame, where no flow can start.
    given, smoothed = (np.where(exact[:, None], places, column[rows]) for column in (result.given, result.smoothed))
    bodies = result.of_columns(animals)
    agreeing = _Shares(np.nan, np.nan)
    if engine != "opencv":
        found = np.zeros(trusted.shape, bool)
        found[rows] = ~(between | exact)
        found[:, animals:] = known & ~corrected
        agreeing = _Shares(result.agreement(found[:, :animals]), bodies.agreement(found[:, animals:]))
    own = Places(given, smoothed, result.disagreement[rows], result.jump[rows], window, *agreeing)
    if agreeing.positions < LEAST_AGREEING:
        own = unsmoothed(given, *agreeing)
    return own, bodies.as_given() if agreeing.points < LEAST_AGREEING else bodies


def _gaps_of_rows(table: Positions, slot: NDArray[np.int64], first: int) -> Gaps:
    """The gaps that interpolated rows fill."""
    order = np.lexsort((table.frame, table.individual))
    between = table.source[order] == FROM_INTERPOLATED
    before = order[np.flatnonzero(~between[:-1] & between[1:])]
    after = order[np.flatnonzero(between[:-1] & ~between[1:]) + 1]
    return Gaps(slot[before], table.frame[before] - first, table.frame[after] - first)


def _join(a: Gaps, b: Gaps) -> Gaps:
    return Gaps(*(np.concatenate(columns) for columns in zip(a, b, strict=True)))


@dataclass(frozen=True)
class Smoothing:
    """How a movie is to be smoothed: `method` "lkrstc" or "none", `window_s` or None to choose it, `engine` of the flow, whether jumps are
    repaired, and gaps of at most how many frames are filled.
    """

    method: str
    window_s: float | None
    engine: str
    repair: bool
    fill: int


def smooth_movie(
    source: Callable[[int, int], FrameSource],
    located: Located,
    columns: Floats,
    corrected: NDArray[np.bool_],
    farthest_px: Floats,
    wanted: Smoothing,
    fps: float,
    movie: str,
    threads: int,
) -> tuple[list[Places], SmoothedPoints]:
    """Places of each interval's positions, and the body points `columns` (frames, L, 2), both smoothed interval by interval.

    `source` gives the frames from one to another (exclusive); `corrected` (frames, L) tells which body points a person gave; `farthest_px`
    (L,) as of `agreement.farthest_px`; `movie` names the movie in messages. Raises HerdbookError for a window that does not fit an
    interval.
    """
    places, bodies = [], unsmoothed_points(columns)
    for (first, end), table in zip(located.intervals.tolist(), located.positions, strict=True):
        if wanted.method == "none" or end - first == 1 or not (len(table) or columns.size):
            places.append(unsmoothed(np.stack([table.x, table.y], 1)))
            continue
        windows = windows_to_try(fps, end - first)
        if wanted.window_s is not None:
            stretch = "movie" if len(located.intervals) == 1 else f"interval [{first}, {end}]"
            windows = [checked_window(wanted.window_s, fps, end - first, movie, stretch)]
        own, body = smooth_places(
            source(first, end),
            table,
            columns[first:end],
            first,
            windows,
            corrected=corrected[first:end],
            width_px=4 * located.variances[1] ** 0.5,
            farthest_px=farthest_px,
            fill=wanted.fill,
            engine=wanted.engine,
            repair=wanted.repair,
            threads=threads,
        )
        places.append(own)
        bodies = SmoothedPoints(*(_with_part(whole, first, part) for whole, part in zip(bodies, body, strict=True)))
    return places, bodies


def trajectories_of(located: Located, places: Sequence[Places], frames: int) -> Trajectories:
    """The artifact of a movie of so many frames: the positions of all its intervals at their smoothed places."""
    table = Positions(*(_joined([getattr(part, name) for part in located.positions]) for name in Positions.__dataclass_fields__))
    given, smoothed, disagreement, jump = (_joined(parts) for parts in zip(*(own[:4] for own in places), strict=True))
    table.x, table.y = given.T
    return Trajectories(
        individuals=located.individuals,
        frames=frames,
        frame=table.frame.astype(np.int32),
        individual=table.individual.astype(np.int32),
        x=smoothed[:, 0],
        y=smoothed[:, 1],
        x_raw=table.x,
        y_raw=table.y,
        heading=head_directions(table, located.variances),
        confidence=table.confidence.astype(np.float32),
        source=table.source,
        disagreement=disagreement.astype(np.float32),
        jump=jump,
        windows=np.array([own.window for own in places], np.int64),
        agreement=np.array([own.agreement for own in places]),
        points_agreement=np.array([own.points_agreement for own in places]),
    )


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The arrays one after the other; a single one as it is, for those of a long movie are large."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _with_part(whole: NDArray[Any], first: int, part: NDArray[Any]) -> NDArray[Any]:
    joined = whole.copy()
    joined[first : first + len(part)] = part
    return joined
