"""Blobs of neighbouring frames that share pixels, computed from their runs."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Ints


@njit(cache=True, nogil=True)
def _shared_pixels(a: NDArray[np.int32], b: NDArray[np.int32]) -> int:
    """Number of pixels shared by two sets of runs; both are sorted by row, then column."""
    i = j = total = 0
    while i < len(a) and j < len(b):
        if a[i, 0] < b[j, 0]:
            i += 1
        elif a[i, 0] > b[j, 0]:
            j += 1
        else:
            total += max(0, min(a[i, 2], b[j, 2]) - max(a[i, 1], b[j, 1]) + 1)
            if a[i, 2] < b[j, 2]:
                i += 1
            else:
                j += 1
    return total


@njit(cache=True, nogil=True)
def overlap_pairs(
    boxes: NDArray[np.int32], runs: NDArray[np.int32], run_offsets: Ints, first: Ints, last: Ints, stop: int
) -> NDArray[np.int64]:
    """Pairs of blobs that share pixels, in k pairs of frames.

    `boxes` (n, 4) x0, y0, x1, y1 (exclusive) and `run_offsets` (n + 1,) are indexed by blob, `runs` (r, 3) by run offset. In pair i, the
    first frame has the blobs first[i]..last[i]-1, the second one last[i]..last[i+1]-1, that of the last pair up to `stop`-1. Returns int64
    (m, 3): blob of the first frame, blob of the second, number of shared pixels, in order of the blobs.
    """
    found = np.empty((256, 3), np.int64)
    count = 0
    for k in range(len(first)):
        end = last[k + 1] if k + 1 < len(last) else stop
        for a in range(first[k], last[k]):
            for b in range(last[k], end):
                if boxes[a, 0] >= boxes[b, 2] or boxes[b, 0] >= boxes[a, 2] or boxes[a, 1] >= boxes[b, 3] or boxes[b, 1] >= boxes[a, 3]:
                    continue
                shared = _shared_pixels(runs[run_offsets[a] : run_offsets[a + 1]], runs[run_offsets[b] : run_offsets[b + 1]])
                if shared == 0:
                    continue
                if count == len(found):
                    grown = np.empty((2 * count, 3), np.int64)
                    grown[:count] = found
                    found = grown
                found[count, 0] = a
                found[count, 1] = b
                found[count, 2] = shared
                count += 1
    return found[:count].copy()


def frame_overlaps(boxes: NDArray[np.int32], runs: NDArray[np.int32], run_offsets: Ints, frame_offsets: Ints) -> NDArray[np.int64]:
    """Pairs of blobs of consecutive frames that share pixels.

    `boxes` int32 (n, 4) x0, y0, x1, y1 (exclusive, px); `runs` int32 (r, 3) row, first, last column (inclusive) sorted by blob, row,
    column; `run_offsets` int64 (n + 1,); `frame_offsets` int64 (frames + 1,): blobs of frame f are offsets[f]:offsets[f + 1].
    Returns int64 (m, 3): blob, blob of the next frame, number of shared pixels.
    """
    if len(frame_offsets) < 3:
        return np.zeros((0, 3), np.int64)
    return np.asarray(
        overlap_pairs(
            np.ascontiguousarray(boxes, dtype=np.int32),
            np.ascontiguousarray(runs, dtype=np.int32),
            np.asarray(run_offsets, np.int64),
            np.asarray(frame_offsets[:-2], np.int64),
            np.asarray(frame_offsets[1:-1], np.int64),
            int(frame_offsets[-1]),
        )
    )
