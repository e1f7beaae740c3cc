import numpy as np
import pytest

from herdbook.classifier.augmentation import LEAST_TURNED, Augmentation, augment

STILL = Augmentation(0, 0, 0, 0, 0, 0, symmetry=False)


def marked(count):
    """Images with a mark in the upper left quarter."""
    images = np.full((count, 48, 32, 3), 127, np.uint8)
    images[:, 4:14, 4:12] = (30, 60, 220)
    return images


def corner_of_mark(images):
    seen = np.abs(images.astype(int) - 127).max(axis=3) > 40
    return [("upper" if rows.mean() < 23.5 else "lower", "left" if columns.mean() < 15.5 else "right") for _, rows, columns in
            ((None, *np.nonzero(image)) for image in seen)]  # fmt: skip


def test_the_same_seed_gives_the_same_images_and_leaves_the_given_ones():
    images, head = marked(5), np.ones(5, np.float32)
    before = images.copy()
    first, again, other = (augment(images, head, Augmentation(), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(images, before)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("sure", [0.5, 0.8, 1.0])
def test_an_unsure_head_is_turned_as_often_as_it_may_be_the_tail(sure):
    corners = corner_of_mark(augment(marked(2000), np.full(2000, sure, np.float32), STILL, np.random.default_rng(1)))
    turned = np.mean([corner == ("lower", "right") for corner in corners])
    assert turned == pytest.approx(max(LEAST_TURNED, 1 - sure), abs=0.03)
    assert {("upper", "left"), ("lower", "right")} >= set(corners)


def test_symmetry_mirrors_left_and_right_only():
    how = Augmentation(0, 0, 0, 0, 0, 0, symmetry=True)
    corners = corner_of_mark(augment(marked(400), np.ones(400, np.float32), how, np.random.default_rng(1)))
    assert np.mean([side == "right" for _, side in corners]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([end == "upper" for end, _ in corners]) > 0.95


@pytest.mark.parametrize("name", ["shift", "rotation", "shear", "zoom", "brightness", "hue"])
def test_each_change_acts_and_none_alters_the_image(name):
    rng, images, head = np.random.default_rng(1), marked(20), np.ones(20, np.float32)
    none = augment(images, head, STILL, rng)
    unturned = [k for k in range(20) if np.array_equal(none[k], images[k])]
    assert len(unturned) > 15
    how = Augmentation(**{**STILL.__dict__, name: 10.0 if name == "rotation" else 0.1})
    assert np.abs(augment(images, head, how, np.random.default_rng(1)).astype(int) - none).max() > 10


def test_the_ground_goes_on_beyond_the_edge():
    how = Augmentation(0.2, 20, 0, 0, 0, 0)
    changed = augment(np.full((30, 48, 32, 3), 90, np.uint8), np.ones(30, np.float32), how, np.random.default_rng(1))
    assert (changed == 90).all()
