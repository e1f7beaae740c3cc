"""How animals move and how long they are, from their positions and blobs: arrays in, arrays out. Points are (x, y) in px."""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints


def blobs_of_positions(
    frame: NDArray[np.int32],
    individual: NDArray[np.int32],
    blob_frame: NDArray[np.int32],
    blob_tracklet: NDArray[np.int32],
    tracklet: NDArray[np.int32],
    member: NDArray[np.int32],
) -> Ints:
    """The blob that each position lies in, int64 (n,), -1 where the animal has none in that frame.

    `frame`, `individual` (n,) of the positions; `blob_frame`, `blob_tracklet` (blobs,); `tracklet`, `member` (m,) which individual is in
    which tracklet.
    """
    order = np.argsort(tracklet, kind="stable")
    starts = np.searchsorted(tracklet[order], blob_tracklet)
    many = np.searchsorted(tracklet[order], blob_tracklet, side="right") - starts
    blob = np.repeat(np.arange(len(blob_frame)), many)
    place = np.arange(len(blob)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(starts, many)
    names = int(max(individual.max(initial=-1), member.max(initial=-1))) + 1
    seen = blob_frame[blob].astype(np.int64) * names + member[order][place]
    by_key = np.argsort(seen, kind="stable")
    wanted = frame.astype(np.int64) * names + individual
    at = np.searchsorted(seen[by_key], wanted)
    found = np.full(len(wanted), -1, np.int64)
    inside = at < len(seen)
    rows = by_key[at[inside]]
    found[inside] = np.where(seen[rows] == wanted[inside], blob[rows], -1)
    return found


def measure_speeds(x: Floats, y: Floats, frame: NDArray[np.int32], individual: NDArray[np.int32], time_s: Floats) -> Floats:
    """Speed (n,) in px/s at each position, from the frame before to the frame after, or one of them and the position itself.

    `time_s` (frames,). NaN where the animal has a position neither in the frame before nor in the one after.
    """
    order = np.lexsort((frame, individual))
    speed = np.full(len(order), np.nan)
    if not len(order):
        return speed
    who, when = individual[order], frame[order]
    follows = (np.diff(who) == 0) & (np.diff(when) == 1)
    rows = np.arange(len(order))
    before, after = rows - np.r_[False, follows], rows + np.r_[follows, False]
    step = np.hypot(x[order][after] - x[order][before], y[order][after] - y[order][before])
    lasted = time_s[when[after]] - time_s[when[before]]
    speed[order] = np.divide(step, lasted, out=np.full(len(rows), np.nan), where=lasted > 0)
    return speed


def body_axes(moments: NDArray[np.float32]) -> Floats:
    """Length and width (n, 2) px of the ellipses that have these central second moments xx, xy, yy (n, 3)."""
    xx, xy, yy = moments.astype(np.float64).T
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return np.asarray(4.0 * np.sqrt(np.maximum(np.stack([middle + half, middle - half], axis=1), 0.0)))
