"""Smoothing of point trajectories by sliding windows of optical flow (LK-RSTC).

In each window of frames every point is tracked by pyramidal Lucas-Kanade flow, forward from its position in the first frame and backward
from its position in the last one. Both tracks are averaged with sigmoid weights, and the new position in a frame is the mean over all
windows that contain it. The flow is measured in the movie, so that real motion remains, and the jitter of the detector is removed.

Engine `opencv` equals DUSTrack 1.3.2 within 1e-12 px. Engine `numba` equals it within 0.01 px, in less than half of the time.

Source: Magana-Salgado et al. 2023, BioMedical Engineering OnLine 22:52.
Points are (x, y) in px, origin top left, pixel centres at integer coordinates. Grey values of frames are those of `cv2.COLOR_RGB2GRAY`:
others, such as the luma plane, change the result by up to 3.6 px.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.errors import HerdbookError
from herdbook.smoothing.flow import ENGINES, FLOW_WINDOW_PX, Engine

# Windows whose backward tracks are computed together. Each chunk repeats W - 1 pairs of frames of the one before, and chunk + W - 1 frames
# are in memory: 75 MiB at 1024x1024 and W = 12, a third more with pyramids.
CHUNK_WINDOWS = 64


class RstcResult(NamedTuple):
    """Smoothed trajectories (T, L, 2); distance between forward and backward track (T, L); positions of the points as expected by the flow
    from other frames (T, L, 2); all float64 px. `agreeing` (T, L): share of the windows that were counted.
    """

    smoothed: Floats
    disagreement: Floats
    expected: Floats
    agreeing: Floats


class WindowTracks(NamedTuple):
    """Consecutive windows: first frame of the first one, and all tracks, (windows, W, L, 2) float32 px, in the order of frames.

    Both tracks of a point are NaN if it is unknown at one of the ends of the window.
    """

    start: int
    forward: NDArray[np.float32]
    backward: NDArray[np.float32]


def window_frames(window_s: float, fps: float) -> int:
    """Number of frames in a window of `window_s` seconds at `fps` frames per second, half rounded to even."""
    return round(window_s * fps)


def rstc_weights(n: int, epsilon: float = 0.01) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights of the forward and of the backward track in a window of n frames, each (n,), float64, sum 1.

    A sigmoid that is within `epsilon` of 1 and 0 at the ends of the window, stretched so that it reaches them. Raises ValueError for n < 2
    or epsilon outside (0, 0.5).
    """
    if n < 2 or not 0 < epsilon < 0.5:
        raise ValueError(f"weights need n >= 2 and 0 < epsilon < 0.5, got n = {n}, epsilon = {epsilon}")
    slope = 2 * np.log(1 / epsilon - 1) / (n - 1)
    offset = np.arange(n) - (n - 1) / 2

    def stretched(b: float) -> NDArray[np.float64]:
        return np.asarray((1 / (1 + np.exp(b * offset)) - 0.5) / (1 - 2 * epsilon) + 0.5, np.float64)

    return stretched(slope), stretched(-slope)


def smooth_points(
    frames: Iterable[NDArray[np.uint8]], points: Floats, window: int, engine: str = "numba", tolerance: Floats | None = None
) -> RstcResult:
    """Smooth point trajectories by LK-RSTC.

    `frames` are T grey images (H, W) uint8 in order, each a separate array; at most a window and a chunk of them are in memory. `points` is
    (T, L, 2) float64, (x, y) in px; a point with a NaN is missing. `window` is the length of the window in frames, `engine` the optical
    flow, "opencv" or "numba". `tolerance` and the result are those of `combine_windows`.

    Raises HerdbookError if the window has fewer than 2 or more than T frames, if a point is so far outside of the frame that its flow
    window contains no pixel, or if the frames differ in size or are not T in number; ValueError for arrays of another shape or type, and
    for another engine.
    """
    points = np.asarray(points, np.float64)
    check_points(points, window)
    return combine_windows(points, window, iterate_windows(frames, points, window, engine), tolerance)


