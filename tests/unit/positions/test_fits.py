"""Templates learned from painted animals alone, and fitted to blobs of several of them, whose places are known."""

import cv2
import numpy as np
import pytest

from herdbook.artifacts.segment import BlobImage
from herdbook.geometry.ellipses import wrap_angle
from herdbook.positions.fits import Fitter
from herdbook.positions.templates import FEWEST, SIDE, Templates
from herdbook.segmentation.components import Labeller

BODY = (14.0, 6.0)  # half axes, px
VARIANCES = (BODY[0] ** 2 / 4, BODY[1] ** 2 / 4)
COLOURS = {0: (40, 40, 200), 1: (200, 60, 40), 2: (60, 190, 60)}
SIZE = 120
STEP_PX = 4.0


def paint(bodies, rng):
    """Image of a blob of bodies (colour, x, y, angle): dark ellipses with a spot of their colour on the front half, the last one on top."""
    pixels, mask = np.full((SIZE, SIZE, 3), 230, np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    for colour, x, y, angle in bodies:
        place, axes = (round(16 * x), round(16 * y)), (round(16 * BODY[0]), round(16 * BODY[1]))
        for image, value in ((pixels, (30, 30, 30)), (mask, 1)):
            cv2.ellipse(image, place, axes, np.degrees(angle), 0, 360, value, -1, shift=4)
        cv2.circle(pixels, (round(16 * (x + 7 * np.cos(angle))), round(16 * (y + 7 * np.sin(angle)))), 56, COLOURS[colour], -1, shift=4)
    noisy = np.clip(pixels + rng.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    return BlobImage(noisy, mask.astype(bool), 0, 0)


def runs_of(image):
    return Labeller(SIZE, SIZE).label_mask(image.mask).runs


@pytest.fixture
def painted(rng):
    """A list of pictures, the first ones of animals alone, and templates made of them."""
    pictures, alone = [], []
    for colour in COLOURS:
        mine = []
        for k in range(12):
            angle = rng.uniform(-np.pi, np.pi)
            pictures.append(paint([(colour, 60, 60, angle)], rng))
            # Half of the axes point to the tail.
            mine.append((len(pictures) - 1, 60.0, 60.0, angle + np.pi * (k % 2), 40 * k))
        alone.append(np.array(mine))
    return pictures, Templates(alone, pictures.__getitem__, VARIANCES)


def fitter(painted, image=True):
    pictures, templates = painted
    return Fitter(templates, lambda blob: pictures[blob] if image else None, VARIANCES, STEP_PX)


def fit(painted, bodies, start, rng, *, image=True, near=True):
    pictures, _ = painted
    pictures.append(paint(bodies, rng))
    individuals = [body[0] for body in bodies]
    found = fitter(painted, image).fit(
        runs_of(pictures[-1]), len(pictures) - 1, 100, individuals, np.array(start, float), np.full(len(bodies), near)
    )
    return found, np.hypot(*(found[:, :2] - np.array([body[1:3] for body in bodies])).T)


def test_images_of_an_animal_are_turned_the_same_way_whichever_way_their_axes_point(painted):
    _, templates = painted
    for colour, paint_of in COLOURS.items():
        cells = templates.around(colour, 100).cells
        ahead = [cells[SIDE // 2, SIDE // 2 + side * 8, :3] for side in (-1, 1)]
        near_colour = [np.abs(one - paint_of).max() < 25 for one in ahead]
        assert sorted(near_colour) == [False, True]


def test_the_silhouette_is_that_of_the_body(painted):
    share = painted[1].around(0, 0).cells[..., 3]
    assert share.sum() / painted[1].scale ** 2 == pytest.approx(painted[0][0].mask.sum(), rel=0.08)
    assert share.max() <= 0.97
    assert share[0].max() == share[:, 0].max() == 0


@pytest.mark.parametrize("image", [True, False], ids=["with colours", "outline only"])
@pytest.mark.parametrize("away", [(22, 0), (14, 8), (0, 10)])
def test_animals_that_overlap_are_found_near_where_they_were(painted, rng, away, image):
    bodies = [(0, 50, 60, 0.4), (1, 50 + away[0], 60 + away[1], 1.2)]
    start = [(x + dx, y + dy, angle + 0.2) for (_, x, y, angle), dx, dy in zip(bodies, (3, -2), (-2, 2), strict=True)]
    found, errors = fit(painted, bodies, start, rng, image=image)
    assert errors.max() < (1.5 if image else 4)
    assert np.abs(wrap_angle(found[:, 2] - [0.4, 1.2], np.pi)).max() < (0.15 if image else 0.6)


def test_colours_say_who_is_where_when_nobody_knows(painted, rng):
    bodies = [(0, 45, 60, 0.0), (2, 75, 60, 0.0)]
    _, errors = fit(painted, bodies, [(58, 60, 0.0), (62, 60, 0.0)], rng, near=False)
    assert errors.max() < 1.5


def test_a_part_that_nobody_explains_is_where_somebody_is(painted, rng):
    bodies = [(0, 40, 60, 0.0), (1, 40, 72, 0.0), (2, 64, 64, 1.5)]
    # The third one is believed to be under the first.
    _, errors = fit(painted, bodies, [(40, 60, 0.0), (40, 72, 0.0), (41, 60, 0.0)], rng)
    assert errors.max() < 2


def test_an_axis_that_points_to_the_tail_is_turned_round(painted, rng):
    bodies = [(0, 50, 60, 0.4), (1, 70, 66, 1.2)]
    right, _ = fit(painted, bodies, [body[1:] for body in bodies], rng)
    back, errors = fit(painted, bodies, [(x, y, angle + np.pi) for _, x, y, angle in bodies], rng)
    assert errors.max() < 1.5
    # Which end of a template is the head is open, so one of the two starts is right.
    assert np.abs(wrap_angle(right[:, 2] - back[:, 2], 2 * np.pi)).max() < 0.2


def test_what_is_given_stays_as_it_was(painted, rng):
    start = np.array([(52.0, 60.0, 0.0), (70.0, 66.0, 1.0)])
    kept = start.copy()
    fit(painted, [(0, 50, 60, 0.4), (1, 70, 66, 1.2)], start, rng)
    assert np.array_equal(start, kept)


def test_each_pixel_is_shared_by_those_who_may_cover_it(painted, rng):
    pictures, _ = painted
    bodies = [(0, 45, 60, 0.0), (1, 66, 60, 0.0)]
    pictures.append(paint(bodies, rng))
    poses = np.array([body[1:] for body in bodies], float)
    # Poses that explain the colours point to the side on which each template has its spot.
    poses = fitter(painted).fit(runs_of(pictures[-1]), len(pictures) - 1, 100, [0, 1], poses, np.ones(2, bool))
    points, shares = fitter(painted).shares(runs_of(pictures[-1]), len(pictures) - 1, 100, [0, 1], poses)
    assert pictures[-1].mask[points[:, 1], points[:, 0]].all()
    assert shares.sum(axis=0) == pytest.approx(1, abs=1e-6)
    assert (shares[0, points[:, 0] < 50] > 0.9).mean() > 0.95
    assert (shares[1, points[:, 0] > 61] > 0.9).mean() > 0.95


def test_a_stranger_looks_like_animals_in_general(painted, rng):
    _, templates = painted
    general = templates.around(-7, 0).cells[..., 3]
    own = templates.around(0, 0).cells[..., 3]
    assert np.abs(general - own).max() < 0.2


def test_without_animals_alone_there_are_no_templates(rng):
    few = np.zeros((FEWEST - 1, 5))
    templates = Templates([few, few], lambda blob: None, VARIANCES)
    assert templates.around(0, 0) is None
    image = paint([(0, 50, 60, 0.0)], rng)
    alone = Fitter(templates, lambda blob: image, VARIANCES, STEP_PX)
    poses = np.array([(50.0, 60.0, 0.0)])
    assert alone.fit(runs_of(image), 0, 0, [0], poses, np.ones(1, bool)) is None
    assert alone.shares(runs_of(image), 0, 0, [0], poses) is None
