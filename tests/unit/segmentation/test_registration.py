"""Frames as they are compared, and movements of the scene."""

import cv2
import numpy as np
import pytest

from herdbook.segmentation.registration import Motion, reduced_by


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_reduced_frame_holds_the_means_of_its_areas(rng, factor):
    blocks = rng.integers(0, 255, (4, 6)).astype(np.uint8)
    frame = np.kron(blocks, np.ones((factor, factor), np.uint8))
    # What is left over at the right and at the bottom of a frame is part of no whole area.
    assert np.array_equal(reduced_by(frame, factor), blocks)


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_so_many_times_a_movement_is_that_shift_of_the_centre_and_that_turn_about_it(factor):
    width, height = 200, 120
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 3.0, 1.0)
    matrix[:, 2] += 4.0, -1.5
    found = Motion(matrix).times(factor, (height, width))
    assert found.turn_deg == pytest.approx(-3.0 * factor)  # the axis of rows points downwards
    assert found.at((width - 1) / 2, (height - 1) / 2) == pytest.approx((4.0 * factor, -1.5 * factor))
