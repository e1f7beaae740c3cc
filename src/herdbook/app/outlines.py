"""Outlines of blobs as the page draws them, packed into numbers. Points are (x, y), pixel centres at integer coordinates."""

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.geometry.runs import runs_to_mask
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.tables import chosen_blobs

# More outlines than this take the page longer to draw than a frame lasts; dropped blobs beyond it are left out, the smallest first.
MOST_DROPPED = 400


def shown_blobs(blobs: FrameBlobs, reason: Ints) -> NDArray[np.bool_]:
    """Which blobs (n,) are drawn: all that are kept, and the largest of those that are dropped."""
    dropped = np.flatnonzero(reason >= 0)
    shown = np.ones(len(blobs), bool)
    if len(dropped) > MOST_DROPPED:
        shown[dropped[np.argsort(blobs.area[dropped])[:-MOST_DROPPED]]] = False
    return shown


def pack_outlines(blobs: FrameBlobs, shape: tuple[int, int]) -> NDArray[np.int16]:
    """Outlines of blobs in a frame of `shape` (height, width), also of their holes: for each its blob, its number of points, x, y of each.

    Blobs that touch, as those of two arenas may, are drawn with one outline, which has the number of the first.
    """
    return outlines_of_runs(blobs.runs, blobs.run_offsets, shape)


def outlines_of_runs(runs: NDArray[np.int32], offsets: Ints, shape: tuple[int, int]) -> NDArray[np.int16]:
    """The same of blobs given by their runs (r, 3) row, first, last column; those of blob i are runs[offsets[i]:offsets[i + 1]]."""
    if not len(runs):
        return np.zeros(0, np.int16)
    height, width = shape
    x0, y0 = max(int(runs[:, 1].min()) - 1, 0), max(int(runs[:, 0].min()) - 1, 0)
    x1, y1 = min(int(runs[:, 2].max()) + 2, width), min(int(runs[:, 0].max()) + 2, height)
    mask = runs_to_mask(runs, x0, y0, x1, y1).view(np.uint8)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x0, y0))
    heads = runs[offsets[:-1]]
    first = {row * width + column: blob for blob, (row, column) in enumerate(heads[:, :2].tolist())}
    owners: dict[int, int] = {}
    parts: list[NDArray[np.int16]] = []
    for number in np.argsort(tree[0][:, 3], kind="stable").tolist():
        points, parent = contours[number][:, 0], int(tree[0][number, 3])
        # The first pixel of a blob, row by row, is a corner of its outline.
        owner = owners.get(parent) if parent >= 0 else first.get(int((points[:, 1].astype(np.int64) * width + points[:, 0]).min()))
        if owner is None:
            continue
        owners[number] = owner
        parts += [np.array([owner, len(points)], np.int16), points.astype(np.int16).ravel()]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def unpack_outlines(packed: NDArray[np.int16]) -> list[tuple[int, NDArray[np.int16]]]:
    """Blob and points (n, 2) of each outline."""
    found, place = [], 0
    while place < len(packed):
        blob, count = packed[place : place + 2].tolist()
        found.append((blob, packed[place + 2 : place + 2 + 2 * count].reshape(count, 2)))
        place += 2 + 2 * count
    return found


def kept_and_dropped(blobs: FrameBlobs, reason: Ints) -> tuple[FrameBlobs, Ints]:
    """The blobs that are drawn, and the reason of each."""
    shown = shown_blobs(blobs, reason)
    return chosen_blobs(blobs, shown), reason[shown]
