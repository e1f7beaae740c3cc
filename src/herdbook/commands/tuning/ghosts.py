"""Ghosts: blobs caused by something in the background image that is not in the frame, such as an animal that rested there."""

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Pixels
from herdbook.geometry.runs import runs_to_mask
from herdbook.segmentation.components import FrameBlobs

# The gradient at an outline needs this many pixels around the blob.
_MARGIN_PX = 3


def find_ghosts(blobs: FrameBlobs, luma: Pixels, background: Pixels) -> NDArray[np.bool_]:
    """Whether each blob of a frame, bool (n,), has stronger edges along its outline in the background (h, w) than in the frame (h, w).

    At the outline of an animal the frame has an edge; at that of a ghost, only the background has one (after Cucchiara et al. 2003, IEEE
    Trans. PAMI 25:1337, who recognise ghosts by their lack of motion).
    """
    height, width = luma.shape
    ghosts = np.zeros(len(blobs), bool)
    for blob in range(len(blobs)):
        x0, y0 = max(0, int(blobs.x0[blob]) - _MARGIN_PX), max(0, int(blobs.y0[blob]) - _MARGIN_PX)
        x1, y1 = min(width, int(blobs.x1[blob]) + _MARGIN_PX), min(height, int(blobs.y1[blob]) + _MARGIN_PX)
        inside = runs_to_mask(blobs.runs_of(blob), x0, y0, x1, y1).astype(np.uint8)
        outline = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        here, there = (_gradient(image[y0:y1, x0:x1])[outline].mean() for image in (luma, background))
        ghosts[blob] = there > here
    return ghosts


def _gradient(image: Pixels) -> NDArray[np.float32]:
    across, down = (cv2.Sobel(image, cv2.CV_32F, dx, 1 - dx) for dx in (1, 0))
    return np.asarray(cv2.magnitude(across, down), np.float32)
