from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import BlobImage
from herdbook.classifier.crops import (
    CropSpec,
    Light,
    crop_length,
    light_of,
    make_crop,
    make_crops,
    neighbours_of,
    spread_order,
    spread_rows,
)
from herdbook.geometry.ellipses import orientation
from tests.support.identity_cases import BLUE, GREEN, RED, YELLOW, Body, cut_image, describe, paint

SIZE = (200, 160)
AXES = (20.0, 10.0)
SPEC = CropSpec(50.0)
WIDTH, HEIGHT = SPEC.size
PLAIN = np.ones(3)


def animal(x: float, y: float, angle: float = 0.0, colours=(RED, BLUE)) -> Body:
    return Body(x, y, angle, colours, AXES)


def crop_of(body: Body, *neighbours: Body, spec: CropSpec = SPEC, gain=PLAIN, shown=()) -> np.ndarray:
    pixels, _ = paint([*neighbours, body], SIZE)
    _, mask = paint([body], SIZE)
    x, y, moments, _ = describe(mask)
    # The second colour of a body is that of its head, towards its angle.
    direction = float(orientation(*moments))
    if np.cos(direction - np.radians(body.angle)) < 0:
        direction += np.pi
    others = [cut_image(pixels, paint([other], SIZE)[1]) for other in shown]
    return make_crop(cut_image(pixels, mask), x, y, direction, gain, spec, others)


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 120, 180, 233, 315])
@pytest.mark.parametrize("place", [(100, 80), (40.5, 31.25), (160.7, 120.3)])
def test_an_animal_gives_the_same_crop_at_every_place_and_angle(place, angle):
    upright, turned = crop_of(animal(100, 80)), crop_of(animal(*place, angle))
    assert turned.shape == (HEIGHT, WIDTH, 3)
    assert turned.dtype == np.uint8
    assert np.abs(upright - turned.astype(float)).mean() < 4.5


