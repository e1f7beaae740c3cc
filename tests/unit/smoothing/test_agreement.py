"""Flow counts where it agrees with the points as far as their jitter allows, and nowhere else."""

import numpy as np
import pytest

from herdbook.smoothing.agreement import LEAST_AGREEING, Agreement, settle
from herdbook.smoothing.gaps import Gaps, find_gaps
from herdbook.smoothing.jitter import SIGMAS, Kinds, measure_agreement
from herdbook.smoothing.jumps import LEAST_JUMP_PX
from herdbook.smoothing.points import smooth_columns
from herdbook.smoothing.rstc import RstcResult, smooth_points
from tests.support.drifting import START, Source, drifting

FRAMES, WINDOW = 60, 5
FAR_PX = 20.0


def kinds_of(points, limit=FAR_PX):
    """All points of one kind."""
    known = ~np.isnan(points[..., 0])
    return Kinds(np.zeros(known.shape, np.int64), known, np.array([limit]))


def smooth(frames, points, gaps=None, *, trusted=None, limit=FAR_PX):
    source = Source(frames).source
    agreement = measure_agreement(source, points, kinds_of(points, limit))
    gaps = find_gaps(np.ones(points.shape[:2], bool)) if gaps is None else gaps
    trusted = np.zeros(points.shape[:2], bool) if trusted is None else trusted
    return smooth_columns(source, points, gaps, WINDOW, trusted=trusted, agreement=agreement)


def errors_px(points, truth):
    return np.hypot(*np.moveaxis(points - truth, -1, 0))


@pytest.mark.parametrize("jitter_px", [0.1, 0.3, 0.5])
def test_the_tolerance_is_that_of_the_jitter(rng, jitter_px):
    frames, truth = drifting(FRAMES, rng)
    points = truth + rng.normal(0, jitter_px, truth.shape)
    agreement = measure_agreement(Source(frames).source, points, kinds_of(points, limit=100.0))
    assert np.ptp(agreement.tolerance) == 0
    assert agreement.tolerance[0, 0] == pytest.approx(SIGMAS * np.sqrt(2) * jitter_px, rel=0.3)


def test_leaps_are_not_taken_for_jitter_however_large_their_limit(rng):
    frames, truth = drifting(FRAMES, rng)
    leaping = rng.uniform(30, 130, truth.shape)
    agreement = measure_agreement(Source(frames).source, leaping, kinds_of(leaping, limit=100.0))
    assert agreement.tolerance == pytest.approx(LEAST_JUMP_PX)


