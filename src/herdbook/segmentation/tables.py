"""Tables of blobs: joining, selecting, and sums over their pixels. Runs are row, first and last column (inclusive), int32 (r, 3)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Ints, Pixels, Runs
from herdbook.segmentation.components import FrameBlobs, Labeller

_COLUMNS = [name for name in FrameBlobs.__slots__ if name not in ("runs", "run_offsets")]


def joined_blobs(parts: list[FrameBlobs]) -> FrameBlobs:
    """The blobs of several frames, or parts of a frame, as one table."""
    sizes = np.cumsum([0, *(len(blobs.runs) for blobs in parts)])
    joined = {name: np.concatenate([getattr(blobs, name) for blobs in parts]) for name in (*_COLUMNS, "runs")}
    offsets = [blobs.run_offsets[1:] + start for blobs, start in zip(parts, sizes, strict=False)]
    return FrameBlobs(**joined, run_offsets=np.concatenate([np.zeros(1, np.int64), *offsets]))


def no_blobs() -> FrameBlobs:
    """A table without blobs."""
    return Labeller(1, 1).label_mask(np.zeros((1, 1), np.uint8))


def chosen_blobs(blobs: FrameBlobs, keep: NDArray[np.bool_]) -> FrameBlobs:
    """The blobs with `keep` (n,) true, in their order."""
    if keep.all():
        return blobs
    runs, offsets = runs_of(blobs.runs, blobs.run_offsets, np.flatnonzero(keep))
    return FrameBlobs(**{name: getattr(blobs, name)[keep] for name in _COLUMNS}, runs=runs, run_offsets=offsets)


def runs_of(runs: Runs, offsets: Ints, blobs: NDArray[np.int64]) -> tuple[Runs, Ints]:
    """Runs and offsets of some of the blobs."""
    lengths = offsets[blobs + 1] - offsets[blobs]
    ends = np.cumsum(lengths)
    rows = np.arange(int(lengths.sum())) + np.repeat(offsets[blobs] - ends + lengths, lengths)
    return runs[rows], np.concatenate([[0], ends]).astype(np.int64)


@njit(cache=True, nogil=True)
def touching(runs: Runs, offsets: Ints, edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each blob, bool (n,), contains a pixel of the edge (h, w)."""
    touches = np.zeros(len(offsets) - 1, np.bool_)
    for blob in range(len(touches)):
        for r in range(offsets[blob], offsets[blob + 1]):
            for column in range(runs[r, 1], runs[r, 2] + 1):
                if edge[runs[r, 0], column]:
                    touches[blob] = True
                    break
            if touches[blob]:
                break
    return touches


@njit(cache=True, nogil=True)
def summed_differences(runs: Runs, offsets: Ints, image: Pixels, reference: Pixels) -> NDArray[np.float64]:
    """Sum, float64 (n,), over the pixels of each blob of the largest difference among the channels of two images (h, w, channels)."""
    sums = np.zeros(len(offsets) - 1, np.float64)
    for blob in range(len(sums)):
        for r in range(offsets[blob], offsets[blob + 1]):
            row = runs[r, 0]
            for column in range(runs[r, 1], runs[r, 2] + 1):
                largest = 0
                for channel in range(image.shape[2]):
                    difference = np.int64(image[row, column, channel]) - np.int64(reference[row, column, channel])
                    largest = max(largest, int(abs(difference)))
                sums[blob] += largest
    return sums
