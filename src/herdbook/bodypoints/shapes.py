"""The shape of a body as its points tell it: where each point is in the frame of the body, how much it moves there, and for how long.

The frame of a body has its origin in the middle of its points and its x axis along the heading; y points to the animal's right, as in
images, whose y axis points down. Points are (x, y) px, NaN where missing; angles in rad.
"""

import warnings
from typing import NamedTuple

import numpy as np
from numba import njit

from herdbook.arrays import Bools, Floats

# Frames in which an animal is sure that count as much as the shape of all animals together: of fewer, its own shape is mostly noise.
FRAMES_OF_ALL = 50
# Rounds of fitting poses to the shape, and the shape to the poses: the mean shape moves by less than a hundredth of a body after three.
ROUNDS = 5
# Scales, in standard deviations of a point, at which a pose is fitted again with points that are off counting less, from coarse to fine
# (graduated non-convexity; Blake & Zisserman 1987): a third of the points may be another animal's.
SCALES = (8.0, 4.0, 2.0, 2.0)
# A point weighs at most as much as one whose spread is this share of the median spread: three points that hold still must not decide alone.
LEAST_SPREAD = 0.5
# A point can be at least this share of the length of a body from its place: where other points are off, the pose is too.
LEAST_REACH = 0.2


class Shape(NamedTuple):
    """Of each animal the `mean` place (A, J, 2) of each point in the frame of the body, px; of each point, for all animals, the `axes`
    (J, 2, 2) of its movement as columns, its `variance` (J, 2) px² along them, the part of it that is noise of the detector, `noise` (J, 2)
    px², how much of its displacement is kept from one frame to the next, `kept` (J, 2); the variance (J,) that weighs it in a `fit`;
    and how far from its mean place it can be, `reach` (J,) px. NaN for points that were never seen while an animal was sure.
    """

    mean: Floats
    axes: Floats
    variance: Floats
    noise: Floats
    kept: Floats
    fit: Floats
    reach: Floats


@njit(cache=True, nogil=True)
def fit_pose(points: Floats, mean: Floats, variance: Floats, scales: Floats, out: Floats) -> None:
    """Fit the pose of a body with points (J, 2) to its `mean` shape (J, 2), whose points have this `variance` (J,): origin x, y, and
    heading into `out` (3,), NaN with fewer than two points.

    Points that are farther from their place than a few standard deviations count less (Geman & McClure 1985), at each of the `scales`.
    """
    out[:] = np.nan
    n = len(points)
    used = 0
    for j in range(n):
        if not np.isnan(points[j, 0]) and not np.isnan(mean[j, 0]):
            used += 1
    if used < 2:
        return
    x = y = heading = 0.0
    for k in range(len(scales) + 1):
        total = px = py = mx = my = 0.0
        weights = np.zeros(n)
        cos, sin = np.cos(heading), np.sin(heading)
        for j in range(n):
            if np.isnan(points[j, 0]) or np.isnan(mean[j, 0]):
                continue
            w = 1 / variance[j]
            if k > 0:
                ex = points[j, 0] - x - cos * mean[j, 0] + sin * mean[j, 1]
                ey = points[j, 1] - y - sin * mean[j, 0] - cos * mean[j, 1]
                off = (ex * ex + ey * ey) / (variance[j] * scales[k - 1] ** 2)
                w /= (1 + off) ** 2
            weights[j] = w
            total += w
            px += w * points[j, 0]
            py += w * points[j, 1]
            mx += w * mean[j, 0]
            my += w * mean[j, 1]
        px, py, mx, my = px / total, py / total, mx / total, my / total
        along = across = 0.0
        for j in range(n):
            if weights[j] > 0:
                ax, ay = mean[j, 0] - mx, mean[j, 1] - my
                bx, by = points[j, 0] - px, points[j, 1] - py
                along += weights[j] * (ax * bx + ay * by)
                across += weights[j] * (ax * by - ay * bx)
        heading = np.arctan2(across, along)
        cos, sin = np.cos(heading), np.sin(heading)
        x, y = px - cos * mx + sin * my, py - sin * mx - cos * my
    out[0], out[1], out[2] = x, y, heading


@njit(cache=True, nogil=True)
def fit_poses(points: Floats, mean: Floats, variance: Floats, scales: Floats) -> Floats:
    """Poses (T, A, 3) of points (T, A, J, 2) as `fit_pose`, each animal by its own `mean` (A, J, 2)."""
    frames, animals = points.shape[:2]
    poses = np.empty((frames, animals, 3))
    for t in range(frames):
        for a in range(animals):
            fit_pose(points[t, a], mean[a], variance, scales, poses[t, a])
    return poses


def to_body(points: Floats, poses: Floats) -> Floats:
    """Points (..., J, 2) in the frame of their body, whose pose (..., 3) is given."""
    x, y = np.moveaxis(points - poses[..., None, :2], -1, 0)
    cos, sin = np.cos(poses[..., 2])[..., None], np.sin(poses[..., 2])[..., None]
    return np.stack([cos * x + sin * y, cos * y - sin * x], -1)


