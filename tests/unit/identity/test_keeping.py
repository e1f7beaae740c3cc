"""Numbers kept through contacts by movement alone."""

from types import SimpleNamespace

import numpy as np

from herdbook.identity.keeping import ONWARD_FRAMES, end_velocities, keep_numbers
from tests.support.graphs import NO_GAPS, make_graph


def graph_of(rows, edges):
    """Rows: first, last, animals, start, end."""
    first, last, animals, start, end = ([row[k] for row in rows] for k in range(5))
    return make_graph(list(zip(first, last, strict=True)), edges, animals, start, end)


def velocities(graph):
    speed = (graph.end_xy - graph.start_xy) / np.maximum(graph.last - graph.first, 1)[:, None]
    return np.stack([speed, speed], axis=1)


def crossing():
    """Two animals go straight on through a contact."""
    rows = [
        (0, 9, 1, (0, 50), (45, 52)),
        (0, 9, 1, (100, 50), (55, 48)),
        (10, 12, 2, (50, 50), (50, 50)),
        (13, 22, 1, (57, 52), (100, 54)),
        (13, 22, 1, (43, 48), (0, 46)),
    ]
    return graph_of(rows, [(0, 2), (1, 2), (2, 3), (2, 4)])


def numbers_in(kept, row):
    return set(kept.individual[kept.row == row].tolist())


def test_two_animals_that_cross_keep_their_numbers():
    graph = crossing()
    kept = keep_numbers(graph, velocities(graph), *NO_GAPS, 2, 10.0)
    assert numbers_in(kept, 0) == numbers_in(kept, 3)
    assert numbers_in(kept, 1) == numbers_in(kept, 4)
    assert numbers_in(kept, 2) == {0, 1}
    assert (kept.confidence <= 1).all()
    assert kept.confidence[kept.row == 3] > 0.9


def test_a_contact_without_direction_is_not_sure():
    rows = [(0, 9, 1, (50, 50), (50, 50)), (0, 9, 1, (52, 50), (52, 50)), (10, 12, 2, (51, 50), (51, 50)),
            (13, 22, 1, (51, 49), (51, 49)), (13, 22, 1, (51, 51), (51, 51))]  # fmt: skip
    graph = graph_of(rows, [(0, 2), (1, 2), (2, 3), (2, 4)])
    kept = keep_numbers(graph, velocities(graph), *NO_GAPS, 2, 10.0)
    assert kept.confidence[kept.row >= 3].max() < 0.55


def test_a_lost_animal_is_found_again_over_a_gap_and_by_elimination():
    rows = [(0, 30, 1, (0, 0), (0, 0)), (0, 9, 1, (50, 50), (60, 50)), (12, 18, 1, (62, 50), (70, 50)), (25, 30, 1, (9, 99), (9, 99))]
    graph = graph_of(rows, [])
    kept = keep_numbers(graph, velocities(graph), np.array([[1, 2]]), np.array([1.0]), 2, 10.0)
    assert numbers_in(kept, 1) == numbers_in(kept, 2) == numbers_in(kept, 3)
    assert numbers_in(kept, 0).isdisjoint(numbers_in(kept, 1))


def test_no_number_is_in_two_places_at_once_and_none_is_left_over():
    rng = np.random.default_rng(1)
    rows, edges, alive = [], [], []
    for k in range(4):
        rows.append((0, 5, 1, tuple(rng.random(2) * 100), tuple(rng.random(2) * 100)))
        alive.append(k)
    for step in range(8):
        a, b = rng.choice(4, 2, replace=False)
        begin = 6 + 10 * step
        for k in range(4):
            if k not in (a, b):
                rows[alive[k]] = (*rows[alive[k]][:1], begin + 9, *rows[alive[k]][2:])
        middle = len(rows)
        rows.append((begin, begin + 3, 2, rows[alive[a]][4], rows[alive[b]][4]))
        edges += [(alive[a], middle), (alive[b], middle), (middle, middle + 1), (middle, middle + 2)]
        for k in (a, b):
            rows.append((begin + 4, begin + 9, 1, tuple(rng.random(2) * 100), tuple(rng.random(2) * 100)))
            alive[k] = len(rows) - 1
    graph = graph_of(rows, edges)
    kept = keep_numbers(graph, velocities(graph), *NO_GAPS, 4, 10.0)
    assert set(kept.individual.tolist()) == {0, 1, 2, 3}
    assert np.bincount(kept.row, minlength=len(graph)).tolist() == graph.animals.tolist()
    for number in range(4):
        mine = kept.row[kept.individual == number]
        mine = mine[np.argsort(graph.first[mine])]
        assert (graph.first[mine[1:]] > graph.last[mine[:-1]]).all()


def test_nobody_in_view_gives_nobody():
    graph = graph_of([], [])
    empty = graph.take(np.zeros(0, np.int64))
    assert not len(keep_numbers(empty, np.zeros((0, 2, 2)), *NO_GAPS, 3, 10.0).row)


def test_each_of_two_blobs_inside_of_a_contact_holds_as_many_animals_as_were_counted():
    """Four animals in one blob, which parts into two of two animals each that meet again."""
    before, after = [(0, 9, 1, (k, 0), (k, 0)) for k in range(4)], [(19, 28, 1, (k, 0), (k, 0)) for k in range(4)]
    inside = [(10, 12, 4), (13, 15, 2), (13, 15, 2), (16, 18, 4)]
    graph = graph_of(
        [*before, *((*part, (2, 0), (2, 0)) for part in inside), *after],
        [*((k, 4) for k in range(4)), (4, 5), (4, 6), (5, 7), (6, 7), *((7, k) for k in range(8, 12))],
    )
    kept = keep_numbers(graph, velocities(graph), *NO_GAPS, 4, 10.0)
    assert np.bincount(kept.row).tolist() == graph.animals.tolist()
    assert numbers_in(kept, 5).isdisjoint(numbers_in(kept, 6))


def test_velocities_are_those_of_the_movie_of_a_tracklet_at_both_of_its_ends():
    """One animal in the first movie; in the second one at rest, and one that turns off after ONWARD_FRAMES."""
    x, still = np.arange(4) * 2.0, np.full(11, 50.0)
    turns = np.concatenate([np.zeros(ONWARD_FRAMES), np.arange(ONWARD_FRAMES + 1) * 3.0])
    first = SimpleNamespace(frame=np.arange(4), x=x, y=np.zeros(4))
    second = SimpleNamespace(frame=np.tile(np.arange(11), 2), x=np.concatenate([still, still]), y=np.concatenate([still, turns]))
    tracklets = [SimpleNamespace(blob_rows=lambda: (np.arange(4), np.array([0, 4])))]
    tracklets.append(SimpleNamespace(blob_rows=lambda: (np.arange(22), np.array([0, 11, 22]))))
    recording = SimpleNamespace(graph=range(3), movie=np.array([0, 1, 1]), tracklet=np.array([0, 0, 1]))
    found = end_velocities(recording, [first, second], tracklets)
    assert found.tolist() == [[[2, 0], [2, 0]], [[0, 0], [0, 0]], [[0, 0], [0, 3]]]


def test_a_tracklet_that_only_one_follows_goes_on_in_it():
    graph = graph_of([(0, 9, 1, (0, 0), (9, 0)), (0, 9, 1, (0, 50), (9, 50)), (10, 19, 1, (10, 50), (19, 50))], [(1, 2)])
    kept = keep_numbers(graph, velocities(graph), *NO_GAPS, 2, 10.0)
    assert numbers_in(kept, 1) == numbers_in(kept, 2)
    assert kept.confidence.tolist() == [1, 1, 1]
