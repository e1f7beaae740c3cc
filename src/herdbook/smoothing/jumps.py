"""Points that jump: the detector confuses something else with the point, for one or a few frames.

Points are (x, y) in px.
"""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats

# In a sharp movie, a point scatters by 1 to 2 px around the flow; smaller distances than this are no jump, even if the animal rests.
LEAST_JUMP_PX = 6.0
# A jump exceeds this many robust standard deviations of the point's scatter around the flow, which has long tails for fast animals.
SIGMAS = 8.0
MAD_TO_SIGMA = 1.4826


def find_jumps(points: Floats, expected: Floats, window: int) -> NDArray[np.bool_]:
    """Whether each point, bool (T, L), is farther from its expected position than both movement and flow allow.

    `points` (T, L, 2) as detected, NaN if missing; `expected` (T, L, 2): their positions by the flow from other frames (see
    `rstc.combine_windows`). Two distances of a point must exceed its limit: that to `expected`, and that to the running median of its
    positions over `window` frames. The limit is 8 robust standard deviations of the distance to `expected`, at least 6 px.
    """
    # Imported here: it takes a fifth of a second, which stages that only read body points do not need.
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
    """The points (T, L, 2), with those that jump replaced by their expected positions."""
    return np.where(jumps[..., None], expected, points)
