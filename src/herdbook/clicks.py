"""Points that a person gave, and the blobs that they are meant for. Points are (x, y) in px."""

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import BlobImages, Blobs

# A click this far (px) beside a blob is still meant for it when it is the nearest one.
REACH_PX = 10.0


def blob_at(frame: int, x: float, y: float, blobs: Blobs, images: BlobImages) -> int | None:
    """The blob of a frame under a point, or else the nearest one within REACH_PX; `images` are those of the blobs' file."""
    start, stop = np.searchsorted(blobs.frame, (frame, frame + 1)).tolist()
    x0, y0, x1, y1 = blobs.box[start:stop].T
    away = np.hypot(np.maximum(0, np.maximum(x0 - x, x - x1 + 1)), np.maximum(0, np.maximum(y0 - y, y - y1 + 1)))
    candidates = (start + np.flatnonzero(away <= REACH_PX)).tolist()
    near = {blob: _distance(images.runs(blob, blob + 1)[0], x, y) for blob in candidates}
    nearest = min(near, key=near.__getitem__, default=None)
    return nearest if nearest is not None and near[nearest] <= REACH_PX else None


def _distance(runs: NDArray[np.int32], x: float, y: float) -> float:
    """Distance (px) from a point to the nearest pixel of a blob, given as runs (r, 3): row, first column, last column."""
    row, first, last = runs.T
    return float(np.hypot(np.maximum(0, np.maximum(first - x, x - last)), row - y).min())