@pytest.mark.parametrize("angle", [0, 77, 200])
def test_the_head_is_up(angle):
    crop = crop_of(animal(100, 80, angle)).astype(int)
    middle = slice(WIDTH // 2 - 3, WIDTH // 2 + 3)
    np.testing.assert_allclose(crop[8:16, middle].mean(axis=(0, 1)), BLUE, atol=12)
    np.testing.assert_allclose(crop[-16:-8, middle].mean(axis=(0, 1)), RED, atol=12)


def test_what_is_right_of_a_head_is_right_in_the_crop():
    body, right = animal(100, 80), animal(100, 101)
    crop = crop_of(body, right, spec=CropSpec(50.0, size=(48, 48), neighbours=True), shown=[right])
    assert (crop[:, -4:] != SPEC.blank).any()
    assert (crop[:, :4] == SPEC.blank).all()


def test_animals_of_other_colours_give_other_crops():
    crops = [crop_of(animal(100, 80, 30, colours)).astype(float) for colours in ((RED, BLUE), (BLUE, RED), (RED, GREEN), (YELLOW, BLUE))]
    assert min(np.abs(a - b).mean() for k, a in enumerate(crops) for b in crops[:k]) > 9


def test_the_body_stands_upright_and_fills_four_fifths_of_the_height():
    crop = crop_of(animal(70, 60, 77))
    body = np.abs(crop.astype(int) - SPEC.blank).max(axis=2) > 40
    along, across = body.any(axis=1).sum(), body.any(axis=0).sum()
    assert along == pytest.approx(2 * AXES[0] / SPEC.length_px * HEIGHT, abs=4)
    assert across == pytest.approx(2 * AXES[1] / SPEC.length_px * HEIGHT, abs=4)
    rows, columns = np.nonzero(body)
    assert (columns.mean(), rows.mean()) == pytest.approx(((WIDTH - 1) / 2, (HEIGHT - 1) / 2), abs=0.7)


def test_neighbours_are_blanked_unless_they_are_asked_for():
    # 7 px from outline to outline: inside the blob's image and, in part, inside the crop, but beyond the soft edge.
    body, neighbour = animal(100, 80), animal(121, 104, 0, (YELLOW, GREEN))
    image = cut_image(paint([body, neighbour], SIZE)[0], paint([body], SIZE)[1])
    assert (image.pixels == YELLOW).all(axis=2).any()
    alone, beside = crop_of(body), crop_of(body, neighbour)
    np.testing.assert_allclose(alone, beside, atol=1)
    assert (alone[:, [0, -1]] == SPEC.blank).all()
    shown = crop_of(body, neighbour, shown=[neighbour])
    assert np.abs(shown - alone.astype(float)).max() > 40


def test_the_ground_has_the_level_that_was_set():
    assert (crop_of(animal(100, 80), spec=CropSpec(50.0, blank=20))[:, [0, -1]] == 20).all()


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (64, 96)])
def test_a_crop_has_the_size_that_was_set_and_shows_the_same(size):
    crop = crop_of(animal(100, 80), spec=CropSpec(50.0, size))
    assert crop.shape == (size[1], size[0], 3)
    np.testing.assert_allclose(crop[size[1] // 4, size[0] // 2], BLUE, atol=25)


def test_an_animal_at_the_edge_of_the_frame_has_a_whole_crop():
    crop = crop_of(animal(8, 80, 90))
    assert crop.shape == (HEIGHT, WIDTH, 3)
    assert (crop[:, [0, -1]] == SPEC.blank).all()


def background(*grounds) -> Background:
    bgr = np.stack([np.full((20, 30, 3), ground, np.uint8) for ground in grounds])
    first = np.arange(len(grounds), dtype=np.int64) * 100
    return Background(bgr[..., 0], bgr, first, bgr[..., 0], bgr, np.zeros(len(grounds)), 1)


def test_the_colour_of_the_light_is_taken_out_window_by_window():
    light = light_of(background((200, 200, 200), (150, 200, 250 - 10)))
    np.testing.assert_allclose(light.at(0), 1)
    np.testing.assert_allclose(light.at(99), 1)
    np.testing.assert_allclose(light.at(100) * (150, 200, 240), 590 / 3)
    np.testing.assert_allclose(light_of(background((150, 200, 240)), white_balance=False).at(5), 1)


@pytest.mark.parametrize("ground", [(5, 3, 9), (250, 251, 252)])
def test_a_black_or_overexposed_ground_tells_nothing_of_the_light(ground):
    np.testing.assert_allclose(light_of(background(ground)).gain, 1)


def test_two_lights_give_the_same_crop():
    tint = np.array([0.8, 1.0, 1.1])
    dim = tuple(tuple(int(v) for v in np.array(colour) * tint) for colour in (RED, BLUE))
    plain, tinted = crop_of(animal(100, 80)), crop_of(animal(100, 80, 0, dim), gain=1 / tint)
    assert np.abs(plain[12:36, 12:20] - tinted[12:36, 12:20].astype(float)).max() <= 3


def test_no_blob_gives_no_crop_of_the_right_shape():
    light = Light(np.zeros(1, np.int64), np.ones((1, 3)))
    crops, chroma = make_crops(None, None, [], np.zeros(0, np.float32), light, SPEC)
    assert crops.shape == (0, HEIGHT, WIDTH, 3)
    assert chroma.shape == (0,)


def test_grey_images_stay_grey():
    _, mask = paint([animal(100, 80, 30)], SIZE)
    x, y, _, _ = describe(mask)
    image = BlobImage(np.repeat(np.where(mask, 60, 200).astype(np.uint8)[:, :, None], 3, 2), mask, 0, 0)
    crop = make_crop(image, x, y, 0.3, PLAIN, SPEC)
    assert (crop == crop[:, :, :1]).all()


def test_only_blobs_of_the_same_frame_that_reach_into_the_crop_are_its_neighbours():
    blobs = SimpleNamespace(
        frame=np.array([3, 3, 3, 3, 4], np.int32),
        x=np.array([50, 80, 50, 60, 51.0]),
        y=np.array([50, 50, 90, 60, 50.0]),
        box=np.array([[40, 45, 61, 56], [70, 45, 91, 56], [40, 85, 61, 96], [55, 55, 66, 66], [41, 45, 62, 56]], np.int32),
        image=np.array([0, 1, 2, -1, 3]),
    )
    assert neighbours_of(blobs, 0, SPEC) == [1]


@pytest.mark.parametrize(("length", "shown"), [(1.0, 16), (12.8, 16), (24.0, 30), (40.0, 50), (80.0, 100)])
def test_a_crop_is_a_quarter_longer_than_the_animal(length, shown):
    assert crop_length(length) == shown


def test_a_specification_survives_its_card():
    spec = CropSpec(61.5, (24, 40), 0, neighbours=True, white_balance=False)
    assert CropSpec.from_dict(spec.as_dict()) == spec


@pytest.mark.parametrize("count", [1, 2, 3, 7, 30, 100])
def test_every_beginning_of_the_order_is_spread(count):
    order = spread_order(count)
    assert sorted(order) == list(range(count))
    for k in range(2, count):
        gaps = np.diff(np.sort(np.concatenate([[-1], order[:k], [count]])))
        assert gaps.max() <= 2 * count / k + 2


def test_a_sample_is_spread_over_the_tracklet_and_takes_only_what_is_usable():
    rows = np.arange(100, dtype=np.int64)
    offsets = np.array([0, 60, 63, 100])
    usable = np.ones(100, bool)
    usable[:30] = False
    chosen = spread_rows(rows, offsets, usable, 7)
    assert [len(c) for c in chosen] == [7, 3, 7]
    assert all(usable[c].all() for c in chosen)
    assert all((np.diff(c) > 0).all() for c in chosen)
    assert np.diff(chosen[2]).max() <= 10


def test_further_samples_are_of_other_blobs_until_there_are_none():
    rows, offsets, usable = np.arange(50, dtype=np.int64), np.array([0, 20, 50]), np.ones(50, bool)
    rounds = [spread_rows(rows, offsets, usable, 12, done) for done in (0, 12, 24, 36)]
    assert [[len(c) for c in chosen] for chosen in rounds] == [[12, 12], [8, 12], [0, 6], [0, 0]]
    assert sorted(np.concatenate([c for chosen in rounds for c in chosen])) == list(range(50))


def test_a_tracklet_without_usable_blobs_gets_none():
    chosen = spread_rows(np.arange(4), np.array([0, 2, 4]), np.array([False, False, True, True]), 5)
    assert [c.tolist() for c in chosen] == [[], [2, 3]]
