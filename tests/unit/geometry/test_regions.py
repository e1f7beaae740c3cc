import numpy as np
import pytest

from herdbook.geometry.ellipses import axis_lengths, orientation, wrap_angle
from herdbook.geometry.regions import Ellipse, Polygon, ellipse_mask, paint_regions, polygon_mask

SQUARE = [(10, 5), (30, 5), (30, 25), (10, 25)]


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def moments(mask):
    rows, cols = np.nonzero(mask)
    (mxx, mxy), (_, myy) = np.cov(cols, rows, bias=True)
    return mxx, mxy, myy


def turn(points, angle, centre):
    cos, sin = np.cos(angle), np.sin(angle)
    return (np.asarray(points) - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre


@pytest.mark.parametrize("angle", [0, 30, 90, 135, 200])
def test_an_ellipse_has_its_area_centre_axes_and_angle(angle):
    mask = ellipse_mask((300, 400), (210.3, 140.6), (90, 40), angle)
    rows, cols = np.nonzero(mask)
    assert mask.sum() == pytest.approx(np.pi * 90 * 40, rel=0.005)
    assert (cols.mean(), rows.mean()) == pytest.approx((210.3, 140.6), abs=0.1)
    major, minor = axis_lengths(*moments(mask))
    assert (major, minor) == pytest.approx((180, 80), rel=0.005)
    assert wrap_angle(orientation(*moments(mask)) - np.radians(angle), np.pi) == pytest.approx(0, abs=0.01)


def test_the_outline_of_an_ellipse_belongs_to_it():
    for angle in (0, 90, 180, 270):
        mask = ellipse_mask((11, 11), (5, 5), (3, 3), angle)
        assert mask[5].tolist() == [False] * 2 + [True] * 7 + [False] * 2
        assert mask[:, 5].tolist() == mask[5].tolist()


def test_an_ellipse_is_cut_at_the_frame():
    assert ellipse_mask((20, 30), (-100, 5), (10, 10)).sum() == 0
    assert ellipse_mask((20, 30), (15, 10), (500, 500)).all()


def test_a_rectangle_covers_as_many_pixels_as_its_area():
    mask = polygon_mask((40, 50), SQUARE)
    expected = np.zeros((40, 50), bool)
    expected[5:25, 10:30] = True
    assert np.array_equal(mask, expected)
    assert np.array_equal(polygon_mask((40, 50), SQUARE[::-1]), expected)


def test_the_polygon_around_the_frame_is_the_whole_frame():
    assert polygon_mask((40, 50), [(0, 0), (50, 0), (50, 40), (0, 40)]).all()
    assert polygon_mask((40, 50), [(-9, -9), (99, -9), (99, 99), (-9, 99)]).all()
    assert not polygon_mask((40, 50), [(60, 0), (90, 0), (90, 40)]).any()


def test_random_triangles_hold_the_pixels_on_the_inner_side_of_all_edges(rng):
    y, x = np.mgrid[0:40, 0:50]
    for _ in range(50):
        corners = rng.uniform(-20, 70, (3, 2))
        sides = []
        for (xa, ya), (xb, yb) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            sides.append((xb - xa) * (y - ya) - (yb - ya) * (x - xa) > 0)
        expected = (sides[0] == sides[1]) & (sides[1] == sides[2])
        assert np.array_equal(polygon_mask((40, 50), corners), expected)


def test_pieces_of_a_cut_polygon_share_no_pixel_and_lose_none(rng):
    for _ in range(20):
        hub = rng.uniform((12, 7), (28, 23))
        pieces = [polygon_mask((40, 50), [SQUARE[i], SQUARE[(i + 1) % 4], hub]) for i in range(4)]
        assert np.array_equal(np.sum(pieces, axis=0), polygon_mask((40, 50), SQUARE).astype(int))


def test_a_concave_polygon_leaves_its_notch_out():
    mask = polygon_mask((30, 30), [(2, 2), (28, 2), (28, 28), (20, 28), (20, 10), (10, 10), (10, 28), (2, 28)])
    assert mask.sum() == 26 * 26 - 10 * 18
    assert not mask[20, 15]
    assert mask[5, 15]


def test_a_turned_rectangle_has_its_analytic_moments():
    corners = turn([(60, 80), (180, 80), (180, 120), (60, 120)], 0.5, (120, 100))
    mask = polygon_mask((200, 240), corners)
    assert mask.sum() == pytest.approx(120 * 40, rel=0.005)
    assert orientation(*moments(mask)) == pytest.approx(0.5, abs=0.005)
    assert axis_lengths(*moments(mask)) == pytest.approx((4 * 120 / np.sqrt(12), 4 * 40 / np.sqrt(12)), rel=0.005)


def test_regions_are_united_and_holes_are_taken_out():
    shape = (40, 50)
    disc, square, hole = Ellipse((35, 15), (10, 10)), Polygon(SQUARE), Ellipse((20, 15), (4, 4))
    mask = paint_regions(shape, [(True, disc), (True, square), (False, hole)])
    expected = (ellipse_mask(shape, *disc) | polygon_mask(shape, SQUARE)) & ~ellipse_mask(shape, *hole)
    assert np.array_equal(mask, expected)
    assert 0 < mask.sum() < mask.size


def test_holes_alone_leave_the_rest_of_the_frame():
    hole = Ellipse((20, 15), (4, 4))
    assert np.array_equal(paint_regions((40, 50), [(False, hole)]), ~ellipse_mask((40, 50), *hole))
    assert paint_regions((40, 50), []).all()


def test_regions_are_applied_in_their_order():
    shape = (40, 50)
    disc, moat, island = (Ellipse((25, 20), (r, r)) for r in (18, 10, 4))
    mask = paint_regions(shape, [(True, disc), (False, moat), (True, island)])
    large, ring, small = (ellipse_mask(shape, *region) for region in (disc, moat, island))
    assert np.array_equal(mask, large & ~ring | small)
    assert np.array_equal(paint_regions(shape, [(True, disc), (True, island), (False, moat)]), large & ~ring)


def test_regions_change_a_mask_that_was_given_and_leave_it_as_it_is():
    base = np.zeros((40, 50), bool)
    base[5:15, 5:15] = True
    before = base.copy()
    mask = paint_regions((40, 50), [(True, Polygon(SQUARE)), (False, Ellipse((10, 10), (2, 2)))], base)
    assert np.array_equal(mask, (base | polygon_mask((40, 50), SQUARE)) & ~ellipse_mask((40, 50), (10, 10), (2, 2)))
    assert np.array_equal(base, before)
    assert np.array_equal(paint_regions((40, 50), [], base), base)


@pytest.mark.parametrize("angle", [-1.5, -0.7, 0.0, 0.3, 1.0, np.pi / 2])
def test_orientation_is_the_angle_of_the_major_axis(angle):
    along, across = 9.0, 2.0
    cos, sin = np.cos(angle), np.sin(angle)
    mxx, myy = along * cos**2 + across * sin**2, along * sin**2 + across * cos**2
    assert orientation(mxx, (along - across) * cos * sin, myy) == pytest.approx(angle)


def test_orientation_stays_in_its_range_and_is_zero_for_a_disc():
    assert orientation(1.0, -0.0, 4.0) == np.pi / 2
    assert orientation(3.0, 0.0, 3.0) == 0
    assert orientation([1.0, 4.0], [0.0, 0.0], [4.0, 1.0]).tolist() == [np.pi / 2, 0.0]


def test_a_bar_of_pixels_has_the_axes_of_its_area():
    mask = np.zeros((20, 60), bool)
    mask[4:8, 10:50] = True
    assert axis_lengths(*moments(mask)) == pytest.approx((4 * 40 / np.sqrt(12), 4 * 4 / np.sqrt(12)))
    assert axis_lengths(0, 0, 0) == pytest.approx((4 / np.sqrt(12), 4 / np.sqrt(12)))


def test_wrapped_angles_point_the_same_way_and_stay_in_range(rng):
    angles = np.concatenate([rng.uniform(-50, 50, 1000), np.pi * np.arange(-7, 8), np.nextafter(np.pi, [0, 9])])
    for period in (2 * np.pi, np.pi):
        wrapped = wrap_angle(angles, period)
        assert (wrapped > -period / 2).all()
        assert (wrapped <= period / 2).all()
        factor = 2 * np.pi / period
        assert np.allclose(np.exp(1j * factor * wrapped), np.exp(1j * factor * angles))
    assert wrap_angle(-np.pi) == np.pi
    assert wrap_angle(np.pi) == np.pi
    assert wrap_angle(0.0) == 0
