import numpy as np
import pytest

from herdbook.artifacts import BlobImage
from herdbook.crops import BLANK, CROP_HEIGHT, CROP_WIDTH, crop_width, make_crop, make_crops, spread_rows
from tests.unit.identity_cases import BLUE, GREEN, RED, YELLOW, Body, cut_image, describe, paint

SIZE = (200, 160)
AXES = (20.0, 10.0)
WIDTH = 50


def animal(x: float, y: float, angle: float = 0.0, colours=(RED, BLUE)) -> Body:
    return Body(x, y, angle, colours, AXES)


def crop_of(body: Body, *neighbours: Body) -> np.ndarray:
    pixels, _ = paint([*neighbours, body], SIZE)
    _, mask = paint([body], SIZE)
    x, y, moments, _ = describe(mask)
    return make_crop(cut_image(pixels, mask), x, y, moments, WIDTH)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference in grey levels, whichever end is taken for the head."""
    return min(float(np.abs(a - other.astype(float)).mean()) for other in (b, b[::-1, ::-1]))


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 120, 180, 233, 315])
@pytest.mark.parametrize("place", [(100, 80), (40.5, 31.25), (160.7, 120.3)])
def test_an_animal_gives_the_same_crop_at_every_place_and_angle(place, angle):
    upright = crop_of(animal(100, 80))
    turned = crop_of(animal(*place, angle))
    assert turned.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    assert turned.dtype == np.uint8
    assert difference(upright, turned) < 4.5


def test_animals_of_other_colours_give_other_crops():
    crops = [crop_of(animal(100, 80, 30, colours)) for colours in ((RED, BLUE), (RED, GREEN), (YELLOW, BLUE))]
    assert min(difference(a, b) for k, a in enumerate(crops) for b in crops[:k]) > 9


def test_the_body_lies_level_and_fills_four_fifths_of_the_width():
    crop = crop_of(animal(70, 60, 77))
    body = np.abs(crop.astype(int) - BLANK).max(axis=2) > 40
    across, along = body.any(axis=1).sum(), body.any(axis=0).sum()
    assert along == pytest.approx(2 * AXES[0] / WIDTH * CROP_WIDTH, abs=4)
    assert across == pytest.approx(2 * AXES[1] / WIDTH * CROP_WIDTH, abs=4)
    rows, columns = np.nonzero(body)
    assert (columns.mean(), rows.mean()) == pytest.approx(((CROP_WIDTH - 1) / 2, (CROP_HEIGHT - 1) / 2), abs=0.7)


def test_neighbours_are_blanked():
    body = animal(100, 80)
    # 7 px from outline to outline: inside the blob's image and, in part, inside the crop, but beyond the soft edge.
    neighbour = animal(121, 104, 0, (YELLOW, GREEN))
    image = cut_image(paint([body, neighbour], SIZE)[0], paint([body], SIZE)[1])
    assert (image.pixels == YELLOW).all(axis=2).any()
    alone, beside = crop_of(body), crop_of(body, neighbour)
    np.testing.assert_allclose(alone, beside, atol=1)
    assert (alone[[0, -1]] == BLANK).all()


def test_an_animal_at_the_edge_of_the_frame_has_a_whole_crop():
    crop = crop_of(animal(8, 80, 90))
    assert crop.shape == (CROP_HEIGHT, CROP_WIDTH, 3)
    assert (crop[[0, -1]] == BLANK).all()


def test_no_blob_gives_no_crop_of_the_right_shape():
    assert make_crops(None, None, [], WIDTH).shape == (0, CROP_HEIGHT, CROP_WIDTH, 3)


def test_grey_images_stay_grey():
    _, mask = paint([animal(100, 80, 30)], SIZE)
    x, y, moments, _ = describe(mask)
    image = BlobImage(np.repeat(np.where(mask, 60, 200).astype(np.uint8)[:, :, None], 3, 2), mask, 0, 0)
    crop = make_crop(image, x, y, moments, WIDTH)
    assert (crop == crop[:, :, :1]).all()


@pytest.mark.parametrize(("length", "width"), [(1.0, 16), (12.8, 16), (24.0, 30), (40.0, 50), (80.0, 100)])
def test_a_crop_is_a_quarter_wider_than_the_animal(length, width):
    assert crop_width(length) == width


def test_the_width_of_a_crop_is_even_for_every_length():
    widths = [crop_width(length) for length in np.arange(1, 200, 0.7)]
    assert all(width % 2 == 0 for width in widths)
    assert widths == sorted(widths)


def test_a_sample_is_spread_over_the_tracklet_and_takes_only_what_is_usable():
    rows = np.arange(100, dtype=np.int64)[::-1]
    offsets = np.array([0, 60, 63, 100])
    usable = np.ones(100, bool)
    usable[50:] = False
    chosen = spread_rows(rows, offsets, usable, 7)
    assert [len(c) for c in chosen] == [7, 3, 7]
    assert all(usable[c].all() for c in chosen)
    gaps = -np.diff(chosen[2])
    assert (chosen[2][0], chosen[2][-1]) == (36, 0)
    assert gaps.max() - gaps.min() <= 1


def test_a_tracklet_without_usable_blobs_gets_none():
    chosen = spread_rows(np.arange(4), np.array([0, 2, 4]), np.array([False, False, True, True]), 5)
    assert [c.tolist() for c in chosen] == [[], [2, 3]]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 50])
def test_no_blob_is_taken_twice(count):
    (chosen,) = spread_rows(np.arange(30), np.array([0, 30]), np.ones(30, bool), count)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, 30)
