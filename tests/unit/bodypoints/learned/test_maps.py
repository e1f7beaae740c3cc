"""Points become maps and maps become points; and how far off they are is told by their scores."""

import numpy as np
import pytest

from herdbook.bodypoints.learned.errors import ErrorModel, fit_errors, kept_back
from herdbook.bodypoints.learned.peaks import find_peaks, target_maps


def test_a_map_tells_its_point_between_the_cells(rng: np.random.Generator) -> None:
    points = rng.uniform(12, 52, (20, 3, 2))
    found, score = find_peaks(target_maps(points, 64), 64)
    np.testing.assert_allclose(found, points, atol=0.15)
    assert score.min() > 0.9


def test_points_without_a_label_or_outside_of_the_crop_have_no_map() -> None:
    points = np.array([[[np.nan, np.nan], [-3.0, 10.0], [10.0, 64.0], [10.0, 10.0]]])
    np.testing.assert_allclose(target_maps(points, 64).sum(axis=(1, 2))[0], [0, 0, 0, 1], atol=1e-6)


def test_a_second_peak_takes_from_the_score_and_not_from_the_place() -> None:
    maps = 0.7 * target_maps(np.array([[[20.0, 20.0]]]), 64) + 0.3 * target_maps(np.array([[[44.0, 30.0]]]), 64)
    found, score = find_peaks(maps, 64)
    np.testing.assert_allclose(found[0, 0], [20, 20], atol=0.15)
    np.testing.assert_allclose(score[0, 0], 0.7, atol=0.03)


def test_expected_errors_are_the_mean_of_the_real_ones_at_every_score(rng: np.random.Generator) -> None:
    score = rng.uniform(0.05, 1, (2000, 4))
    truth = (0.02 + 0.4 * (1 - score)) * np.array([1, 1, 2, 0.5])
    error = rng.exponential(truth)
    error[:300, 1] = np.nan
    expected = fit_errors(score, error).expected(score)
    for low, high in ((0.05, 0.2), (0.2, 0.5), (0.5, 1)):
        inside = (score > low) & (score < high)
        assert expected[inside].mean() == pytest.approx(truth[inside].mean(), rel=0.15)
    assert expected[:, 2].mean() / expected[:, 3].mean() == pytest.approx(4, rel=0.2)


def test_a_lower_score_never_means_a_smaller_error(rng: np.random.Generator) -> None:
    score = rng.uniform(0.1, 1, (60, 2))
    # In a small sample the sure ones may happen to be worse.
    model = fit_errors(score, 0.1 * score)
    expected = model.expected(np.linspace(0.1, 1, 20)[:, None].repeat(2, 1))
    assert (np.diff(expected, axis=0) <= 1e-12).all()


def test_a_point_with_few_labels_is_taken_for_one_like_the_others() -> None:
    error = np.full((40, 2), 0.1)
    error[:, 1] = np.nan
    error[:2, 1] = 10.0
    few = fit_errors(np.full((40, 2), 0.8), error)
    assert few.points[1] < 0.5 * (10 / 0.1)
    assert ErrorModel.from_dict(few.as_dict()) == few


def test_a_fifth_of_the_frames_is_kept_back_in_two_stretches() -> None:
    frame = np.repeat(np.arange(0, 500, 10), 3)
    movie = np.zeros(len(frame), int)
    held = kept_back(movie, frame)
    assert held.reshape(-1, 3).all(axis=1).sum() == held.reshape(-1, 3).any(axis=1).sum() == 10
    assert (np.diff(np.flatnonzero(held[::3])) > 1).sum() == 1


def test_nothing_is_kept_back_of_few_frames() -> None:
    assert not kept_back(np.zeros(27, int), np.repeat(np.arange(9), 3)).any()
