"""Jumps: spikes are flagged, movement is not, and repaired points follow the texture."""

import numpy as np
import pytest

from herdbook.smoothing.gaps import find_gaps
from herdbook.smoothing.jumps import LEAST_JUMP_PX, find_jumps, repair_jumps
from herdbook.smoothing.points import smooth_columns
from herdbook.smoothing.rstc import smooth_points
from tests.support.drifting import Source, drifting

WINDOW = 8


@pytest.fixture
def noisy(rng):
    """Frames, truth and detections with noise of 0.7 px and three jumps."""
    frames, truth = drifting(60, rng)
    points = truth + rng.normal(0, 0.7, truth.shape)
    jumps = np.zeros(points.shape[:2], bool)
    for frame, label, by in [(15, 0, (20, 0)), (16, 0, (18, 3)), (30, 1, (0, -15)), (45, 2, (-25, 25))]:
        points[frame, label] += by
        jumps[frame, label] = True
    return frames, truth, points, jumps


def test_jumps_are_reported_and_nothing_else(noisy):
    frames, _, points, jumps = noisy
    expected = smooth_points(frames, points, WINDOW).expected
    np.testing.assert_array_equal(find_jumps(points, expected, WINDOW), jumps)


def test_repaired_points_lie_on_the_truth(noisy):
    frames, truth, points, jumps = noisy
    expected = smooth_points(frames, points, WINDOW).expected
    repaired = repair_jumps(points, expected, jumps)
    np.testing.assert_array_equal(repaired[~jumps], points[~jumps])
    assert np.abs((repaired - truth)[jumps]).max() < 1.5


def test_fast_movement_that_the_flow_misses_is_no_jump():
    path = np.stack([np.cumsum(np.linspace(0, 12, 40)), np.full(40, 50.0)], 1)[:, None]
    still = np.broadcast_to(path[:1], path.shape)
    assert not find_jumps(path, still, WINDOW).any()


def test_movement_of_the_flow_is_no_jump(rng):
    path = rng.uniform(0, 300, (40, 1, 2))  # no way to tell it from the places alone
    assert not find_jumps(path, path + rng.normal(0, 0.5, path.shape), WINDOW).any()


@pytest.mark.parametrize(("away", "jumps"), [(13.5, False), (14.2, True)])
def test_a_jump_exceeds_the_scatter_of_its_point_by_eight_standard_deviations(away, jumps):
    # Distances to the flow of 1 and 3 px in turn: their median is 2, the median deviation 1, and the limit 2 + 8 * 1.4826 = 13.86.
    expected = np.full((42, 1, 2), 50.0)
    points = expected + np.stack([np.where(np.arange(42) % 2, 1.0, 3.0), np.zeros(42)], 1)[:, None]
    points[20, 0] = [50.0, 50.0 + away]
    assert find_jumps(points, expected, WINDOW)[:, 0].tolist() == [jumps and t == 20 for t in range(42)]


def test_the_scatter_of_a_point_that_rests_is_no_reason_to_call_small_steps_jumps():
    expected = np.full((41, 1, 2), 50.0)
    for away in (LEAST_JUMP_PX - 0.1, LEAST_JUMP_PX + 0.1):
        points = expected.copy()
        points[20, 0, 0] += away
        assert find_jumps(points, expected, WINDOW).any() == (away > LEAST_JUMP_PX)


def test_unknown_points_do_not_jump():
    points = np.full((20, 2, 2), np.nan)
    points[:, 1] = 10.0
    points[9, 1] = 10.0 + 3 * LEAST_JUMP_PX
    expected = np.full(points.shape, 10.0)
    assert np.argwhere(find_jumps(points, expected, WINDOW)).tolist() == [[9, 1]]


@pytest.mark.parametrize("repair", [{}, {"repair": False}, {"repair": True}], ids=str)
def test_smoothing_with_repair_is_nearer_to_the_truth_at_jumps(noisy, repair):
    frames, truth, points, jumps = noisy
    nothing = find_gaps(np.ones(jumps.shape, bool))
    result = smooth_columns(Source(frames).source, points, nothing, WINDOW, trusted=np.zeros(jumps.shape, bool), **repair)
    np.testing.assert_array_equal(result.jump, jumps)
    np.testing.assert_array_equal(result.given, points)
    near = np.hypot(*np.moveaxis(result.smoothed - truth, -1, 0))[jumps].max()
    assert (near < 1.5) == repair.get("repair", False)


def test_trusted_points_never_jump(noisy):
    frames, _, points, jumps = noisy
    nothing = find_gaps(np.ones(jumps.shape, bool))
    result = smooth_columns(Source(frames).source, points, nothing, WINDOW, trusted=jumps, repair=True)
    assert not result.jump.any()


@pytest.mark.parametrize(("frames", "jumps"), [(4, True), (5, False)])
def test_an_even_window_is_centred_and_what_lasts_for_half_of_it_is_movement(frames, jumps):
    # The running median over 8 frames takes four before and four after a frame; 5 of 9 positions are what is usual there.
    expected = np.full((60, 1, 2), 50.0)
    points = expected.copy()
    points[20 : 20 + frames, 0, 0] += 40.0
    found = np.flatnonzero(find_jumps(points, expected, 8)[:, 0]).tolist()
    assert (found == list(range(20, 20 + frames))) == jumps
    assert (22 in found) == jumps
