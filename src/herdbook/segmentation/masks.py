"""Masks of foreground pixels: closing, opening, filling of holes, reduced resolution. Images are (row, col[, channel]) uint8."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Pixels


def clean_mask(mask: Pixels, close: int = 0, open_: int = 0, fill_holes: bool = False) -> Pixels:
    """A mask (h, w), nonzero in the foreground, closed and then opened with discs of these radii (px); its holes are filled last."""
    for operation, radius in ((cv2.MORPH_CLOSE, close), (cv2.MORPH_OPEN, open_)):
        if radius:
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
            mask = np.asarray(cv2.morphologyEx(mask, operation, disc), np.uint8)
    return filled(mask) if fill_holes else mask


def above(image: NDArray[Any], level: float) -> Pixels:
    """The mask of pixels (h, w) above a level: 255, others 0."""
    return np.asarray(cv2.compare(image, level, cv2.CMP_GT), np.uint8)


def filled(mask: Pixels) -> Pixels:
    """The mask with all holes filled; holes are 4-connected, because foreground is 8-connected."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    whole = np.zeros_like(mask)
    cv2.drawContours(whole, outlines, -1, 255, cv2.FILLED)
    return whole


def reduced(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """The image, of any type, reduced to 1/factor of its width and height; each pixel is the mean of a square.

    Squares at the right and lower edge may extend beyond the frame, whose last pixels are repeated there.
    """
    if factor == 1:
        return image
    height, width = image.shape[:2]
    bottom, right = -height % factor, -width % factor
    whole = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE) if bottom or right else image
    size = ((width + right) // factor, (height + bottom) // factor)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))


def expanded(image: Pixels, factor: int, shape: tuple[int, int], *, smooth: bool = False) -> Pixels:
    """A reduced image in full resolution (h, w): each pixel becomes its square, or (`smooth`) pixels are interpolated."""
    size = (image.shape[1] * factor, image.shape[0] * factor)
    method = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(image, size, interpolation=method)[: shape[0], : shape[1]], np.uint8)
