"""Crops: an animal's image, centred, body axis level, everything but the animal blanked. Images are (row, col, channel) BGR uint8."""

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import BlobImage, BlobImages, Blobs
from herdbook.geometry import orientation

Pixels = NDArray[np.uint8]

# The network sees crops of this size (px): the body lies level, and animals are longer than wide.
CROP_WIDTH, CROP_HEIGHT = 48, 32
# What is not the animal is blanked to this grey level; an edge of this width (px) fades into it.
BLANK = 127
FEATHER_PX = 1.5
# A crop is this many body lengths wide, so that legs and a bent body stay inside.
WIDTH_BODY_LENGTHS = 1.25


def crop_width(body_length_px: float) -> int:
    """Width of the part of the movie that a crop shows, px, for animals of this length: even, at least 16."""
    return max(16, 2 * round(WIDTH_BODY_LENGTHS * body_length_px / 2))


def make_crop(image: BlobImage, x: float, y: float, moments: NDArray[np.float64], width_px: int) -> Pixels:
    """Crop of one blob, uint8 (CROP_HEIGHT, CROP_WIDTH, 3).

    `x`, `y` centroid and `moments` (3,) xx, xy, yy of the blob; `width_px` of the frame go into the crop. The body axis lies level;
    which end is the head stays open.
    """
    alpha = cv2.GaussianBlur(image.mask.astype(np.float32), (0, 0), FEATHER_PX) * 2
    alpha = np.clip(np.maximum(alpha, image.mask), 0, 1)[:, :, None]
    blended = (image.pixels * alpha + BLANK * (1 - alpha)).astype(np.uint8)
    turn = float(orientation(*moments))
    scale = CROP_WIDTH / width_px
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    across, down = (CROP_WIDTH - 1) / 2, (CROP_HEIGHT - 1) / 2
    u, v = x - image.x0, y - image.y0
    matrix = np.array([[cosine, sine, across - cosine * u - sine * v], [-sine, cosine, down + sine * u - cosine * v]])
    return np.asarray(cv2.warpAffine(blended, matrix, (CROP_WIDTH, CROP_HEIGHT), borderValue=(BLANK, BLANK, BLANK)), np.uint8)


def make_crops(images: BlobImages, blobs: Blobs, rows: Iterable[int], width_px: int) -> Pixels:
    """Crops of the blobs `rows`, each of which has an image: uint8 (n, CROP_HEIGHT, CROP_WIDTH, 3)."""
    crops = [make_crop(images.image(int(blobs.image[r])), blobs.x[r], blobs.y[r], blobs.moments[r], width_px) for r in rows]
    return np.stack(crops) if crops else np.zeros((0, CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)


def spread_rows(rows: NDArray[np.int64], offsets: NDArray[np.int64], usable: NDArray[np.bool_], count: int) -> list[NDArray[np.int64]]:
    """For each tracklet at most `count` of its usable blobs, spread evenly over it.

    `rows` and `offsets` are those of `Tracklets.blob_rows`; `usable` bool (blobs,).
    """
    chosen = []
    for start, stop in pairwise(offsets):
        mine = rows[start:stop]
        mine = mine[usable[mine]]
        picks = np.linspace(0, max(0, len(mine) - 1), min(count, len(mine))).round().astype(np.int64)
        chosen.append(mine[np.unique(picks)])
    return chosen
