"""Animals without names are followed through contacts by where they are."""

import cv2
import numpy as np
import pytest

from herdbook.positions.handing_on import follow_contacts
from herdbook.positions.scene import Scene

AXES = (24, 8)
SHAPE = (160, 200)


def ellipse(place):
    """The pixels of an animal at (x, y, angle)."""
    mask = np.zeros(SHAPE, np.uint8)
    x, y, angle = place
    cv2.ellipse(mask, (round(16 * x), round(16 * y)), (8 * AXES[0], 8 * AXES[1]), np.degrees(angle), 0, 360, 1, -1, cv2.LINE_8, 4)
    return mask > 0


def runs_of_mask(mask):
    """Runs (r, 3) row, first, last column of a mask."""
    runs = []
    for row in np.flatnonzero(mask.any(axis=1)):
        columns = np.flatnonzero(mask[row])
        parts = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
        runs += [(row, part[0], part[-1]) for part in parts]
    return np.array(runs, np.int32)


def meet(one, two):
    """A scene of two animals with these places by frame; they are one blob while their pixels touch. Also the runs of each blob."""
    blobs, runs, inside = [], [], False
    touching = [
        bool((cv2.dilate(ellipse(a).astype(np.uint8), np.ones((3, 3))) > 0)[ellipse(b)].any()) for a, b in zip(one, two, strict=True)
    ]
    first, last = touching.index(True), len(touching) - 1 - touching[::-1].index(True)
    for frame, (a, b) in enumerate(zip(one, two, strict=True)):
        inside = first <= frame <= last
        masks = [ellipse(a) | ellipse(b)] if inside else [ellipse(a), ellipse(b)]
        for number, mask in enumerate(masks):
            y, x = np.nonzero(mask)
            tracklet = 2 if inside else number + (0 if frame < first else 3)
            blobs.append((frame, x.mean(), y.mean(), (a, b)[number][2], tracklet))
            runs.append(runs_of_mask(mask))
    frame, x, y, angle, tracklet = (np.array(column) for column in zip(*blobs, strict=True))
    parents, children = {2: [0, 1], 3: [2], 4: [2]}, {0: [2], 1: [2], 2: [3, 4]}
    variances = (AXES[0] ** 2 / 16, AXES[1] ** 2 / 16)
    return Scene(frame, x, y, angle, tracklet, np.array([1, 1, 2, 1, 1]), {}, parents, children, variances), runs


def ways(one, two):
    scene, runs = meet(one, two)
    return {(found.before, found.after): found.sure for found in follow_contacts(scene, lambda blob: runs[blob])}


def test_animals_that_cross_go_on_as_they_were_going():
    frames = np.arange(30)
    one = [(40 + 4 * t, 40 + 2.6 * t, 0.58) for t in frames]
    two = [(40 + 4 * t, 115 - 2.6 * t, -0.58) for t in frames]
    assert ways(one, two).keys() == {(0, 3), (1, 4)}


def test_animals_that_touch_and_turn_back_are_not_exchanged():
    # They come near, lie side by side, and go back, which an animal that goes on as it was going would not.
    near = np.interp(np.arange(40), [0, 12, 28, 39], [60, 75.5, 75.5, 60])
    one, two = [(100, y, 0.0) for y in near], [(100, 160 - y, 0.0) for y in near]
    found = ways(one, two)
    assert found.keys() == {(0, 3), (1, 4)}
    assert min(found.values()) > 0.8


@pytest.mark.parametrize("known", [1, 0])
def test_who_comes_from_nowhere_is_not_followed(known):
    near = np.interp(np.arange(40), [0, 12, 28, 39], [60, 75.5, 75.5, 60])
    scene, runs = meet([(100, y, 0.0) for y in near], [(100, 160 - y, 0.0) for y in near])
    scene.parents[2] = [0][:known]
    found = follow_contacts(scene, lambda blob: runs[blob])
    assert [(one.before, one.after) for one in found] == [(0, 3)][:known]


def piles():
    """A scene of four animals that form a pile (4), which comes apart into two pairs (5, 6); and the runs of each blob.

    0 and 1 lie on the left, 2 and 3 on the right; then 1 and 2 change sides while all touch.
    """
    here = np.linspace(0, 1, 20)
    left, right = [(60 + 30 * t, 60.0, 0.0) for t in here], [(140 - 30 * t, 85.0, 0.0) for t in here]
    ways = [[(60, 85, 0.0)] * 20, left, right, [(140, 60, 0.0)] * 20]
    blobs, runs = [], []
    for frame in range(40):
        at = [way[min(max(0, frame - 10), 19)] for way in ways]
        groups = [[k] for k in range(4)] if frame < 10 else [[0, 1, 2, 3]] if frame < 30 else [[0, 2], [1, 3]]
        for number, group in enumerate(groups):
            mask = np.any([ellipse(at[k]) for k in group], axis=0)
            y, x = np.nonzero(mask)
            blobs.append((frame, x.mean(), y.mean(), 0.0, number if frame < 10 else 4 if frame < 30 else 5 + number))
            runs.append(runs_of_mask(mask))
    frame, x, y, angle, tracklet = (np.array(column) for column in zip(*blobs, strict=True))
    parents, children = {4: [0, 1, 2, 3], 5: [4], 6: [4]}, {**{k: [4] for k in range(4)}, 4: [5, 6]}
    variances = (AXES[0] ** 2 / 16, AXES[1] ** 2 / 16)
    return Scene(frame, x, y, angle, tracklet, np.array([1, 1, 1, 1, 4, 2, 2]), {}, parents, children, variances), runs


def test_animals_are_followed_into_the_piles_that_come_of_a_pile():
    scene, runs = piles()
    found = {(one.before, one.after): one.sure for one in follow_contacts(scene, lambda blob: runs[blob])}
    assert found.keys() == {(0, 5), (1, 6), (2, 5), (3, 6)}
    assert min(found.values()) > 0.5


def test_where_all_go_the_same_way_nothing_is_learned():
    scene, runs = piles()
    pile = scene.animals.copy()
    pile[5] = 4
    scene.children[4] = [5]
    whole = Scene(scene.frame, scene.x, scene.y, scene.angle, scene.tracklet, pile, {}, scene.parents, scene.children, scene.variances)
    assert follow_contacts(whole, lambda blob: runs[blob]) == []


def test_only_the_contacts_that_were_named_are_looked_at():
    scene, runs = piles()
    assert follow_contacts(scene, lambda blob: runs[blob], only={5, 6}) == []
    assert len(follow_contacts(scene, lambda blob: runs[blob], only={4})) == 4
