"""Headings of the tables, from points and from trajectories."""

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import Trajectories
from herdbook.tables.pose_headings import with_pose_headings

NAN = np.nan


def trajectories() -> Trajectories:
    """Red and blue in frame 0, blue alone in frame 1, red alone in frame 2."""
    fields: dict[str, Any] = {field.name: np.zeros(4, np.float32) for field in dataclasses.fields(Trajectories)}
    frame, individual = np.array([0, 0, 1, 2], np.int32), np.array([0, 1, 1, 0], np.int32)
    fields |= {"individuals": ["red", "blue"], "frames": 3, "frame": frame, "individual": individual}
    fields["heading"] = np.array([0.1, 0.2, 0.3, NAN], np.float32)
    return Trajectories(**fields)


def found(pose: list[list[float]], given: list[list[float]]) -> FoundPoints:
    """Points of blue and red, in another order than the trajectories'."""
    none = np.zeros((3, 2, 0))
    heading = np.array([[1.2, 1.1], [1.3, NAN], [NAN, 1.4]], np.float32)
    parts = (none, none, none, none, none.astype(bool), heading, np.zeros((3, 2), bool))
    return FoundPoints(["blue", "red"], [], *parts, np.array(pose, np.float32), np.array(given, np.float32))


def test_the_surer_heading_of_each_animal_is_taken_and_its_confidence_told() -> None:
    points = found([[0.25, 0.75], [0.75, NAN], [NAN, 0.5]], [[0.5, 0.5], [0.75, NAN], [NAN, NAN]])
    mended, confidence = with_pose_headings(trajectories(), points)
    # Blue's of frame 1 is as sure in both: the trajectory's stays. Red's of frame 2 has none but that of the points.
    np.testing.assert_allclose(mended.heading, [1.1, 0.2, 0.3, 1.4], rtol=1e-6)
    np.testing.assert_array_equal(confidence, [0.75, 0.5, 0.75, 0.5])


def test_where_points_were_not_read_the_heading_stays() -> None:
    points = found([[NAN, NAN]] * 3, [[0.5, 0.75], [0.25, NAN], [NAN, NAN]])
    mended, confidence = with_pose_headings(trajectories(), points)
    np.testing.assert_array_equal(mended.heading, trajectories().heading)
    np.testing.assert_array_equal(confidence, [0.75, 0.5, 0.25, NAN])


def test_nothing_changes_without_points_or_without_labels_that_tell_how_sure_they_are() -> None:
    before = trajectories()
    assert with_pose_headings(before, None) == (before, None)
    untold = replace(found([[NAN, NAN]] * 3, [[NAN, NAN]] * 3), heading_confidence=None, trajectory_confidence=None)
    mended, confidence = with_pose_headings(before, untold)
    assert mended is before
    assert confidence is not None
    assert np.isnan(confidence).all()
