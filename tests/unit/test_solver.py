from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from herdbook.solver import ENTER_COST, GAP_COST, LABEL_GAIN, PRUNE, Graph, candidates, gap_edges, solve_identities, unary_scores

A, B, C = range(3)


def make_graph(spans: Sequence[tuple[int, int]], edges=(), animals=None, start=None, end=None, border=None) -> Graph:
    """A graph of tracklets (first, last), all at one place unless told."""
    count = len(spans)
    first, last = np.array(spans, np.int64).reshape(-1, 2).T
    place = np.zeros((count, 2))
    return Graph(
        first=first,
        last=last,
        animals=np.ones(count, np.int64) if animals is None else np.array(animals, np.int64),
        edges=np.array(edges, np.int64).reshape(-1, 2),
        start_xy=place if start is None else np.array(start, float),
        end_xy=place if end is None else np.array(end, float),
        border=np.zeros((count, 2), bool) if border is None else np.array(border, bool),
        free=np.zeros((count, 2), bool),
        part=np.zeros(count, np.int64),
    )


def solve(graph: Graph, evidence, *, labelled=None, window: int = 1000, gaps=None) -> np.ndarray:
    """Who is where; a row of evidence that is all zero counts as none."""
    evidence = np.array(evidence, float)
    marks = np.full(len(graph), -1, np.int16)
    for tracklet, identity in (labelled or {}).items():
        marks[tracklet] = identity
    informed = (evidence != 0).any(axis=1) | (marks >= 0)
    pairs, costs = (np.zeros((0, 2), np.int64), np.zeros(0)) if gaps is None else gaps
    return solve_identities(graph, unary_scores(evidence, marks), informed, pairs, costs, window=window).held


def told(held: np.ndarray) -> list[str]:
    """The identities of each tracklet as letters."""
    return ["".join("ABCDEFGH"[k] for k in np.flatnonzero(row)) for row in held]


def random_case(seed: int, tracklets: int = 5, identities: int = 3):
    """A random graph with links between tracklets that follow each other, random gaps, and evidence for some of them."""
    rng = np.random.default_rng(seed)
    first = np.sort(rng.integers(0, 25, tracklets))
    last = first + rng.integers(0, 12, tracklets)
    after = [(a, b) for a, b in product(range(tracklets), repeat=2) if last[a] < first[b]]
    kind = rng.integers(0, 3, len(after))
    graph = make_graph(
        list(zip(first, last, strict=True)),
        [pair for pair, k in zip(after, kind, strict=True) if k == 0],
        rng.integers(1, 3, tracklets),
        border=rng.random((tracklets, 2)) < 0.3,
    )
    gaps = np.array([pair for pair, k in zip(after, kind, strict=True) if k == 1], np.int64).reshape(-1, 2)
    evidence = rng.normal(0, 5, (tracklets, identities))
    evidence[rng.random(tracklets) < 0.3] = 0
    return graph, evidence, (gaps, rng.uniform(1, 4, len(gaps)))


def path_values(graph: Graph, score: np.ndarray, links: dict[tuple[int, int], float]) -> np.ndarray:
    """Best value of each set of tracklets (as a bit mask) for one identity, minus infinity where two are simultaneous."""
    come = np.where(graph.first == graph.first.min(), 0, np.where(graph.border[:, 0], ENTER_COST / 2, ENTER_COST))
    go = np.where(graph.last == graph.last.max(), 0, np.where(graph.border[:, 1], ENTER_COST / 2, ENTER_COST))
    values = np.full(2 ** len(graph), -np.inf)
    for mask in range(2 ** len(graph)):
        mine = [k for k in range(len(graph)) if mask >> k & 1]
        if any(graph.first[b] <= graph.last[a] and graph.first[a] <= graph.last[b] for a, b in combinations(mine, 2)):
            continue
        # What each link saves: the way out of its parent and the way into its child.
        saved = np.zeros((len(mine), len(mine)))
        for (i, a), (j, b) in product(enumerate(mine), repeat=2):
            saved[i, j] = max(0.0, go[a] + come[b] - links.get((a, b), np.inf))
        best = saved[linear_sum_assignment(saved, maximize=True)].sum()
        values[mask] = score[mine].sum() - come[mine].sum() - go[mine].sum() + best
    return values


