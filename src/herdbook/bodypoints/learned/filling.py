"""Points that Herdbook's own network found, alone or where those of a pose tool are missing."""

from dataclasses import replace

import numpy as np

from herdbook.arrays import Bools, Floats
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import GIVEN, NETWORK, BodyPoints
from herdbook.formats.poses import Poses


def with_found(poses: Poses, found: FoundPoints) -> tuple[Poses, Bools, Floats]:
    """Points (T, A, J) of a pose tool, with those that the network found where they are missing, and points of its own at the end; which
    are the network's, and their expected error (T, A, J) px, NaN for others.

    `poses` without points, or of the same individuals as `found`.
    """
    own = [name for name in found.points if name not in poses.points]
    names = (*poses.points, *own)
    shape = len(found.x), len(found.individuals), len(names)
    xy, likelihood, error = np.full((*shape, 2), np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    if poses.points:
        xy[:, :, : len(poses.points)], likelihood[:, :, : len(poses.points)] = poses.xy, poses.likelihood
    network = np.zeros(shape, bool)
    for k, name in enumerate(found.points):
        column = names.index(name)
        places = np.stack([found.x[..., k], found.y[..., k]], -1)
        here = np.isnan(xy[:, :, column, 0]) & ~np.isnan(places[..., 0])
        xy[:, :, column] = np.where(here[..., None], places, xy[:, :, column])
        likelihood[:, :, column] = np.where(here, found.score[..., k], likelihood[:, :, column])
        error[:, :, column] = np.where(here, found.expected_error[..., k], np.nan)
        network[:, :, column] = here
    return Poses(tuple(found.individuals), names, xy, likelihood), network, error


def mark_found(points: BodyPoints, network: Bools, error: Floats) -> BodyPoints:
    """The artifact with the `network` (T, A, J) as the source of its points, and their expected `error` (T, A, J) px."""
    at = points.frame, points.individual, points.point
    own = network[at] & (points.source == GIVEN)
    source = np.where(own, NETWORK, points.source).astype(np.uint8)
    return replace(points, source=source, expected_error=np.where(own, error[at], np.nan).astype(np.float32))
