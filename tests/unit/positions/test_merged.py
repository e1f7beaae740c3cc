"""Pixels of blobs, and ellipses fitted to drawn animals that overlap."""

import numpy as np
import pytest

from herdbook.geometry.ellipses import wrap_angle
from herdbook.positions.merged import blob_pixels, fit_ellipses, spread_guess
from herdbook.segmentation.components import Labeller

SEMI = (20.0, 8.0)
VARIANCES = (SEMI[0] ** 2 / 4, SEMI[1] ** 2 / 4)


def runs_of(mask):
    return Labeller(*mask.shape).label_mask(mask).runs


def pixels_of(mask):
    return np.argwhere(mask)[:, ::-1].astype(float)


def drawn(draw, centres, degrees):
    return pixels_of(draw([(x, y, *SEMI, a) for (x, y), a in zip(centres, degrees, strict=True)], (200, 160)))


def error_px(found, truth):
    return np.hypot(*(found - np.asarray(truth)).T)


def test_pixels_are_those_of_the_mask(rng):
    mask = rng.random((30, 41)) < 0.6
    mask[0], mask[:, ::2] = True, True  # one blob
    points = blob_pixels(runs_of(mask), 10_000)
    assert np.array_equal(points, pixels_of(mask))


@pytest.mark.parametrize("shape", [(500, 20), (97, 100), (40, 250)])
def test_a_sample_is_even_even_where_all_rows_are_equally_long(shape):
    mask = np.ones(shape, bool)
    points, every = blob_pixels(runs_of(mask), 500), pixels_of(mask)
    assert 490 <= len(points) <= 1010
    assert len(np.unique(points, axis=0)) == len(points)
    assert points.mean(axis=0) == pytest.approx(every.mean(axis=0), rel=0.02)
    assert points.std(axis=0) == pytest.approx(every.std(axis=0), rel=0.02)


def test_a_thin_blob_is_sampled_along_its_whole_length():
    mask = np.zeros((900, 3), bool)
    mask[:, 1] = True
    points = blob_pixels(runs_of(mask), 100)
    assert (points[:, 0] == 1).all()
    assert np.diff(points[:, 1]).max() < 20


@pytest.mark.parametrize(
    ("centres", "degrees"),
    [
        ([(80, 80), (108, 80)], (0, 0)),
        ([(80, 80), (80, 92)], (0, 0)),
        ([(80, 80), (92, 80)], (0, 90)),
        ([(80, 80), (84, 84)], (10, 100)),
        ([(70, 80), (95, 85), (112, 100)], (0, 40, 90)),
    ],
    ids=["end to end", "side by side", "T", "cross", "chain of three"],
)
def test_overlapping_animals_are_found_near_where_they_were_a_frame_ago(rng, draw, centres, degrees):
    pixels = drawn(draw, centres, degrees)
    moved = np.array(centres, float) + rng.normal(0, 2, (len(centres), 2))
    turned = np.radians(degrees) + rng.normal(0, 0.15, len(degrees))
    found, angles = fit_ellipses(pixels, moved, turned, VARIANCES)
    assert error_px(found, centres).max() < 0.1 * 2 * SEMI[0]
    assert error_px(found, centres).mean() < error_px(moved, centres).mean()
    assert np.abs(wrap_angle(angles - np.radians(degrees), np.pi)).max() < np.radians(12)


def test_animals_that_jumped_together_are_found(draw):
    centres = np.array([(80.0, 70), (104, 85)])
    jump = np.array([14.0, 0])
    found, _ = fit_ellipses(drawn(draw, centres, (0, 40)), centres + jump, np.radians([0.0, 40]), VARIANCES)
    assert error_px(found, centres).max() < 3


def test_a_blob_without_an_axis_keeps_the_angle(draw):
    pixels = pixels_of(draw([(80, 70, 15, 15, 0)], (200, 160)))
    _, angles = fit_ellipses(pixels, np.array([(80.0, 70.0)]), np.array([0.7]), VARIANCES)
    assert angles[0] == pytest.approx(0.7, abs=0.01)


def test_one_animal_is_its_blob(draw):
    pixels = drawn(draw, [(80, 70)], [30])
    # Started where it is, the pull has no effect.
    found, angles = fit_ellipses(pixels, pixels.mean(axis=0)[None], np.radians([30.0]), VARIANCES)
    assert error_px(found, [(80, 70)]).max() < 0.05
    assert angles[0] == pytest.approx(np.radians(30), abs=0.01)


def test_the_order_of_the_animals_does_not_matter(draw):
    pixels = drawn(draw, [(70, 80), (90, 85), (112, 100)], (0, 40, 90))
    start, angles = np.array([(72.0, 78), (92, 88), (110, 99)]), np.radians([5.0, 30, 95])
    found, turned = fit_ellipses(pixels, start, angles, VARIANCES)
    back, turned_back = fit_ellipses(pixels, start[::-1], angles[::-1], VARIANCES)
    assert np.allclose(found, back[::-1])
    assert np.allclose(turned, turned_back[::-1])


def test_what_is_given_stays_as_it_was(draw):
    start, angles = np.array([(75.0, 75), (95, 85)]), np.array([0.1, 0.2])
    fit_ellipses(drawn(draw, [(80, 80), (100, 80)], (0, 0)), start, angles, VARIANCES)
    assert start.tolist() == [[75, 75], [95, 85]]
    assert angles.tolist() == [0.1, 0.2]


@pytest.mark.parametrize("turns", [-3, 0, 2])
def test_an_axis_turns_by_the_shortest_way(draw, turns):
    # From one degree this side of vertical to one on the other, whatever half turns the angle has collected.
    before = np.radians(89) + turns * np.pi
    _, angles = fit_ellipses(drawn(draw, [(80, 80)], [91]), np.array([(80.0, 80.0)]), np.array([before]), VARIANCES)
    assert 0 < angles[0] - before < np.radians(3)


def test_two_animals_on_the_same_spot_stay_finite(draw):
    pixels = drawn(draw, [(80, 80)], [0])
    found, angles = fit_ellipses(pixels, np.array([(80.0, 80.0)] * 2), np.zeros(2), VARIANCES)
    assert error_px(found, [(80, 80)] * 2).max() < 0.1
    assert np.isfinite(angles).all()


def test_strangers_are_guessed_far_from_each_other_and_from_those_known(draw):
    pixels = drawn(draw, [(50, 80), (85, 80), (120, 80)], (0, 0, 0))
    guess = spread_guess(pixels, np.array([(85.0, 80.0)]), 2)
    assert sorted(guess[:, 0].round().tolist()) == [30, 140]
    assert spread_guess(pixels, np.zeros((0, 2)), 1)[0] == pytest.approx(pixels.mean(axis=0))
    assert spread_guess(pixels, np.zeros((0, 2)), 0).shape == (0, 2)
