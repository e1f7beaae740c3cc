"""The movies of a recording as one graph of tracklets."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.identity_cases import Body, RecordingFiles, Track

LEFT, RIGHT, BELOW = Body(30, 30), Body(120, 30), Body(75, 90)


@pytest.fixture
def recording(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path, ["A", "B", "C"])


def test_frames_count_on_and_tracklets_are_ordered_by_their_first_frame(recording):
    recording.add([Track(5, 9, (LEFT,), border=True), Track(0, 9, (RIGHT,))], 10)
    recording.add([Track(0, 19, (RIGHT,)), Track(3, 8, (LEFT,), border=True)], 20)
    recording.add([Track(0, 4, (LEFT,))], 5)
    joined = recording.joined()
    assert joined.graph.first.tolist() == [0, 5, 10, 13, 30]
    assert joined.graph.last.tolist() == [9, 9, 29, 18, 34]
    assert joined.movie.tolist() == [0, 0, 1, 1, 2]
    assert joined.tracklet.tolist() == [1, 0, 0, 1, 0]
    assert joined.graph.start_xy[[0, 1]].round().tolist() == [[120, 30], [30, 30]]


def test_border_edges_join_the_tracklets_of_the_blobs_they_name(recording):
    recording.add([Track(0, 9, (LEFT,)), Track(0, 9, (RIGHT,)), Track(0, 9, (BELOW,), animals=0)], 10)
    # The last frame holds the blobs 27 (left), 28 (right) and 29 (no animal); the next movie begins with 0 (right) and 1 (left).
    recording.add([Track(0, 9, (RIGHT,)), Track(0, 9, (LEFT,))], 10, border_edges=[(27, 1), (28, 0), (29, 0)])
    recording.add([Track(0, 9, (LEFT,))], 10, border_edges=[(19, 0)])
    joined = recording.joined()
    place = {(int(m), int(t)): k for k, (m, t) in enumerate(zip(joined.movie, joined.tracklet, strict=True))}
    assert (0, 2) not in place
    expected = [((0, 0), (1, 1)), ((0, 1), (1, 0)), ((1, 1), (2, 0))]
    assert sorted(map(tuple, joined.graph.edges.tolist())) == sorted((place[a], place[b]) for a, b in expected)


def test_edges_inside_later_movies_keep_their_tracklets(recording):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,))], 5)
    recording.add([Track(5, 9, (LEFT,)), Track(0, 4, (LEFT,))], 10, edges=[(1, 0)])
    joined = recording.joined()
    ((parent, child),) = joined.graph.edges.tolist()
    assert (joined.movie[parent], joined.tracklet[parent]) == (1, 1)
    assert (joined.movie[child], joined.tracklet[child]) == (1, 0)


def test_ends_border_size_and_speed_come_from_the_blobs(recording):
    recording.add([Track(0, 9, (LEFT,), step=(3, 4), border=True), Track(0, 9, (RIGHT,), step=(-3, 4))], 10)
    joined = recording.joined()
    np.testing.assert_allclose(joined.graph.end_xy - joined.graph.start_xy, [[27, 36], [-27, 36]], atol=0.01)
    assert joined.graph.border.tolist() == [[True, True], [False, False]]
    assert joined.step_px == pytest.approx(5, abs=0.01)
    assert joined.body_length_px == pytest.approx(24, abs=1)
