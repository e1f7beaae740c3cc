"""The tracklets of several movies in one table: whatever is told of them is told in frames of the recording."""

from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.recording import join_movies
from herdbook.tracklets.joining import MOST_STEP_PX, STEPS_PER_PX, _usual_step_px, join_tracklets
from tests.support.identity_cases import Body, RecordingFiles, Track

LEFT, RIGHT = Body(20, 30), Body(120, 30)


@pytest.fixture
def three(tmp_path: Path):
    """Three movies of 10, 20 and 30 frames: who goes right by 2 px per frame, and who stays; the third is tracked in parts."""
    made = RecordingFiles(tmp_path, ["A"])
    made.add([Track(0, 9, (LEFT,), step=(2, 0))], 10)
    made.add([Track(4, 9, (LEFT,), step=(2, 0)), Track(0, 19, (RIGHT,), border=True, arena=1)], 20, border_edges=[(9, 1)])
    made.add([Track(5, 11, (LEFT,), step=(2, 0)), Track(12, 20, (RIGHT,))], 30, edges=[(0, 1)], intervals=[(5, 12), (12, 25)])
    return join_tracklets([Tracklets.load(path) for path in made.tracklets], [Blobs.load(path) for path in made.blobs])


def test_frames_and_numbers_go_on_from_movie_to_movie(three):
    assert three.movie.tolist() == [0, 1, 1, 2, 2]
    assert three.tracklet.tolist() == [0, 0, 1, 0, 1]
    assert three.offsets.tolist() == [0, 1, 3, 5]
    assert three.start_frame.tolist() == [0, 10, 30]
    assert three.first.tolist() == [0, 14, 10, 35, 42]
    assert three.last.tolist() == [9, 19, 29, 41, 50]
    assert three.arena.tolist() == [0, 0, 1, 0, 0]
    assert three.edges.tolist() == [[0, 2], [3, 4]]
    assert three.border.tolist() == [[False] * 2, [False] * 2, [True] * 2, [False] * 2, [False] * 2]


def test_a_tracklet_is_looked_at_in_its_middle(three):
    # Of an even number of frames the earlier one of the middle two.
    assert three.look_frame.tolist() == [4, 16, 19, 38, 46]
    assert three.look_xy[:, 0].round().tolist() == [28, 24, 120, 26, 120]
    assert three.start_xy[:, 0].round().tolist() == [20, 20, 120, 20, 120]
    assert three.end_xy[:, 0].round().tolist() == [38, 30, 120, 32, 120]


def test_what_was_tracked_is_joined_where_it_touches(three):
    assert three.intervals.tolist() == [[0, 30], [35, 55]]


def test_nothing_goes_on_across_a_broken_seam(tmp_path):
    made = RecordingFiles(tmp_path, ["A"])
    for _ in range(3):
        made.add([Track(0, 9, (LEFT,))], 10)
    parts, blobs = [Tracklets.load(path) for path in made.tracklets], [Blobs.load(path) for path in made.blobs]
    assert join_tracklets(parts, blobs).intervals.tolist() == [[0, 30]]
    parts[1].seam_broken = True
    assert join_tracklets(parts, blobs).intervals.tolist() == [[0, 10], [10, 30]]
    # No link leaves an interval, and coming and going cost nothing at its ends: the animal is found anew by its images.
    assert join_movies(parts, blobs, [1]).graph.part.tolist() == [0, 1, 1]
    assert join_movies(parts, blobs, [1]).graph.free.tolist() == [[True, True], [True, False], [False, True]]


def test_the_usual_step_is_that_within_tracklets(three):
    # From one tracklet to the next it is 100 px.
    assert three.step_px == pytest.approx(2, abs=1 / STEPS_PER_PX)


def steps_of(lengths_px) -> np.ndarray:
    cells = (np.array(lengths_px) * STEPS_PER_PX).astype(np.int64)
    return np.bincount(cells, minlength=MOST_STEP_PX * STEPS_PER_PX + 1)


@pytest.mark.parametrize(("long", "usual"), [(0, 1), (1, 1), (2, 50)])
def test_one_step_in_a_hundred_is_unusual(long, usual):
    assert _usual_step_px(steps_of([1] * (100 - long) + [50] * long)) == pytest.approx(usual, abs=1 / STEPS_PER_PX)


def test_without_any_step_it_is_one_pixel():
    assert _usual_step_px(steps_of([])) == 1
