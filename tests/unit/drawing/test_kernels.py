"""The loops of drawing against plain NumPy versions of them."""

import cv2
import numpy as np
import pytest

from herdbook.drawing import marks as drawing
from herdbook.drawing.kernels import PLACES, blend_label, outline_runs


def blended(image, label, x, y, ink):
    """The label on a larger image, of which the frame is cut again."""
    margin = 60
    wide = np.pad(image, ((margin,) * 2, (margin,) * 2, (0, 0))).astype(np.float64)
    height, width = label.letters.shape[:2]
    part = wide[margin + y : margin + y + height, margin + x : margin + x + width]
    part += label.halo * (np.array(drawing.HALO) - part)
    part += label.letters * (ink - part)
    return wide[margin:-margin, margin:-margin]


@pytest.mark.parametrize("corner", [(5, 7), (-6, -4), (38, 34), (-50, 3), (50, 50)])
def test_a_label_is_blended_as_far_as_it_is_inside(rng, corner):
    image = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    label, ink = drawing.make_label("Ag", 14), np.array([250.0, 20.0, 130.0], np.float32)
    expected = blended(image, label, *corner, ink)
    blend_label(image, label.letters, label.halo, *corner, np.array(drawing.HALO, np.float32), ink)
    assert np.abs(image - expected).max() <= 0.51


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_an_outline_is_the_blob_less_what_it_is_eroded_to(rng, scale):
    mask = np.zeros((60, 80), np.uint8)
    cv2.ellipse(mask, (30, 25), (18, 9), 30, 0, 360, 1, -1)
    cv2.ellipse(mask, (60, 45), (7, 7), 0, 0, 360, 1, -1)
    mask[0, :5] = mask[59, 76:] = 1
    runs = [(row, start, end - 1) for row in range(60) for start, end in stretches(mask[row])]
    image = rng.integers(0, 256, (round(60 * scale), round(80 * scale), 3), dtype=np.uint8)
    inner = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    rows, columns = np.nonzero(mask > inner)
    y, x = (np.clip(np.rint((k + 0.5) * scale - 0.5).astype(int), 0, n - 1) for k, n in zip((rows, columns), image.shape, strict=False))
    expected = image.astype(np.float64)
    expected[y, x] = 0.4 * image[y, x] + np.where(image[y, x].mean(axis=1, keepdims=True) < 128, 153, 0)
    outline_runs(image, np.array(runs, np.int32), scale)
    assert np.abs(image - expected).max() < 1


def stretches(row):
    edges = np.flatnonzero(np.diff(np.r_[0, row, 0]))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def places_by_hand(anchors, sizes, frame_size, gap, taken):
    """Labels one after another, from the top, each in the place of those known that covers least."""
    boxes = [np.r_[anchor - gap, anchor + gap] for anchor in anchors] + [np.array(box, float) for box in taken]
    corners = np.zeros(anchors.shape)
    for k in np.lexsort((anchors[:, 0], anchors[:, 1])):
        width, height = sizes[k]
        low = anchors[k] + np.stack([PLACES[:, 0] * gap + PLACES[:, 1] * width, PLACES[:, 2] * gap + PLACES[:, 3] * height], axis=1)
        low = np.clip(low, 0, np.maximum(0, np.array(frame_size) - sizes[k]))
        stacked = np.array(boxes)
        sides = np.minimum(low[:, None] + sizes[k], stacked[:, 2:]) - np.maximum(low[:, None], stacked[:, :2])
        corners[k] = low[np.argmin(sides.clip(0).prod(axis=2).sum(axis=1))]
        boxes.append(np.r_[corners[k], corners[k] + sizes[k]])
    return np.rint(corners)


@pytest.mark.parametrize("number", [0, 1, 30])
def test_labels_take_the_places_that_cover_least(rng, number):
    anchors = rng.uniform(-5, 205, (number, 2))
    sizes = rng.integers(8, 60, (number, 2))
    taken = [(0, 0, 90, 15)]
    corners = drawing.place_labels(anchors, sizes, (200, 150), 5.0, taken)
    assert np.array_equal(corners, places_by_hand(anchors, sizes, (200, 150), 5.0, taken) if number else np.zeros((0, 2)))
