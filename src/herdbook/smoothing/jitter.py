"""How sure detected points are of themselves: their jitter, measured in the movie, and how far the flow may lead away from them.

Flow that leads farther from a point than jitter explains is wrong there. Points are (x, y) in px, NaN if missing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.smoothing.agreement import Agreement
from herdbook.smoothing.flow import STOP_STEP_PX
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.jumps import LEAST_JUMP_PX
from herdbook.smoothing.rstc import iterate_windows
from herdbook.smoothing.window import sample_stretches

# As for jumps: the distances between flow and point have long tails for fast animals.
SIGMAS = 8.0
# Jitter is read from the lower quarter of the distances: so it is right while the flow follows in more than a quarter of the steps.
QUARTER = 0.25
# Where the lower quarter of a Rayleigh distribution ends: the distances of places with a jitter of 1 px in x and in y.
RAYLEIGH_QUARTER = float(np.sqrt(-2 * np.log(1 - QUARTER)))
# Variance of the difference of two places with a jitter of variance 1, and of their third difference: 1 + 9 + 9 + 1.
DIFFERENCE, THIRD_DIFFERENCE = 2.0, 20.0
# Shorter steps (px per frame) are mostly jitter themselves, or hidden by the compression of the movie, which repeats what hardly changes.
MOVING_PX = 1.0
# Fewer distances have no quarter worth the name.
LEAST_DISTANCES = 20
# Flow leaves this share of a step unexplained, as the median, where it explains nothing: 0.95 to 1.03 for animals that it loses; 0.4 to 0.7
# for heads, necks and wings of flies, 0.8 to 1.1 for the tips of their legs, which it does not follow.
UNEXPLAINED = 0.8
SAMPLE_FRAMES = 60


class Kinds(NamedTuple):
    """What kind each point is, int64 (T, L), from 0 on; `measured` bool (T, L), whether it tells the jitter of its kind; and for each kind
    the `limit` (kinds,) px: farther away from a point nobody can be who is there.
    """

    kind: Ints
    measured: NDArray[np.bool_]
    limit: Floats


def measure_agreement(source: FrameSource, points: Floats, kinds: Kinds, engine: str = "numba") -> Agreement:
    """The agreement to ask of the points (T, L, 2), by their jitter in samples of the movie.

    Jitter is what flow from one frame to the next does not explain, or what a parabola through four neighbouring places does not, whichever
    is less: the first contains the failures of the flow, the second sudden movement. It is measured where animals move, in all points of a
    kind together. A kind with too few of them is allowed its limit.

    Where the flow explains nearly nothing of the steps, points that leap cannot be told from points that jitter. Then no more is allowed
    than what is surely no jump (see `jumps`): jitter is still smoothed, leaps stay.
    """
    from_flow, from_path = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for first, end in sample_stretches(source.n_frames, SAMPLE_FRAMES):
        part = np.where(kinds.measured[first:end, :, None], points[first:end], np.nan)
        kind = kinds.kind[first:end]
        if end - first > 1:
            forward = np.concatenate([tracks.forward for tracks in iterate_windows(source.read(first, end), part, 2, engine)])
            from_flow.append(_distances(forward[:, 1] - part[1:], part, kind))
        if end - first > 3:
            from_path.append(_distances(np.diff(part, 3, axis=0), part, kind))
    tolerance = kinds.limit.copy()
    for number, limit in enumerate(kinds.limit.tolist()):
        flow, path = (_of_kind(np.concatenate(found), number) for found in (from_flow, from_path))
        jitter = np.fmin(_jitter(flow) / np.sqrt(DIFFERENCE), _jitter(path) / np.sqrt(THIRD_DIFFERENCE))
        # Both ends of a track have jitter.
        wide = SIGMAS * np.maximum(np.sqrt(DIFFERENCE) * jitter, STOP_STEP_PX)
        if len(flow) and np.median(flow[:, 0]) > UNEXPLAINED * np.median(flow[:, 1]):
            wide = np.fmin(wide, LEAST_JUMP_PX)
        tolerance[number] = np.fmin(wide, limit)
    return Agreement(tolerance[kinds.kind], kinds.limit[kinds.kind])


def _distances(difference: Floats, part: Floats, kind: Ints) -> Floats:
    """Length (px), px per frame and kind (n, 3) of the differences (T - k, L, 2) that are known, each over k + 1 frames of the part."""
    k = len(part) - len(difference)
    length = np.hypot(*np.moveaxis(difference, -1, 0))
    speed = np.hypot(*np.moveaxis(part[k:] - part[:-k], -1, 0)) / k
    hardest = np.maximum.reduce([kind[j : len(kind) - k + j] for j in range(k + 1)])
    known = np.isfinite(length)
    return np.stack([length[known], speed[known], hardest[known]], 1)


def _of_kind(distances: Floats, kind: int) -> Floats:
    """Those of the `distances`, as of `_distances`, that tell the jitter of a kind: where it moves, if that is often enough."""
    own: Floats = distances[distances[:, 2] == kind]
    moving = own[own[:, 1] >= MOVING_PX]
    told = moving if len(moving) >= LEAST_DISTANCES else own
    return told if len(told) >= LEAST_DISTANCES else told[:0]


def _jitter(distances: Floats) -> float:
    """The jitter (px) of places that have such distances, NaN for none."""
    return float(np.quantile(distances[:, 0], QUARTER)) / RAYLEIGH_QUARTER if len(distances) else float("nan")
