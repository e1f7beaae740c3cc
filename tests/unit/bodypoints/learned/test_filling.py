"""Points of the network alone, and where those of a pose tool are missing."""

import numpy as np

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import CORRECTED, GIVEN, INTERPOLATED, NETWORK, BodyPoints
from herdbook.bodypoints.learned.filling import mark_found, with_found
from herdbook.bodypoints.learned.movies import without_doubles
from herdbook.formats.poses import Poses, no_poses

WHO = ["red", "blue"]


def found_points() -> FoundPoints:
    """Two frames, points tail and nose; the tail of blue is unknown in the second."""
    x = np.arange(8.0).reshape(2, 2, 2)
    x[1, 1, 0] = np.nan
    score, error = np.full((2, 2, 2), 0.75, np.float32), np.full((2, 2, 2), 1.5, np.float32)
    return FoundPoints(WHO, ["tail", "nose"], x, 10 + x, score, error, np.isnan(x), np.zeros((2, 2), np.float32), np.zeros((2, 2), bool))


def test_alone_they_are_all_there_is() -> None:
    poses, network, error = with_found(no_poses(2), found_points())
    assert (poses.individuals, poses.points) == (("red", "blue"), ("tail", "nose"))
    np.testing.assert_array_equal(network, poses.known)
    assert network.sum() == 7
    np.testing.assert_array_equal(np.isfinite(error), network)


def test_points_of_the_file_stay_and_missing_ones_are_filled() -> None:
    xy = np.full((2, 2, 2, 2), 99.0)
    xy[0, 0, 0] = np.nan
    xy[1, 1, 1] = np.nan
    poses, network, error = with_found(Poses(("red", "blue"), ("nose", "ear"), xy, np.full((2, 2, 2), 0.5)), found_points())
    assert poses.points == ("nose", "ear", "tail")
    # The network's nose is its second point.
    np.testing.assert_array_equal(poses.xy[0, 0, 0], [1, 11])
    np.testing.assert_array_equal(poses.xy[0, 1, 0], [99, 99])
    # An ear that is missing stays so: the network does not find it.
    assert np.isnan(poses.xy[1, 1, 1]).all()
    assert network[..., 0].sum() == 1
    assert network[..., 2].sum() == 3
    assert poses.likelihood[0, 0, 0] == 0.75
    assert error[0, 0, 0] == 1.5
    assert np.isnan(error[0, 1, 0])


def test_only_given_points_are_marked_as_the_networks() -> None:
    network, error = np.ones((3, 1, 1), bool), np.full((3, 1, 1), 2.0)
    network[2] = False
    number = np.arange(3, dtype=np.int32)
    place, single = number.astype(float), np.ones(3, np.float32)
    source = np.array([GIVEN, INTERPOLATED, CORRECTED], np.uint8)
    points = BodyPoints(
        ["red"], ["nose"], 3, number, 0 * number, 0 * number, place, place, place, place, single, single, number < 0, source
    )
    marked = mark_found(points, network, error)
    assert marked.source.tolist() == [NETWORK, INTERPOLATED, CORRECTED]
    assert marked.expected_error is not None
    np.testing.assert_array_equal(marked.expected_error, np.array([2, np.nan, np.nan], np.float32))


def test_of_one_point_that_two_animals_have_the_surer_keeps_it() -> None:
    xy = np.array([[[[10.0, 10]], [[11, 10]], [[60, 10]]]])
    score = np.array([[[0.4], [0.9], [0.1]]])
    assert without_doubles(xy, score, 50.0)[0, :, 0].tolist() == [True, False, False]
    assert not without_doubles(xy, score, 10.0).any()
