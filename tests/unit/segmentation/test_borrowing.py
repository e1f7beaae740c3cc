"""Animals that rest through a scene, taken out of it with the ground of another scene."""

import cv2
import numpy as np
import pytest

from herdbook.segmentation.borrowing import Lender, without_resting
from herdbook.segmentation.registration import Motion

SIZE = (160, 200)


@pytest.fixture
def ground(rng):
    """Ground with grain, in grey levels."""
    grain = cv2.GaussianBlur(rng.normal(0, 1, SIZE), (0, 0), 3)
    return 160 + 3 * grain / grain.std()


def scene_of(levels):
    luma = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return {"luma": luma, "bgr": np.repeat(luma[:, :, None], 3, axis=2)}


def with_animal(levels, level):
    mask = cv2.ellipse(np.zeros(SIZE, np.uint8), (110, 70), (14, 7), 30, 0, 360, 1, -1) > 0
    return np.where(mask, level, levels), mask


@pytest.mark.parametrize("light", [1.0, 0.7, 1.3])
@pytest.mark.parametrize("polarity", ["dark", "bright"])
def test_the_ground_under_an_animal_is_that_of_the_other_scene_in_the_light_of_this_one(ground, polarity, light):
    resting, mask = with_animal(ground, 60 if polarity == "dark" else 240)
    found = without_resting(scene_of(resting), Lender(scene_of(light * ground), None), polarity, 0)
    assert np.abs(found["luma"][mask] - ground[mask]).max() < 3
    assert np.abs(found["bgr"][mask] - ground[mask][:, None]).max() < 3
    assert np.array_equal(found["luma"][~mask], scene_of(ground)["luma"][~mask])


def test_the_other_scene_is_moved_to_where_this_one_stands(ground):
    resting, mask = with_animal(ground, 60)
    motion = Motion(np.array([[1.0, 0.0, 6.0], [0.0, 1.0, -4.0]]))
    lent = np.roll(ground, (4, -6), axis=(0, 1))
    found = without_resting(scene_of(resting), Lender(scene_of(lent), motion), "dark", 0)
    assert np.abs(found["luma"][mask] - ground[mask]).max() < 3


@pytest.mark.parametrize(("polarity", "level"), [("either", 60), ("bright", 60), ("dark", 152)])
def test_a_scene_stays_as_it_is_where_nothing_is_surely_an_animal(ground, polarity, level):
    before = scene_of(with_animal(ground, level)[0])
    assert without_resting(before, Lender(scene_of(ground), None), polarity, 0)["luma"] is before["luma"]
