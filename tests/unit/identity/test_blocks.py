"""Where a graph falls into blocks, and who is a candidate in them."""

import numpy as np
import pytest

from herdbook.identity.blocks import (
    CANDIDATE_NATS,
    SURE_IDENTITY_NATS,
    best_of_capacity,
    crowded,
    elsewhere,
    keep_candidates,
    path_losses,
    split_blocks,
    sure_identities,
)
from herdbook.identity.graph import PathCosts
from tests.support.graphs import make_graph

ONE_EACH = np.ones(2, np.int64)


def test_only_single_tracklets_with_overwhelming_evidence_are_separators():
    graph = make_graph([(0, 9), (10, 19), (20, 29), (30, 39)], animals=[1, 1, 2, 1])
    scores = np.array([[SURE_IDENTITY_NATS + 2, 1], [SURE_IDENTITY_NATS - 2, 1], [SURE_IDENTITY_NATS + 2, 1], [-30, -90]], float)
    sure, margin = sure_identities(graph, scores, np.ones(4, bool), ONE_EACH)
    assert sure.tolist() == [0, -1, -1, -1]
    assert margin[0] == pytest.approx(SURE_IDENTITY_NATS + 1)
    assert sure_identities(graph, scores, np.zeros(4, bool), ONE_EACH)[0].tolist() == [-1] * 4


def test_nobody_is_sure_where_two_are_the_same_at_once():
    graph = make_graph([(0, 9), (5, 19), (30, 39)])
    scores = np.array([[40, 0], [60, 0], [40, 0]], float)
    informed = np.ones(3, bool)
    assert sure_identities(graph, scores, informed, ONE_EACH)[0].tolist() == [-1, -1, 0]
    assert sure_identities(graph, scores, informed, np.array([2, 1]))[0].tolist() == [0, 0, 0]


def test_crowds_are_where_more_overlap_than_there_are():
    first, last, ones = np.array([0, 2, 4, 20]), np.array([10, 3, 8, 30]), np.ones(4, np.int64)
    pairs = {(int(a), int(b)) for a, b in zip(*crowded(first, last, ones, 1), strict=True)}
    assert pairs == {(0, 1), (0, 2)}
    assert len(crowded(first, last, ones, 2)[0]) == 0
    assert len(crowded(first, last, np.array([2, 1, 1, 1]), 2)[0]) == 2


def test_blocks_end_at_separators_and_are_joined_on_demand():
    links = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    sure = np.array([-1, -1, 0, -1, -1])
    blocks = split_blocks(sure, links, np.zeros((0, 2), np.int64))
    assert blocks.block[0, 0] == blocks.block[1, 1] == blocks.block[2, 0]
    assert blocks.block[2, 1] == blocks.block[3, 0] == blocks.block[4, 1] != blocks.block[2, 0]
    assert split_blocks(sure, links, np.array([[0, 4]])).count == blocks.count - 1


def test_the_best_of_a_tracklet_has_as_many_as_animals():
    scores = np.array([[5, 3, -1], [5, 3, -1], [5, 3, -1], [-2, -2, -2]], float)
    total, least = best_of_capacity(scores, np.array([1, 2, 3, 1]), np.ones(3, np.int64))
    assert total.tolist() == [5, 8, 8, 0]
    assert least.tolist() == [5, 3, 0, 0]
    assert best_of_capacity(scores[:1], np.array([3]), np.array([2, 1, 1]))[0].tolist() == [13]


def best_path(scores, least, sure, away, links, costs, through: int, identity: int) -> float:
    """Loss of the best path through a tracklet, by trying all ways back and all ways on."""

    def reach(node: int, side: int) -> float:
        best = -away[node, side]
        for (a, b), cost in zip(links.tolist(), costs, strict=True):
            here, there = (b, a) if side == 0 else (a, b)
            if here == node:
                if sure[there] == identity:
                    best = max(best, -cost)
                elif sure[there] < 0:
                    best = max(best, -cost + min(scores[there, identity] - least[there], 0) + reach(there, side))
        return best

    return -(reach(through, 0) + min(scores[through, identity] - least[through], 0) + reach(through, 1))


@pytest.mark.parametrize("seed", range(5))
def test_losses_are_those_of_the_best_path_by_trying_all(seed):
    rng = np.random.default_rng(seed)
    n = 9
    links = np.array([(a, b) for a in range(n) for b in range(a + 1, min(n, a + 4)) if rng.random() < 0.4], np.int64).reshape(-1, 2)
    costs, away = rng.uniform(0, 4, len(links)), rng.uniform(0, 6, (n, 2))
    scores, least = rng.normal(0, 5, (n, 3)), rng.uniform(0, 5, n)
    sure = np.where(rng.random(n) < 0.3, rng.integers(0, 3, n), -1)
    losses = path_losses(scores, least, sure, PathCosts(links, costs, away))
    for v in np.flatnonzero(sure < 0):
        for identity in range(3):
            assert losses[v, identity] == pytest.approx(best_path(scores, least, sure, away, links, costs, v, identity), abs=1e-3)


def test_who_is_surely_elsewhere_is_no_candidate():
    graph = make_graph([(0, 9), (5, 15), (12, 20), (30, 40)])
    sure = np.array([0, -1, -1, 0])
    assert elsewhere(graph, sure, ONE_EACH, np.array([1, 2])).tolist() == [[True, False], [False, False]]
    assert not elsewhere(graph, sure, np.array([2, 1]), np.array([1])).any()


def test_candidates_lose_little_against_as_many_best_as_there_are_animals():
    losses = np.array([[0, 2, CANDIDATE_NATS + 1], [0, 2, CANDIDATE_NATS + 1], [0, 2, CANDIDATE_NATS + 1]], np.float32)
    taken = np.zeros((3, 3), bool)
    taken[2, 0] = True
    kept = keep_candidates(losses, np.array([1, 2, 1]), taken)
    assert kept.tolist() == [[True, True, False], [True, True, True], [False, True, True]]
    never = np.full((1, 3), 1e6, np.float32)
    assert not keep_candidates(never, np.array([1]), taken[:1]).any()
