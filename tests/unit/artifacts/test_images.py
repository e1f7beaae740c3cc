"""Images of blobs: what is near a blob comes back as it was in the frame, all else is blank, in every layout of planes."""

import cv2
import numpy as np
import pytest

from herdbook.artifacts.images import MARGIN_PX, NEUTRAL, image_boxes, image_samples, pack_images, plane_shapes, unpack_image
from herdbook.movie.frame import Coding, planes_to_bgr

LUMA, TERMS = np.arange(256, dtype=np.uint8), np.array([1.772, -0.344, -0.714, 1.402], np.float32)
CODINGS = {
    "grey": Coding("grey", (0, 0), LUMA, TERMS),
    "bgr": Coding("bgr", (0, 0), LUMA, TERMS),
    "yuv420": Coding("yuv", (1, 1), LUMA, TERMS),
    "yuv422": Coding("yuv", (0, 1), LUMA, TERMS),
    "yuv444": Coding("yuv", (0, 0), LUMA, TERMS),
}
WIDTH, HEIGHT = 41, 31  # odd: the last sample of chroma belongs to one row and one column alone
# Blobs as runs of row, first and last column: one inside, one in a corner, one that is thin and slanted.
BLOBS = [
    [(12, 10, 15), (13, 9, 17), (14, 11, 11)],
    [(29, 37, 40), (30, 36, 40)],
    [(3, 30, 30), (4, 31, 31), (5, 32, 33), (6, 34, 34)],
]


def test_a_box_leaves_a_margin_and_has_even_coordinates_inside_of_the_frame():
    boxes = np.array([[10, 11, 20, 21], [11, 10, 21, 20], [0, 1, 3, 4], [36, 29, 41, 31]], np.int32)
    assert image_boxes(boxes, WIDTH, HEIGHT).tolist() == [[6, 8, 24, 24], [8, 6, 24, 24], [0, 0, 6, 8], [32, 26, 41, 31]]


@pytest.mark.parametrize("name", CODINGS)
def test_samples_are_those_of_all_planes(name):
    boxes, coding = np.array([[0, 0, 6, 8], [32, 26, 41, 31]], np.int32), CODINGS[name]
    expected = {
        "grey": [[(8, 6)], [(5, 9)]],
        "yuv420": [[(8, 6), (4, 3), (4, 3)], [(5, 9), (3, 5), (3, 5)]],
        "yuv422": [[(8, 6), (8, 3), (8, 3)], [(5, 9), (5, 5), (5, 5)]],
    }.get(name, [[(8, 6)] * 3, [(5, 9)] * 3])
    assert [plane_shapes(box, coding) for box in boxes.tolist()] == expected
    assert image_samples(boxes, coding).tolist() == [sum(rows * columns for rows, columns in shapes) for shapes in expected]


def whole_images(planes, coding, runs, box):
    """The planes of one image, by plain NumPy: what is farther than the margin from the blob is blank."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row, first, last in runs:
        mask[row, first : last + 1] = 1
    near = cv2.dilate(mask, np.ones((2 * MARGIN_PX + 1,) * 2, np.uint8)).astype(bool)
    x0, y0, x1, y1 = box
    found = []
    for number, plane in enumerate(planes):
        rows, columns = coding.shifts if number else (0, 0)
        block = np.pad(near, ((0, -HEIGHT % (1 << rows)), (0, -WIDTH % (1 << columns))))
        block = block.reshape(block.shape[0] >> rows, 1 << rows, block.shape[1] >> columns, 1 << columns).any(axis=(1, 3))
        here = np.where(block, plane, NEUTRAL if number and coding.kind == "yuv" else 0).astype(np.uint8)
        found.append(here[y0 >> rows : -(-y1 >> rows), x0 >> columns : -(-x1 >> columns)])
    return found


@pytest.mark.parametrize("name", CODINGS)
def test_what_is_near_a_blob_comes_back_and_all_else_is_blank(name, rng):
    coding = CODINGS[name]
    small = tuple(-(-size // (1 << shift)) for size, shift in zip((HEIGHT, WIDTH), coding.shifts, strict=True))
    shapes = [(HEIGHT, WIDTH)] if name == "grey" else [(HEIGHT, WIDTH), small, small]
    planes = [rng.integers(1, 256, shape, dtype=np.uint8) for shape in shapes]
    runs = np.array([run for blob in BLOBS for run in blob], np.int32)
    offsets = np.cumsum([0, *map(len, BLOBS)])
    bounds = [[min(r[1] for r in b), b[0][0], max(r[2] for r in b) + 1, b[-1][0] + 1] for b in BLOBS]
    boxes = image_boxes(np.array(bounds, np.int32), WIDTH, HEIGHT)
    samples = pack_images(planes, coding, boxes, runs, offsets)
    ends = np.cumsum([0, *image_samples(boxes, coding)])
    assert len(samples) == ends[-1]
    for k, box in enumerate(boxes.tolist()):
        expected = planes_to_bgr(whole_images(planes, coding, BLOBS[k], box), coding)
        assert np.array_equal(unpack_image(samples[ends[k] : ends[k + 1]], box, coding), expected)
