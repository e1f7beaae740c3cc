"""Blobs as runs (R, 3) row, first column, last column (inclusive), converted to masks (row, col)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Runs


def runs_to_mask(runs: Runs, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    """The mask (y1 - y0, x1 - x0) of runs (R, 3) in a box with exclusive x1, y1; pixels outside of the box are omitted."""
    mask = np.zeros((y1 - y0, x1 - x0), np.bool_)
    _paint(runs, x0, y0, mask)
    return mask


@njit(cache=True, nogil=True)
def _paint(runs: Runs, x0: int, y0: int, mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    for run in range(len(runs)):
        row = runs[run, 0] - y0
        if 0 <= row < height:
            for col in range(max(runs[run, 1] - x0, 0), min(runs[run, 2] - x0 + 1, width)):
                mask[row, col] = True
