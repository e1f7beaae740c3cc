"""The typical shape of labelled bodies, and the pose (place and heading) of a body from its points.

A shape is (J, 2) px to the right of and below the animal's place in a picture in which its heading is up, as in crops.
"""

import numpy as np

from herdbook.arrays import Bools, Floats, Ints
from herdbook.bodypoints.learned.crops import turned, turned_back

# Rounds of fitting poses and shape to each other; a heading that was turned round is right after the first.
ROUNDS = 4


def fit_poses(points: Floats, weight: Floats, shape: Floats) -> tuple[Floats, Floats]:
    """Places (n, 2) and headings (n,) of bodies with these points (n, J, 2) px; NaN points, and those with `weight` (n, J) 0, do not count.

    Least squares (Kabsch 1976 in two dimensions); NaN for a body with fewer than two points.
    """
    known = ~np.isnan(points[..., 0]) & ~np.isnan(shape[:, 0])
    share = np.where(known, weight, 0)
    enough = (share > 0).sum(axis=1) >= 2
    total = np.where(enough, share.sum(axis=1), np.nan)[:, None]
    share = share / total
    here = np.where(known[..., None], points, 0)
    there = np.where(np.isnan(shape), 0, shape)
    middle, centre = (share[..., None] * here).sum(axis=1), share @ there
    off, own = here - middle[:, None], there - centre[:, None]
    along = (share * (off * own).sum(axis=-1)).sum(axis=1)
    across = (share * (own[..., 0] * off[..., 1] - own[..., 1] * off[..., 0])).sum(axis=1)
    heading = np.arctan2(across, along) - np.pi / 2
    return middle - turned_back(centre, heading), heading


def learn_shape(points: Floats, place: Floats, heading: Floats) -> tuple[Floats, Floats, Floats]:
    """The typical shape (J, 2) of labelled bodies `points` (n, J, 2), and their places (n, 2) and headings (n,) as the points tell them.

    `place` and `heading` are those of the trajectories, most of which are nearly right.
    """
    found_place, found_heading = place.copy(), heading.copy()
    for _ in range(ROUNDS):
        shape = np.nanmedian(turned(points - found_place[:, None], found_heading[:, None]), axis=0)
        fit_place, fit_heading = fit_poses(points, np.ones(points.shape[:2]), shape)
        found_place = np.where(np.isnan(fit_place), place, fit_place)
        found_heading = np.where(np.isnan(fit_heading), heading, fit_heading)
        # The middle of the shape stays where trajectories have their places.
        drift = np.nanmedian(turned(found_place - place, found_heading), axis=0)
        found_place = found_place - turned_back(np.broadcast_to(drift, place.shape), found_heading)
    return shape, found_place, found_heading


def exchanged_sides(points: Floats, shape: Floats, mirrored: Ints) -> Bools:
    """Which bodies (n,) fit the shape much better if left and right are exchanged: their labels probably are.

    `mirrored` (J,): the point that each becomes in a mirror.
    """
    own, other = _misfit(points, shape), _misfit(points[:, mirrored], shape)
    # A body that is exchanged is half as far off when it is put right, and far more than others are.
    return np.asarray((other < own / 2) & (own > 3 * np.nanmedian(own)))


def _misfit(points: Floats, shape: Floats) -> Floats:
    place, heading = fit_poses(points, np.ones(points.shape[:2]), shape)
    off = turned(points - place[:, None], heading[:, None]) - shape
    known = np.isfinite(off[..., 0])
    count = np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.sqrt(np.where(known, (np.nan_to_num(off) ** 2).sum(axis=-1), 0).sum(axis=1) / count))
