"""Where a graph of tracklets ends, and which gaps it could go on across."""

from dataclasses import replace

import numpy as np
import pytest

from herdbook.identity.graph import Costs, gap_edges, loose_ends
from tests.support.graphs import make_graph


def test_loose_ends_are_where_the_graph_holds_fewer_animals():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (20, 29)], [(0, 2), (1, 2), (2, 3)], [1, 1, 2, 1])
    assert loose_ends(graph).tolist() == [[True, False], [True, False], [False, True], [False, True]]


def gaps_between(end, start, wait: int, **graph):
    pair = make_graph([(0, 10), (10 + wait, 40)], start=[(0, 0), start], end=[end, (0, 0)], **graph)
    return gap_edges(pair, gap_frames=20, body_length_px=10, reach_px_per_frame=2)


@pytest.mark.parametrize(("wait", "linked"), [(1, True), (20, True), (21, False), (0, False)])
def test_gaps_reach_only_as_far_in_time_as_allowed(wait, linked):
    pairs, costs = gaps_between((0, 0), (5, 0), wait)
    assert pairs.tolist() == [[0, 1]] * linked
    assert len(costs) == linked


@pytest.mark.parametrize(("distance", "wait", "linked"), [(31, 1, True), (33, 1, False), (33, 2, True), (69, 20, True), (71, 20, False)])
def test_gaps_reach_only_as_far_as_an_animal_can_walk(distance, wait, linked):
    pairs, _ = gaps_between((100, 50), (100, 50 + distance), wait)
    assert pairs.tolist() == [[0, 1]] * linked


@pytest.mark.parametrize("parts", [(0, 0), (0, 1), (1, 0)])
def test_no_gap_leads_from_one_part_to_another(parts):
    pair = replace(make_graph([(0, 10), (12, 40)]), part=np.array(parts))
    found, costs = gap_edges(pair, gap_frames=20, body_length_px=10, reach_px_per_frame=2)
    assert found.tolist() == [[0, 1]] * (parts == (0, 0))
    assert len(costs) == len(found)


def test_a_gap_costs_more_the_farther_and_the_longer_it_is():
    (near,), (far,), (late,) = (gaps_between((0, 0), (d, 0), w)[1] for d, w in ((0, 1), (20, 1), (0, 15)))
    assert Costs().gap < near < late < near + 1 < far


def test_no_gap_begins_where_every_animal_goes_on():
    spans = [(0, 9), (10, 20), (11, 20)]
    assert gap_edges(make_graph(spans, [(0, 1)]), gap_frames=20, body_length_px=10, reach_px_per_frame=2)[0].tolist() == []
    one_is_lost = make_graph(spans, [(0, 1)], [2, 1, 1])
    assert gap_edges(one_is_lost, gap_frames=20, body_length_px=10, reach_px_per_frame=2)[0].tolist() == [[0, 2]]