def combine_windows(points: Floats, window: int, tracks: Iterable[WindowTracks], tolerance: Floats | None = None) -> RstcResult:
    """The result for `points` (T, L, 2) from the tracks of all windows of `window` frames, in order.

    `smoothed` (T, L, 2): mean over the windows that contain the frame and in which the point is known at both ends; if there is none, the
    given point. `disagreement` (T, L): mean over the same windows of the distance between forward and backward track, NaN if there is none.
    `expected` (T, L, 2): median of all tracks that reach the frame from another one, NaN if there is none. `agreeing` (T, L): 1, or NaN if
    there is no window.

    This is the method as it was published. With a `tolerance` (T, L) px only those windows count for `smoothed` in which both tracks arrive
    at the given point of their last frame, within the smaller tolerance of the two ends; `agreeing` is their share.
    """
    smoothed, spread = np.zeros(points.shape), np.zeros(points.shape[:2])
    count, agreed = np.zeros(points.shape[:2], np.int32), np.zeros(points.shape[:2], np.int32)
    expected = np.full(points.shape, np.nan)
    forward_weight, backward_weight = rstc_weights(window)
    # Tracks that reach the frames from `start` on from other frames: NaN at the end where a track begins.
    arriving = np.empty((0, 2 * window, *points.shape[1:]), np.float32)
    for start, forward, backward in tracks:
        n = len(forward)
        known = ~np.isnan(forward[:, 0, :, 0])
        counted = known if tolerance is None else known & _arrive(points, start, forward, backward, tolerance)
        fresh = np.full((n + window - 1 - len(arriving), *arriving.shape[1:]), np.nan, np.float32)
        arriving = np.concatenate([arriving, fresh])
        # Backwards through a window, so that the windows of each frame are summed in their order, whatever the chunks.
        for k in range(window - 1, -1, -1):
            inside = slice(start + k, start + k + n)
            f, b = forward[:, k].astype(np.float64), backward[:, k].astype(np.float64)
            smoothed[inside] += np.where(counted[..., None], f * forward_weight[k] + b * backward_weight[k], 0)
            agreed[inside] += counted
            spread[inside] += np.where(known, np.hypot(*np.moveaxis(f - b, -1, 0)), 0)
            count[inside] += known
            if k > 0:
                arriving[k : k + n, k] = forward[:, k]
            if k < window - 1:
                arriving[k : k + n, window + k] = backward[:, k]
        expected[start : start + n] = _median(arriving[:n])
        arriving = arriving[n:]
    expected[len(points) - len(arriving) :] = _median(arriving)

    covered = agreed > 0
    smoothed[covered] /= agreed[covered, None]
    smoothed[~covered] = points[~covered]
    reached = count > 0
    spread[reached] /= count[reached]
    spread[~reached] = np.nan
    return RstcResult(smoothed, spread, expected, np.where(reached, agreed / np.maximum(count, 1), np.nan))


def _arrive(
    points: Floats, start: int, forward: NDArray[np.float32], backward: NDArray[np.float32], tolerance: Floats
) -> NDArray[np.bool_]:
    """Whether both tracks of each point arrive where it is in their last frame, bool (windows, L); the windows begin at frame `start`."""
    n, window = forward.shape[:2]
    first, last = slice(start, start + n), slice(start + window - 1, start + window - 1 + n)
    missed = [np.hypot(*np.moveaxis(a - b, -1, 0)) for a, b in ((forward[:, -1], points[last]), (backward[:, 0], points[first]))]
    return np.asarray(np.maximum(*missed) <= np.minimum(tolerance[first], tolerance[last]))


def iterate_windows(
    frames: Iterable[NDArray[np.uint8]],
    points: Floats,
    window: int,
    engine: str = "numba",
    chunk: int = CHUNK_WINDOWS,
    first_frame: int = 0,
) -> Iterator[WindowTracks]:
    """Yield the forward and backward tracks of all windows, in order of their first frames 0 .. T - window.

    Parameters and errors are those of `smooth_points`; `chunk` >= 1 is the number of windows that are yielded together: it affects memory
    and time, but not the tracks; `first_frame` is the number of the first frame, used in numbers of windows and in errors.
    """
    check_points(points, window)
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}")
    flow = ENGINES[engine]
    given = points.astype(np.float32)
    known = ~(np.isnan(points[..., 0]) | np.isnan(points[..., 1]))
    counts = known[: len(known) - window + 1] & known[window - 1 :]

    held: deque[Any] = deque()  # frames as the engine prepares them
    first = 0  # of the chunk: its first window, which is also the first frame in `held`
    forward = _seeded(given, counts, range(min(chunk + window - 1, len(counts))), 0, window)
    for t, frame in enumerate(_checked_frames(frames, points, known, first_frame)):
        held.append(flow.prepare(frame))
        if t > first:
            _track_step(flow, held, forward, counts, first, t - 1, t)
        last = min(first + chunk, len(counts)) - 1
        if t < last + window - 1:
            continue
        starts = range(first, last + 1)
        backward = _seeded(given, counts, starts, window - 1, window)
        for later in range(t, first, -1):
            _track_step(flow, held, backward, counts, first, later, later - 1)
        yield WindowTracks(first_frame + first, forward[: len(starts)], backward)

        begun = forward[len(starts) :]
        fresh = range(first + len(forward), min(last + chunk + window, len(counts)))
        forward = np.concatenate([begun, _seeded(given, counts, fresh, 0, window)])
        for _ in starts:
            held.popleft()
        first = last + 1


