"""Confidence: the odds of exchanging two animals where they could have been confused, and its calibration on simulated recordings."""

import sys
from itertools import product

import numpy as np
import pytest

from herdbook.identity.assignment import solve_identities
from herdbook.identity.confidence import NOBODY, confidences, find_paths
from herdbook.identity.costs import learn_costs
from herdbook.identity.graph import Costs, Graph, gap_edges
from tests.conftest import ROOT
from tests.support.graphs import NO_GAPS, make_graph

sys.path.insert(0, str(ROOT / "benchmarks"))
from identity_scale import GAP_FRAMES, calibration_error, simulate_graph, simulate_scores


def confidence_of(graph: Graph, scores, held, gaps=NO_GAPS) -> np.ndarray:
    """Confidence of a solution."""
    return confidences(graph, np.array(scores, float), np.array(held), Costs().of_paths(graph, *gaps))


def between_two_merges(lost: float):
    """A and B meet, part, and meet again; between, the evidence for who is who is `lost` nats."""
    spans = [(0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (30, 39), (40, 49), (40, 49)]
    edges = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (5, 6), (5, 7)]
    graph = make_graph(spans, edges, [1, 1, 2, 1, 1, 2, 1, 1])
    scores = np.full((8, 2), 0.2)
    scores[[0, 6], 0] = scores[[1, 7], 1] = 30
    scores[3, 0] += lost
    held = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1], [1, 1], [1, 0], [0, 1]])
    return graph, scores, held


@pytest.mark.parametrize("lost", [0.0, 1.0, 3.0, 8.0])
def test_two_that_meet_twice_could_be_exchanged_between(lost):
    confidence = confidence_of(*between_two_merges(lost))
    expected = 1 / (1 + np.exp(-lost))
    assert confidence[3, 0] == confidence[4, 1] == pytest.approx(expected, abs=1e-5)
    sure = [(0, 0), (1, 1), (2, 0), (2, 1), (5, 0), (5, 1), (6, 0), (7, 1)]
    assert [confidence[place] for place in sure] == pytest.approx([1.0] * 8, abs=1e-4)
    assert confidence[0, 1] == 0, "no confidence where nobody of that name is held"


def test_a_merge_that_one_of_two_is_in_is_as_sure_as_the_stretch_around_it():
    # A and B part; A then meets C, and all that follows has no evidence.
    spans = [(0, 9), (0, 9), (0, 25), (10, 19), (20, 25), (20, 49), (26, 39), (40, 49), (40, 49)]
    edges = [(0, 3), (1, 3), (3, 4), (3, 5), (4, 6), (2, 6), (6, 7), (6, 8)]
    graph = make_graph(spans, edges, [1, 1, 1, 2, 1, 1, 2, 1, 1])
    scores = np.full((9, 3), 0.2)
    scores[0, 0] = scores[1, 1] = scores[2, 2] = scores[8, 2] = 30
    scores[7, 0] += 2.0
    held = np.zeros((9, 3), int)
    for node, names in enumerate([(0,), (1,), (2,), (0, 1), (0,), (1,), (0, 2), (0,), (2,)]):
        held[node, list(names)] = 1
    confidence = confidence_of(graph, scores, held)
    exchanged = 1 / (1 + np.exp(-2.0))
    assert [confidence[4, 0], confidence[6, 0], confidence[5, 1]] == pytest.approx([exchanged] * 3, abs=1e-4)
    assert confidence[6, 2] == pytest.approx(1.0, abs=1e-3)


def test_three_that_nothing_tells_apart_have_a_third_each():
    spans = [(0, 9)] * 3 + [(10, 19)] + [(20, 29)] * 3
    graph = make_graph(spans, [(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)], [1, 1, 1, 3, 1, 1, 1])
    scores = np.full((7, 3), 0.2)
    scores[:3][np.eye(3, dtype=bool)] = 30
    held = np.concatenate([np.eye(3, dtype=int), np.ones((1, 3), int), np.eye(3, dtype=int)])
    confidence = confidence_of(graph, scores, held)
    assert confidence[4:][np.eye(3, dtype=bool)] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_an_exchange_past_a_costly_occasion_counts_as_well():
    # Two gaps that could be crossed at a cost do not make what lies between them sure: exchanging all of it costs nothing.
    spans = [(0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (32, 39), (32, 39)]
    graph = make_graph(spans, [(0, 2), (1, 2), (2, 3), (2, 4)], [1, 1, 2, 1, 1, 1, 1])
    gaps = np.array([[3, 5], [4, 6], [3, 6], [4, 5]]), np.array([1.0, 1.0, 5.0, 5.0])
    scores = np.full((7, 2), 0.2)
    scores[0, 0] = scores[1, 1] = 30
    held = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1], [1, 0], [0, 1]])
    confidence = confidence_of(graph, scores, held, gaps)
    assert confidence[3, 0] == pytest.approx(0.5, abs=1e-3)
    assert 0.45 < confidence[5, 0] <= 0.501


