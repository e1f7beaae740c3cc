"""Sample frames: which are decoded, and whose outlines they show."""

import numpy as np
import pytest

from herdbook.artifacts.propagate import Identities
from herdbook.report.samples import NOBODY, REACH_FRAMES, SEVERAL, outline_runs, pick_frames, read_samples, tracklet_owners
from tests.support.report_cases import LONG, WIDE, corner_of, place_of, write_recording

ALL = np.array([[0, 1000]])


@pytest.mark.parametrize(
    ("keys", "intervals", "targets", "expected"),
    [
        ([0], ALL, [30, 400], [30, REACH_FRAMES]),
        ([0, 250, 500, 750], ALL, [125, 375, 625, 875], [60, 310, 560, 810]),
        ([0, 250, 500], ALL, [249, 251], [250, 251]),
        ([0], np.array([[0, 5]]), [100, 900], [4]),
        ([0], np.array([[500, 600]]), [550], []),
    ],
)
def test_frames_are_tracked_and_near_a_keyframe(keys, intervals, targets, expected):
    keyframe = np.zeros(1000, bool)
    keyframe[keys] = True
    assert pick_frames(keyframe, intervals, targets) == expected


def test_an_outline_goes_around_each_part_of_a_blob():
    runs = np.array([(5, 10, 13), (6, 10, 10), (6, 13, 13), (7, 10, 13), (9, 10, 10)], np.int32)
    first, second = sorted(outline_runs(runs), key=len, reverse=True)
    assert {tuple(point) for point in first} >= {(10, 5), (13, 5), (10, 7), (13, 7)}
    assert first.max(axis=0).tolist() == [13, 7]
    assert second.tolist() == [[10, 9]]


def test_an_outline_belongs_to_the_one_animal_in_it():
    identities = Identities(
        ["m"], ["a", "b"], np.zeros(3, np.int32), np.array([0, 1, 1], np.int32), np.array([1, 0, 1], np.int32),
        np.ones(3, np.float32), np.zeros(3, np.uint8), np.array([1, 2, 1, 3], np.int16), np.array([0, 4]), 0.0,
    )  # fmt: skip
    assert tracklet_owners("m", 4, identities) == ["b", SEVERAL, NOBODY, SEVERAL]


def test_a_sample_shows_the_frame_of_the_movie_with_the_outlines_in_it(tmp_path):
    files = write_recording(tmp_path, ["a", "b"], nobody=(1,), filmed=True)
    own = {kind: files[kind]["m"] for kind in ("movie", "index", "blobs", "tracklets", "trajectories")}
    (sample,) = read_samples("m", own, Identities.load(files["identities"]["day"]), [23], start_s=60.0)
    assert (sample.movie, sample.frame, sample.time_s) == ("m", 23, pytest.approx(62.3))
    assert sample.names == ["a"]
    assert sample.xy.tolist() == [list(place_of(0, 23))]
    for animal, owner in ((0, "a"), (1, NOBODY)):
        x, y = corner_of(animal, 23)
        assert sample.image[y : y + WIDE, x : x + LONG].mean() < 100
        (line,) = [line for line, whose in sample.outlines if whose == owner]
        assert (line.min(axis=0).tolist(), line.max(axis=0).tolist()) == ([x, y], [x + LONG - 1, y + WIDE - 1])
