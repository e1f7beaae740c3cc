"""How far optical flow may lead away from the positions of animals and from their body points before these count instead of it.

Points are (x, y) in px.
"""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.formats.poses import Poses
from herdbook.positions.scene import Positions
from herdbook.smoothing.agreement import Agreement
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.jitter import Kinds, measure_agreement
from herdbook.smoothing.jumps import LEAST_JUMP_PX

ALONE, INSIDE_MERGES = range(2)


def kinds_of_positions(table: Positions, rows: tuple[Ints, Ints], shape: tuple[int, int], width_px: float) -> Kinds:
    """The kinds of the positions of a table whose rows are at `rows` (frame, column) of an array of this shape: of animals alone, and
    inside merges. `width_px` is the width of an animal.

    Half a width from the middle of an animal is beside it: nobody's limit is farther. Inside a merged blob the limit is also the tolerance:
    positions there hardly jitter, but are wrong for many frames on end, so that their jitter does not tell how sure they are.
    """
    kind, measured = np.full(shape, ALONE, np.int64), np.zeros(shape, bool)
    kind[rows] = np.where(np.isin(table.source, (FROM_RESOLVED, FROM_MERGED)), INSIDE_MERGES, ALONE)
    measured[rows] = table.source == FROM_SINGLE
    return Kinds(kind, measured, np.full(2, width_px / 2))


def kinds_of_points(known: NDArray[np.bool_], corrected: NDArray[np.bool_], limit: Floats) -> Kinds:
    """The kinds of body points that are `known`, bool (T, L), and of which some are `corrected` (T, L): each point is one, for a tip of a
    leg jitters more than the neck. `limit` (L,) as of `farthest_px`.
    """
    kind = np.broadcast_to(np.arange(known.shape[1]), known.shape)
    return Kinds(kind, known & ~corrected, limit)


def join_kinds(a: Kinds, b: Kinds) -> Kinds:
    """The kinds of the columns of `a` and then of `b`, over the same frames."""
    return Kinds(
        np.concatenate([a.kind, b.kind + len(a.limit)], axis=1),
        np.concatenate([a.measured, b.measured], axis=1),
        np.concatenate([a.limit, b.limit]),
    )


def farthest_px(poses: Poses) -> Floats:
    """How far (individuals * points,) px each body point can be from where it was found: half of the usual distance of the points of its
    individual from their middle, so that it is still nearer to its own place than to theirs. That of a jump where there is one point.
    """
    known = poses.known
    middle = np.where(known[..., None], poses.xy, 0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)[..., None]
    away = np.hypot(*np.moveaxis(poses.xy - middle[:, :, None], -1, 0))
    limit = np.full(known.shape[1:], LEAST_JUMP_PX)
    for individual in range(len(poses.individuals)):
        several = known[:, individual].sum(axis=1) > 1
        if several.any():
            limit[individual] = np.nanmedian(away[several, individual]) / 2
    return limit.ravel()


def find_agreement(source: FrameSource, points: Floats, kinds: Kinds, trusted: NDArray[np.bool_], engine: str) -> Agreement | None:
    """The agreement to ask between flow and points (T, L, 2), of which a person gave those that are `trusted`, bool (T, L).

    The engine "opencv" follows the flow wherever it leads, as LK-RSTC was published, but not to or from what a person gave: there both
    engines ask the same. A person points less exactly than a detector: the limit of its kind is asked.
    """
    limit = kinds.limit[kinds.kind]
    if engine == "opencv":
        return Agreement(*2 * (np.where(trusted, limit, np.inf),)) if trusted.any() else None
    agreement = measure_agreement(source, points, kinds, engine)
    return agreement._replace(tolerance=np.where(trusted, limit, agreement.tolerance))
