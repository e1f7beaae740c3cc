"""Body points on frames: where they are drawn, how those that are less sure look, and which are joined."""

import numpy as np
import pytest

from herdbook.artifacts.smooth import BLOCK_FRAMES, CORRECTED, GIVEN, INTERPOLATED, NETWORK, open_body_points
from herdbook.drawing.marks import WHITE, Style
from herdbook.drawing.points import PointDrawer, joined_points, sure_points
from herdbook.errors import HerdbookError
from tests.support.drawn_points import points_of, write_points

RED = (0, 0, 255)
PLAIN = 90
LINE = np.array([[0, 1]])


def drawn(xy, height=400, edges=LINE, **columns):
    """A plain picture with the points (n, 2) of the animal `a` in red."""
    rows = points_of(np.asarray(xy, float)[None, None], ["a"], [f"p{k}" for k in range(len(xy))], **columns)
    image = np.full((60, 120, 3), PLAIN, np.uint8)
    PointDrawer({"a": RED}, edges, 50.0).draw(image, rows, np.stack([rows.x, rows.y], 1), Style.for_height(height))
    return image


def is_red(pixel):
    return pixel[2] > 200 and pixel[0] < 60


@pytest.mark.parametrize("height", [100, 480, 2160])
def test_points_and_the_line_between_them_have_the_colour_of_the_animal_at_every_size(height):
    image = drawn([[20, 30], [90, 30]], height)
    assert all(is_red(image[30, x]) for x in (20, 90, 55))
    assert (image[:15] == PLAIN).all()
    assert (image[30, :8] == PLAIN).all()


def test_a_point_that_is_less_sure_is_a_ring_and_its_line_is_thin():
    sure, unsure = (drawn([[20, 30], [90, 30]], 2160, likelihood=[[[1.0, last]]]) for last in (0.9, 0.3))
    # Beside the line, within the dot.
    assert is_red(sure[32, 90])
    assert not is_red(unsure[32, 90])
    assert is_red(unsure[34, 90])
    assert is_red(unsure[30, 55])
    assert (sure[32, 55] != PLAIN).any()
    assert (unsure[32, 55] == PLAIN).all()
    assert is_red(unsure[30, 20])


def test_points_are_sure_by_what_is_expected_of_them():
    source = [[[NETWORK, NETWORK, GIVEN, GIVEN, INTERPOLATED, CORRECTED, GIVEN]]]
    error = np.array([[[4.9, 5.1, np.nan, np.nan, np.nan, np.nan, np.nan]]], np.float32)
    likelihood = np.array([[[0.1, 1.0, 0.59, 0.61, 1.0, 0.1, np.nan]]], np.float32)
    rows = points_of(np.zeros((1, 1, 7, 2)), ["a"], list("abcdefg"), source=source, expected_error=error, likelihood=likelihood)
    assert sure_points(rows, 50.0).tolist() == [True, False, False, True, False, True, True]
    rows.jump[3] = True
    assert not sure_points(rows, 50.0)[3]


def test_animals_without_a_name_are_white():
    rows = points_of(np.full((1, 1, 1, 2), 30.0), ["track_0"], ["p"])
    image = np.full((60, 60, 3), PLAIN, np.uint8)
    PointDrawer({"a": RED}, np.empty((0, 2), int), 50.0).draw(image, rows, np.full((1, 2), 30.0), Style.for_height(480))
    assert image[30, 30].tolist() == list(WHITE)


def test_a_line_needs_both_of_its_points():
    image = drawn([[20, 30], [np.nan, np.nan], [90, 30]], edges=np.array([[0, 1], [1, 2]]))
    assert is_red(image[30, 20])
    assert (image[30, 40:70] == PLAIN).all()


@pytest.fixture
def rows(tmp_path, rng):
    xy = np.cumsum(rng.normal(0, 1, (3 * BLOCK_FRAMES, 2, 1, 2)), axis=0) + np.array([[0.0, 0], [10, 0], [22, 0]])
    xy += rng.normal(0, 0.3, xy.shape)
    xy[BLOCK_FRAMES + 5] = xy[-1] = np.nan
    xy[7, 1, 2] = np.nan
    path = write_points(tmp_path / "p.h5", xy, ["a", "b"], ["nose", "neck", "tail"])
    with open_body_points(path) as found:
        yield found, xy


def test_the_points_of_any_frame_are_read(rows):
    found, xy = rows
    for frame in (0, 7, BLOCK_FRAMES - 1, BLOCK_FRAMES, 2 * BLOCK_FRAMES + 3, 7, BLOCK_FRAMES + 5):
        points = found.of(frame)
        read = np.full((2, 3, 2), np.nan)
        read[points.individual, points.point] = np.stack([points.x, points.y], 1)
        np.testing.assert_array_equal(read, xy[frame])
    assert found.last == len(xy) - 2
    spread = found.spread(10).tolist()
    assert (spread[0], spread[-1], len(spread)) == (0, len(xy) - 2, 10)
    assert len(found.spread(10**6)) == len(xy) - 2


def test_lines_are_those_of_the_skeleton_or_learned(rows):
    found, _ = rows
    assert joined_points(found, None).tolist() == [[0, 1], [1, 2]]
    assert joined_points(found, [("tail", "nose")]).tolist() == [[2, 0]]
    assert joined_points(found, []).shape == (0, 2)
    with pytest.raises(HerdbookError, match="there is no point 'tial'; did you mean 'tail'"):
        joined_points(found, [("nose", "tial")])


def test_a_movie_without_any_point_has_no_lines(tmp_path):
    path = write_points(tmp_path / "p.h5", np.full((3, 1, 2, 2), np.nan), ["a"], ["p", "q"])
    with open_body_points(path) as found:
        assert joined_points(found, None).shape == (0, 2)
        assert (found.last, len(found.of(1).frame)) == (-1, 0)
