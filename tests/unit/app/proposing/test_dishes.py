"""Dishes that are drawn into a picture are found again: shape, place and order."""

import cv2
import numpy as np
import pytest

from herdbook.app.proposing.dishes import find_dishes


def scene(rng, width, height, ground=90):
    """A ground lit from one side."""
    light = np.linspace(0.8, 1.1, width)[None, :] * np.linspace(1.0, 0.9, height)[:, None]
    return light, np.full((height, width), float(ground))


def photographed(rng, light, image):
    """With uneven light, a little blur, and noise."""
    blurred = cv2.GaussianBlur(image * light, (0, 0), 1.0)
    return np.clip(blurred + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def wells(rows, columns, pitch, start):
    return [(start[0] + c * pitch, start[1] + r * pitch) for r in range(rows) for c in range(columns)]


@pytest.mark.parametrize(("inside", "rim"), [(190, 60), (60, 170), (170, 170)])
def test_the_wells_of_a_plate_rather_than_the_plate(rng, inside, rim):
    light, image = scene(rng, 1200, 800, ground=30)
    cv2.rectangle(image, (40, 30), (1160, 770), 100.0, -1)
    middles = wells(4, 6, 180, (150, 130))
    for x, y in middles:
        cv2.circle(image, (x, y), 78, float(rim), -1)
        cv2.circle(image, (x, y), 70, float(inside), -1)
        # What rests in a well is no well.
        cv2.circle(image, (x + 20, y), 12, 20.0, -1)
    found = find_dishes(photographed(rng, light, image))
    assert [dish.name for dish in found] == [f"{row}{column}" for row in "ABCD" for column in range(1, 7)]
    for dish, middle in zip(found, middles, strict=True):
        assert dish.kind == "ellipse"
        assert np.hypot(*np.subtract(dish.centre, middle)) < 4
        assert all(66 < axis < 82 for axis in dish.axes)


def test_a_round_dish_and_a_tilted_one(rng):
    for axes, angle in (((300, 300), 0), ((320, 250), 30)):
        light, image = scene(rng, 900, 700)
        cv2.ellipse(image, (440, 350), axes, angle, 0, 360, 200.0, -1)
        (dish,) = find_dishes(photographed(rng, light, image))
        assert dish.name == "arena"
        assert np.hypot(dish.centre[0] - 440, dish.centre[1] - 350) < 3
        assert sorted(dish.axes) == pytest.approx(sorted(axes), abs=5)
        assert list(dish.as_shape()) == ["ellipse"]


def test_tubes_side_by_side(rng):
    light, image = scene(rng, 1000, 600)
    for column in range(10):
        cv2.rectangle(image, (60 + column * 90, 50), (110 + column * 90, 540), 210.0, -1)
    found = find_dishes(photographed(rng, light, image))
    assert [dish.name for dish in found] == [f"arena{k + 1}" for k in range(10)]
    for column, dish in enumerate(found):
        (polygon,) = dish.as_shape().values()
        left, top = np.min(polygon, axis=0)
        right, bottom = np.max(polygon, axis=0)
        assert (left, top, right, bottom) == pytest.approx((60 + column * 90, 50, 110 + column * 90, 540), abs=5)


def test_nothing_is_found_where_there_is_no_edge(rng):
    rows, columns = np.mgrid[:700, :900]
    vignette = 1.1 - 0.8 * (((columns - 450) / 450) ** 2 + ((rows - 350) / 350) ** 2) / 2
    plain = photographed(rng, np.clip(vignette, 0, None), np.full((700, 900), 180.0))
    assert find_dishes(plain) == []
    assert find_dishes(np.full((300, 400), 120, np.uint8)) == []
    # Two drops on the ground are no dishes.
    drops = np.full((700, 900), 150.0)
    for x in (200, 700):
        cv2.circle(drops, (x, 500), 60, 60.0, -1)
    assert find_dishes(photographed(rng, np.ones((700, 900)), drops)) == []


def test_a_dish_that_the_picture_cuts_is_not_guessed(rng):
    light, image = scene(rng, 900, 700)
    cv2.circle(image, (450, 350), 420, 200.0, -1)
    assert find_dishes(photographed(rng, light, image)) == []
