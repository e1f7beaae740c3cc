"""Outlines on disk: runs stored as differences from one to the next, which need a third less space when compressed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints

# Columns of the segment artifact: differences of row, first and last column; the first run of each blob is stored as it is.
RUN_COLUMNS = ("run_row", "run_first", "run_last")


def pack_runs(runs: NDArray[np.int32], offsets: Ints) -> tuple[NDArray[np.int16], ...]:
    """The three columns, int16 (r,) each, of runs (r, 3) row, first, last column; blob i has the runs offsets[i]:offsets[i + 1]."""
    steps = np.diff(runs, axis=0, prepend=np.zeros((1, 3), runs.dtype))
    heads = offsets[:-1][np.diff(offsets) > 0]
    steps[heads] = runs[heads]
    return tuple(np.ascontiguousarray(steps[:, k], dtype=np.int16) for k in range(3))


def unpack_runs(steps: Sequence[NDArray[np.int16]], offsets: Ints) -> NDArray[np.int32]:
    """The runs int32 (r, 3) of blobs from their columns; `offsets` int64 (n + 1,) counts from the first of these runs."""
    total = np.cumsum(np.stack(list(steps), 1), axis=0, dtype=np.int64)
    length = np.diff(offsets)
    heads = offsets[:-1][length > 0]
    before = np.concatenate([np.zeros((1, 3), np.int64), total])[heads]
    return np.asarray(total - np.repeat(before, length[length > 0], axis=0), np.int32)
