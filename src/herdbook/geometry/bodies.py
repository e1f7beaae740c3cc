"""The body of an animal: its outline without what is thin, such as a tail, which draws the centroid of an outline to its side.

A body is the outline opened by a disc. Points are (x, y) px; masks are (row, col).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Runs
from herdbook.geometry.runs import runs_to_mask

Mask = NDArray[np.bool_]


def half_width(runs: Runs) -> float:
    """Greatest distance (px) of a pixel of an outline, given as runs (R, 3), from what is outside: half its width where it is widest."""
    return float(_depth(_mask_of(runs)[0]).max())


def body_mask(mask: Mask, radius: float) -> Mask:
    """The part (h, w) of a mask (h, w) in which a disc of this radius (px) finds room."""
    core = (_depth(mask) <= radius).astype(np.uint8)
    # Without a core there is no distance to it, and with a disc of a pixel nothing is thin.
    if radius <= 1.0 or core.all():
        return mask
    return np.asarray(mask & (cv2.distanceTransform(core, cv2.DIST_L2, 5) <= radius)[1:-1, 1:-1])


def body_runs(runs: Runs, radius: float) -> Runs:
    """The runs (r, 3) of the body in an outline, given as runs (R, 3) row, first, last column (inclusive)."""
    whole, x0, y0 = _mask_of(runs)
    mask = body_mask(whole, radius)
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1] - 1
    return np.stack([row + y0, first + x0, last + x0], 1).astype(np.int32)


def run_moments(runs: Runs) -> Floats:
    """Centroid x, y (px) and central second moments xx, xy, yy (px²) of runs (r, 3), float64 (5,)."""
    row, first, last = runs.astype(np.float64).T
    length = last - first + 1
    middle = (first + last) / 2
    total = length.sum()
    x, y = (length @ middle) / total, (length @ row) / total
    across, down = middle - x, row - y
    xx = length @ (across**2 + (length**2 - 1) / 12)
    return np.array([x, y, xx / total, length @ (across * down) / total, length @ down**2 / total])


def _mask_of(runs: Runs) -> tuple[Mask, int, int]:
    """The mask of runs in their box, and the box's left column and top row."""
    x0, y0 = int(runs[:, 1].min()), int(runs[0, 0])
    return runs_to_mask(runs, x0, y0, int(runs[:, 2].max()) + 1, int(runs[-1, 0]) + 1), x0, y0


def _depth(mask: Mask) -> NDArray[np.float32]:
    """Distance (px) of each pixel from what is outside of the mask, (h + 2, w + 2) with a margin of a pixel."""
    return np.asarray(cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
