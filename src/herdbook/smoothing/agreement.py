"""Where optical flow may be believed: where it agrees with the detected points.

LK-RSTC takes the flow for the movement. That holds while the flow follows the animal. Where it moves too far from one frame to the next,
the flow stays behind on the ground or goes over to a neighbour, and what comes out is no place of anybody. There the detected point counts.

Points are (x, y) in px, NaN if missing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.smoothing.rstc import RstcResult

# Flow and points disagree as a rule if they agree in less than this share of the points.
LEAST_AGREEING = 0.5


class Agreement(NamedTuple):
    """How far from each point the flow may be, (T, L) px: the `tolerance` by the jitter of the points, and the `limit` of any tolerance."""

    tolerance: Floats
    limit: Floats


def settle(points: Floats, result: RstcResult, tolerance: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The smoothed points (T, L, 2) where they agree with the given `points`, else these; and where they agree, bool (T, L).

    A smoothed point counts in full up to half of the tolerance (T, L) px from the given one, and less and less up to the whole of it, so
    that no path leaps where the flow slowly loses its animal. Points that no window reaches are as given, and do not agree.
    """
    move = result.smoothed - points
    distance = np.hypot(*np.moveaxis(move, -1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(result.agreeing > 0, np.clip(2 - 2 * distance / tolerance, 0, 1), 0.0)
    return np.where(share[..., None] == 1, result.smoothed, points + share[..., None] * np.nan_to_num(move)), share > 0.5
