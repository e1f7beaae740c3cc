"""Gaps of positions are filled only where the animal can be nobody else."""

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_INTERPOLATED
from herdbook.positions.fills import fill_own_gaps
from herdbook.positions.scene import Positions, Scene

A, B = 0, 1


def scene(tracklets, edges=()):
    """Tracklets (first, last, occupants), and which go on as which."""
    spans = [np.arange(first, last + 1) for first, last, _ in tracklets]
    frame, number = np.concatenate(spans), np.repeat(np.arange(len(spans)), [len(s) for s in spans])
    order = np.argsort(frame, kind="stable")
    frame, number = frame[order], number[order]
    x = 10.0 * number + frame
    parents, children = {}, {}
    for parent, child in edges:
        parents.setdefault(child, []).append(parent)
        children.setdefault(parent, []).append(child)
    occupants = {k: [(who, 0.9) for who in whose] for k, (_, _, whose) in enumerate(tracklets) if whose}
    ones = np.ones(len(tracklets), np.int64)
    return Scene(frame, x, x, 0 * x, number, ones, occupants, parents, children, (4.0, 1.0))


def positions(scene):
    rows = [
        (t, who, x) for t, number, x in zip(scene.frame, scene.tracklet, scene.x, strict=True) for who, _ in scene.occupants.get(number, ())
    ]
    frame, individual, x = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Positions(frame, individual, x, x, 0 * x, np.full(n, 0.9), np.zeros(n, np.uint8))


def filled_frames(scene, most=10):
    found = fill_own_gaps(positions(scene), scene, most)
    return found.frame[found.source == FROM_INTERPOLATED].tolist()


def test_a_gap_in_which_the_animal_was_lost_is_filled():
    assert filled_frames(scene([(0, 5, [A]), (9, 12, [A])])) == [6, 7, 8]


def test_a_gap_longer_than_wanted_is_not():
    assert filled_frames(scene([(0, 5, [A]), (9, 12, [A])]), most=2) == []


@pytest.mark.parametrize("between", [[], [B]], ids=["nobody known", "somebody else"])
@pytest.mark.parametrize("edges", [[(0, 1)], [(1, 2)], [(0, 1), (1, 2)]], ids=["goes on as", "comes from", "both"])
def test_a_gap_in_which_the_blob_is_another_or_unknown_is_not(between, edges):
    assert filled_frames(scene([(0, 5, [A]), (6, 8, between), (9, 12, [A])], edges)) == []


def test_a_blob_that_has_nothing_to_do_with_the_animal_does_not_matter():
    assert filled_frames(scene([(0, 5, [A]), (6, 8, []), (9, 12, [A])])) == [6, 7, 8]


def test_a_blob_that_goes_on_as_the_same_animal_does_not_matter():
    assert filled_frames(scene([(0, 5, [A]), (9, 12, [A])], [(0, 1)])) == [6, 7, 8]


def test_a_refused_gap_leaves_the_others():
    tracklets = [(0, 3, [A]), (4, 5, []), (6, 8, [A]), (11, 14, [A]), (0, 6, [B]), (8, 14, [B])]
    assert filled_frames(scene(tracklets, [(0, 1), (1, 2)])) == [7, 9, 10]


def test_a_table_without_gaps_comes_back():
    whole = scene([(0, 5, [A])])
    table = positions(whole)
    assert fill_own_gaps(table, whole, 5) is table
