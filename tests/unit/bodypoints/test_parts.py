"""The parts of a repair: shapes that are learned, expected places, odds, slots, distances from outlines, kinds and the worst moments."""

import numpy as np
import pytest

from herdbook.artifacts.repair import DRIFTED, JUMPED, KEPT, MISSING, REFUSED
from herdbook.bodypoints.choosing import chances, choose
from herdbook.bodypoints.expected import expect
from herdbook.bodypoints.kinds import counts_by_hour, worst_moments
from herdbook.bodypoints.outlines import distances
from herdbook.bodypoints.shapes import fit_pose, learn_shape, sure_frames, to_body
from herdbook.bodypoints.slots import hold_slots, name_slots, step_costs
from tests.support.walking import LOOSE, SHAPE, walk

SCALES = np.array([8.0, 4, 2, 2])


def posed(x, y, heading):
    cos, sin = np.cos(heading), np.sin(heading)
    return SHAPE @ np.array([[cos, sin], [-sin, cos]]) + [x, y]


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_pose_is_found_although_points_are_elsewhere(wrong):
    points, out = posed(120, 80, 2.0), np.empty(3)
    points[:wrong] += np.array([[70, -40], [-50, 30]])[:wrong]
    fit_pose(points, SHAPE, np.ones(6), SCALES, out)
    assert out == pytest.approx([120, 80, 2.0], abs=0.1)


def test_one_point_has_no_pose():
    points, out = np.full((6, 2), np.nan), np.empty(3)
    points[2] = [5, 5]
    fit_pose(points, SHAPE, np.ones(6), SCALES, out)
    assert np.isnan(out).all()


def test_the_shape_and_its_looseness_are_learned_although_headings_are_turned(rng):
    points, middle, heading = walk(rng)
    heading[::20] += np.pi
    points[::150, 0, 1] += 30
    shape = learn_shape(points, np.concatenate([middle, heading[..., None]], -1))
    # The frame of a body may be shifted, its points not against each other.
    assert shape.mean - shape.mean.mean(axis=1, keepdims=True) == pytest.approx(
        np.broadcast_to(SHAPE - SHAPE.mean(axis=0), (3, 6, 2)), abs=1.2
    )
    assert np.sqrt(shape.variance[4:].mean()) == pytest.approx(LOOSE[4], rel=0.35)
    assert shape.variance[:3].max() < shape.variance[4:].min()
    assert shape.kept[4:].mean() == pytest.approx(0.8, abs=0.12)


def test_a_point_that_was_never_seen_has_no_shape(rng):
    points, middle, heading = walk(rng, frames=60)
    points[:, :, 3] = np.nan
    shape = learn_shape(points, np.concatenate([middle, heading[..., None]], -1))
    assert np.isnan(shape.variance[3]).all()
    assert not np.isnan(shape.variance[[0, 1, 2, 4, 5]]).any()


def test_a_place_is_expected_between_those_before_and_after():
    body = np.full((5, 1, 1, 2), np.nan)
    body[1, 0, 0], body[3, 0, 0] = (14, 0), (14, 0)
    poses = np.tile([100.0, 50, np.pi / 2], (5, 1, 1))
    mean, axes = np.array([[[10.0, 0]]]), np.eye(2)[None]
    flat = (np.full((1, 2), 4.0), np.full((1, 2), 0.1), np.full((1, 2), 0.9))
    place, covariance = expect(body, ~np.isnan(body[..., 0]), poses, mean, axes, *flat)
    # A heading of a quarter turn: forwards is down the image.
    assert place[2, 0, 0] == pytest.approx([100, 63.5], abs=0.5)
    assert covariance[2, 0, 0, 2] < covariance[0, 0, 0, 2] < 4.2
    # The frame itself does not count.
    assert place[1, 0, 0, 1] < 63.8


def single(xy, place, **options):
    """Chances of detections (S, 2) of one point being that of animals expected at `place` (A, 2), animal k in slot k."""
    covariance = np.tile([4.0, 0, 4.0], (1, len(place), 1, 1))
    looks = options.get("looks", np.zeros((1, len(xy), 1, len(place))))
    arguments = (
        np.arange(len(place))[None],
        np.array(place, float)[None, :, None],
        covariance,
        np.array([20.0]),
        looks,
        (0.02, 0.02, 0.1, 2.0),
    )
    return chances(np.array(xy, float)[None, :, None], *arguments)[0, :, 0]


def test_a_detection_belongs_to_the_animal_whose_place_it_is_at():
    found = single([[50, 0], [0, 0]], [[0, 0], [50, 0]])
    assert found[0, 1] > 0.95
    assert found[1, 0] > 0.95


def test_of_two_detections_at_one_place_the_other_is_nobodys():
    found = single([[1, 0], [0, 0]], [[25, 0], [0, 0]])
    assert found[0, 0] < 0.1
    assert found[:, 1].sum() > 0.95
    assert (found.sum(axis=1) <= 1 + 1e-9).all()


def test_what_is_seen_decides_between_two_places():
    looks = np.zeros((1, 2, 1, 2))
    looks[0, 0, 0, 0] = looks[0, 1, 0, 1] = -6
    seen = single([[1, 0], [0, 0]], [[0, 0], [1, 0]], looks=looks)
    unseen = single([[1, 0], [0, 0]], [[0, 0], [1, 0]])
    assert seen[0, 1] > 5 * seen[0, 0]
    assert unseen[0, 0] > 5 * unseen[0, 1]


