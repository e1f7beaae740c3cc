"""What images say of animals that are followed from one movie into the next."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.contradictions import contradicts, image_contradictions, jumping_names
from herdbook.identity.recording import join_movies
from tests.support.identity_cases import Body, RecordingFiles, Track


class DrawnGraph(SimpleNamespace):
    """The columns of a graph that are needed."""

    def __len__(self):
        return len(self.animals)


def followed(before, after, *, sure=6.0, edges=None, animals=None):
    """Two movies: the names (columns) that images give to tracklets that end the first one, and to those that begin the second."""
    number = len(before)
    evidence = np.zeros((2 * number, 4), np.float32)
    evidence[np.arange(2 * number), [*before, *after]] = sure
    graph = DrawnGraph(
        animals=np.ones(2 * number, np.int64) if animals is None else np.array(animals),
        edges=np.array([(k, k + number) for k in range(number)] if edges is None else edges),
    )
    recording = SimpleNamespace(graph=graph, movie=np.repeat([0, 1], number), start_frame=np.zeros(2))
    return image_contradictions(recording, SimpleNamespace(evidence=evidence, informed=np.ones(2 * number, bool)))


def test_images_that_agree_contradict_nothing():
    found = followed([0, 1, 2, 3], [0, 1, 2, 3])
    assert found.pairs.tolist() == [0, 4]
    assert found.contradicted.tolist() == [0, 0]
    assert not contradicts(0, float(found.expected[1]))


def test_two_animals_that_exchange_their_looks_are_found():
    found = followed([0, 1, 2, 3], [1, 0, 2, 3])
    assert found.contradicted.tolist() == [0, 2]


def test_answers_that_are_not_sure_and_merged_animals_do_not_count():
    assert followed([0, 1], [1, 0], sure=1.0).contradicted.tolist() == [0, 0]
    assert followed([0, 1], [1, 0], animals=[1, 2, 1, 1]).pairs.tolist() == [0, 1]
    assert followed([0, 1], [1, 0], edges=[(0, 2), (1, 2)]).pairs.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("contradicted", "expected", "so"), [(2, 0.1, True), (1, 0.1, False), (1, 0.009, True), (2, 1.0, False), (0, 0, False)]
)
def test_more_than_chance_explains(contradicted, expected, so):
    assert contradicts(contradicted, expected) is so


LANES = [Body(30, 30 * (k + 1)) for k in range(4)]


def names_along(folder, tracks, edges, held, *, border=(), frames=(20, 20)):
    """Jumps at the seam of two movies with these tracks and edges; `held` are the names (columns) in each tracklet of both."""
    made = RecordingFiles(folder, ["A", "B", "C", "D"])
    made.add(tracks[0], frames[0], edges=edges[0])
    made.add(tracks[1], frames[1], edges=edges[1], border_edges=border)
    parts, blobs = [Tracklets.load(path) for path in made.tracklets], [Blobs.load(path) for path in made.blobs]
    recording = join_movies(parts, blobs, [4])
    table = np.zeros((len(recording.graph), 4), np.int64)
    for movie, names in enumerate(held):
        for tracklet, mine in enumerate(names):
            table[recording.rows_of(movie)[tracklet], list(mine)] = 1
    return jumping_names(recording, table, np.full(table.shape, 0.99))


def alone(folder, before, after):
    """Four animals that are alone all the time, followed across the seam."""
    tracks = [Track(0, 19, (lane,)) for lane in LANES]
    seam = [(4 * 19 + k, k) for k in range(4)]
    return names_along(folder, [tracks, tracks], [(), ()], [[[k] for k in before], [[k] for k in after]], border=seam)


def test_names_that_go_on_do_not_jump_and_exchanged_ones_do(tmp_path):
    (tmp_path / "same").mkdir()
    (tmp_path / "other").mkdir()
    assert alone(tmp_path / "same", range(4), range(4)).contradicted.tolist() == [0, 0]
    found = alone(tmp_path / "other", range(4), [1, 0, 2, 3])
    assert (found.pairs.tolist(), found.contradicted.tolist()) == ([0, 4], [0, 2])
    assert contradicts(2, float(found.expected[1]))


def test_what_jumps_across_a_seam_is_not_counted_among_the_jumps_elsewhere(tmp_path):
    """A and B in one blob, C and D in another one, from before the seam until after it; there A and C are exchanged."""
    before = [*(Track(0, 14, (lane,)) for lane in LANES), Track(15, 19, LANES[:2], animals=2), Track(15, 19, LANES[2:], animals=2)]
    after = [Track(0, 4, LANES[:2], animals=2), Track(0, 4, LANES[2:], animals=2), *(Track(5, 19, (lane,)) for lane in LANES)]
    edges = [(0, 4), (1, 4), (2, 5), (3, 5)], [(0, 2), (0, 3), (1, 4), (1, 5)]
    held = [[[0], [1], [2], [3], [0, 1], [2, 3]], [[2, 1], [0, 3], [2], [1], [0], [3]]]
    seam = [(4 * 15 + 2 * 4 + k, k) for k in range(2)]
    found = names_along(tmp_path, [before, after], edges, held, border=seam)
    assert (found.pairs.tolist(), found.contradicted.tolist()) == ([0, 4], [0, 2])
    # Of 100 moments in 40 frames, 65 lie in the frames 1 to 25, before which each name is sure of an animal, and after which it is again.
    assert found.expected[1] == pytest.approx(4 * 0.5 / (4 * 65)), "no jump was seen elsewhere, and half a jump is added"
