"""Whether the animals of a movie have tails, and where they are then."""

import cv2
import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.geometry.regions import ellipse_mask
from herdbook.positions.bodies import bodies_only, body_image, tail_radius, with_bodies

SIZE, FRAMES = (200, 120), 12


def draw_animal(x, y, degrees, tail):
    mask = ellipse_mask(SIZE[::-1], (x, y), (24, 11), degrees).astype(np.uint8)
    end = np.radians(degrees) + np.pi
    start = (round(x + 20 * np.cos(end)), round(y + 20 * np.sin(end)))
    if tail:
        cv2.line(mask, start, (round(x + tail * np.cos(end)), round(y + tail * np.sin(end))), 1, 1)
    return mask.astype(bool)


@pytest.fixture
def movie(write_blobs):
    def write(tail):
        truth = np.stack([np.linspace(80, 120, FRAMES), np.linspace(55, 65, FRAMES)], 1)
        path = write_blobs("m", [draw_animal(*at, 10 * k, tail) for k, at in enumerate(truth)], SIZE)
        return path, Blobs.load(path), truth

    return write


@pytest.mark.parametrize("tail", [0, 27])
def test_animals_without_tails_stay_as_they_are(movie, tail):
    path, blobs, _ = movie(tail)
    with open_blob_images(path) as images:
        assert tail_radius(images, np.arange(len(blobs))) is None


def test_nothing_is_known_where_nobody_is_alone(movie):
    path, _, _ = movie(70)
    with open_blob_images(path) as images:
        assert tail_radius(images, np.zeros(0, np.int64)) is None


def test_an_animal_with_a_tail_is_where_its_body_is(movie):
    path, blobs, truth = movie(70)
    with open_blob_images(path) as images:
        radius = tail_radius(images, np.arange(len(blobs)))
        found = with_bodies(blobs, bodies_only(lambda blob: images.runs(blob, blob + 1)[0], radius))
        image = next(image for row in blobs.image if row >= 0 and (image := images.image(row)))
    errors = [np.hypot(*(np.stack([b.x, b.y], 1) - truth).T).max() for b in (blobs, found)]
    assert errors[0] > 2
    assert errors[1] < 1
    assert body_image(image, None) is image
    assert body_image(None, radius) is None
    assert 0.8 < body_image(image, radius).mask.sum() / image.mask.sum() < 0.95


def test_a_blob_without_a_body_keeps_its_outline():
    line = np.array([[3, 0, 40], [4, 0, 40]], np.int32)
    assert np.array_equal(bodies_only(lambda blob: line, 5.0)(0), line)
