"""Noise of each pixel over the frames that made a background. Frames are (H, W) or (H, W, 3) uint8."""

from collections.abc import Sequence

import cv2
import numpy as np
from numba import njit

from herdbook.arrays import Image, Singles

# Artifacts hold noise in this part of a level, one byte per pixel.
NOISE_STEPS = 8
# Below half a level the noise of 8-bit frames is that of rounding.
LEAST_NOISE = 0.5
# Single pixels' values from some dozen frames scatter by a tenth or two; noise itself varies slowly over the frame.
_SMOOTHING_PX = 2.0
_ONE_SIGMA = 0.6827  # share of a normal distribution within one standard deviation
_MOST_LEVELS = 64  # larger deviations count as this one: half of it is more noise than an artifact holds
_LEAST_SHARE = 0.05  # of the frames on the side that is looked at; below it the other side must do


def pixel_noise(frames: Sequence[Image], background: Image, foreground: str = "dark") -> Singles:
    """Robust standard deviation of each pixel around the background, in levels, float32 of a frame's shape, at least half a level.

    Only frames on that side of the background count where no animals are (above it if `foreground` is dark, below if bright; the quieter
    side if either), so that animals are no noise, however long they rest: the level that holds 68 % of these deviations, interpolated
    within levels. The result is smoothed over 2 px.
    """
    noise = np.empty(background.shape, np.float32)
    side = -1 if foreground == "bright" else 1
    for row in range(len(background)):
        values = np.stack([frame[row].reshape(-1) for frame in frames])
        noise[row] = _one_sided(values, background[row].reshape(-1), side, foreground == "either").reshape(noise[row].shape)
    return np.asarray(np.maximum(cv2.GaussianBlur(noise, (0, 0), _SMOOTHING_PX), LEAST_NOISE), np.float32)


@njit(cache=True, nogil=True)
def _one_sided(values, background, side, either):  # type: ignore[no-untyped-def]
    frames, pixels = values.shape
    counts = np.zeros((2, _MOST_LEVELS), np.float64)
    noise = np.zeros(pixels, np.float32)
    for pixel in range(pixels):
        counts[:] = 0
        for frame in range(frames):
            deviation = int(np.int64(values[frame, pixel]) - np.int64(background[pixel]))
            if deviation == 0:
                # A deviation that rounds to zero lies on either side.
                counts[0, 0] += 0.5
                counts[1, 0] += 0.5
            else:
                counts[0 if deviation * side > 0 else 1, min(abs(deviation), _MOST_LEVELS - 1)] += 1
        least = _LEAST_SHARE * frames
        here, there = counts[0].sum(), counts[1].sum()
        if either and min(here, there) >= least:
            noise[pixel] = min(_sigma(counts[0], here), _sigma(counts[1], there))
        elif here >= least:
            noise[pixel] = _sigma(counts[0], here)
        else:
            noise[pixel] = _sigma(counts[1], there)
    return noise


@njit(cache=True, nogil=True)
def _sigma(counts, total):  # type: ignore[no-untyped-def]
    wanted = _ONE_SIGMA * total
    seen = 0.0
    for deviation in range(_MOST_LEVELS):
        if seen + counts[deviation] >= wanted:
            # Deviations that round to d lie between d - 1/2 and d + 1/2; those that round to zero between 0 and 1/2.
            start, width = (0.0, 0.5) if deviation == 0 else (deviation - 0.5, 1.0)
            return start + width * (wanted - seen) / counts[deviation]
        seen += counts[deviation]
    return 0.0
