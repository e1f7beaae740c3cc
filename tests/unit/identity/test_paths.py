"""Which path an animal is on, which way it turned, and who it can be while others are seen elsewhere."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.propagate import CLASSIFIED
from herdbook.identity.confidence import confidences, find_paths
from herdbook.identity.doubts import find_spans
from herdbook.identity.graph import Costs
from herdbook.identity.keeping import _turn
from tests.support.graphs import NO_GAPS, make_graph
from tests.support.identity_cases import Body, RecordingFiles, Track


def paths_of(spans, edges) -> set[tuple[int, ...]]:
    """The paths of two members of a class, of whom one is in each of the tracklets."""
    graph = make_graph(spans, edges)
    paths = find_paths(graph, np.ones((len(spans), 1), np.int64), graph.edges)
    return {tuple(paths.node[a:b].tolist()) for a, b in pairwise(paths.offsets.tolist())}


@pytest.mark.parametrize(("spans", "first", "second"), [([(0, 9), (0, 19)], (0,), (1, 2)), ([(0, 19), (0, 9)], (0, 2), (1,))])
def test_without_a_link_the_one_that_ended_last_goes_on(spans, first, second):
    assert paths_of([*spans, (30, 39)], []) == {first, second}


def test_a_link_leads_on_also_from_the_one_that_ended_first():
    assert paths_of([(0, 9), (0, 19), (30, 39)], [(0, 2)]) == {(0, 2), (1,)}
    assert paths_of([(0, 19), (0, 9), (30, 39)], [(1, 2)]) == {(0,), (1, 2)}


def test_of_two_links_that_of_the_one_that_ended_last_counts():
    assert paths_of([(0, 9), (0, 19), (30, 39)], [(0, 2), (1, 2)]) == {(0,), (1, 2)}


@pytest.mark.parametrize(("first", "last"), [(0, 9), (90, 99)], ids=["it leaves", "it comes"])
def test_a_name_that_comes_or_goes_inside_of_the_view_costs_that(first, last):
    # The long one holds nobody, and shows only how long the recording is.
    spans = sorted([(0, 99), (first, last)])
    mine = spans.index((first, last))
    graph = make_graph(spans, animals=np.eye(2, dtype=int)[mine])
    scores, held = np.zeros((2, 1)), np.zeros((2, 1), int)
    scores[mine], held[mine] = 7.0, 1
    confidence = confidences(graph, scores, held, Costs(away_at_end=6.0).of_paths(graph, *NO_GAPS))
    assert confidence[mine, 0] == pytest.approx(1 / (1 + np.exp(-(7.0 - 6.0))), abs=1e-5)


@pytest.mark.parametrize(
    ("before", "after", "turned"),
    [((3, 0), (5, 0), 0.0), ((3, 0), (0, 2), 0.5), ((3, 0), (-1, 0), 1.0), ((1, 1), (1, 0), (1 - 0.5**0.5) / 2), ((3, 0), (0, 0), 0.5)],
    ids=["straight on", "to the side", "right round", "half to the side", "stands still"],
)
def test_a_turn_is_the_share_of_a_right_round_one(before, after, turned):
    assert _turn(np.array(before, float), np.array(after, float), 10.0) == pytest.approx(turned)


@pytest.mark.parametrize(("is_group", "rest"), [(False, [0.5, 0.0, 0.5]), (True, [0.5, 0.25, 0.25])])
def test_who_is_seen_elsewhere_is_nobody_else_but_another_member_of_a_group_may_be(is_group, rest):
    graph = make_graph([(0, 99), (50, 149), (150, 199)])
    held = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    confidence = np.array([[0, 1, 0], [0.5, 0, 0], [0, 0, 0]], np.float32)
    how = np.full((3, 3), CLASSIFIED, np.uint8)
    spans = find_spans(graph, held, confidence, how, np.zeros((3, 3), np.float32), np.array([False, is_group, False]))
    (mine,) = [span for span in spans if span.column == 0]
    assert mine.probability.tolist() == pytest.approx(rest)
    # Afterwards anybody may be there, or somebody unknown.
    (later,) = [span for span in spans if span.column == -1]
    assert later.probability.tolist() == pytest.approx([0.25] * 3)


def test_facts_that_contradict_each_other_are_told_by_the_frames_of_their_movie(tmp_path: Path, capsys):
    made = RecordingFiles(tmp_path, ["A", "B"])
    made.add([Track(0, 9, (Body(30, 30),))], 10, [None])
    made.add([Track(3, 9, (Body(30, 30),), border=True)], 10, [None])
    with pytest.raises(SystemExit):
        made.identities(facts=["m2,5,30,30,is,A,", "m2,6,30,30,is,B,"])
    told = capsys.readouterr().err
    assert "m2, frames 3 to 9" in told
    assert "holds one animal" in told
