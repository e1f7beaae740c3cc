"""Length of the smoothing window, chosen from the movie if it is not given in the experiment file.

A long window removes more of the detector's jitter, but accumulates errors of the flow: at 10 frames per second windows of 3 frames leave
the least jitter, at 30 frames per second windows of 6 to 15. Points are (x, y) in px.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from herdbook.arrays import Floats
from herdbook.smoothing.agreement import Agreement, settle
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.rstc import smooth_points, window_frames

# Length in the source of LK-RSTC (Magana-Salgado et al. 2023); in longer windows the errors of the flow are too large.
LONGEST_S = 0.5
# Windows of two frames consist of their ends alone.
SHORTEST_FRAMES = 3
TRIED = 6
# The shortest window is chosen whose jitter exceeds the least by at most this share.
TOLERANCE = 0.05
SAMPLES = 6
SAMPLE_FRAMES = 60


def windows_to_try(fps: float, frames: int) -> list[int]:
    """Up to six lengths of windows (frames), from 3 frames to half a second, but at most `frames`, which is at least two."""
    longest = max(SHORTEST_FRAMES, window_frames(LONGEST_S, fps))
    tried = np.geomspace(SHORTEST_FRAMES, longest, TRIED).round().astype(int)
    return sorted({min(int(window), frames) for window in tried})


def choose_window(
    source: FrameSource, points: Floats, windows: Sequence[int], engine: str = "numba", agreement: Agreement | None = None
) -> int:
    """The shortest of the windows (frames, ascending) whose jitter of the points (T, L, 2) is nearly as small as the smallest.

    Jitter is the median size of the second difference over time, measured on points smoothed in some samples of the frames, for which all
    windows give a position; with an `agreement`, on the points that `settle` makes of them. Without such points, the longest window is
    chosen.
    """
    if len(windows) == 1:
        return windows[0]
    found: list[list[Floats]] = [[] for _ in windows]
    for first, end in sample_stretches(source.n_frames, max(SAMPLE_FRAMES, 2 * windows[-1])):
        part = points[first:end]
        tolerance = None if agreement is None else agreement.tolerance[first:end]
        for sizes, window in zip(found, windows, strict=True):
            result = smooth_points(source.read(first, end), part, window, engine, tolerance)
            smoothed = result.smoothed if tolerance is None else settle(part, result, tolerance)[0]
            sizes.append(np.hypot(*np.moveaxis(np.diff(smoothed, 2, axis=0), -1, 0)))
    jitter = np.stack([np.concatenate(sizes).ravel() for sizes in found])
    jitter = jitter[:, np.isfinite(jitter).all(axis=0)]
    if not jitter.size:
        return windows[-1]
    left = np.median(jitter, axis=1)
    return windows[int(np.flatnonzero(left <= (1 + TOLERANCE) * left.min())[0])]


def sample_stretches(frames: int, length: int) -> list[tuple[int, int]]:
    """First frame and end of some samples of `length` frames, spread over `frames`; all frames if these are not more than the samples."""
    if frames <= SAMPLES * length:
        return [(0, frames)]
    edges = np.linspace(0, frames, SAMPLES + 1).astype(int)
    return [((a + b - length) // 2, (a + b - length) // 2 + length) for a, b in pairwise(edges.tolist())]