def learn_shape(points: Floats, poses: Floats) -> Shape:
    """The shape of bodies from points (T, A, J, 2) of which it is sure whose they are, the others NaN, and first guesses of the poses
    (T, A, 3), of which a minority may be turned around.
    """
    with np.errstate(invalid="ignore"):
        mean = _mean_shape(to_body(points, poses))
        variance = np.ones(points.shape[2])
        for _ in range(ROUNDS):
            fitted = fit_poses(points, mean, variance, np.array(SCALES))
            body = to_body(points, fitted)
            mean = _mean_shape(body)
            off = body - mean
            variance = _robust_variance(off).mean(axis=1)
            variance = np.maximum(variance, LEAST_SPREAD * np.nanmedian(variance))
    return _movement(mean, off, variance)


def _mean_shape(body: Floats) -> Floats:
    """The median shape (A, J, 2) of each animal, drawn to that of all by how often it was seen."""
    seen = (~np.isnan(body[..., 0])).sum(axis=0)[..., None].astype(float)
    own = _median(body, 0)
    everybody = _median(body.reshape(-1, *body.shape[2:]), 0)
    return np.where(np.isnan(own), everybody, (np.nan_to_num(own) * seen + everybody * FRAMES_OF_ALL) / (seen + FRAMES_OF_ALL))


def _median(values: Floats, axis: int) -> Floats:
    with warnings.catch_warnings():
        # A point that was never seen has no median, which is what NaN says.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=axis), np.float64)


def _robust_variance(off: Floats) -> Floats:
    """Variance (J, 2) of displacements (T, A, J, 2), by the median of their size, which strays do not move."""
    return np.asarray((1.4826 * _median(np.abs(off).reshape(-1, *off.shape[2:]), 0)) ** 2 + 1e-3)


def _movement(mean: Floats, off: Floats, variance: Floats) -> Shape:
    """The shape with the movement of its points, from their displacements `off` (T, A, J, 2)."""
    joints = off.shape[2]
    axes, spread, noise, kept = np.zeros((joints, 2, 2)), np.full((joints, 2), np.nan), np.zeros((joints, 2)), np.zeros((joints, 2))
    reach = np.full(joints, np.nan)
    axes[:] = np.eye(2)
    typical = mean.mean(axis=0)
    least_reach = LEAST_REACH * float(np.nanmax(np.hypot(*np.moveaxis(typical[:, None] - typical, -1, 0))))
    for j in range(joints):
        own = off[:, :, j]
        size = np.hypot(own[..., 0], own[..., 1])
        known = ~np.isnan(size)
        if known.sum() < 2:
            continue
        # The farthest places of all may be strays of the tool: what is farther than all but a hundredth is cut before it is squared.
        most = np.quantile(size[known], 0.99)
        reach[j] = max(2 * most, least_reach)
        near = known & (size <= most)
        covariance = np.cov(own[near].T) + 1e-3 * np.eye(2)
        axes[j] = np.linalg.eigh(covariance)[1]
        along = np.where(near[..., None], own, np.nan) @ axes[j]
        spread[j] = np.nanvar(along, axis=(0, 1)) + 1e-3
        for axis in range(2):
            one, two = (_lagged(along[..., axis], lag) for lag in (1, 2))
            keeps = np.clip(two / one, 0.05, 0.995) if one > 0 and two > 0 else 0.05
            kept[j, axis] = keeps
            noise[j, axis] = np.clip(spread[j, axis] - max(one, 0.0) / keeps, 0.02 * spread[j, axis], 0.9 * spread[j, axis])
    return Shape(mean, axes, spread, noise, kept, variance, reach)


def _lagged(values: Floats, lag: int) -> float:
    """Covariance of values (T, A) with those `lag` frames later, 0 if there are none."""
    products = (values[:-lag] * values[lag:]).ravel()
    products = products[~np.isnan(products)]
    return float(products.mean()) if len(products) else 0.0


def sure_frames(single: Bools, place: Floats, away_px: float, share: float = 0.25) -> Bools:
    """Where (T, A) animals are alone: `single` (T, A) in their outline, and no other animal's `place` (T, A, 2) within `away_px`; or, if
    that is fewer than this share of their frames, that share of them in which the next animal is farthest.
    """
    away = np.full(single.shape, np.inf)
    for one in range(single.shape[1]):
        for other in range(single.shape[1]):
            if one != other:
                away[:, one] = np.fmin(away[:, one], np.hypot(*np.moveaxis(place[:, one] - place[:, other], -1, 0)))
    known = single & ~np.isnan(place[..., 0])
    alone = known & (away > away_px)
    if known.any() and alone.sum() < share * known.sum():
        alone = known & (away >= np.quantile(away[known], 1 - share))
    return alone
