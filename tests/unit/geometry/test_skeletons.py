"""Lines between body points: what is near and stiff is joined."""

import numpy as np

from herdbook.geometry.skeletons import LEAST_POSES, join_points
from tests.support.walking import NAMES, walk


def names_of(edges):
    return {(NAMES[a], NAMES[b]) for a, b in edges.tolist()}


def test_points_of_a_walking_body_are_joined_along_it(rng):
    xy = walk(rng, 300, 2)[0].reshape(-1, len(NAMES), 2)
    along = {("nose", "neck"), ("neck", "hip"), ("hip", "tail"), ("neck", "footL"), ("neck", "footR")}
    assert names_of(join_points(xy)) == along
    # One pose of ten holds two points under each other's name.
    xy[::10, [0, 3]] = xy[::10, [3, 0]]
    assert names_of(join_points(xy)) == along


def test_a_limb_that_swings_past_another_one_stays_with_the_body_that_it_moves_with(rng):
    # Two rods of points, whose ends pass each other now and then.
    along = np.array([[0.0, 0], [10, 0], [20, 0]])
    away = rng.uniform(0, 40, (200, 1))
    other = along + np.stack([away, np.full_like(away, 6.0)], -1)
    xy = np.concatenate([np.broadcast_to(along, (200, 3, 2)), other], axis=1) + rng.normal(0, 0.2, (200, 6, 2))
    edges = {tuple(edge) for edge in join_points(xy).tolist()}
    assert {(0, 1), (1, 2), (3, 4), (4, 5)} <= edges
    assert len(edges) == 5


def test_points_that_are_never_seen_together_are_not_joined(rng):
    xy = rng.normal(0, 1, (4 * LEAST_POSES, 4, 2))
    xy[: 2 * LEAST_POSES, :2] = np.nan
    xy[2 * LEAST_POSES :, 2:] = np.nan
    assert join_points(xy).tolist() == [[0, 1], [2, 3]]
    assert join_points(xy[:0]).shape == (0, 2)
    assert join_points(np.empty((0, 0, 2))).shape == (0, 2)