def test_many_animals_within_reach_are_compared_in_time():
    places = [[8.0 * k, 0] for k in range(9)]
    found = single(places, places)
    assert (found.argmax(axis=1) == np.arange(9)).all()


def test_a_detection_is_chosen_once_and_only_if_it_is_likely():
    xy = np.array([[[[0.0, 0]], [[30, 0]]]])
    chance = np.array([[[[0.5, 0.45]], [[0.0, 0.5]]]])
    assert choose(xy, np.array([[0, 1]]), chance, 0.9, 4.0)[0].tolist() == [[[-1], [-1]]]
    slot, sure = choose(xy, np.array([[0, 1]]), chance, 0.4, 4.0)
    assert slot.tolist() == [[[0], [1]]]
    assert sure[0, :, 0].tolist() == [0.5, 0.5]


def test_detections_at_one_place_count_together():
    xy = np.array([[[[0.0, 0]], [[2, 0]]]])
    chance = np.array([[[[0.5, 0.1]], [[0.45, 0.0]]]])
    slot, sure = choose(xy, np.array([[1, 0]]), chance, 0.9, 4.0)
    assert slot[0, 0, 0] == 1
    assert sure[0, 0, 0] == pytest.approx(0.95)


def test_slots_follow_bodies_and_not_a_single_frames_position():
    at = np.zeros((9, 2, 2))
    at[:] = [[0, 9], [9, 0]]
    at[4] = [[9, 0], [0, 9]]
    step = np.broadcast_to(np.array([[0.0, 9], [9, 0]]), (9, 2, 2))
    assert hold_slots(at, step).tolist() == [[0, 1]] * 9


def test_more_ways_than_can_be_compared_are_taken_frame_by_frame(rng):
    places = rng.permuted(np.tile(np.arange(7.0) * 100, (20, 1)), axis=1)
    at = np.abs(places[:, :, None] - np.arange(7) * 100)
    held = hold_slots(at, np.zeros((20, 7, 7)))
    assert np.array_equal(np.take_along_axis(places, held, axis=1), np.tile(np.arange(7.0) * 100, (20, 1)))


def test_an_empty_slot_holds_nobody():
    at = np.zeros((3, 2, 1))
    at[1] = np.inf
    at[:, 1] = np.inf
    assert hold_slots(at, step_costs(np.full((3, 2, 3), np.nan), 50)).tolist() == [[0], [-1], [0]]
    assert name_slots(np.array([[0], [-1], [0]]), np.array([-1, -1]), 2).tolist() == [0, -1]


def test_distances_from_outlines():
    runs = np.array([[10, 20, 29], [11, 20, 29], [40, 50, 59]], np.int32)
    boxes = np.array([[20, 10, 30, 12], [50, 40, 60, 41]], np.int32)
    xy = np.array([[[25.0, 10], [33, 13], [np.nan, np.nan]]])
    found = distances(xy, runs, np.array([0, 2, 3]), boxes, np.array([0, 1, 0, -1]), 60.0)
    assert found[0, 0] == pytest.approx([0, np.hypot(25, 30), 0, np.nan], nan_ok=True)
    assert found[0, 1, 0] == pytest.approx(np.hypot(4, 2))
    assert np.isnan(found[0, 2]).all()
    assert distances(xy, runs, np.array([0, 2, 3]), boxes, np.array([1]), 20.0)[0, 0, 0] == 20


def test_animals_are_sure_where_they_are_apart():
    place = np.zeros((8, 2, 2))
    place[:, 1, 0] = [5, 10, 20, 40, 80, 90, 100, np.nan]
    single_ = np.ones((8, 2), bool)
    single_[5] = False
    assert np.flatnonzero(sure_frames(single_, place, 30, share=0)[:, 1]).tolist() == [3, 4, 6]
    # Too few: the share of frames with the farthest neighbours.
    assert sure_frames(single_[:3], place[:3], 30, share=0.3)[:, 1].tolist() == [False, False, True]


def test_counts_and_worst_moments():
    kind = np.full((5000, 2, 3), KEPT, np.uint8)
    kind[10:13, 0, 1] = DRIFTED
    kind[12, 0, :2] = JUMPED
    kind[4000, 1] = REFUSED
    kind[0, 1, 0] = MISSING
    counts = counts_by_hour(kind, np.arange(5000.0))
    assert counts.shape == (2, 2, 6)
    assert counts[0, 0, [DRIFTED, JUMPED]].tolist() == [2, 2]
    assert counts[1, 1, REFUSED] == 3
    assert counts.sum() == kind.size
    first, second = worst_moments(kind, 5, 50, 9)
    assert (first.first, first.last, first.slot, first.counts, first.worst) == (10, 12, 0, (0, 2, 2, 0), 12)
    assert (second.first, second.points) == (4000, 3)
    assert worst_moments(kind, 5, 50, 1) == [first]
    # Longer than two frames: cut.
    assert [(m.first, m.last) for m in worst_moments(kind[:100], 5, 2, 9)] == [(10, 11), (12, 12)]


def test_points_in_the_frame_of_their_body():
    assert to_body(posed(9, -4, 0.7)[None], np.array([[9, -4, 0.7]]))[0] == pytest.approx(SHAPE)
