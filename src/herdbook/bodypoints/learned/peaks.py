"""Points from maps of probabilities: the peak, its place between the cells, and how much of the probability it holds."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Floats

# The peak is what is within so many cells of the largest one.
RADIUS = 2
# Targets are Gaussian with this standard deviation, in cells: narrower ones teach no place between the cells.
TARGET_SD = 1.0


def find_peaks(maps: NDArray[np.float32], size: int) -> tuple[Floats, Floats]:
    """The peak of each map (n, rows, columns, points): places (n, points, 2) in px of a crop of this `size`, and the probabilities
    (n, points) that they hold.
    """
    n, rows, _, points = maps.shape
    xy, score = np.zeros((n, points, 2)), np.zeros((n, points))
    _find_peaks(maps, xy, score)
    step = size / rows
    return xy * step + (step - 1) / 2, score


@njit(cache=True, nogil=True)
def _find_peaks(maps, xy, score):  # type: ignore[no-untyped-def]
    n, rows, columns, points = maps.shape
    best = np.empty(points, np.float32)
    at = np.empty((points, 2), np.int64)
    for i in range(n):
        best[:] = -1.0
        for r in range(rows):
            for c in range(columns):
                for j in range(points):
                    value = maps[i, r, c, j]
                    if value > best[j]:
                        best[j] = value
                        at[j, 0], at[j, 1] = r, c
        for j in range(points):
            total = x = y = 0.0
            for r in range(max(0, at[j, 0] - RADIUS), min(rows, at[j, 0] + RADIUS + 1)):
                for c in range(max(0, at[j, 1] - RADIUS), min(columns, at[j, 1] + RADIUS + 1)):
                    value = maps[i, r, c, j]
                    total += value
                    x += value * c
                    y += value * r
            xy[i, j, 0], xy[i, j, 1] = x / max(total, 1e-12), y / max(total, 1e-12)
            score[i, j] = total


def target_maps(points: Floats, size: int) -> NDArray[np.float32]:
    """Maps (n, size / 2, size / 2, k) for points (n, k, 2) in crops: Gaussian with the sum 1, 0 for points that are NaN or outside."""
    cells = np.arange(size // 2)
    middle = (points - 0.5) / 2
    off = (cells - middle[..., None]) / TARGET_SD
    parts = np.exp(-(off**2) / 2)
    known = np.asarray(((points >= 0) & (points <= size - 1)).all(axis=-1))
    parts = np.where(known[..., None, None], parts / np.maximum(parts.sum(axis=-1, keepdims=True), 1e-12), 0)
    return np.asarray(np.einsum("nkr,nkc->nrck", parts[..., 1, :], parts[..., 0, :]), np.float32)
