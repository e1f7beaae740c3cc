"""Crops: an animal's image, centred, body axis level, everything but the animal blanked. Images are (row, col, channel) BGR uint8."""

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import BlobImage, BlobImages, Blobs
from herdbook.geometry import orientation

Pixels = NDArray[np.uint8]

# The network sees crops of this side; larger ones are scaled down to it.
NETWORK_SIDE = 40
# What is not the animal is blanked to this grey level; an edge of this width (px) fades into it.
BLANK = 127
FEATHER_PX = 1.5
# A crop reaches this many body lengths across, so that legs and a bent body stay inside.
SIDE_BODY_LENGTHS = 1.25


def crop_side(body_length_px: float) -> int:
    """Side of the square crop, px of the movie, for animals of this length: even, at least 16."""
    return max(16, 2 * round(SIDE_BODY_LENGTHS * body_length_px / 2))


def make_crop(image: BlobImage, x: float, y: float, moments: NDArray[np.float64], side_px: int) -> Pixels:
    """Crop of one blob, uint8 (NETWORK_SIDE, NETWORK_SIDE, 3).

    `x`, `y` centroid and `moments` (3,) xx, xy, yy of the blob; `side_px` of the frame go into the crop. The body axis lies level;
    which end is the head stays open.
    """
    alpha = cv2.GaussianBlur(image.mask.astype(np.float32), (0, 0), FEATHER_PX) * 2
    alpha = np.clip(np.maximum(alpha, image.mask), 0, 1)[:, :, None]
    blended = (image.pixels * alpha + BLANK * (1 - alpha)).astype(np.uint8)
    turn = float(orientation(*moments))
    scale = NETWORK_SIDE / side_px
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    middle = (NETWORK_SIDE - 1) / 2
    u, v = x - image.x0, y - image.y0
    matrix = np.array([[cosine, sine, middle - cosine * u - sine * v], [-sine, cosine, middle + sine * u - cosine * v]])
    interpolation = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    border = (BLANK, BLANK, BLANK)
    return np.asarray(cv2.warpAffine(blended, matrix, (NETWORK_SIDE, NETWORK_SIDE), flags=interpolation, borderValue=border), np.uint8)


def make_crops(images: BlobImages, blobs: Blobs, rows: Iterable[int], side_px: int) -> Pixels:
    """Crops of the blobs `rows`, each of which has an image: uint8 (n, NETWORK_SIDE, NETWORK_SIDE, 3)."""
    crops = [make_crop(images.image(int(blobs.image[r])), blobs.x[r], blobs.y[r], blobs.moments[r], side_px) for r in rows]
    return np.stack(crops) if crops else np.zeros((0, NETWORK_SIDE, NETWORK_SIDE, 3), np.uint8)


def spread_rows(rows: NDArray[np.int64], offsets: NDArray[np.int64], usable: NDArray[np.bool_], count: int) -> list[NDArray[np.int64]]:
    """For each tracklet at most `count` of its usable blobs, spread evenly over it.

    `rows` and `offsets` are those of `Tracklets.blob_rows`; `usable` bool (blobs,).
    """
    chosen = []
    for start, stop in pairwise(offsets):
        mine = rows[start:stop]
        mine = mine[usable[mine]]
        picks = np.unique(np.linspace(0, len(mine) - 1, min(count, len(mine))).round().astype(np.int64)) if len(mine) else []
        chosen.append(mine[picks] if len(mine) else mine)
    return chosen
