"""Points that jump: where a detector takes something else for the point, for a frame or a few.

Points are (x, y) in px.
"""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats

# A point of a sharp movie scatters by 1 to 2 px about the flow; less than this is no jump, however still the animal is.
LEAST_JUMP_PX = 6.0
# Beyond so many robust standard deviations of the point's own scatter about the flow. Flow on fast animals has long tails.
SIGMAS = 8.0
MAD_TO_SIGMA = 1.4826


def find_jumps(points: Floats, expected: Floats, window: int) -> NDArray[np.bool_]:
    """Which points (T, L) are farther from where they should be than both the movement and the flow allow.

    `points` (T, L, 2) as they were detected, NaN where missing; `expected` (T, L, 2) where the flow from the frames around expects them
    (see `lkrstc.combine_windows`). The movement allows what lies on the way: the distance to the running median of the point's places
    over `window` frames. Both distances must exceed the limit of the point: 8 robust standard deviations of its distance to the flow, at
    least 6 px.
    """
    # A fifth of a second to import, which the stages that only read body points need not pay.
    from scipy.ndimage import median_filter

    from_flow = np.hypot(*np.moveaxis(points - expected, -1, 0))
    jumps = np.zeros(points.shape[:2], bool)
    for label in range(points.shape[1]):
        known = np.flatnonzero(~np.isnan(from_flow[:, label]))
        if not len(known):
            continue
        own = from_flow[known, label]
        middle = np.median(own)
        limit = max(LEAST_JUMP_PX, middle + SIGMAS * MAD_TO_SIGMA * float(np.median(np.abs(own - middle))))
        places = points[known, label]
        usual = median_filter(places, size=(window | 1, 1), mode="nearest")
        jumps[known, label] = (own > limit) & (np.hypot(*(places - usual).T) > limit)
    return jumps


def repair_jumps(points: Floats, expected: Floats, jumps: NDArray[np.bool_]) -> Floats:
    """The points with those that jump put where the flow expects them."""
    return np.where(jumps[..., None], expected, points)
