"""The brightness of a whole frame relative to the background, from a sparse grid of pixels. Luma is (row, col) uint8."""

from typing import NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Pixels

# Number of sampled pixels: a ratio needs more of them than the test whether the whole frame has changed, which is made for every frame.
_POINTS, _POINTS_OF_SHIFT = 1024, 256
_GOLDEN_RATIO = (5**0.5 - 1) / 2
# Darker pixels contain little information about the light.
_LEAST_LEVEL = 16


class _Points(NamedTuple):
    """Sampled pixels: rows and columns, int32 (m,), and the background there."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    expected: Pixels

    @classmethod
    def at(cls, chosen: NDArray[np.int64], places: NDArray[np.int64], background: Pixels) -> "_Points":
        rows, columns = np.divmod(places[chosen], background.shape[1])
        return cls(rows.astype(np.int32), columns.astype(np.int32), background[rows, columns])


class LightMeter:
    """Compares frames with a background at pixels spread evenly over the arena.

    background: (h, w) uint8; inside: bool (h, w), pixels inside of arenas; black: the level of black.
    """

    def __init__(self, background: Pixels, inside: NDArray[np.bool_], black: int = 0) -> None:
        places = np.flatnonzero(inside)
        chosen = (np.arange(min(_POINTS, len(places))) * _GOLDEN_RATIO % 1 * len(places)).astype(np.int64)
        self._all, self._few = (_Points.at(np.sort(chosen[:count]), places, background) for count in (_POINTS, _POINTS_OF_SHIFT))
        self._black = black

    def shift(self, luma: Pixels) -> int:
        """Median difference of a frame from the background, in levels: animals affect it only if they cover half of the arena."""
        return int(_median_difference(luma, *self._few))

    def gain(self, luma: Pixels) -> float:
        """Brightness of a frame divided by that of the background: mean of the central half of the pixels' ratios; 1 if all are black."""
        return float(_central_ratio(luma, *self._all, self._black))


def at_unit_gain(image: Pixels, gain: float, black: int) -> Pixels:
    """An image of any shape with the brightness of the background, from the gain of its frame and the level of black."""
    if gain == 1:
        return image
    levels = np.clip(np.rint(black + (np.arange(256) - black) / gain), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, levels), np.uint8).reshape(image.shape)


@njit(cache=True, nogil=True)
def _median_difference(luma, rows, columns, expected):  # type: ignore[no-untyped-def]
    counts = np.zeros(511, np.int64)
    for k in range(len(rows)):
        counts[np.int64(luma[rows[k], columns[k]]) - np.int64(expected[k]) + 255] += 1
    half = (len(rows) + 1) // 2
    seen = np.int64(0)
    for difference in range(511):
        seen += counts[difference]
        if seen >= half:
            return difference - 255
    return 0


@njit(cache=True, nogil=True)
def _central_ratio(luma, rows, columns, expected, black):  # type: ignore[no-untyped-def]
    ratios = np.empty(len(rows), np.float64)
    n = 0
    for k in range(len(rows)):
        level = np.float64(expected[k]) - black
        if level >= _LEAST_LEVEL:
            ratios[n] = (np.float64(luma[rows[k], columns[k]]) - black) / level
            n += 1
    if n == 0:
        return 1.0
    ordered = np.sort(ratios[:n])
    return ordered[n // 4 : n - n // 4].mean()
