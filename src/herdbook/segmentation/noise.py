"""Noise of each pixel in the frames from which a background was made. Frames are (H, W) or (H, W, 3) uint8."""

from collections.abc import Sequence

import cv2
import numpy as np
from numba import njit

from herdbook.arrays import Image, Singles

# Artifacts store noise in steps of this part of a level, one byte per pixel.
NOISE_STEPS = 8
# Below half a level, the noise of 8-bit frames is caused by rounding.
LEAST_NOISE = 0.5
# Estimates for single pixels from some dozen frames vary by 10 to 20 %, whereas the noise itself varies slowly over the frame.
_SMOOTHING_PX = 2.0
_ONE_SIGMA = 0.6827  # share of a normal distribution within one standard deviation
_MOST_LEVELS = 64  # larger deviations count as this one: half of it exceeds the range of the artifact
_LEAST_SHARE = 0.05  # of the frames on the preferred side; below it the other side is used


def pixel_noise(frames: Sequence[Image], background: Image, foreground: str = "dark") -> Singles:
    """Robust standard deviation of each pixel around the background, in levels, float32 of a frame's shape, at least half a level.

    It is the 68 % quantile of the deviations, interpolated within levels. Only deviations on the side of the background without animals
    are used (above it if `foreground` is dark, below if bright; the side with less noise if either), so that animals do not count as noise,
    however long they rest. The result is smoothed over 2 px.
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
                # A deviation that is rounded to zero may be on either side.
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
            # Deviations that are rounded to d are between d - 1/2 and d + 1/2; those rounded to zero between 0 and 1/2.
            start, width = (0.0, 0.5) if deviation == 0 else (deviation - 0.5, 1.0)
            return start + width * (wanted - seen) / counts[deviation]
        seen += counts[deviation]
    return 0.0