def test_large_jitter_is_not_taken_for_leaps_while_the_flow_explains_the_steps(rng):
    frames, truth = (values[::3] for values in drifting(3 * FRAMES // 2, rng))
    points = truth + rng.normal(0, 1, truth.shape)
    agreement = measure_agreement(Source(frames).source, points, kinds_of(points, limit=100.0))
    assert agreement.tolerance == pytest.approx(SIGMAS * np.sqrt(2), rel=0.3)
    assert agreement.tolerance.min() > LEAST_JUMP_PX


def test_no_tolerance_exceeds_its_limit_and_a_kind_without_points_has_it(rng):
    frames, truth = drifting(FRAMES, rng)
    points = truth + rng.normal(0, 2, truth.shape)
    kind = np.zeros(points.shape[:2], np.int64)
    kind[:, 2] = 1
    measured = kind == 0
    agreement = measure_agreement(Source(frames).source, points, Kinds(kind, measured, np.array([3.0, 4.0])))
    assert agreement.tolerance[:, 0] == pytest.approx(3.0)
    assert agreement.tolerance[:, 2] == pytest.approx(4.0)
    np.testing.assert_array_equal(agreement.limit, agreement.tolerance)


def test_points_that_the_flow_follows_are_smoothed(rng):
    frames, truth = drifting(FRAMES, rng)
    points = truth + rng.normal(0, 0.7, truth.shape)
    result = smooth(frames, points)
    assert result.agrees.mean() > 0.95
    assert errors_px(result.smoothed, truth).mean() < 0.6 * errors_px(points, truth).mean()


def test_smooth_movement_over_a_still_ground_stays_as_it_was_found(rng):
    still = drifting(1, rng)[0] * FRAMES
    walk = START + np.cumsum(np.full((FRAMES, 1, 2), (1.2, 0.9)), axis=0) + rng.normal(0, 0.05, (FRAMES, 3, 2))
    result = smooth(still, walk)
    np.testing.assert_array_equal(result.smoothed, walk)
    assert not result.agrees.any()


def test_places_at_random_are_not_followed_as_a_rule(rng):
    frames, truth = drifting(FRAMES, rng)
    everywhere = np.ones(truth.shape[:2], bool)
    leaping = rng.uniform(30, 130, truth.shape)
    lost = smooth(frames, leaping, limit=6.0)
    assert lost.agreement(everywhere) < LEAST_AGREEING < smooth(frames, truth, limit=6.0).agreement(everywhere)
    assert errors_px(lost.smoothed, leaping).max() <= 6.0
    np.testing.assert_array_equal(lost.as_given().smoothed, leaping)


@pytest.mark.parametrize("by", [(60.0, 50.0), (10.0, 8.0), (0.0, 12.0)])
def test_a_trusted_point_stays_and_drags_nobody(rng, by):
    frames, truth = drifting(FRAMES, rng)
    points = truth + rng.normal(0, 0.3, truth.shape)
    trusted = np.zeros(points.shape[:2], bool)
    points[[20, 21, 40], 1] = truth[[20, 21, 40], 1] + by
    trusted[[20, 21, 40], 1] = True
    result = smooth(frames, points, trusted=trusted)
    np.testing.assert_array_equal(result.smoothed[trusted], points[trusted])
    assert errors_px(result.smoothed, truth)[~trusted].max() < 1.5
    assert not result.jump[trusted].any()


def test_neighbours_follow_a_trusted_point_to_which_the_flow_leads(rng):
    frames, truth = drifting(FRAMES, rng)
    points = truth + rng.normal(0, 0.7, truth.shape)
    trusted = np.zeros(points.shape[:2], bool)
    points[::4], trusted[::4] = truth[::4], True
    result = smooth(frames, points, trusted=trusted)
    np.testing.assert_array_equal(result.smoothed[trusted], truth[trusted])
    assert errors_px(result.smoothed, truth)[~trusted].mean() < 0.6 * errors_px(points, truth)[~trusted].mean()


@pytest.mark.parametrize("lost", [False, True])
def test_a_gap_is_straight_if_the_flow_does_not_lead_over_it(rng, lost):
    frames, truth = drifting(FRAMES, rng)
    points = truth.copy()
    if lost:
        points[30:] += 25.0  # as far as something moves that the flow loses
    points[26:30, 0] = np.nan
    gap = Gaps(np.array([0]), np.array([25]), np.array([30]))
    given = smooth(frames, points, gap, limit=6.0).given[26:30, 0]
    wanted = points[25, 0] + np.arange(1, 5)[:, None] / 5 * (points[30, 0] - points[25, 0])
    assert np.abs(given - wanted).max() < (1e-9 if lost else 0.1)


def test_the_smoothed_point_fades_into_the_given_one():
    given, moved = np.zeros((6, 1, 2)), np.zeros((6, 1, 2))
    moved[:, 0, 0] = [0, 1, 2, 3, 4, 9]
    agreeing = np.array([1, 1, 1, 1, 1, 0.5])[:, None]
    settled, agrees = settle(given, RstcResult(moved, agreeing, moved, agreeing), np.full((6, 1), 4.0))
    assert settled[:, 0, 0].tolist() == [0, 1, 2, 1.5, 0, 0]
    assert agrees[:, 0].tolist() == [True, True, True, False, False, False]


def test_only_windows_that_arrive_count(rng):
    frames, truth = drifting(12, rng)
    points = truth.copy()
    points[6, 0] += 8.0
    result = smooth_points(frames, points, 3, tolerance=np.full(points.shape[:2], 1.0))
    # Those that begin or end at frame 6 miss it.
    assert (result.agreeing[:, 0] * 3).round(9).tolist() == [3, 3, 3, 3, 2, 2, 1, 2, 2, 3, 3, 3]
    assert errors_px(result.smoothed, truth).max() < 0.1
    np.testing.assert_array_equal(result.agreeing[:, 1:], 1)


def test_an_endless_tolerance_is_the_published_method(rng):
    frames, truth = drifting(20, rng)
    points = truth + rng.normal(0, 2, truth.shape)
    endless = np.full(points.shape[:2], np.inf)
    published = smooth_points(frames, points, WINDOW)
    np.testing.assert_array_equal(smooth_points(frames, points, WINDOW, tolerance=endless).smoothed, published.smoothed)
    nowhere = np.zeros(endless.shape, bool)
    result = smooth_columns(
        Source(frames).source, points, find_gaps(~nowhere), WINDOW, trusted=nowhere, agreement=Agreement(endless, endless)
    )
    np.testing.assert_array_equal(result.smoothed, published.smoothed)
