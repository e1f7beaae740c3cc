"""How far detected points are from the outline of each animal: a point inside of one body alone is that animal's."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints, Runs


@njit(cache=True, nogil=True)
def distances(xy: Floats, runs: Runs, offsets: Ints, boxes: NDArray[np.int32], blob_of: Ints, most_px: float) -> Floats:
    """Distance (S, J, A) px of points (S, J, 2) of one frame from the outline that holds each animal, 0 inside, at most `most_px`; NaN for
    an animal without one.

    `runs` (R, 3) row, first, last column of the frame's blobs, those of blob k from `offsets`[k]; `boxes` (B, 4) x0, y0, x1, y1
    (exclusive); `blob_of` (A,) the blob of each animal, -1 for none.
    """
    slots, joints = xy.shape[:2]
    animals = len(blob_of)
    found = np.full((slots, joints, animals), np.nan)
    for s in range(slots):
        for j in range(joints):
            x, y = xy[s, j]
            if np.isnan(x):
                continue
            for a in range(animals):
                b = blob_of[a]
                if b < 0:
                    continue
                shared = -1
                for other in range(a):
                    if blob_of[other] == b:
                        shared = other
                if shared >= 0:
                    found[s, j, a] = found[s, j, shared]
                    continue
                best = most_px * most_px
                bx = max(0.0, max(boxes[b, 0] - x, x - boxes[b, 2] + 1))
                by = max(0.0, max(boxes[b, 1] - y, y - boxes[b, 3] + 1))
                if bx * bx + by * by < best:
                    for r in range(offsets[b], offsets[b + 1]):
                        dy = runs[r, 0] - y
                        if dy * dy >= best:
                            continue
                        dx = max(0.0, max(runs[r, 1] - x, x - runs[r, 2]))
                        best = min(best, dx * dx + dy * dy)
                found[s, j, a] = np.sqrt(best)
    return found
