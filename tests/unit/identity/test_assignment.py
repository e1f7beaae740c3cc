"""Who is in which tracklet: against enumeration of all assignments, on graphs whose answer is known, and at random."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from herdbook.identity import assignment, highs
from herdbook.identity.assignment import LABEL_GAIN, NAMED_GAIN, Solution, solve_identities
from herdbook.identity.graph import Costs, Graph, gap_edges
from tests.support.graphs import NO_GAPS, make_graph, optimum, random_recording

A, B, C = range(3)


def gains(evidence, labelled=None) -> np.ndarray:
    """Gains of naming from evidence, and from labels (tracklet: identity)."""
    scores = np.array(evidence, float).reshape(len(evidence), -1) + NAMED_GAIN
    for tracklet, identity in (labelled or {}).items():
        scores[tracklet] = -np.inf
        if identity < scores.shape[1]:
            scores[tracklet, identity] = LABEL_GAIN
    return scores


def solution_of(graph: Graph, evidence, *, labelled=None, gaps=NO_GAPS, members=None) -> Solution:
    """The solution; a row of evidence that is all zero counts as none."""
    scores = gains(evidence, labelled)
    informed = (np.array(evidence, float).reshape(scores.shape) != 0).any(axis=1)
    informed[list(labelled or {})] = True
    members = np.ones(scores.shape[1], np.int64) if members is None else np.array(members, np.int64)
    return solve_identities(graph, scores, *gaps, informed=informed, members=members)


def solve(graph: Graph, evidence, **more) -> np.ndarray:
    """Who is where."""
    return solution_of(graph, evidence, **more).held > 0


def letters(held: np.ndarray) -> list[str]:
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
    come = np.where(graph.first == graph.first.min(), 0, np.where(graph.border[:, 0], Costs().away_at_border, Costs().away))
    go = np.where(graph.last == graph.last.max(), 0, np.where(graph.border[:, 1], Costs().away_at_border, Costs().away))
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


@pytest.fixture
def all_names(monkeypatch):
    """Names are given however unlikely they are, so that the optimum itself is seen."""
    monkeypatch.setattr(assignment, "LEAST_CONFIDENCE", -1.0)


@pytest.mark.parametrize("seed", range(25))
def test_no_assignment_is_better_than_the_one_found(seed, all_names):
    graph, evidence, gaps = random_case(seed)
    links = {tuple(pair): 0.0 for pair in graph.edges.tolist()} | dict(zip(map(tuple, gaps[0].tolist()), gaps[1].tolist(), strict=True))
    best, value = best_by_enumeration(graph, gains(evidence), np.ones(evidence.shape, bool), links)
    solution = solution_of(graph, evidence, gaps=gaps)
    assert (solution.held.sum(axis=1) <= graph.animals).all()
    assert value(solution.held) == pytest.approx(best, abs=1e-4 * max(1, abs(best)))


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_no_identity_is_in_two_simultaneous_tracklets_and_no_tracklet_holds_too_many(seed, windows, request):
    if windows:
        request.getfixturevalue("small_windows")
    graph, evidence, gaps = random_case(100 + seed, tracklets=24, identities=5)
    held = solve(graph, evidence, gaps=gaps)
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
    assert letters(solve(graph, evidence)) == ["A", "B", "C", "ABC", "B", "C", "A"]


def test_movement_overrules_weak_evidence():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (10, 19)], [(0, 2), (1, 3)])
    evidence = [[9, 0], [0, 9], [0, 2], [2, 0]]
    assert letters(solve(graph, evidence)) == ["A", "B", "A", "B"]


def test_strong_evidence_overrules_movement():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (10, 19)], [(0, 2), (1, 3)])
    assert letters(solve(graph, [[17, 0], [0, 17], [0, 17], [17, 0]])) == ["A", "B", "B", "A"]


def test_a_label_outweighs_all_images():
    graph = make_graph([(0, 9)])
    assert letters(solve(graph, [[30, 0]], labelled={0: B})) == ["B"]
    assert letters(solve(graph, [[30, 0]], labelled={0: 2})) == [""], "a label that is no identity leaves nobody"


def test_what_all_evidence_speaks_against_stays_unknown():
    graph = make_graph([(0, 9), (10, 19), (20, 29)], [(0, 1), (1, 2)])
    assert letters(solve(graph, [[9, 0], [-20, -20], [9, 0]])) == ["A", "", "A"]
    assert letters(solve(graph, [[9, 0], [-2, -2], [9, 0]])) == ["A", "A", "A"]


def test_a_tracklet_holds_no_more_identities_than_animals():
    graph = make_graph([(0, 9), (0, 9), (10, 19), (20, 29), (20, 29)], [(0, 2), (1, 2), (2, 3), (2, 4)], [1, 1, 1, 1, 1])
    held = solve(graph, [[9, 0], [0, 9], [0, 0], [9, 0], [0, 9]])
    assert letters(held)[:2] == ["A", "B"]
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
    assert letters(held)[int(np.flatnonzero(order == 1)[0])] == name


def test_a_gap_is_cheaper_than_leaving_and_entering():
    graph = make_graph([(0, 10), (15, 30), (31, 40)], [(1, 2)])
    evidence = np.array([[9.0, 0], [0, 0], [0, 0]])
    gaps = gap_edges(graph, gap_frames=20, body_length_px=10, reach_px_per_frame=2)
    assert letters(solve(graph, evidence, gaps=gaps)) == ["A", "A", "A"]
    assert letters(solve(graph, evidence)) == ["A", "", ""]


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


@pytest.fixture
def small_windows(monkeypatch):
    """Every block is solved in windows of a few tracklets."""
    monkeypatch.setattr(highs, "LARGEST_COLUMNS", 0)
    monkeypatch.setattr(highs, "WINDOW_COLUMNS", 60)


def test_windows_give_the_solution_of_the_whole(monkeypatch, all_names):
    graph, evidence = chain_of_merges(20)
    whole = solve(graph, evidence)
    for columns in (20, 60, 200):
        monkeypatch.setattr(highs, "LARGEST_COLUMNS", 0)
        monkeypatch.setattr(highs, "WINDOW_COLUMNS", columns)
        parts = solve(graph, evidence)
        sure = (evidence != 0).any(axis=1) | (graph.animals == 2)
        np.testing.assert_array_equal(parts[sure], whole[sure])
        assert (parts.sum(axis=1) == graph.animals).all()
    assert (whole[evidence > 0]).all()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_window_looks_ahead_before_its_answer_stands(swapped, small_windows):
    # Who left the merge by which way is read only in the last two tracklets.
    spans = [(0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (40, 49), (40, 49)]
    graph = make_graph(spans, [(0, 2), (1, 2), (2, 3), (2, 4), (3, 5), (4, 6)], [1, 1, 2, 1, 1, 1, 1])
    evidence = np.zeros((7, 2))
    evidence[0, A] = evidence[1, B] = evidence[5, B if swapped else A] = evidence[6, A if swapped else B] = 8
    ways = ["B", "A"] if swapped else ["A", "B"]
    assert letters(solve(graph, evidence)) == ["A", "B", "AB", *ways, *ways]


def test_windows_are_never_better_than_the_bound_allows(small_windows, all_names, monkeypatch):
    for seed in range(10):
        graph, evidence, gaps = random_case(seed, tracklets=20, identities=4)
        path_costs = Costs().of_paths(graph, *gaps)
        found = solution_of(graph, evidence, gaps=gaps)
        monkeypatch.setattr(highs, "LARGEST_COLUMNS", 10**6)
        best = optimum(graph, gains(evidence), np.ones(4, np.int64), path_costs)
        mine = optimum(graph, gains(evidence), np.ones(4, np.int64), path_costs, held=found.held)
        monkeypatch.setattr(highs, "LARGEST_COLUMNS", 0)
        assert best - mine <= found.gap * best + 1e-6


def test_the_bound_of_windows_is_near(monkeypatch):
    monkeypatch.setattr(highs, "LARGEST_COLUMNS", 0)
    monkeypatch.setattr(highs, "WINDOW_COLUMNS", 400)
    # Four animals change places every now and then, with nothing that leads from before to after.
    rng = np.random.default_rng(3)
    spans, edges, evidence = [], [], []
    for stretch in range(10):
        order = rng.permutation(4)
        for k in range(20):
            for animal in range(4):
                edges += [(len(spans) - 4, len(spans))] if k else []
                spans.append((20 * (20 * stretch + k), 20 * (20 * stretch + k) + 19))
                evidence.append(np.where(np.arange(4) == order[animal], 1.4, -4.8) * (rng.random() < 0.9))
    found = solution_of(make_graph(spans, edges), np.array(evidence))
    assert (found.held > 0).any(axis=1).all()
    assert found.gap < 0.05


def test_an_animal_that_rests_through_all_windows_is_nowhere_else():
    # C rests in one long tracklet; the fragments of A look a little more like C.
    fragments = [(10 * k, 10 * k + 9) for k in range(20)]
    graph = make_graph([(0, 199), *fragments], [(k, k + 1) for k in range(1, 20)])
    evidence = np.array([[0, 0, 30], *([[5, 0, 6]] * 20)], float)
    assert letters(solve(graph, evidence)) == ["C", *["A"] * 20]


def test_the_same_recording_gives_the_same_solution():
    graph, evidence, gaps = random_case(7, tracklets=20)
    np.testing.assert_array_equal(solve(graph, evidence, gaps=gaps), solve(graph, evidence, gaps=gaps))


def test_a_recording_without_animals_has_no_identities():
    graph = make_graph([])
    pairs, costs = gap_edges(graph, gap_frames=10, body_length_px=10, reach_px_per_frame=1)
    nobody = solve_identities(graph, np.zeros((0, 2)), pairs, costs, informed=np.zeros(0, bool), members=np.ones(2, np.int64))
    assert nobody.held.shape == nobody.confidence.shape == (0, 2)


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_blocks_give_the_optimum_of_one_programme_over_everything(seed, strong, all_names):
    graph, scores, informed, members, gaps, costs = random_recording(seed, strong)
    path_costs = Costs().of_paths(graph, gaps, costs)
    found = solve_identities(graph, scores, gaps, costs, informed=informed, members=members)
    best = optimum(graph, scores, members, path_costs)
    mine = optimum(graph, scores, members, path_costs, held=found.held)
    assert (found.held.sum(axis=1) <= graph.animals).all()
    assert np.isfinite(scores[found.held > 0]).all(), "nobody is where nobody of that name can be"
    for frame in range(100):
        now = (graph.first <= frame) & (graph.last >= frame)
        assert (found.held[now].sum(axis=0) <= members).all()
    assert mine == pytest.approx(best, rel=1e-4, abs=1e-4)
    assert best - mine <= found.gap * best + 1e-6


@pytest.mark.parametrize("strong", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_beginning_where_another_solution_ended_gives_the_optimum_after_an_answer(seed, strong, all_names):
    graph, scores, informed, members, gaps, costs = random_recording(seed, strong)
    before = solve_identities(graph, scores, gaps, costs, informed=informed, members=members)
    answered = scores.copy()
    rng = np.random.default_rng(seed)
    row, yes, no = rng.integers(len(scores)), *rng.choice(len(members), 2, replace=False)
    answered[row, yes], answered[row, no] = LABEL_GAIN, -np.inf
    # Whoever was a candidate where he cannot be any more is none.
    answered[before.start.let_in & (rng.random(scores.shape) < 0.3)] = -np.inf
    found = solve_identities(graph, answered, gaps, costs, informed=informed, members=members, start=before.start)
    path_costs = Costs().of_paths(graph, gaps, costs)
    best = optimum(graph, answered, members, path_costs)
    assert np.isfinite(answered[found.held > 0]).all()
    assert optimum(graph, answered, members, path_costs, held=found.held) == pytest.approx(best, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("largest", [0, 150_000], ids=["in windows", "as a whole"])
def test_overwhelming_evidence_that_cannot_be_is_opened_again(monkeypatch, largest):
    monkeypatch.setattr(highs, "LARGEST_COLUMNS", largest)
    # The last tracklet says C beyond doubt, yet only A and B went into the merge, and C is seen elsewhere at the time.
    spans = [(0, 9), (0, 9), (0, 60), (10, 19), (20, 29), (20, 29)]
    graph = make_graph(spans, [(0, 3), (1, 3), (3, 4), (3, 5)], [1, 1, 1, 2, 1, 1])
    evidence = np.array([[40, 0, 0], [0, 40, 0], [0, 0, 80], [0, 0, 0], [40, 0, 0], [0, 0, 20]], float)
    assert letters(solve(graph, evidence)) == ["A", "B", "C", "AB", "A", "B"]


def test_several_members_of_a_class_share_a_merged_tracklet():
    spans = [(0, 9), (0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (20, 29)]
    graph = make_graph(spans, [(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)], [1, 1, 1, 3, 1, 1, 1])
    evidence = np.array([[9, 0], [0, 9], [0, 9], [0, 0], [0, 9], [9, 0], [0, 9]], float)
    solution = solution_of(graph, evidence, members=[1, 2])
    assert solution.held.tolist() == [[1, 0], [0, 1], [0, 1], [1, 2], [0, 1], [1, 0], [0, 1]]
    assert solution.confidence[solution.held > 0].min() > 0.99


def test_no_more_members_of_a_class_than_there_are():
    graph = make_graph([(0, 9)] * 3)
    assert solution_of(graph, [[0, 9], [0, 8], [0, 7]], members=[1, 2]).held[:, 1].tolist() == [1, 1, 0]


def test_a_name_that_is_more_likely_wrong_than_right_is_not_given():
    # Three animals come out of a merge, of which nothing is known but who went in.
    spans = [(0, 9), (0, 9), (0, 9), (10, 19), (20, 29), (20, 29), (20, 29)]
    graph = make_graph(spans, [(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)], [1, 1, 1, 3, 1, 1, 1])
    evidence = np.zeros((7, 3))
    evidence[[0, 1, 2], [A, B, C]] = 30
    assert letters(solve(graph, evidence)) == ["A", "B", "C", "ABC", "", "", ""]


def test_the_solution_counts_the_parts_that_were_solved():
    graph, evidence = chain_of_merges(10)
    assert solution_of(graph, evidence * 10).components[0] > 3
    assert solution_of(graph, evidence).components == (1, 30)
