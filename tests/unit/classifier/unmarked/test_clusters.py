"""Tracklets sorted into animals: the constraints hold, nobody has to be apart from all others, and errors are told honestly."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from herdbook.classifier.unmarked.clusters import (
    collisions,
    error_of_collisions,
    exclude_together,
    find_clusters,
    never_together,
    normalised,
    order_of_first,
    together_matrix,
    unit,
)

ANIMALS, MOMENTS = 6, 60


def crowd(rng, *, at_once, spread):
    """Looks of tracklets, their true animals, and pairs seen together: at each moment some of the animals are apart."""
    centres = unit(rng.standard_normal((ANIMALS, 12)))
    moments = [rng.choice(ANIMALS, at_once, replace=False) for _ in range(MOMENTS)]
    true = np.concatenate(moments)
    looks = unit(centres[true] + spread * rng.standard_normal((len(true), 12)) / 12**0.5)
    first = np.repeat(np.arange(MOMENTS), at_once)
    pairs = np.argwhere(np.triu(first[:, None] == first, 1))
    return looks, true, pairs


def accuracy(answer, true):
    counts = np.zeros((ANIMALS, ANIMALS))
    np.add.at(counts, (answer, true), 1)
    return counts[linear_sum_assignment(-counts)].sum() / len(true)


@pytest.mark.parametrize("at_once", [ANIMALS, 3, 2])
def test_animals_are_found_even_if_they_are_never_all_apart(at_once):
    rng = np.random.default_rng(1)
    looks, true, pairs = crowd(rng, at_once=at_once, spread=0.4)
    found = find_clusters(looks, np.full(len(true), 5.0), together_matrix(pairs, len(true)), ANIMALS, np.full(len(true), -1), rng)
    assert accuracy(found.posterior.argmax(axis=1), true) == 1
    assert found.posterior.max(axis=1).min() > 0.9


def test_who_is_seen_together_is_not_the_same_animal():
    rng = np.random.default_rng(2)
    looks, true, pairs = crowd(rng, at_once=ANIMALS, spread=1.2)
    together = together_matrix(pairs, len(true))
    found = find_clusters(looks, np.ones(len(true)), together, ANIMALS, np.full(len(true), -1), rng)
    alone = normalised(20 * looks @ found.centres.T)
    assert collisions(found.posterior, pairs)[0] < collisions(alone, pairs)[0]
    assert accuracy(found.posterior.argmax(axis=1), true) > accuracy(alone.argmax(axis=1), true)


def test_a_sure_tracklet_excludes_its_animal_from_the_unsure_one_beside_it():
    posterior = exclude_together(np.array([[8.0, 0.0], [0.5, 0.0]]), together_matrix(np.array([[0, 1]]), 2))
    assert posterior[0, 0] > 0.99
    assert posterior[1, 1] > 0.98


def test_named_tracklets_keep_the_column_of_their_name():
    rng = np.random.default_rng(3)
    looks, true, pairs = crowd(rng, at_once=3, spread=0.4)
    named = np.full(len(true), -1)
    named[np.flatnonzero(true == 4)[:2]] = 0
    found = find_clusters(looks, np.full(len(true), 5.0), together_matrix(pairs, len(true)), ANIMALS, named, rng)
    assert (found.posterior[true == 4, 0] > 0.9).all()


def test_a_wrong_label_neither_binds_its_tracklet_nor_those_beside_it():
    rng = np.random.default_rng(3)
    looks, true, pairs = crowd(rng, at_once=3, spread=0.4)
    named = np.full(len(true), -1)
    for animal in range(ANIMALS):
        named[np.flatnonzero(true == animal)[:6]] = animal
    wrong = [np.flatnonzero(true == animal)[3] for animal in (0, 1)]
    named[wrong] = (1, 0)
    found = find_clusters(looks, np.full(len(true), 5.0), together_matrix(pairs, len(true)), ANIMALS, named, rng)
    assert (found.posterior.argmax(axis=1) == true).all()


def test_animals_that_are_never_seen_together_are_told_apart_by_their_looks():
    looks = np.repeat(np.eye(3), 4, axis=0)
    found = find_clusters(looks, np.full(12, 5.0), together_matrix(np.zeros((0, 2)), 12), 3, np.full(12, -1), np.random.default_rng(6))
    answer = found.posterior.argmax(axis=1).reshape(3, 4)
    assert (answer == answer[:, :1]).all()
    assert sorted(answer[:, 0]) == [0, 1, 2]


def test_a_label_decides_where_looks_do_not():
    looks = np.repeat(np.eye(2)[:1], 4, axis=0)
    together = together_matrix(np.array([[0, 1], [2, 3]]), 4)
    found = find_clusters(looks, np.full(4, 5.0), together, 2, np.array([1, -1, -1, 1]), np.random.default_rng(4))
    assert found.posterior[[0, 3], 1].min() > 0.95
    assert found.posterior[[1, 2], 0].min() > 0.95


@pytest.mark.parametrize("number", [2, 5, 16])
@pytest.mark.parametrize("error", [0.0, 0.05, 0.3])
def test_collisions_tell_the_error(number, error):
    rng = np.random.default_rng(4)
    a = np.where(rng.random(200_000) < error, rng.integers(1, number, 200_000), 0)
    b = np.where(rng.random(200_000) < error, (1 + rng.integers(1, number, 200_000)) % number, 1)
    assert error_of_collisions(float((a == b).mean()), number) == pytest.approx(error, abs=0.02)


def test_calibrated_answers_collide_as_often_as_they_expect():
    rng = np.random.default_rng(5)
    gain = rng.standard_normal((4000, 3))
    gain[np.arange(4000), np.arange(4000) % 2] += 2
    posterior = normalised(gain)
    share, expected = collisions(posterior, np.arange(4000).reshape(-1, 2))
    assert 0 < share < 1
    assert expected == pytest.approx((posterior[::2] * posterior[1::2]).sum(axis=1).mean())


def test_animals_that_never_meet_are_reported():
    posterior = np.eye(3)[[0, 1, 0, 2]]
    assert never_together(posterior, together_matrix(np.array([[0, 1], [2, 3]]), 4)) == [(1, 2)]


def test_animals_are_numbered_as_they_appear():
    posterior = np.eye(3)[[2, 0, 1]]
    assert order_of_first(posterior, [5.0, 1.0, 9.0]).tolist() == [0, 2, 1]


def test_without_pairs_nothing_collides():
    share, expected = collisions(np.ones((2, 2)) / 2, np.zeros((0, 2), int))
    assert np.isnan(share)
    assert np.isnan(expected)
    assert error_of_collisions(share, 4) == 0