def best_by_enumeration(graph: Graph, scores: np.ndarray, allowed: np.ndarray, links: dict[tuple[int, int], float]):
    """The greatest value of all assignments, and a function that gives the value of any."""
    count, identities = scores.shape
    values = np.array([path_values(graph, scores[:, k], links) for k in range(identities)])
    bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    for k in range(identities):
        values[k, (bits > allowed[:, k]).any(axis=1)] = -np.inf
    best = -np.inf
    for choice in product(*(np.flatnonzero(values[k] > -np.inf) for k in range(identities))):
        if (bits[list(choice)].sum(axis=0) <= graph.animals).all():
            best = max(best, sum(values[k, mask] for k, mask in enumerate(choice)))

    def value(held: np.ndarray) -> float:
        return float(sum(values[k, int(2 ** np.arange(count) @ held[:, k])] for k in range(identities)))

    return best, value


@pytest.mark.parametrize("seed", range(25))
def test_no_assignment_is_better_than_the_one_found(seed):
    graph, evidence, (gaps, costs) = random_case(seed)
    scores = unary_scores(evidence, np.full(len(graph), -1, np.int16))
    informed = (evidence != 0).any(axis=1)
    allowed = candidates(graph, scores, informed, np.concatenate([graph.edges, gaps]))
    links = {tuple(pair): 0.0 for pair in graph.edges.tolist()} | dict(zip(map(tuple, gaps.tolist()), costs.tolist(), strict=True))
    best, value = best_by_enumeration(graph, scores, allowed, links)
    solution = solve_identities(graph, scores, informed, gaps, costs, window=1000)
    assert (solution.held.sum(axis=1) <= graph.animals).all()
    assert value(solution.held) == pytest.approx(best, abs=1e-3 * max(1, abs(best)))
    assert solution.gap <= 1e-4


@pytest.mark.parametrize("window", [6, 1000])
@pytest.mark.parametrize("seed", range(12))
def test_no_identity_is_in_two_simultaneous_tracklets_and_no_tracklet_holds_too_many(seed, window):
    graph, evidence, gaps = random_case(100 + seed, tracklets=24, identities=5)
    held = solve(graph, evidence, gaps=gaps, window=window)
    assert held.any()
    assert (held.sum(axis=1) <= graph.animals).all()
    for a, b in combinations(range(len(graph)), 2):
        if graph.first[b] <= graph.last[a]:
            assert not (held[a] & held[b]).any()


def test_an_identity_without_evidence_is_found_by_elimination_through_a_merge():
    # Three animals merge; two are read again after it, the third has no readable image.
    spans = [(0, 9), (0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (20, 29)]
    edges = [(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)]
    graph = make_graph(spans, edges, [1, 1, 1, 3, 1, 1, 1])
    evidence = np.zeros((7, 3))
    evidence[0, A] = evidence[1, B] = evidence[2, C] = evidence[4, B] = evidence[6, A] = 8
    assert told(solve(graph, evidence)) == ["A", "B", "C", "ABC", "B", "C", "A"]


def test_movement_overrules_weak_evidence():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (10, 19)], [(0, 2), (1, 3)])
    evidence = [[9, 0], [0, 9], [0, 2], [2, 0]]
    assert told(solve(graph, evidence)) == ["A", "B", "A", "B"]


def test_strong_evidence_overrules_movement():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (10, 19)], [(0, 2), (1, 3)])
    assert told(solve(graph, [[17, 0], [0, 17], [0, 17], [17, 0]])) == ["A", "B", "B", "A"]


def test_a_label_outweighs_all_images():
    graph = make_graph([(0, 9)])
    assert told(solve(graph, [[30, 0]], labelled={0: B})) == ["B"]
    assert told(solve(graph, [[30, 0]], labelled={0: 2})) == [""], "a label that is no identity leaves nobody"