def _seeded(given: NDArray[np.float32], counts: NDArray[np.bool_], starts: range, k: int, window: int) -> NDArray[np.float32]:
    """Tracks (len(starts), window, L, 2): the given points in the k-th frame of each window, NaN in the others."""
    windows = slice(starts.start, max(starts.start, starts.stop))
    seeds = np.where(counts[windows, :, None], given[k:][windows], np.float32(np.nan))
    tracks = np.full((len(seeds), window, *given.shape[1:]), np.nan, np.float32)
    tracks[:, k] = seeds
    return tracks


def _track_step(
    flow: Engine,
    held: deque[Any],
    tracks: NDArray[np.float32],
    counts: NDArray[np.bool_],
    first: int,
    origin: int,
    target: int,
) -> None:
    """Track all points of the windows that contain frame `origin` and its neighbour `target`, in one call.

    `tracks` (windows, window, L, 2) is filled in place; `first` is its first window, and the first frame in `held`.
    """
    window = tracks.shape[1]
    low = max(first, max(origin, target) - window + 1)
    high = min(min(origin, target), first + len(tracks) - 1)
    # Sorted by label: the engine computes the gradients around neighbouring points once.
    label, offset = np.nonzero(counts[low : high + 1].T)
    if not len(offset):
        return
    start = low + offset
    moved = flow.track(held[origin - first], held[target - first], tracks[start - first, origin - start, label])
    tracks[start - first, target - start, label] = moved


def _median(tracks: NDArray[np.float32]) -> Floats:
    """Median (n, L, 2) over the second axis of (n, tracks, L, 2), without NaN; NaN if all values are NaN."""
    ordered = np.sort(tracks, axis=1)  # NaN last
    known = (~np.isnan(tracks)).sum(axis=1, keepdims=True)
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    middle = [np.take_along_axis(ordered, np.minimum(k, tracks.shape[1] - 1), axis=1)[:, 0] for k in (low, high)]
    return np.asarray((middle[0].astype(np.float64) + middle[1]) / 2)


def check_points(points: Floats, window: int) -> None:
    """Raise HerdbookError for a window that does not fit into the movie, ValueError for points of another shape."""
    if points.ndim != 3 or points.shape[2] != 2:
        raise ValueError(f"points must be (frames, points, 2), got {points.shape}")
    if not 2 <= window <= len(points):
        raise HerdbookError(
            f"a smoothing window of {window} frames: expected 2 to {len(points)}, the length of the movie; change the seconds of the window"
        )


def _checked_frames(
    frames: Iterable[NDArray[np.uint8]], points: Floats, known: NDArray[np.bool_], first_frame: int
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames; raise an error for one that is not as expected, and if there are too few or too many."""
    expected = len(points)
    n, shape = 0, None
    for frame in frames:
        if n == expected:
            raise HerdbookError(f"the movie has more than the {expected} frames of the trajectories: is it another movie?")
        if frame.ndim != 2 or frame.dtype != np.uint8:
            raise ValueError(f"frame {first_frame + n} must be grey (rows, columns) uint8, got {frame.shape} {frame.dtype}")
        if shape is None:
            shape = frame.shape
            check_near_frame(points, known, frame.shape, first_frame)
        elif frame.shape != shape:
            raise HerdbookError(f"frame {first_frame + n} is {frame.shape}, those before it {shape} (rows, columns): re-encode the movie")
        yield frame
        n += 1
    if n < expected:
        raise HerdbookError(f"the movie ended after {n} of {expected} frames: is it truncated, or another movie?")


def check_near_frame(points: Floats, known: NDArray[np.bool_], shape: tuple[int, ...], first_frame: int = 0) -> None:
    """Raise HerdbookError if `known` (T, L) points (T, L, 2) have no pixel of the frame (rows, columns) in their flow window."""
    reach = FLOW_WINDOW_PX // 2  # detectors may place points near the border slightly outside of it
    limit = np.array([shape[1], shape[0]]) - 1 + reach
    outside = np.argwhere(known & ((points < -reach) | (points > limit)).any(axis=2))
    if len(outside):
        t, label = outside[0]
        x, y = points[t, label]
        raise HerdbookError(
            f"frame {first_frame + t}, point {label}: ({x:.1f}, {y:.1f}) is outside of the frame of "
            f"{shape[1]}x{shape[0]} px, the first of {len(outside)} such points: are these the trajectories of this movie? "
            "Points outside of the frame must be missing (NaN)"
        )
