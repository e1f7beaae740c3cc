"""Ellipses of blobs from their second moments: axes, orientation, angles. Angles are in rad unless stated otherwise."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from herdbook.arrays import Floats

_PIXEL_MOMENT = 1 / 12  # second moment of a square of 1 px about its centre


def orientation(mxx: ArrayLike, mxy: ArrayLike, myy: ArrayLike) -> Floats:
    """Return the angle of the major axis, rad in (-pi/2, pi/2], from central second moments of any common shape.

    The angle is 0 if both axes are equally long.
    """
    mxx, mxy, myy = (np.asarray(moment, np.float64) for moment in (mxx, mxy, myy))
    return wrap_angle(0.5 * np.arctan2(2 * mxy, mxx - myy), np.pi)


def axis_lengths(mxx: ArrayLike, mxy: ArrayLike, myy: ArrayLike) -> tuple[Floats, Floats]:
    """Return the full lengths (major, minor), px, of the ellipse with the same second moments as a blob.

    mxx, mxy, myy: central second moments of pixel centres, px², of any common shape. The extent of the pixels
    themselves, 1/12 px² along each axis, is added, so that a line of pixels is as wide as one pixel's ellipse.
    """
    mxx, mxy, myy = (np.asarray(moment, np.float64) for moment in (mxx, mxy, myy))
    middle = (mxx + myy) / 2 + _PIXEL_MOMENT
    half_range = np.hypot((mxx - myy) / 2, mxy)
    return 4 * np.sqrt(middle + half_range), 4 * np.sqrt(np.maximum(middle - half_range, 0.0))


def wrap_angle(angle: ArrayLike, period: float = 2 * np.pi) -> Floats:
    """Return angles, rad, wrapped to (-period/2, period/2]; a body axis without a front has the period pi."""
    half = period / 2
    wrapped = half - np.mod(half - np.asarray(angle, np.float64), period)
    # Rounding can make the remainder equal to the period.
    return np.where(wrapped <= -half, half, wrapped)


def body_length(moments: NDArray[np.floating[Any]]) -> float:
    """Typical length of a blob, px, from moments (n, 3) xx, xy, yy: four standard deviations along the major axis, the median of all."""
    if not len(moments):
        return 1.0
    xx, xy, yy = moments.T
    largest = (xx + yy) / 2 + np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return float(4 * np.sqrt(np.median(largest)))
