"""Thresholds of each pixel between background and animals.

Levels are those of the compared image: luma (in limited range, 219 steps are 255 grey levels), or blue, green and red, which are grey
levels. Images are (row, col) or (row, col, channel).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Mask, Pixels, Singles

# Grey levels 0..255 are luma 16..235 in movies of limited range.
LIMITED_RANGE = 219 / 255
LIMITED_BLACK = 16

# Value of `signed_margins` at the last level of the background.
NO_MARGIN = 128

_LEVELS = np.arange(256, dtype=np.uint8)[None]

# Illumination is smooth: it is blurred over this share of the frame's shorter side, at a resolution that makes this fast.
_BLUR_SHARE = 0.03
_COARSE_PX = 4
# In deep shade, a threshold in proportion to the light would be below the noise.
_LEAST_LIGHT = 0.25


class Bounds(NamedTuple):
    """Lowest and highest level of each pixel, uint8, both inclusive; `within`: levels of animals are between them (true) or outside."""

    lowest: Pixels
    highest: Pixels
    within: bool


def grey_to_luma(grey: float, full_range: bool) -> float:
    """The luma of a grey level."""
    return grey if full_range else LIMITED_BLACK + grey * LIMITED_RANGE


def luma_band(intensity: Sequence[float], full_range: bool) -> tuple[int, int]:
    """Darkest and brightest luma of an animal from grey levels; black and white also include all luma beyond them."""
    darkest, brightest = intensity
    lowest = 0 if darkest <= 0 else int(np.ceil(grey_to_luma(darkest, full_range)))
    highest = 255 if brightest >= 255 else int(np.floor(grey_to_luma(brightest, full_range)))
    return lowest, highest


def difference_bounds(background: Pixels, least: Singles | float, polarity: str) -> Bounds:
    """Levels of the background (h, w[, 3]) for animals that differ from it by `least` levels or more, one number or one per pixel.

    `polarity` is dark, bright or either. Each of several channels has its own bounds: an animal is outside of them in at least one.
    """
    if np.ndim(least) == 0 and background.shape != _LEVELS.shape:
        # Each level has its bounds: a table is much faster than computing them for each pixel.
        table = difference_bounds(_LEVELS, least, polarity)
        lowest, highest = (np.asarray(cv2.LUT(background, bound), np.uint8) for bound in (table.lowest, table.highest))
        return Bounds(lowest, highest, within=False)
    low, high = np.zeros(background.shape, np.float32), np.full(background.shape, 255, np.float32)
    if polarity in ("dark", "either"):
        low = np.floor(background - np.asarray(least, np.float32)) + 1
    if polarity in ("bright", "either"):
        high = np.ceil(background + np.asarray(least, np.float32)) - 1
    return Bounds(_as_levels(low), _as_levels(high), within=False)


def band_bounds(band: tuple[int, int], light: Singles, *, channels: int = 1, black: float = 0) -> Bounds:
    """Levels of an animal: a band, both ends inclusive, that is scaled with the relative illumination `light` (h, w).

    Ends 0 and 255 are open and are not scaled. With several channels, all must be in the band. For a single channel with one open end, the
    result is the levels of the background, which are faster to compare.
    """
    low, high = (np.full(light.shape, end, np.float32) if end in (0, 255) else black + (end - black) * light for end in band)
    lowest, highest = _as_levels(np.ceil(low)), _as_levels(np.floor(high))
    if channels > 1:
        lowest, highest = (np.repeat(bound[:, :, None], channels, axis=2) for bound in (lowest, highest))
        return Bounds(lowest, highest, within=True)
    if band[0] == 0 and highest.max() < 255:
        return Bounds(highest + np.uint8(1), np.full_like(highest, 255), within=False)
    if band[1] == 255 and lowest.min() > 0:
        return Bounds(np.zeros_like(lowest), lowest - np.uint8(1), within=False)
    return Bounds(lowest, highest, within=True)


def signed_margins(image: Pixels, bounds: Bounds) -> Pixels:
    """Signed distance of each pixel (h, w) of an image (h, w[, channels]) from the threshold, in levels, plus 128.

    It is at most 128 in the background and at least 129 in animals. It changes gradually, so that outlines can be interpolated.
    """
    levels, lowest, highest = (part.astype(np.int16) for part in (image, bounds.lowest, bounds.highest))
    if bounds.within:
        margin = np.minimum(levels - lowest, highest - levels) + 1
        margin = margin.min(axis=2) if margin.ndim == 3 else margin
    else:
        margin = np.maximum(lowest - levels, levels - highest)
        margin = margin.max(axis=2) if margin.ndim == 3 else margin
    return _as_levels(margin + NO_MARGIN)


def relative_light(background: Pixels, inside: Mask, black: float) -> Singles:
    """Illumination of each pixel (h, w) relative to its median in the arena: the strongly blurred background above the level of black.

    Only pixels inside of the arena count (normalised convolution; Knutsson & Westin 1993, CVPR). The result is at least 1/4.
    """
    height, width = inside.shape
    coarse = (max(1, round(width / _COARSE_PX)), max(1, round(height / _COARSE_PX)))
    sigma = _BLUR_SHARE * min(height, width) / _COARSE_PX
    weight = inside.astype(np.float32)
    total, share = (
        cv2.GaussianBlur(cv2.resize(image, coarse, interpolation=cv2.INTER_AREA), (0, 0), max(sigma, 0.5), borderType=cv2.BORDER_REFLECT)
        for image in ((background.astype(np.float32) - np.float32(black)) * weight, weight)
    )
    light = np.divide(total, share, out=np.zeros_like(total), where=share > 1e-6)
    fine = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(fine / max(float(np.median(fine[inside])), 1.0), _LEAST_LIGHT), np.float32)


def _as_levels(values: NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
