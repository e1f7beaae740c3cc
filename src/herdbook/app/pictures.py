"""Pictures of frames for the page, as JPEG: the frame, its background, and how both differ. Images are (row, col[, channel]) uint8."""

import cv2
import numpy as np

from herdbook.arrays import Image, Pixels
from herdbook.artifacts.background import Background
from herdbook.movie.frame import Frame

VIEWS = ("image", "background", "difference")
# Differences are small numbers: shown that many times as large.
GAIN = 4


def picture(frame: Frame, view: str, background: Background | None, *, grey: bool, width: int, quality: int) -> bytes:
    """A view of a frame as JPEG of at most `width` px; the frame itself where there is no background yet. `grey`: it has no colours."""
    height, full = frame.luma.shape
    size = (min(width, full), max(1, round(height * min(width, full) / full)))
    shown: Image
    if view == "image" or background is None:
        if grey:
            shown = _fit(frame.grey(), size)
        else:
            shown = frame.bgr() if size[0] == full else frame.bgr_scaled(*size)
            frame.forget_colours()
    else:
        window = background.window_at(frame.index)
        if view == "background":
            shown = _fit(background.luma[window] if grey else background.bgr[window], size)
        else:
            apart = cv2.absdiff(np.ascontiguousarray(frame.luma), background.luma[window])
            shown = _fit(np.asarray(cv2.multiply(apart, GAIN), np.uint8), size)
    coded: Pixels = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return coded.tobytes()


def _fit(image: Image, size: tuple[int, int]) -> Image:
    if image.shape[1::-1] == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
