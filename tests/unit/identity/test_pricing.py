"""The bound on any assignment, whichever candidates were left out."""

import numpy as np
import pytest

from herdbook.identity.blocks import split_blocks
from herdbook.identity.graph import Costs
from herdbook.identity.highs import solve_programme
from herdbook.identity.pricing import Prices, bound_blocks
from herdbook.identity.programme import build_programme
from tests.support.graphs import NO_GAPS, make_graph, optimum, random_recording

NONE = np.zeros((0, 2), np.int64)


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_holds_whatever_the_candidates_are_and_is_tight_with_all(seed):
    graph, scores, _, members, gaps, costs = random_recording(seed, strong=seed % 2 == 0)
    path_costs = Costs().of_paths(graph, gaps, costs)
    blocks = split_blocks(np.full(len(graph), -1), path_costs.links, NONE)
    everything, free = np.ones(blocks.count, bool), np.arange(len(graph))
    rng = np.random.default_rng(seed)
    best = optimum(graph, scores, members, path_costs)
    for share in (0.3, 0.8, 1.0):
        allowed = np.isfinite(scores) & (rng.random(scores.shape) < share)
        programme = build_programme(graph, scores, blocks, everything, allowed, path_costs, members, firm=False)
        found = solve_programme(programme)
        prices = Prices(scores)
        prices.take(programme, found)
        gains, others = prices.gains(blocks.sure, path_costs)
        if share == 1.0:
            assert gains[allowed].max() < 1e-2, "candidates gain nothing at the prices that they made"
        gains[allowed] = -np.inf
        bound = bound_blocks(graph, blocks, free, gains.max(axis=1), others, found.bound, found.linear)
        assert bound.sum() >= best - 1e-3
    assert bound.sum() == pytest.approx(found.bound.sum(), abs=1e-3)


@pytest.mark.parametrize("own", [0, 1])
def test_a_path_of_another_identity_gains_its_way_to_a_separator_and_half_of_what_it_has_there(own):
    graph = make_graph([(0, 9), (10, 19)], [(0, 1)])
    scores = np.array([[1.0, 5.0], [40.0, 4.0]])[:, [own, 1 - own]]
    _, others = Prices(scores).gains(np.array([-1, own]), Costs().of_paths(graph, *NO_GAPS))
    assert others.tolist() == [[-np.inf, -np.inf], [5 + 4 / 2, 4 / 2]]
