"""Tests of how often headings are right."""

import numpy as np
import pytest

from herdbook.bodypoints.learned.heading_trust import HeadingTrust, fit_headings


def test_told_shares_are_the_real_ones_at_each_fit(rng: np.random.Generator) -> None:
    fit = rng.uniform(-4, 0, 4000)
    chance = 1 / (1 + np.exp(-(3 + 1.5 * fit)))
    off = np.where(rng.random(4000) < chance, 0.1, np.pi)
    trust = fit_headings(fit, off, np.zeros(4000), np.ones(4000, bool))
    told = trust.of_points(fit)
    for low in (-4, -3, -2, -1):
        part = (low <= fit) & (fit < low + 1)
        assert told[part].mean() == pytest.approx((off[part] < 1).mean(), abs=0.03)


def test_thirty_degrees_either_way_are_right_and_no_more() -> None:
    fit, single = np.full(98, -1.0), np.ones(98, bool)
    inside, outside = np.radians(29), np.radians(31)
    assert fit_headings(fit, np.full(98, -inside), np.full(98, inside), single).alone == pytest.approx(0.99)
    wrong = fit_headings(fit, np.full(98, -outside), np.full(98, outside), single)
    assert wrong.alone == pytest.approx(0.01)
    assert wrong.of_points(np.array([-1.0])) == pytest.approx(0.01, abs=1e-3)


def test_a_better_fit_never_means_less() -> None:
    trust = fit_headings(np.array([-3.0, -2.0, -1.0]), np.array([0, 0, np.pi]), np.zeros(3), np.ones(3, bool))
    assert trust.terms[1] == 0


def test_trajectories_are_told_apart_by_contact_and_a_state_without_labels_by_all() -> None:
    seen = np.array([0, 0, 0, 0, np.pi, np.pi])
    single = np.array([True] * 4 + [False] * 2)
    trust = fit_headings(np.full(6, -1.0), np.zeros(6), seen, single)
    assert trust.of_trajectories(np.array([True, False])) == pytest.approx([5 / 6, 1 / 4])
    assert fit_headings(np.full(6, -1.0), np.zeros(6), seen, np.ones(6, bool)).contact == pytest.approx(5 / 8)


def test_few_animals_that_are_all_right_are_not_certain() -> None:
    trust = fit_headings(np.full(4, -1.0), np.zeros(4), np.zeros(4), np.ones(4, bool))
    assert 0.75 < trust.of_points(np.array([-1.0]))[0] < 0.9


def test_shares_come_back_from_json_and_unread_animals_stay_unknown() -> None:
    trust = HeadingTrust((1.0, 2.0), 0.9, 0.5)
    assert HeadingTrust.from_dict(trust.as_dict()) == trust
    assert np.isnan(trust.of_points(np.array([np.nan]))).all()