def test_a_stretch_is_as_sure_as_all_exchanges_together_leave_it():
    """Two animals are out of view twice: in each of the three stretches they are exchanged or not, which costs at each change."""
    graph = make_graph([(0, 9), (0, 9), (12, 19), (12, 19), (22, 29), (22, 29)])
    gaps = np.array([[0, 2], [1, 3], [2, 4], [3, 5], [0, 3], [1, 2], [2, 5], [3, 4]])
    gap_costs = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.5, 1.5])
    lost, crossing = np.array([0.5, 1.5, 0.2]), np.array([2.0, 1.0])
    scores = np.full((6, 2), 30.0)
    scores[::2, 0] += lost
    ways = np.array(list(product((0, 1), repeat=3)))
    weight = np.exp(-ways @ lost - np.abs(np.diff(ways, axis=1)) @ crossing)
    expected = [weight[ways[:, k] == 0].sum() / weight.sum() for k in range(3)]
    confidence = confidence_of(graph, scores, [[1, 0], [0, 1]] * 3, (gaps, gap_costs))
    assert confidence[::2, 0] == pytest.approx(expected, abs=1e-4)
    assert confidence[1::2, 1] == pytest.approx(expected, abs=1e-4)


def test_an_animal_without_a_name_may_be_the_one_that_has_it():
    # Two animals part; one is called A by weak evidence, the other by none.
    graph = make_graph([(0, 9), (10, 19), (10, 19)], [(0, 1), (0, 2)], [2, 1, 1])
    scores = np.array([[0.2], [1.2], [0.2]])
    confidence = confidence_of(graph, scores, np.array([[1], [1], [0]]))
    assert confidence[1, 0] == pytest.approx(1 / (1 + np.exp(-1.0) + np.exp(-1.4)), abs=1e-3)


def test_evidence_against_a_name_makes_it_doubtful():
    graph = make_graph([(0, 9), (10, 19), (20, 29)], [(0, 1), (1, 2)])
    calm, contradicted = np.full((3, 2), 0.2), np.full((3, 2), 0.2)
    calm[[0, 2], 0] = contradicted[[0, 2], 0] = 40
    contradicted[1, 1] = 45
    held = np.array([[1, 0]] * 3)
    assert confidence_of(graph, calm, held)[1, 0] > 0.999
    assert confidence_of(graph, contradicted, held)[1, 0] < 0.5


def test_paths_of_a_class_follow_the_links():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (10, 19)], [(0, 3), (1, 2)])
    paths = find_paths(graph, np.array([[1], [1], [1], [1]]), graph.edges)
    ways = {tuple(paths.node[a:b].tolist()) for a, b in zip(paths.offsets[:-1], paths.offsets[1:], strict=True)}
    assert ways == {(0, 3), (1, 2)}
    nobody = find_paths(graph, np.zeros((4, 1), int), graph.edges)
    assert (nobody.identity == NOBODY).all()
    assert len(nobody.node) == 4


@pytest.mark.parametrize(("kind", "accuracy"), [("strong", 1.0), ("weak", 0.8), ("weak", 0.5), ("weak", 0.3)])
def test_of_those_at_a_confidence_that_share_is_right(kind, accuracy):
    figures = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        graph, truth = simulate_graph(12, 12_000, rng)
        scores = simulate_scores(graph, truth, kind, rng, accuracy)
        informed, members = graph.animals == 1, np.ones(12, np.int64)
        costs = learn_costs(graph, scores, informed, members, gap_frames=GAP_FRAMES, body_length_px=20)
        gaps = gap_edges(graph, gap_frames=GAP_FRAMES, body_length_px=20, reach_px_per_frame=5, costs=costs)
        found = solve_identities(graph, scores, *gaps, informed=informed, members=members, costs=costs)
        held = found.held > 0
        assert truth[held].mean() > 0.95
        figures.append((found.confidence[held], truth[held]))
    confidence, right = (np.concatenate(part) for part in zip(*figures, strict=True))
    assert calibration_error(confidence, right, np.ones(len(right))) <= 0.02
