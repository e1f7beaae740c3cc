import cv2
import numpy as np

from herdbook.classifier.examples import choose_examples


def pictures(count, rng):
    """Bodies with a bright mark whose place tells them apart."""
    images = np.full((count, 48, 32, 3), 127, np.uint8)
    images[:, 8:40, 10:22] = 60
    for k in range(count):
        y, x = rng.integers(10, 34), rng.integers(10, 18)
        images[k, y : y + 6, x : x + 4] = rng.integers(0, 255, 3)
    return images


def test_no_image_is_taken_twice():
    images = np.repeat(pictures(5, np.random.default_rng(1)), 6, axis=0)
    chosen = choose_examples(images, 20)
    assert len(chosen) == 5
    assert len({images[k].tobytes() for k in chosen}) == 5


def test_identical_images_still_give_one():
    assert len(choose_examples(np.repeat(pictures(1, np.random.default_rng(1)), 9, axis=0), 20)) == 1
    assert len(choose_examples(np.zeros((0, 48, 32, 3), np.uint8), 20)) == 0


def test_blurred_images_are_left_out():
    images = pictures(30, np.random.default_rng(2))
    for k in (3, 11, 20):
        images[k] = cv2.GaussianBlur(images[k], (0, 0), 5)
    assert not {3, 11, 20} & set(choose_examples(images, 30).tolist())


def test_a_rare_posture_is_among_the_chosen():
    rng = np.random.default_rng(3)
    images = np.repeat(pictures(1, rng), 100, axis=0)
    images = np.clip(images + rng.normal(0, 2, images.shape), 0, 255).astype(np.uint8)
    images[57] = pictures(3, np.random.default_rng(9))[2]
    chosen = choose_examples(images, 5)
    assert 57 in chosen
    assert (np.diff(chosen) > 0).all()
