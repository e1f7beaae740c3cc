"""Programmes whose relaxation is not integral, and blocks that are solved in windows."""

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from herdbook.identity import assignment, highs
from herdbook.identity.assignment import solve_identities
from herdbook.identity.blocks import split_blocks
from herdbook.identity.graph import Costs, Graph, PathCosts
from herdbook.identity.highs import Solved, solve_programme
from herdbook.identity.programme import build_programme
from tests.support.graphs import NO_GAPS, make_graph

# Found by a search over small random graphs: in each of them the relaxation halves animals between ways that exclude each other.
HALVED = [
    (
        [(0, 9), (0, 9), (20, 39), (30, 49)],
        [(0, 3), (1, 2), (1, 3)],
        [[-3, -1, 4], [5, -2, 5], [-1, -2, 4], [5, -1, 4]],
    ),
    (
        [(0, 19), (0, 19), (20, 39), (20, 29), (30, 49)],
        [(0, 2), (0, 4), (1, 3), (3, 4)],
        [[1, 5], [-3, 3], [2, 4], [-3, 3], [1, -3]],
    ),
    (
        [(0, 9), (10, 29), (20, 29), (30, 49), (30, 49)],
        [(0, 2), (0, 4), (1, 3), (1, 4), (2, 3)],
        [[4, 3, 4], [5, 1, 2], [5, 2, 1], [-2, 0, -3], [3, 3, 2]],
    ),
]


def value_of(graph: Graph, rows: list[int], scores: np.ndarray, path_costs: PathCosts) -> float:
    """Greatest value of one animal in the tracklets `rows`: what it gains there, less what its ways cost; -inf if two are simultaneous."""
    spans = sorted((graph.first[k], graph.last[k]) for k in rows)
    if any(after[0] <= before[1] for before, after in pairwise(spans)):
        return -np.inf
    links = set(map(tuple, path_costs.links.tolist()))
    saved = np.array([[path_costs.away[a, 1] + path_costs.away[b, 0] if (a, b) in links else 0.0 for b in rows] for a in rows])
    saving = saved.reshape(len(rows), -1)[linear_sum_assignment(saved.reshape(len(rows), -1), maximize=True)].sum() if rows else 0.0
    return float(scores[rows].sum() - path_costs.away[rows].sum() + saving)


def best_value(graph: Graph, scores: np.ndarray, path_costs: PathCosts) -> float:
    """The greatest value of all assignments, by trying them."""
    count, identities = scores.shape
    choices = [[k for k in range(count) if mask >> k & 1] for mask in range(2**count)]
    values = [[value_of(graph, rows, scores[:, k], path_costs) for rows in choices] for k in range(identities)]
    best = -np.inf
    for chosen in product(range(len(choices)), repeat=identities):
        held = np.bincount(np.concatenate([choices[c] for c in chosen]).astype(int), minlength=count)
        if (held <= graph.animals).all():
            best = max(best, sum(values[k][c] for k, c in enumerate(chosen)))
    return best


def solved_whole(graph: Graph, scores: np.ndarray, path_costs: PathCosts) -> Solved:
    """The solution of one programme over everything."""
    together = np.stack([np.zeros(len(graph) - 1, np.int64), np.arange(1, len(graph))], 1)
    blocks = split_blocks(np.full(len(graph), -1), path_costs.links, together)
    allowed, members = np.ones(scores.shape, bool), np.ones(scores.shape[1], np.int64)
    return solve_programme(build_programme(graph, scores, blocks, np.ones(blocks.count, bool), allowed, path_costs, members, firm=False))


@pytest.mark.parametrize(("spans", "edges", "scores"), HALVED)
def test_a_block_whose_relaxation_halves_animals_is_solved_in_integers(spans, edges, scores, monkeypatch):
    graph, scores = make_graph(spans, edges), np.array(scores, float)
    path_costs = Costs().of_paths(graph, *NO_GAPS)
    best = best_value(graph, scores, path_costs)
    found = solved_whole(graph, scores, path_costs)
    assert found.lacks.max() > 0.4, "the relaxation must promise more than integers can hold"
    assert found.value.sum() == pytest.approx(best)
    assert found.bound.sum() == pytest.approx(best, abs=1e-4), "the bound is that of the integers"
    assert found.linear.sum() == pytest.approx(best + found.lacks.sum())
    monkeypatch.setattr(assignment, "LEAST_CONFIDENCE", -1.0)
    informed = np.ones(len(graph), bool)
    held = solve_identities(graph, scores, *NO_GAPS, informed=informed, members=np.ones(scores.shape[1], np.int64)).held
    mine = sum(value_of(graph, np.flatnonzero(held[:, k]).tolist(), scores[:, k], path_costs) for k in range(scores.shape[1]))
    assert mine == pytest.approx(best)


@pytest.mark.parametrize("columns", [40, 60, 90, 130])
def test_a_window_decides_only_what_it_has_looked_beyond(columns, monkeypatch):
    """Two animals merge and part, and are read only some tracklets later: a window that ends between both must not settle who is who."""
    monkeypatch.setattr(highs, "LARGEST_COLUMNS", 0)
    monkeypatch.setattr(highs, "WINDOW_COLUMNS", columns)
    rng = np.random.default_rng(5)
    spans, edges, animals, truth, read = [], [], [], [], []
    for k in range(40):
        here, begin = len(spans), 30 * k
        way = rng.permutation(2)
        spans += [(begin + 10 * step, begin + 10 * step + 9) for step in (0, 1, 1, 2, 2)]
        edges += [(here - 2, here), (here - 1, here)] if k else []
        edges += [(here, here + 1), (here, here + 2), (here + 1, here + 3), (here + 2, here + 4)]
        animals += [2, 1, 1, 1, 1]
        truth += [(1, 1), *[np.eye(2, dtype=int)[way[i]] for i in (0, 1, 0, 1)]]
        read += [False, False, False, True, True]
    truth, read = np.array(truth), np.array(read)
    graph = make_graph(spans, edges, animals)
    scores = np.where(read[:, None], np.where(truth > 0, 6.0, -2.0), assignment.NAMED_GAIN)
    found = solve_identities(graph, scores, *NO_GAPS, informed=read, members=np.ones(2, np.int64))
    assert (found.held == truth).all()
