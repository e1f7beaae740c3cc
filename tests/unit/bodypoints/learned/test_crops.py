"""Crops of one animal, head up, with the others in a second channel."""

import numpy as np
import pytest

from herdbook.bodypoints.learned.crops import SOFT, CropView, cut_crop, draw_ellipses, others_in_crop, to_crop, to_movie


def spot(shape: tuple[int, int], x: float, y: float, sd: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.round(250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sd**2))).astype(np.uint8)


def centre(picture: np.ndarray) -> tuple[float, float]:
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    weight = picture.astype(float)
    return float((columns * weight).sum() / weight.sum()), float((rows * weight).sum() / weight.sum())


def test_what_is_ahead_of_an_animal_is_above_it_and_what_is_on_its_right_is_right() -> None:
    place, heading = np.array([[100.0, 50.0]]), np.array([np.pi / 2])  # down the picture
    ahead_and_right = np.array([[[100.0, 70.0], [80.0, 50.0]]])
    found = to_crop(ahead_and_right, place, heading, CropView(64.0, 64))[0]
    np.testing.assert_allclose(found, [[31.5, 11.5], [51.5, 31.5]])


def test_points_go_to_crops_and_back(rng: np.random.Generator) -> None:
    place, heading, view = rng.uniform(0, 500, (7, 2)), rng.uniform(-9, 9, 7), CropView(130.0, 96)
    points = place[:, None] + rng.normal(0, 40, (7, 5, 2))
    np.testing.assert_allclose(to_movie(to_crop(points, place, heading, view), place, heading, view), points, atol=1e-9)


@pytest.mark.parametrize(("side", "size"), [(60.0, 64), (64.0, 64), (200.0, 64), (330.0, 48)])
@pytest.mark.parametrize("heading", [0.0, 0.7, np.pi, -2.2])
def test_a_point_of_the_picture_is_where_its_place_in_the_crop_says(side: float, size: int, heading: float) -> None:
    view, place = CropView(side, size), np.array([210.3, 190.8])
    point = place + side / 4 * np.array([np.cos(1.0), np.sin(1.0)])
    picture = spot((400, 420), *point, sd=side / 30)
    expected = to_crop(point[None, None], place[None], np.array([heading]), view)[0, 0]
    assert centre(cut_crop(picture, place, heading, view)) == pytest.approx(tuple(expected), abs=0.25)


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = np.full((30, 30), 77, np.uint8)
    for side in (40.0, 300.0):
        assert (cut_crop(picture, np.array([0.0, 0.0]), 0.3, CropView(side, 32)) == 77).all()


def test_other_animals_are_ellipses_along_their_bodies_and_the_animal_itself_is_not_drawn() -> None:
    view = CropView(96.0, 96)
    place, heading = np.array([[100.0, 100.0], [100.0, 70.0], [400.0, 400.0], [np.nan, np.nan]]), np.array([0.0, np.pi / 2, 0.0, np.nan])
    shapes = others_in_crop(place, heading, 0, (12.0, 5.0), view)
    assert len(shapes) == 1
    crop = np.zeros((96, 96), np.uint8)
    draw_ellipses(shapes, *SOFT, crop)
    # The other one is on the left of an animal that looks to the right, and lies across its axis: in the crop on its left, lying flat.
    x, y = centre(crop)
    assert (x, y) == pytest.approx((17.5, 47.5), abs=0.5)
    rows, columns = np.nonzero(crop > 250)
    assert np.ptp(columns) > 1.5 * np.ptp(rows)
    assert crop[47, 47] == 0
