"""Which end of a body axis is the head: animals mostly walk forwards, and rarely turn by half a turn between two frames.

Points are (x, y) in px, y down; angles in rad from the x axis towards the y axis.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.geometry.ellipses import axis_lengths, orientation

# Log-odds of an end being the head, per body length of movement towards it, and their limit in one frame, so that jitter does not decide.
ODDS_PER_BODY_LENGTH = 8.0
MOST_ODDS = 2.0
# Log-odds against an exchange of both ends from one frame to the next, for a body that is infinitely longer than wide.
ODDS_OF_KEEPING = 16.0


def head_directions(
    rows: NDArray[np.int64],
    offsets: NDArray[np.int64],
    frame: NDArray[np.int32],
    x: Floats,
    y: Floats,
    moments: NDArray[np.float32],
    body_length_px: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Direction of the head of each blob, rad float32 (blobs,), and the probability that it is this end, 0.5..1 float32 (blobs,).

    `rows` and `offsets` are those of `Tracklets.blob_rows`; `moments` (blobs, 3) xx, xy, yy. Along a tracklet the two ends are the states
    of a hidden Markov chain, solved by the forward-backward algorithm (Rabiner 1989, Proc. IEEE 77:257). An end stays the same with higher
    probability the longer the body is and the less it turns; movement is evidence for the end in front. Blobs without a tracklet get the
    direction of their axis and the probability 0.5.
    """
    major, minor = axis_lengths(*moments.T)
    return directions_along(rows, offsets, frame, x, y, np.asarray(orientation(*moments.T)), 1 - minor / major, body_length_px)


def directions_along(
    rows: NDArray[np.int64],
    offsets: NDArray[np.int64],
    frame: NDArray[np.int32] | NDArray[np.int64],
    x: Floats,
    y: Floats,
    axis: Floats,
    long: Floats,
    body_length_px: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `head_directions`, for positions with a body axis: `axis` rad (n,), and elongation `long` (n,), 0 for a disc, 1 for a line.

    Track i has the positions rows[offsets[i]:offsets[i + 1]] in order of time; it may have gaps.
    """
    chance = np.full(len(axis), 0.5)
    _forward_backward(rows, offsets, frame.astype(np.int64), x, y, axis, long, float(body_length_px), chance)
    other = chance > 0.5
    direction = np.where(other, axis - np.pi, axis)
    return direction.astype(np.float32), np.where(other, chance, 1 - chance).astype(np.float32)


@njit(cache=True, nogil=True)
def _forward_backward(  # type: ignore[no-untyped-def]
    rows, offsets, frame, x, y, axis, long, body_length, chance
):
    """Fill `chance` with the probability that the head is at the end opposite to the direction of each axis."""
    for k in range(len(offsets) - 1):
        mine = rows[offsets[k] : offsets[k + 1]]
        n = len(mine)
        forward = np.empty(n)
        stay = np.empty(n)
        seen = np.empty(n)
        for i in range(n):
            before, after = mine[max(0, i - 1)], mine[min(n - 1, i + 1)]
            here = mine[i]
            steps = max(1, min(n - 1, i + 1) - max(0, i - 1))
            ahead = ((x[after] - x[before]) * np.cos(axis[here]) + (y[after] - y[before]) * np.sin(axis[here])) / steps
            odds = min(MOST_ODDS, max(-MOST_ODDS, ODDS_PER_BODY_LENGTH * ahead / body_length))
            seen[i] = 1 / (1 + np.exp(odds))
            stay[i] = 0.5
            if i:
                last = mine[i - 1]
                gap = max(1, frame[here] - frame[last])
                odds = ODDS_OF_KEEPING * min(long[here], long[last]) * np.cos(axis[here] - axis[last]) / gap
                stay[i] = 1 / (1 + np.exp(-odds))
            prior = 0.5 if i == 0 else forward[i - 1] * stay[i] + (1 - forward[i - 1]) * (1 - stay[i])
            other = prior * seen[i]
            forward[i] = other / (other + (1 - prior) * (1 - seen[i]))
        back = 0.5
        for i in range(n - 1, -1, -1):
            both = forward[i] * back
            chance[mine[i]] = both / (both + (1 - forward[i]) * (1 - back))
            far = back * seen[i]
            near = (1 - back) * (1 - seen[i])
            far, near = far * stay[i] + near * (1 - stay[i]), near * stay[i] + far * (1 - stay[i])
            back = far / (far + near)
