"""Costs learned from a recording: those of what happened in it, and the prior where little did."""

import numpy as np
import pytest

from herdbook.identity.costs import PRIOR_EVENTS, learn_costs
from herdbook.identity.graph import Costs, Graph
from tests.support.graphs import make_graph

FRAMES = 50


def one_animal(pieces: int, lost_every: int, *, wait: int, distance: float = 0.0) -> Graph:
    """An animal in tracklets that follow each other along edges; every so often it is lost and found again."""
    spans, edges, start = [], [], []
    frame, x = 0, 0.0
    for k in range(pieces):
        lost = k > 0 and k % lost_every == 0
        frame, x = frame + (wait - 1 if lost else 0), x + (distance if lost else 0.0)
        spans.append((frame, frame + 9))
        start.append((x, 0.0))
        if k and not lost:
            edges.append((k - 1, k))
        frame += 10
    points = np.array(start)
    return make_graph(spans, edges, start=points, end=points)


def learned(graph: Graph, sure: bool = True) -> Costs:
    scores = np.tile([30.0 if sure else 3.0, -10.0], (len(graph), 1))
    informed = np.ones(len(graph), bool)
    return learn_costs(graph, scores, informed, np.ones(2, np.int64), gap_frames=FRAMES, body_length_px=10)


def test_without_events_the_prior_stands():
    assert learned(one_animal(40, 10**6, wait=5)) == Costs()
    assert learned(one_animal(400, 4, wait=5), sure=False) == Costs(), "what is not sure teaches nothing"


def test_gaps_cost_what_their_waits_and_distances_tell():
    costs = learned(one_animal(4000, 4, wait=5, distance=20.0))
    assert costs.gap < 0.3, "all that was lost was found"
    assert costs.gap_per_body_length == pytest.approx(0.5, rel=0.1)
    assert costs.gap_per_wait == pytest.approx(10, rel=0.1)


def test_an_animal_that_stays_away_where_the_graph_ends_makes_that_cheap():
    away = learned(one_animal(4000, 4, wait=500))
    back = learned(one_animal(4000, 4, wait=5))
    assert away.away_at_end < 1.5
    assert back.away_at_end == Costs().away_at_end
    assert away.away == back.away == Costs().away, "nobody was lost where the graph went on"


@pytest.mark.parametrize(("crossed_every", "away"), [(4, 1.0), (10**6, Costs().away)])
def test_an_animal_lost_although_the_graph_goes_on_makes_that_cheaper(crossed_every, away):
    # Two chains side by side, linked to each other now and then, though the animals stay in their own.
    pieces = 1000
    spans = [(10 * (k // 2), 10 * (k // 2) + 9) for k in range(2 * pieces)]
    crossed = np.arange(1, pieces) % crossed_every == 0
    child = 2 * np.arange(1, pieces)
    edges = np.concatenate([np.stack([child - 2, child + crossed], 1), np.stack([child - 1, child + ~crossed], 1)])
    graph = make_graph(spans, edges)
    scores = np.where(np.arange(2 * pieces)[:, None] % 2 == np.arange(2), 30.0, -10.0)
    informed = np.ones(2 * pieces, bool)
    costs = learn_costs(graph, scores, informed, np.ones(2, np.int64), gap_frames=FRAMES, body_length_px=10)
    assert costs.away == pytest.approx(away, abs=0.1)


def test_few_events_move_the_costs_little():
    few = learned(one_animal(9, 4, wait=500))
    assert abs(few.away_at_end - Costs().away_at_end) < Costs().away_at_end * 2 / PRIOR_EVENTS