def test_labels_are_certain_in_the_scores():
    scores = unary_scores(np.array([[3.0, -1.0], [3.0, -1.0]]), np.array([-1, 1], np.int16))
    assert scores[0, 0] - scores[0, 1] == pytest.approx(4)
    assert scores[1].tolist() == [-LABEL_GAIN, LABEL_GAIN]


def test_what_all_evidence_speaks_against_stays_unknown():
    graph = make_graph([(0, 9), (10, 19), (20, 29)], [(0, 1), (1, 2)])
    assert told(solve(graph, [[9, 0], [-20, -20], [9, 0]])) == ["A", "", "A"]
    assert told(solve(graph, [[9, 0], [-2, -2], [9, 0]])) == ["A", "A", "A"]


def test_a_tracklet_holds_no_more_identities_than_animals():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (20, 29), (20, 29)], [(0, 2), (1, 2), (2, 3), (2, 4)], [1, 1, 1, 1, 1])
    held = solve(graph, [[9, 0], [0, 9], [0, 0], [9, 0], [0, 9]])
    assert told(held)[:2] == ["A", "B"]
    assert held[2].sum() == 1


@pytest.mark.parametrize(
    ("evidence", "border", "name"),
    [(8.0, False, ""), (8.0, True, "A"), (14.0, False, "A")],
    ids=["too weak", "at the border", "strong enough"],
)
def test_coming_and_going_inside_the_view_costs_more_than_at_its_border(evidence, border, name):
    spans = [(0, 10), (50, 60), (0, 100)]
    ends = [[False, False], [border, border], [False, False]]
    graph = make_graph(spans, border=ends)
    order = np.argsort(graph.first, kind="stable")
    graph = make_graph([spans[k] for k in order], border=[ends[k] for k in order])
    held = solve(graph, np.array([[20, 0], [evidence, 0], [0, 20]])[order])
    assert told(held)[int(np.flatnonzero(order == 1)[0])] == name


def test_a_gap_is_cheaper_than_leaving_and_entering():
    graph = make_graph([(0, 10), (15, 30), (31, 40)], [(1, 2)])
    evidence = np.array([[9.0, 0], [0, 0], [0, 0]])
    gaps = gap_edges(graph, gap_frames=20, body_length_px=10, reach_px_per_frame=2)
    assert told(solve(graph, evidence, gaps=gaps)) == ["A", "A", "A"]
    assert told(solve(graph, evidence)) == ["A", "", ""]


def gaps_between(end, start, wait: int, **graph):
    pair = make_graph([(0, 10), (10 + wait, 40)], start=[(0, 0), start], end=[end, (0, 0)], **graph)
    return gap_edges(pair, gap_frames=20, body_length_px=10, reach_px_per_frame=2)


@pytest.mark.parametrize(("wait", "linked"), [(1, True), (20, True), (21, False), (0, False)])
def test_gaps_reach_only_as_far_in_time_as_told(wait, linked):
    pairs, costs = gaps_between((0, 0), (5, 0), wait)
    assert pairs.tolist() == [[0, 1]] * linked
    assert len(costs) == linked


@pytest.mark.parametrize(("distance", "wait", "linked"), [(31, 1, True), (33, 1, False), (33, 2, True), (69, 20, True), (71, 20, False)])
def test_gaps_reach_only_as_far_as_an_animal_can_walk(distance, wait, linked):
    pairs, _ = gaps_between((100, 50), (100, 50 + distance), wait)
    assert pairs.tolist() == [[0, 1]] * linked


def test_a_gap_costs_more_the_farther_and_the_longer_it_is():
    (near,), (far,), (late,) = (gaps_between((0, 0), (d, 0), w)[1] for d, w in ((0, 1), (20, 1), (0, 15)))
    assert GAP_COST < near < late < near + 1 < far


def test_no_gap_begins_where_every_animal_goes_on():
    spans = [(0, 9), (10, 20), (11, 20)]
    assert gap_edges(make_graph(spans, [(0, 1)]), gap_frames=20, body_length_px=10, reach_px_per_frame=2)[0].tolist() == []
    one_is_lost = make_graph(spans, [(0, 1)], [2, 1, 1])
    assert gap_edges(one_is_lost, gap_frames=20, body_length_px=10, reach_px_per_frame=2)[0].tolist() == [[0, 2]]


