"""Poses from points, the typical shape of labelled bodies, and the right one of several readings over time."""

import numpy as np

from herdbook.bodypoints.learned.crops import turned_back
from herdbook.bodypoints.learned.headings import best_path, usual_changes
from herdbook.bodypoints.learned.shapes import exchanged_sides, fit_poses, learn_shape

# Right of and below the place, heading up: nose, ears, flanks, tail.
SHAPE = np.array([[0.0, -30], [-8, -20], [8, -20], [-12, 8], [12, 8], [0, 30]])
MIRROR = np.array([0, 2, 1, 4, 3, 5])


def bodies(rng: np.random.Generator, count: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    place, heading = rng.uniform(0, 400, (count, 2)), rng.uniform(-np.pi, np.pi, count)
    points = turned_back(np.broadcast_to(SHAPE, (count, 6, 2)), heading[:, None]) + place[:, None]
    return points + rng.normal(0, noise, points.shape), place, heading


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(np.angle(np.exp(1j * (a - b))))


def test_points_tell_place_and_heading_also_without_some(rng: np.random.Generator) -> None:
    points, place, heading = bodies(rng, 50)
    points[::2, 1] = np.nan
    found_place, found_heading = fit_poses(points, np.ones((50, 6)), SHAPE)
    assert np.abs(found_place - place).max() < 1.5
    assert angle_between(found_heading, heading).max() < 0.06


def test_a_point_without_weight_does_not_count_and_one_point_is_no_pose(rng: np.random.Generator) -> None:
    points, place, _ = bodies(rng, 5, 0.0)
    points[:, 0] += 300
    weight = np.ones((5, 6))
    weight[:, 0] = 0
    np.testing.assert_allclose(fit_poses(points, weight, SHAPE)[0], place, atol=1e-6)
    weight[:, 1:5] = 0
    assert np.isnan(fit_poses(points, weight, SHAPE)[1]).all()


def test_the_shape_is_learned_though_some_headings_are_turned_round_and_places_are_off(rng: np.random.Generator) -> None:
    points, place, heading = bodies(rng, 80)
    given_heading = heading + rng.normal(0, 0.1, 80)
    given_heading[:12] += np.pi
    shape, found_place, found_heading = learn_shape(points, place + rng.normal(0, 2, place.shape), given_heading)
    assert np.abs(shape - SHAPE).max() < 1.5
    assert angle_between(found_heading, heading).max() < 0.1
    assert np.hypot(*(found_place - place).T).max() < 3


def test_labels_with_left_and_right_exchanged_are_noticed(rng: np.random.Generator) -> None:
    points, *_ = bodies(rng, 40)
    points[7] = points[7][MIRROR]
    assert np.flatnonzero(exchanged_sides(points, SHAPE, MIRROR)).tolist() == [7]


def test_a_heading_that_fits_best_for_a_moment_is_not_taken() -> None:
    frames = 30
    fit = np.full((frames, 2), -1.0)
    fit[:, 1] = -2.0
    fit[10:13] = fit[10:13, ::-1]
    heading = np.zeros((frames, 2))
    heading[:, 1] = np.pi
    place = np.zeros((frames, 2, 2))
    assert (best_path(fit, place, heading, 1.0, 0.1) == 0).all()


def test_a_heading_that_fits_better_for_long_is_taken_at_once() -> None:
    fit = np.tile([-1.0, -2.0], (60, 1))
    fit[20:] = fit[20:, ::-1]
    heading = np.tile([0.0, np.pi], (60, 1))
    path = best_path(fit, np.zeros((60, 2, 2)), heading, 1.0, 0.1)
    assert path.tolist() == [0] * 20 + [1] * 40


def test_frames_without_a_reading_are_passed_over() -> None:
    fit = np.full((6, 2), np.nan)
    fit[[1, 4], 0] = -1.0
    path = best_path(fit, np.zeros((6, 2, 2)), np.zeros((6, 2)), 1.0, 0.1)
    assert path.tolist() == [-1, 0, -1, -1, 0, -1]
    assert (best_path(np.full((3, 2), np.nan), np.zeros((3, 2, 2)), np.zeros((3, 2)), 1.0, 0.1) == -1).all()


def test_steps_and_turns_are_learned_though_some_are_wrong(rng: np.random.Generator) -> None:
    place, heading = np.cumsum(rng.normal(0, 3, (2000, 2)), axis=0), np.cumsum(rng.normal(0, 0.2, 2000))
    heading[::50] += np.pi
    step, turn = usual_changes(place, heading, 50.0)
    assert 3 < step < 7
    assert 0.16 < turn < 0.26
    assert usual_changes(np.full((3, 2), np.nan), np.full(3, np.nan), 50.0) == (1.0, 0.05)
