"""Bodies without their thin parts, on drawn animals, and moments of runs against those of pixels."""

import cv2
import numpy as np
import pytest

from herdbook.geometry.bodies import body_mask, body_runs, half_width, run_moments
from herdbook.geometry.regions import ellipse_mask
from herdbook.segmentation.components import Labeller

SHAPE = (90, 160)
BODY = ellipse_mask(SHAPE, (50, 45), (30, 14))


def with_tail(width):
    mask = BODY.astype(np.uint8)
    cv2.line(mask, (75, 45), (150, 20), 1, width)
    return mask.astype(bool)


def runs_of(mask):
    return Labeller(*mask.shape).label_mask(mask).runs


def test_the_half_width_is_that_of_the_widest_part():
    assert half_width(runs_of(BODY)) == pytest.approx(14, abs=1)
    assert half_width(runs_of(with_tail(3))) == pytest.approx(14, abs=1)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_a_tail_is_no_part_of_the_body(width):
    body = body_mask(with_tail(width), 4.0)
    assert not body[:, 90:].any()
    assert (body != BODY).mean() < 0.002


def test_what_is_thick_stays_and_nothing_is_added():
    assert np.array_equal(body_mask(BODY, 1.0), BODY)
    body = body_mask(BODY, 4.0)
    assert not (body & ~BODY).any()
    assert body.sum() > 0.99 * BODY.sum()


def test_a_mask_without_a_core_stays_as_it_is():
    line = np.zeros(SHAPE, bool)
    line[40:42] = True
    assert np.array_equal(body_mask(line, 4.0), line)


def test_runs_of_a_body_are_those_of_its_mask():
    mask = with_tail(3)
    assert np.array_equal(body_runs(runs_of(mask), 4.0), runs_of(body_mask(mask, 4.0)))


def test_moments_of_runs_are_those_of_their_pixels(rng):
    mask = rng.random((20, 31)) < 0.7
    mask[0], mask[:, ::2] = True, True  # one blob
    y, x = np.nonzero(mask)
    expected = [x.mean(), y.mean(), *np.cov(x, y, bias=True)[[0, 0, 1], [0, 1, 1]]]
    assert run_moments(runs_of(mask)) == pytest.approx(expected)