def test_candidates_are_what_evidence_and_neighbours_allow():
    graph = make_graph([(0, 9), (10, 19), (20, 29), (30, 39)], [(0, 1), (1, 2)])
    scores = np.array([[0, -PRUNE - 1, -1], [0, 0, 0], [0, 0, 0], [0, 0, 0]], float)
    allowed = candidates(graph, scores, np.array([True, False, False, False]), graph.edges)
    assert told(allowed) == ["AC", "AC", "AC", ""]
    no_identity = unary_scores(np.zeros((1, 3)), np.array([5], np.int16))
    assert told(candidates(make_graph([(0, 9)]), no_identity, np.array([True]), np.zeros((0, 2), np.int64))) == [""]


def chain_of_merges(pieces: int):
    """Two animals that merge and part again and again, read in every third piece between."""
    spans, edges, animals, evidence = [], [], [], []
    for k in range(pieces):
        here = len(spans)
        spans += [(20 * k, 20 * k + 9), (20 * k, 20 * k + 9), (20 * k + 10, 20 * k + 19)]
        edges += [(here, here + 2), (here + 1, here + 2)]
        edges += [(here - 1, here), (here - 1, here + 1)] if k else []
        animals += [1, 1, 2]
        swapped = k % 2
        read = k % 3 == 0
        evidence += [[8 * read * (1 - swapped), 8 * read * swapped], [8 * read * swapped, 8 * read * (1 - swapped)], [0, 0]]
    return make_graph(spans, edges, animals), np.array(evidence, float)


@pytest.mark.parametrize("window", [2, 7, 10, 40])
def test_windows_give_the_solution_of_one_window(window):
    graph, evidence = chain_of_merges(20)
    whole, parts = solve(graph, evidence), solve(graph, evidence, window=window)
    sure = (evidence != 0).any(axis=1) | (graph.animals == 2)
    np.testing.assert_array_equal(parts[sure], whole[sure])
    assert (whole[evidence > 0]).all()
    assert (parts.sum(axis=1) == graph.animals).all()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_window_looks_ahead_before_its_answer_stands(swapped):
    # Who left the merge by which way is read only in the last two tracklets, beyond the first window.
    spans = [(0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (40, 49), (40, 49)]
    graph = make_graph(spans, [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 6)], [1, 1, 2, 1, 1, 1, 1])
    evidence = np.zeros((7, 2))
    evidence[0, A] = evidence[1, B] = evidence[5, B if swapped else A] = evidence[6, A if swapped else B] = 8
    ways = ["B", "A"] if swapped else ["A", "B"]
    assert told(solve(graph, evidence, window=5)) == ["A", "B", "AB", *ways, *ways]


def test_a_window_of_one_tracklet_comes_to_an_end():
    graph, evidence = chain_of_merges(2)
    assert told(solve(graph, evidence, window=1))[:3] == ["A", "B", "AB"]


def test_an_animal_that_rests_through_all_windows_is_nowhere_else():
    # C rests in one long tracklet; the fragments of A look a little more like C.
    fragments = [(10 * k, 10 * k + 9) for k in range(20)]
    graph = make_graph([(0, 199), *fragments], [(k, k + 1) for k in range(1, 20)])
    evidence = np.array([[0, 0, 30], *([[5, 0, 6]] * 20)], float)
    assert told(solve(graph, evidence)) == ["C", *["A"] * 20]
    assert told(solve(graph, evidence, window=4)) == ["C", *["A"] * 20]


def test_the_same_recording_gives_the_same_solution():
    graph, evidence, gaps = random_case(7, tracklets=20)
    np.testing.assert_array_equal(solve(graph, evidence, gaps=gaps), solve(graph, evidence, gaps=gaps))


def test_a_recording_without_animals_has_no_identities():
    graph = make_graph([])
    pairs, costs = gap_edges(graph, gap_frames=10, body_length_px=10, reach_px_per_frame=1)
    assert solve(graph, np.zeros((0, 2)), gaps=(pairs, costs)).shape == (0, 2)
