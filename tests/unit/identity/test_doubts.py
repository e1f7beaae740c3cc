"""The review list: what is in doubt is on it, best first, at a place that can be answered, and an answer settles it."""

from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.propagate import CLASSIFIED, LABELLED
from herdbook.experiment.sheets.facts import FACT_COLUMNS, read_facts
from herdbook.identity.doubts import DOUBT_COLUMNS, Doubt, find_spans, read_doubts, write_doubts
from herdbook.naming.recordings import doubts_path
from tests.support.graphs import make_graph
from tests.support.identity_cases import Body, RecordingFiles, Track, who_where

LEFT, RIGHT = Body(30, 30), Body(120, 90)


def chain(lengths, animals=None):
    """The graph of tracklets that follow each other."""
    last = np.cumsum(lengths) - 1
    return make_graph(list(zip(last - lengths + 1, last, strict=True)), animals=animals)


def spans_of(lengths, confidence, *, how=None, animals=None, group=False, held=1):
    graph = chain(np.array(lengths), animals)
    n = len(lengths)
    members = np.zeros((n, 2), np.int64)
    members[:, 0] = held
    sure = np.zeros((n, 2), np.float32)
    sure[:, 0] = confidence
    ways = np.full((n, 2), CLASSIFIED, np.uint8)
    ways[list(how or ()), 0] = LABELLED
    return find_spans(graph, members, sure, ways, np.zeros((n, 2), np.float32), np.array([group, False]))


def test_a_span_reaches_from_one_sure_tracklet_to_the_next():
    (span,) = spans_of([10, 20, 30, 40, 10], [1.0, 0.9, 0.5, 0.8, 1.0])
    assert span.rows.tolist() == [1, 2, 3]
    assert span.gain == pytest.approx(20 * 0.1 + 30 * 0.5 + 40 * 0.2, rel=1e-5)
    assert span.look == 2


def test_what_is_labelled_or_sure_is_in_no_span():
    assert spans_of([500, 500], [0.9995, 0.2], how=[1]) == []


def test_spans_with_more_to_gain_come_first():
    spans = spans_of([10, 10, 100, 10, 1000], [0.6, 1.0, 0.9, 1.0, 0.98])
    assert [span.rows.tolist() for span in spans] == [[4], [2], [0]]
    assert [span.gain for span in spans] == sorted((span.gain for span in spans), reverse=True)


def test_the_place_to_look_at_is_an_animal_alone():
    spans = spans_of([50, 20, 10], [0.5, 0.6, 0.6], animals=[2, 1, 1])
    assert [span.look for span in spans if span.column == 0] == [1]


def test_of_a_group_each_tracklet_is_a_span_of_its_own():
    assert sorted(span.rows.tolist() for span in spans_of([10, 20], [0.5, 0.5], group=True)) == [[0], [1]]


def test_what_nobody_can_be_is_not_worth_a_look():
    graph = chain(np.array([10, 10]))
    nothing, ways = np.zeros((2, 2), np.int64), np.zeros((2, 2), np.uint8)
    scores = np.array([[-np.inf, -np.inf], [2.0, 0.0]], np.float32)
    (span,) = find_spans(graph, nothing, nothing.astype(np.float32), ways, scores, np.zeros(2, bool))
    assert (span.rows.tolist(), span.column) == ([1], -1)
    assert span.gain < 10
    assert span.probability[0] > span.probability[1] > 0


@pytest.fixture
def swapped(tmp_path: Path) -> RecordingFiles:
    """A and B meet and part; afterwards their images say little, and rather the wrong thing for the second half of the recording."""
    made = RecordingFiles(tmp_path, ["A", "B"])
    tracks = [Track(0, 9, (LEFT,)), Track(0, 9, (RIGHT,)), Track(10, 14, (Body(60, 60), Body(80, 60)), animals=2)]
    tracks += [Track(15, 59, (LEFT,)), Track(15, 59, (RIGHT,))]
    evidence = [{"A": 12.0, "B": -3.0}, {"B": 12.0, "A": -3.0}, None, {"A": 0.3, "B": -0.3}, None]
    made.add(tracks, 60, evidence, edges=[(0, 2), (1, 2), (2, 3), (2, 4)])
    return made


def test_a_row_of_the_list_is_a_fact_that_settles_its_span(swapped: RecordingFiles) -> None:
    before = swapped.identities()
    assert who_where(before)[3] == "A"
    doubts = read_doubts(doubts_path(swapped.folder / "day1.h5"), "propagate")
    assert {(doubt.assigned, doubt.from_frame, doubt.to_frame) for doubt in doubts[:2]} == {("A", 15, 59), ("B", 15, 59)}
    assert doubts[0].others.startswith({"A": "B", "B": "A"}[doubts[0].name])
    assert doubts[0].frames == 45
    text = doubts_path(swapped.folder / "day1.h5").read_text(encoding="utf-8").splitlines()
    assert text[0].startswith(",".join(FACT_COLUMNS))
    assert read_facts(doubts_path(swapped.folder / "day1.h5"), ["m1"], ["A", "B"])[0].name == doubts[0].name
    other = {"A": "B", "B": "A"}[doubts[0].name]
    answer = text[1].replace(f",is,{doubts[0].name},", f",is,{other},")
    after = swapped.identities(facts=[answer])
    assert (who_where(after)[3], who_where(after)[4]) == ("B", "A")
    assert read_doubts(doubts_path(swapped.folder / "day1.h5"), "propagate") == []


def test_the_expected_error_of_a_span_is_that_of_its_confidence(swapped: RecordingFiles) -> None:
    found = swapped.identities()
    doubts = read_doubts(doubts_path(swapped.folder / "day1.h5"), "propagate")
    row = (found.tracklet == 3) & (found.individual == 0)
    mine = next(doubt for doubt in doubts if doubt.assigned == "A")
    assert mine.gain == pytest.approx(45 * (1 - found.confidence[row][0]), abs=0.1)
    assert mine.probability == pytest.approx(found.confidence[row][0], abs=0.001)


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    doubt = Doubt("m1", 7, 1.5, 2.0, "is", "A b", "", "A b", 0.5, 'B 0.25; "C" 0.25', "m1", 3, "m2", 9, 12, 6.0)
    write_doubts(tmp_path / "doubtful.csv", [doubt])
    assert read_doubts(tmp_path / "doubtful.csv", "export") == [doubt]
    assert (tmp_path / "doubtful.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(DOUBT_COLUMNS)
