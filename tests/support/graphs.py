"""Graphs of tracklets for tests of the identities: made by hand or at random, and the optimum of an assignment to compare with."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from herdbook.identity.assignment import NAMED_GAIN
from herdbook.identity.blocks import split_blocks
from herdbook.identity.graph import Graph, PathCosts
from herdbook.identity.highs import solve_programme
from herdbook.identity.programme import THERE, build_programme

NO_GAPS = np.zeros((0, 2), np.int64), np.zeros(0)


def make_graph(spans: Sequence[tuple[int, int]], edges=(), animals=None, start=None, end=None, border=None) -> Graph:
    """A graph of tracklets (first, last) that are single animals, all at one place unless given otherwise."""
    count = len(spans)
    first, last = np.array(spans, np.int64).reshape(-1, 2).T
    place = np.zeros((count, 2))
    return Graph(
        first=first,
        last=last,
        animals=np.ones(count, np.int64) if animals is None else np.array(animals, np.int64),
        edges=np.array(edges, np.int64).reshape(-1, 2),
        start_xy=place if start is None else np.array(start, float).reshape(-1, 2),
        end_xy=place if end is None else np.array(end, float).reshape(-1, 2),
        border=np.zeros((count, 2), bool) if border is None else np.array(border, bool),
        free=np.zeros((count, 2), bool),
        part=np.zeros(count, np.int64),
    )


def random_recording(seed: int, strong: bool, tracklets: int = 24, identities: int = 5):
    """A random graph in which some are never there, the last identity has several members, and some evidence leaves no doubt.

    Returns the graph, scores, whether each tracklet is informed, members, gaps and their costs.
    """
    rng = np.random.default_rng(seed)
    first = np.sort(rng.integers(0, 80, tracklets))
    last = first + rng.integers(0, 15, tracklets)
    after = [(a, b) for a, b in product(range(tracklets), repeat=2) if last[a] < first[b] <= last[a] + 10]
    kind = rng.random(len(after))
    edges = [pair for pair, k in zip(after, kind, strict=True) if k < 0.3]
    gaps = np.array([pair for pair, k in zip(after, kind, strict=True) if 0.3 < k < 0.4], np.int64).reshape(-1, 2)
    graph = make_graph(list(zip(first, last, strict=True)), edges, rng.integers(1, 4, tracklets), border=rng.random((tracklets, 2)) < 0.2)
    scores = rng.normal(0, 12 if strong else 4, (tracklets, identities))
    informed = (graph.animals == 1) & (rng.random(tracklets) < 0.7)
    scores[~informed] = NAMED_GAIN
    scores[rng.random(scores.shape) < 0.05] = -np.inf
    members = np.ones(identities, np.int64)
    members[-1] = rng.integers(1, 4)
    return graph, scores, informed, members, gaps, rng.uniform(0.5, 4, len(gaps))


def optimum(graph: Graph, scores, members, path_costs: PathCosts, held=None) -> float:
    """The greatest value of one programme over everything; with `held`, that of this assignment."""
    count = len(graph)
    together = np.stack([np.zeros(count - 1, np.int64), np.arange(1, count)], 1)
    blocks = split_blocks(np.full(count, -1), path_costs.links, together)
    allowed = np.isfinite(scores) if held is None else held > 0
    everything = np.ones(blocks.count, bool)
    programme = build_programme(graph, scores, blocks, everything, allowed, path_costs, members, firm=False)
    if held is not None:
        there = programme.kind == THERE
        programme.least[there] = programme.most[there] = held[programme.node[there], programme.identity[there]]
    return float(solve_programme(programme).value.sum())
