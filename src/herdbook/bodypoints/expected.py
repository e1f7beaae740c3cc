"""Where each point of each animal is expected in each frame, by all other frames, and how sure that is.

In the frame of the body a point moves about its mean place as an Ornstein-Uhlenbeck process: what it is off in one frame it is partly off
in the next. A filter over the frames before and one over those after give the expected place without the frame itself (Rauch, Tung &
Striebel 1965, in the form of two filters; Fraser & Potter 1969). Points are (x, y) px, NaN where missing.
"""

import numpy as np
from numba import njit

from herdbook.arrays import Bools, Floats

# A place farther off than so many standard deviations of its innovation is not what the point did before: it moves nothing.
MOST_OFF = 4.0


@njit(cache=True, nogil=True)
def _filtered(off: Floats, order: int, kept: float, variance: float, noise: float, mean: Floats, spread: Floats) -> None:
    """What is expected of displacements (T,), NaN where missing, by those before (`order` 1) or after (-1): mean and variance (T,)."""
    frames = len(off)
    lasting = variance - noise
    m, v = 0.0, lasting
    start = 0 if order > 0 else frames - 1
    for k in range(frames):
        t = start + order * k
        m, v = kept * m, kept * kept * v + (1 - kept * kept) * lasting
        mean[t], spread[t] = m, v
        if np.isnan(off[t]):
            continue
        innovation = off[t] - m
        total = v + noise
        if innovation * innovation > MOST_OFF * MOST_OFF * total:
            continue
        gain = v / total
        m, v = m + gain * innovation, (1 - gain) * v


@njit(cache=True, nogil=True)
def expect(
    body: Floats, use: Bools, poses: Floats, mean: Floats, axes: Floats, variance: Floats, noise: Floats, kept: Floats
) -> tuple[Floats, Floats]:
    """Expected place (T, A, J, 2) and covariance (T, A, J, 3) xx, xy, yy px² of each point in the image, by the points `body` (T, A, J, 2)
    of other frames, in the frame of the body, that are to be used, `use` (T, A, J).

    `poses` (T, A, 3) of the bodies; the other parameters are those of a `Shape`. NaN where there is no pose.
    """
    frames, animals, joints = body.shape[:3]
    place, covariance = np.full((frames, animals, joints, 2), np.nan), np.full((frames, animals, joints, 3), np.nan)
    off = np.empty((2, frames))
    means, spreads = np.empty((2, 2, frames)), np.empty((2, 2, frames))
    for a in range(animals):
        for j in range(joints):
            if np.isnan(variance[j, 0]):
                continue
            for t in range(frames):
                dx, dy = body[t, a, j, 0] - mean[a, j, 0], body[t, a, j, 1] - mean[a, j, 1]
                for axis in range(2):
                    known = use[t, a, j]
                    off[axis, t] = axes[j, 0, axis] * dx + axes[j, 1, axis] * dy if known else np.nan
            for axis in range(2):
                _filtered(off[axis], 1, kept[j, axis], variance[j, axis], noise[j, axis], means[axis, 0], spreads[axis, 0])
                _filtered(off[axis], -1, kept[j, axis], variance[j, axis], noise[j, axis], means[axis, 1], spreads[axis, 1])
            for t in range(frames):
                if np.isnan(poses[t, a, 2]):
                    continue
                cos, sin = np.cos(poses[t, a, 2]), np.sin(poses[t, a, 2])
                x, y, xx, xy, yy = mean[a, j, 0], mean[a, j, 1], 0.0, 0.0, 0.0
                for axis in range(2):
                    lasting = variance[j, axis] - noise[j, axis]
                    before, after = spreads[axis, 0, t], spreads[axis, 1, t]
                    # Both filters begin with the same lasting spread, which counts once.
                    precision = 1 / before + 1 / after - 1 / lasting
                    m = (means[axis, 0, t] / before + means[axis, 1, t] / after) / precision
                    v = 1 / precision + noise[j, axis]
                    # The axis in the image.
                    ux, uy = axes[j, 0, axis], axes[j, 1, axis]
                    x += ux * m
                    y += uy * m
                    ix, iy = cos * ux - sin * uy, sin * ux + cos * uy
                    xx += v * ix * ix
                    xy += v * ix * iy
                    yy += v * iy * iy
                place[t, a, j, 0] = poses[t, a, 0] + cos * x - sin * y
                place[t, a, j, 1] = poses[t, a, 1] + sin * x + cos * y
                covariance[t, a, j, 0], covariance[t, a, j, 1], covariance[t, a, j, 2] = xx, xy, yy
    return place, covariance
