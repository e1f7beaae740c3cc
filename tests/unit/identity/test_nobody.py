"""Names that the evidence speaks against, and what a person's answer to such a doubt is worth."""

import numpy as np
import pytest

from herdbook.artifacts.propagate import CLASSIFIED
from herdbook.identity.confidence import confidences
from herdbook.identity.doubts import find_spans
from herdbook.identity.exchanges import MOST_LOG_ODDS
from herdbook.identity.graph import Costs
from tests.support.graphs import NO_GAPS, make_graph


@pytest.mark.parametrize("gain", [2.0, 0.5, -0.5, -3.0])
def test_a_name_is_as_likely_as_its_gain_says_also_where_that_is_a_loss(gain):
    # From the first frame to the last, so that coming and going cost nothing.
    graph = make_graph([(0, 9)])
    confidence = confidences(graph, np.array([[gain]]), np.array([[1]]), Costs().of_paths(graph, *NO_GAPS))
    assert confidence[0, 0] == pytest.approx(1 / (1 + np.exp(-gain)), abs=1e-5)


def test_the_odds_against_a_name_stay_finite():
    graph = make_graph([(0, 9)])
    confidence = confidences(graph, np.array([[-100.0]]), np.array([[1]]), Costs().of_paths(graph, *NO_GAPS))
    assert confidence[0, 0] == pytest.approx(np.exp(-MOST_LOG_ODDS), rel=1e-3)


def test_a_span_is_worth_what_is_doubtful_in_it_and_never_less_than_nothing():
    # The first holds two members of a group, of whom one is sure; in the third there is room for one more.
    graph = make_graph([(0, 99), (100, 119), (120, 139)], animals=[2, 1, 2])
    held = np.array([[2, 0], [0, 1], [0, 1]])
    confidence = np.array([[0.75, 0], [0, 0.9], [0, 1.0]], np.float32)
    how = np.full((3, 2), CLASSIFIED, np.uint8)
    scores = np.zeros((3, 2), np.float32)
    spans = find_spans(graph, held, confidence, how, scores, np.array([True, False]))
    found = {(span.column, *span.rows.tolist()): span for span in spans}
    assert found[0, 0].gain == pytest.approx(100 * 2 * 0.25)
    assert found[1, 1].gain == pytest.approx(20 * 0.1, rel=1e-5)
    # A member of the group has half of the room: an animal of no name is as likely.
    assert found[-1, 2].gain == pytest.approx(20 * 0.5)
    # Whoever is known to be there is not asked about.
    assert found[-1, 2].probability.tolist() == pytest.approx([0.5, 0.0])
    assert len(spans) == 3
    assert all((span.probability >= 0).all() and span.gain > 0 for span in spans)
