"""Between which levels a pixel belongs to the background or to an animal, pixel by pixel.

Levels are those of the image that is compared: luma, of which limited range has 219 steps for 255 grey levels, or blue, green and red,
which are grey levels. Images are (row, col) or (row, col, channel).
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]

# Grey levels 0..255 are luma 16..235 in movies of limited range.
LIMITED_RANGE = 219 / 255
LIMITED_BLACK = 16

# Illumination is smooth: it is blurred over this share of the frame's shorter side, at a resolution that keeps this cheap.
_BLUR_SHARE = 0.03
_COARSE_PX = 4
# In deep shade a threshold in proportion to the light would fall below the noise.
_LEAST_LIGHT = 0.25


class Bounds(NamedTuple):
    """Lowest and highest level of each pixel, uint8, both inclusive; `within` tells whether animals lie between them or outside."""

    lowest: Pixels
    highest: Pixels
    within: bool


def grey_to_luma(grey: float, full_range: bool) -> float:
    """The luma of a grey level."""
    return grey if full_range else LIMITED_BLACK + grey * LIMITED_RANGE


def luma_band(intensity: Sequence[float], full_range: bool) -> tuple[int, int]:
    """Darkest and brightest luma of an animal, given as grey levels; black and white stand for all that lies beyond them, too."""
    darkest, brightest = intensity
    lowest = 0 if darkest <= 0 else int(np.ceil(grey_to_luma(darkest, full_range)))
    highest = 255 if brightest >= 255 else int(np.floor(grey_to_luma(brightest, full_range)))
    return lowest, highest


def difference_bounds(background: Pixels, least: Floats | float, polarity: str, inside: Mask) -> Bounds:
    """Levels of the background (h, w[, 3]) for animals that differ from it by `least` levels or more.

    `least` is one number or one per pixel; `polarity` dark, bright or either; `inside` (h, w) is where animals can be. Of several channels
    each has its own bounds: an animal is where at least one lies outside.
    """
    low, high = np.zeros(background.shape, np.float32), np.full(background.shape, 255, np.float32)
    if polarity in ("dark", "either"):
        low = np.floor(background - np.asarray(least, np.float32)) + 1
    if polarity in ("bright", "either"):
        high = np.ceil(background + np.asarray(least, np.float32)) - 1
    lowest, highest = np.clip(low, 0, 255).astype(np.uint8), np.clip(high, 0, 255).astype(np.uint8)
    lowest[~inside], highest[~inside] = 0, 255
    return Bounds(lowest, highest, within=False)


def band_bounds(band: tuple[int, int], inside: Mask, *, channels: int = 1, light: Floats | None = None, black: float = 0) -> Bounds:
    """Levels of an animal: those of a band, both ends inclusive, that follow the relative illumination `light` (h, w) if it is given.

    0 and 255 stand for all that lies beyond them and do not follow the light. Of several channels all must lie in the band. Where one side
    of a single channel is open the result is the levels of the background, which is compared faster.
    """
    light = np.ones(inside.shape, np.float32) if light is None else light
    low, high = (np.full(inside.shape, end, np.float32) if end in (0, 255) else black + (end - black) * light for end in band)
    lowest, highest = np.clip(np.ceil(low), 0, 255).astype(np.uint8), np.clip(np.floor(high), 0, 255).astype(np.uint8)
    if channels == 1 and band[0] == 0 and highest.max() < 255:
        return Bounds(np.where(inside, highest + 1, 0).astype(np.uint8), np.full_like(highest, 255), within=False)
    if channels == 1 and band[1] == 255 and lowest.min() > 0:
        return Bounds(np.zeros_like(lowest), np.where(inside, lowest - 1, 255).astype(np.uint8), within=False)
    bounds = np.where(inside, lowest, 255).astype(np.uint8), np.where(inside, highest, 0).astype(np.uint8)
    if channels > 1:
        lowest, highest = (np.repeat(bound[:, :, None], channels, axis=2) for bound in bounds)
        return Bounds(lowest, highest, within=True)
    return Bounds(*bounds, within=True)


def relative_light(background: Pixels, inside: Mask, black: float) -> Floats:
    """Illumination of each pixel (h, w) over its median in the arena: the background, strongly blurred, above the level of black.

    Only pixels inside of the arena count (normalised convolution; Knutsson & Westin 1993, CVPR). At least a quarter.
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
    return np.maximum(fine / max(float(np.median(fine[inside])), 1.0), _LEAST_LIGHT).astype(np.float32)
