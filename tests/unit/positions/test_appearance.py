"""Looks of painted discs: alone, and side by side in one blob."""

import cv2
import numpy as np
import pytest

from herdbook.artifacts.segment import BlobImage
from herdbook.positions.appearance import LEAST_IMAGES, Likeness

BODY = (10.0, 5.0)  # half axes, px
VARIANCES = (BODY[0] ** 2 / 4, BODY[1] ** 2 / 4)
COLOURS = {0: (40, 40, 200), 1: (200, 60, 40), 2: (60, 190, 60)}


def paint(bodies, rng, size=80):
    """Image of a blob of bodies (colour, x, y, angle): dark ellipses with a spot of their colour on the front half."""
    pixels, mask = np.full((size, size, 3), 230, np.uint8), np.zeros((size, size), np.uint8)
    for colour, x, y, angle in bodies:
        axes, degrees = (round(BODY[0]), round(BODY[1])), np.degrees(angle)
        for image, value in ((pixels, (30, 30, 30)), (mask, 1)):
            cv2.ellipse(image, (round(x), round(y)), axes, degrees, 0, 360, value, -1)
        spot = round(x + 4 * np.cos(angle)), round(y + 4 * np.sin(angle))
        cv2.circle(pixels, spot, 3, COLOURS[colour], -1)
    noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    return BlobImage(noisy, mask.astype(bool), 0, 0)


@pytest.fixture
def likeness(rng):
    def make(colours=(0, 1, 2), images=12, image=True):
        pictures, alone = [], []
        for colour in colours:
            mine = []
            for k in range(images):
                angle = rng.uniform(-np.pi, np.pi)
                pictures.append(paint([(colour, 40, 40, angle)], rng))
                # Half of the axes point to the tail.
                mine.append((len(pictures) - 1, 40.0, 40.0, angle + np.pi * (k % 2), 40 * k))
            alone.append(np.array(mine).reshape(-1, 5))
        made = Likeness(alone, lambda blob: pictures[blob] if image else None, VARIANCES)
        return made, pictures

    return make


def test_two_painted_animals_in_one_blob_are_reported_apart(likeness, rng):
    made, pictures = likeness()
    right = []
    for _ in range(20):
        a, b = rng.choice(3, 2, replace=False).tolist()
        angles = rng.uniform(-np.pi, np.pi, 2)
        pictures.append(paint([(a, 30, 40, angles[0]), (b, 48, 40, angles[1])], rng))
        places = np.array([[30, 40, angles[0]], [48, 40, angles[1] + np.pi]])
        told = made.evidence(len(pictures) - 1, 100, [a, b], places)
        right += [told[0, 0] > told[0, 1], told[1, 1] > told[1, 0]]
    assert np.mean(right) > 0.9


def test_what_is_said_is_relative_to_the_other_members(likeness, rng):
    made, pictures = likeness()
    pictures.append(paint([(0, 40, 40, 0.0)], rng))
    told = made.evidence(len(pictures) - 1, 100, [0, 1], np.array([[40.0, 40, 0]]))
    assert told[0, 0] == pytest.approx(-told[1, 0])
    assert told[0, 0] > 0


def test_animals_that_look_alike_say_next_to_nothing(likeness, rng):
    made, pictures = likeness((0, 0, 0))
    pictures.append(paint([(0, 30, 40, 0.3), (0, 48, 40, 2.0)], rng))
    told = made.evidence(len(pictures) - 1, 100, [0, 1], np.array([[30, 40, 0.3], [48, 40, 2.0]]))
    assert told is None or np.abs(told).max() < 1


def test_nothing_is_said_without_images_or_of_strangers(likeness):
    made, _ = likeness()
    place = np.array([[40.0, 40, 0]])
    assert made.evidence(0, 0, [0], place) is None
    assert made.evidence(0, 0, [0, -5], place) is None
    assert made.evidence(0, 0, [0, 17], place) is None
    assert made.evidence(0, 0, [0, 1, -5], place)[2] == 0
    blind, _ = likeness(images=LEAST_IMAGES - 1)
    assert not blind.useful
    assert blind.evidence(0, 0, [0, 1], place) is None


def test_a_movie_in_which_nobody_is_ever_alone_has_no_looks():
    assert not Likeness([np.zeros((0, 5))] * 2, lambda blob: None, VARIANCES).useful
