"""Stays in contact of which it is not sure who is where."""

import numpy as np
import pytest

from herdbook.artifacts.propagate import CLASSIFIED, Identities
from herdbook.artifacts.smooth import FROM_RESOLVED, FROM_SINGLE, Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.doubtful_places import find_places

FPS = 10.0
FRAMES = 60
# Three animals; A and B in contact from frame 20 to 39, C alone throughout.
STAY = slice(20, 40)


def tracklets_of() -> Tracklets:
    first, last = np.array([0, 0, 20, 40, 40, 0], np.int32), np.array([19, 19, 39, 59, 59, 59], np.int32)
    n = len(first)
    return Tracklets(
        frames=FRAMES,
        blob_tracklet=np.zeros(0, np.int32),
        first=first,
        last=last,
        animals=np.array([1, 1, 2, 1, 1, 1], np.int16),
        animals_margin=np.ones(n, np.float32),
        tracklet_kind=np.zeros(n, np.uint8),
        arena=np.zeros(n, np.int16),
        size=np.ones(n, np.float32),
        edges=np.zeros((0, 2), np.int32),
        edge_weight=np.zeros(0, np.float32),
        border_edges=np.zeros((0, 2), np.int64),
    )


def identities_of(inside: float) -> Identities:
    """Who is in which tracklet; A and B are in the merged one this surely."""
    rows = [(0, 0, 1.0), (1, 1, 1.0), (2, 0, inside), (2, 1, inside), (3, 0, 1.0), (4, 1, 1.0), (5, 2, 1.0)]
    tracklet, individual, sure = zip(*rows, strict=True)
    n = len(rows)
    return Identities(
        movies=["m"],
        individuals=["A", "B", "C"],
        movie=np.zeros(n, np.int32),
        tracklet=np.array(tracklet, np.int32),
        individual=np.array(individual, np.int32),
        confidence=np.array(sure, np.float32),
        how=np.full(n, CLASSIFIED, np.uint8),
        animals=np.array([1, 1, 2, 1, 1, 1], np.int16),
        animals_offsets=np.array([0, 6]),
        gap=0.0,
    )


def trajectories_of(confidence: np.ndarray) -> Trajectories:
    """Positions of all three; `confidence` (frames, 3)."""
    frame, individual = (grid.ravel() for grid in np.meshgrid(np.arange(FRAMES), np.arange(3), indexing="ij"))
    source = np.full((FRAMES, 3), FROM_SINGLE, np.uint8)
    source[STAY, :2] = FROM_RESOLVED
    n = len(frame)
    x, y = 10.0 * frame, 100.0 * individual
    return Trajectories(
        individuals=["A", "B", "C"],
        frames=FRAMES,
        frame=frame.astype(np.int32),
        individual=individual.astype(np.int32),
        x=x,
        y=y,
        x_raw=x,
        y_raw=y,
        heading=np.zeros(n, np.float32),
        confidence=confidence.ravel().astype(np.float32),
        source=source.ravel(),
        disagreement=np.zeros(n, np.float32),
        jump=np.zeros(n, bool),
    )


def places(confidence: np.ndarray, inside: float = 1.0) -> list:
    return find_places("m", trajectories_of(confidence), tracklets_of(), identities_of(inside), FPS)


def test_a_stay_of_two_is_one_row_with_the_frames_to_gain():
    sure = np.ones((FRAMES, 3))
    sure[25:35, :2] = 0.7
    sure[30, 0] = 0.6
    (one,) = places(sure)
    assert (one.movie, one.frame, one.x, one.y, one.fact, one.name) == ("m", 30, 300.0, 0.0, "is", "A")
    assert (one.assigned, one.others, one.probability) == ("A B", "B 0.40", 0.6)
    assert (one.from_frame, one.to_frame, one.frames) == (25, 34, 20)
    assert one.gain == pytest.approx(19 * 0.3 + 0.4, abs=0.05)


def test_doubt_about_who_is_in_the_blob_is_not_counted_again():
    sure = np.ones((FRAMES, 3))
    sure[STAY, :2] = 0.7
    assert places(sure, inside=0.7) == []
    (one,) = places(sure, inside=0.9)
    assert one.gain == pytest.approx(40 * 0.2, abs=0.05)


def test_animals_alone_and_what_is_nearly_sure_need_no_look():
    sure = np.ones((FRAMES, 3))
    sure[:, 2] = 0.5
    sure[STAY, :2] = 0.9995
    assert places(sure) == []


def test_stays_far_apart_in_time_are_rows_of_their_own_with_the_most_to_gain_first():
    sure = np.ones((FRAMES, 3))
    sure[20:23, :2] = 0.8
    sure[35:40, :2] = 0.8
    assert [(one.from_frame, one.to_frame) for one in places(sure)] == [(35, 39), (20, 22)]


def test_no_positions_in_contact_make_no_rows():
    empty = trajectories_of(np.ones((FRAMES, 3)))
    empty.source[:] = FROM_SINGLE
    assert find_places("m", empty, tracklets_of(), identities_of(1.0), FPS) == []
