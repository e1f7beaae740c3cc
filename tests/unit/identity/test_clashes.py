"""Names that are claimed twice, names that are as likely wrong as right, and what bounds and costs say at the edges of a graph."""

import numpy as np
import pytest

from herdbook.identity import assignment
from herdbook.identity.assignment import NAMED_GAIN, Solution, solve_identities
from herdbook.identity.blocks import Blocks
from herdbook.identity.confidence import confidences
from herdbook.identity.costs import learn_costs
from herdbook.identity.graph import Costs, Graph
from herdbook.identity.pricing import bound_blocks
from tests.support.graphs import NO_GAPS, make_graph


def solve(graph: Graph, evidence) -> Solution:
    """The solution; a row of evidence that is all zero counts as none."""
    scores = np.array(evidence, float)
    informed = (scores != 0).any(axis=1)
    return solve_identities(graph, scores + NAMED_GAIN, *NO_GAPS, informed=informed, members=np.ones(scores.shape[1], np.int64))


def letters(found: Solution) -> list[str]:
    return ["".join("ABC"[k] for k in np.flatnonzero(row)) for row in found.held]


@pytest.mark.parametrize("weaker", [0, 1])
def test_when_the_rounds_run_out_the_tracklet_with_weaker_evidence_loses_the_name(weaker, monkeypatch):
    # Nothing links the two, so that each is a block of its own, and only another round would compare them.
    monkeypatch.setattr(assignment, "ROUNDS", 1)
    evidence = np.array([[14.0, -1.0], [14.0, -1.0]])
    evidence[weaker, 0] = 9.0
    found = solve(make_graph([(0, 9), (5, 14)]), evidence)
    assert letters(found) == (["", "A"] if weaker == 0 else ["A", ""])
    assert found.gap > 9.0 / (9.0 + 14.0), "what was taken away may be lacking of the best"


@pytest.mark.parametrize(("sure", "names"), [(20.0, ["A", "", "A", "A"]), (60.0, ["", "A", "", "A"])])
def test_a_separator_gives_way_to_a_path_that_gains_more(sure, names):
    # The second is A beyond doubt when seen alone; the first and the third, which are none of them sure, are together more so than 20.
    graph = make_graph([(0, 9), (5, 14), (10, 19), (20, 29)], [(0, 2), (2, 3), (1, 3)])
    assert letters(solve(graph, [[15, 0], [sure, 0], [15, 0], [6, -2]])) == names


@pytest.mark.parametrize(("sure", "names"), [(20.0, ["A", "", "A"]), (60.0, ["", "A", ""])])
def test_a_separator_that_nothing_links_to_the_path_gives_way_too(sure, names):
    graph = make_graph([(0, 9), (5, 14), (10, 19)], [(0, 2)])
    assert letters(solve(graph, [[13, -2], [sure, -2], [13, -2]])) == names


def test_a_separator_at_another_time_is_not_in_the_way():
    graph = make_graph([(0, 9), (5, 14), (10, 19), (30, 39)], [(0, 2)])
    assert letters(solve(graph, [[13, -2], [20, -2], [13, -2], [60, -2]])) == ["A", "", "A", "A"]


def test_two_that_nothing_tells_apart_have_no_names():
    spans = [(0, 9), (0, 9), (10, 19), (20, 29), (20, 29)]
    graph = make_graph(spans, [(0, 2), (1, 2), (2, 3), (2, 4)], [1, 1, 2, 1, 1])
    found = solve(graph, [[30, -30], [-30, 30], [0, 0], [0, 0], [0, 0]])
    assert letters(found) == ["A", "B", "AB", "", ""], "a name at exactly one half is a guess"
    assert (found.confidence[3:] == 0).all()


def test_identities_in_one_tracklet_are_no_rivals():
    graph = make_graph([(0, 9)], animals=[2])
    path_costs = Costs().of_paths(graph, *NO_GAPS)
    scores = np.array([[6.0, 30.0, 1.0]])
    confidence = confidences(graph, scores, np.array([[1, 1, 0]]), path_costs)
    assert confidence[0, 0] > 0.97, "that B is there beyond doubt says nothing against A"
    apart = confidences(graph, scores, np.array([[1, 0, 0]]), path_costs)
    assert apart[0, 0] < 0.01, "B, who is not there, is a rival"


def test_a_bound_counts_each_place_of_a_tracklet():
    graph = make_graph([(0, 9), (10, 19)], animals=[3, 1])
    blocks = Blocks(np.full(2, -1), np.array([[0, 0], [1, 1]]), 2)
    nothing = np.full((2, 2), -np.inf)
    missed, linear = np.array([2.0, 2.0]), np.array([10.0, 10.0])
    assert bound_blocks(graph, blocks, np.arange(2), missed, nothing, linear, linear).tolist() == [16.0, 12.0]
    # What gains nothing does not lower the bound either.
    assert bound_blocks(graph, blocks, np.arange(2), -missed, nothing, linear, linear).tolist() == [10.0, 10.0]


@pytest.mark.parametrize("identity", [0, 1])
def test_a_bound_counts_both_sides_of_a_separator(identity):
    graph = make_graph([(0, 9), (10, 19), (20, 29)])
    blocks = Blocks(np.array([-1, identity, -1]), np.array([[0, 0], [0, 1], [1, 1]]), 2)
    others = np.full((3, 2), -np.inf)
    others[1] = 3.0, 4.0
    linear = np.array([10.0, 10.0])
    assert bound_blocks(graph, blocks, np.array([0, 2]), np.full(2, -1.0), others, linear, linear).tolist() == [13.0, 14.0]


def test_coming_and_going_cost_less_at_the_border_and_nothing_where_tracking_begins_and_ends():
    spans = [(0, 9), (5, 20), (10, 20), (12, 15), (30, 39)]
    graph = make_graph(spans, [(0, 2)], border=[[0, 1], [0, 0], [1, 0], [1, 1], [1, 1]])
    costs = Costs(away=7.0, away_at_end=5.0, away_at_border=3.0)
    assert costs.coming_and_going(graph).tolist() == [[0, 3], [5, 5], [3, 5], [3, 3], [3, 0]]
    dear = Costs(away=7.0, away_at_end=5.0, away_at_border=6.0)
    assert dear.coming_and_going(graph).tolist() == [[0, 6], [5, 5], [6, 5], [5, 5], [5, 0]], "the border is never dearer than the inside"


def test_animals_that_leave_at_the_border_make_only_that_cheaper():
    # One animal in pieces that begin and end at the border, and nothing that leads from one to the next.
    spans = [(100 * k, 100 * k + 9) for k in range(1000)]
    graph = make_graph(spans, border=np.ones((1000, 2), bool))
    scores = np.tile([30.0, -10.0], (1000, 1))
    costs = learn_costs(graph, scores, np.ones(1000, bool), np.ones(2, np.int64), gap_frames=50, body_length_px=10)
    assert costs.away_at_border == pytest.approx(1.0, abs=0.1)
    assert (costs.away, costs.away_at_end) == (Costs().away, Costs().away_at_end)
