"""What was seen of animals on their way through contacts decides what names leave open."""

import numpy as np
import pytest

from herdbook.identity.assignment import Solution
from herdbook.identity.following import KNOWN, LEAST_EXCHANGED, MOST_NATS, followed_gains, open_contacts
from herdbook.identity.graph import Graph


def graph_of(spans, animals, edges):
    first, last = (np.array(column, np.int64) for column in zip(*spans, strict=True))
    places, never, part = np.zeros((len(spans), 2)), np.zeros((len(spans), 2), bool), np.zeros(len(spans), np.int64)
    return Graph(first, last, np.array(animals, np.int64), np.array(edges, np.int64), places, places, never, never, part)


def solution_of(held, confidence):
    held = np.array(held, np.int16)
    return Solution(held, np.where(held > 0, np.float32(confidence), np.float32(0)), 0.0, (1, len(held)))


@pytest.fixture
def piles():
    """A, B and C form a pile (3), which comes apart into a pair (4) and one that touches D (5); E and F are a contact of their own (8)."""
    spans = [(0, 9), (0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (0, 9), (0, 9), (10, 19)]
    edges = [(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (6, 8), (7, 8)]
    return graph_of(spans, [1, 1, 1, 3, 2, 2, 1, 1, 2], edges)


def names(*rows):
    """Who is in each tracklet, of six."""
    return [[int(name in row) for name in "ABCDEF"] for row in rows]


def test_the_whole_contact_is_open_if_somebody_has_no_place(piles):
    lacking = solution_of(names("A", "B", "C", "ABC", "", "D", "E", "F", "EF"), 1.0)
    assert np.flatnonzero(open_contacts(piles, lacking)).tolist() == [3, 4, 5]


def test_nothing_is_open_where_all_are_sure(piles):
    sure = solution_of(names("A", "B", "C", "ABC", "AB", "CD", "E", "F", "EF"), 1.0)
    assert not open_contacts(piles, sure).any()
    unsure = np.full((9, 6), 1.0)
    unsure[8] = 0.9
    assert np.flatnonzero(open_contacts(piles, solution_of(sure.held, unsure))).tolist() == [8]


def test_what_was_followed_counts_for_the_name_of_who_came_in(piles):
    solution = solution_of(names("A", "B", "C", "ABC", "", "D", "E", "F", "EF"), 1.0)
    scores = np.zeros((9, 6), np.float32)
    scores[4, 2] = -np.inf
    gains = followed_gains(piles, scores, solution, [(0, 4, 0.8), (1, 4, 0.99999), (2, 4, 0.9), (1, 5, 0.3), (3, 4, 0.9)])
    assert gains[4, 0] == pytest.approx(np.log(0.8 / 0.2), rel=1e-5)
    assert gains[4, 1] == MOST_NATS
    # C cannot be there, half of a chance says nothing, and a pile is no single animal.
    assert gains[4, 2] == -np.inf
    assert gains[5].tolist() == [0] * 6
    assert scores[4, 0] == 0


def test_who_came_in_must_be_known(piles):
    held = names("A", "B", "C", "ABC", "", "D", "E", "F", "EF")
    gains = followed_gains(piles, np.zeros((9, 6), np.float32), solution_of(held, KNOWN - 0.01), [(0, 4, 0.8)])
    assert not gains.any()


def test_who_comes_out_as_somebody_else_was_not_followed_rightly(piles):
    """A and B are followed into the pair (4); A comes out as E (6), if that is known."""
    held = names("A", "B", "C", "ABC", "", "D", "E", "F", "EF")
    followed = [(0, 4, 0.9), (1, 4, 0.9), (0, 6, 0.8)]
    gains = followed_gains(piles, np.zeros((9, 6), np.float32), solution_of(held, 1.0), followed)
    assert gains[4, 0] == 0
    assert gains[4, 1] == pytest.approx(np.log(0.9 / 0.1), rel=1e-5)
    # Nobody alone is named by it.
    assert not gains[6].any()
    unsure = np.full((9, 6), 1.0)
    unsure[6] = KNOWN - 0.01
    gains = followed_gains(piles, np.zeros((9, 6), np.float32), solution_of(held, unsure), followed)
    assert gains[4, 0] == pytest.approx(np.log(0.9 / 0.1), rel=1e-5)


def test_who_comes_out_as_himself_was_there_all_the_way(piles):
    """Followed with 0.8 and then 0.6: exchanged before, and then exchanged back, has a chance of at most 0.2 x 0.25."""
    held = names("A", "B", "C", "ABC", "", "D", "A", "F", "EF")
    gains = followed_gains(piles, np.zeros((9, 6), np.float32), solution_of(held, 1.0), [(0, 4, 0.8), (0, 6, 0.6)])
    assert gains[4, 0] == pytest.approx(np.log(0.6 / (0.2 * 0.25)), rel=1e-5)
    assert not gains[6].any()
    # Where nothing is doubtful afterwards, it is not taken as impossible.
    gains = followed_gains(piles, np.zeros((9, 6), np.float32), solution_of(held, 1.0), [(0, 4, 0.6), (0, 6, 0.6)])
    assert gains[4, 0] == pytest.approx(np.log(0.6 / (0.4 * LEAST_EXCHANGED)), rel=1e-5)
