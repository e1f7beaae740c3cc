"""What images say of animals that are followed from one movie into the next."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.identity.contradictions import contradicts, find_contradictions


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
    return find_contradictions(recording, SimpleNamespace(evidence=evidence, informed=np.ones(2 * number, bool)))


def test_images_that_agree_contradict_nothing():
    found = followed([0, 1, 2, 3], [0, 1, 2, 3])
    assert found.pairs.tolist() == [0, 4]
    assert found.contradicted.tolist() == [0, 0]
    assert not contradicts(4, 0, float(found.expected[1]))


def test_two_animals_that_exchange_their_looks_are_found():
    found = followed([0, 1, 2, 3], [1, 0, 2, 3])
    assert found.contradicted.tolist() == [0, 2]


def test_answers_that_are_not_sure_and_merged_animals_do_not_count():
    assert followed([0, 1], [1, 0], sure=1.0).contradicted.tolist() == [0, 0]
    assert followed([0, 1], [1, 0], animals=[1, 2, 1, 1]).pairs.tolist() == [0, 1]
    assert followed([0, 1], [1, 0], edges=[(0, 2), (1, 2)]).pairs.tolist() == [0, 0]


@pytest.mark.parametrize(("pairs", "contradicted", "expected", "so"), [(6, 2, 0.06, True), (6, 1, 0.06, False), (40, 2, 1.0, False)])
def test_more_than_misread_images_explain(pairs, contradicted, expected, so):
    assert contradicts(pairs, contradicted, expected) is so
