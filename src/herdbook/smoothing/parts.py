"""LK-RSTC over a whole movie: stretches of windows in parallel processes, with the same result as in one process.

Each window is tracked separately, and all are summed in their order, so that the result does not depend on the stretches.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Floats
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.rstc import CHUNK_WINDOWS, RstcResult, WindowTracks, check_points, combine_windows, iterate_windows
from herdbook.system.processes import WAITING, run_side_by_side
from herdbook.system.progress import progress

# Memory for the frames of one process, with their pyramids: 4/3 bytes per pixel.
HELD_BYTES = 64 << 20
# Windows that a process tracks in a row, if there are several processes. Each stretch begins with W - 1 frames that the one before has also
# read, and its tracks, 2 kB per window for ten points, wait until those before are finished.
STRETCH_WINDOWS = 2000


class _Stretch(NamedTuple):
    """Windows whose first frames are first .. end - 1."""

    first: int
    end: int


def smooth_movie(
    source: FrameSource,
    points: Floats,
    window: int,
    *,
    engine: str = "numba",
    threads: int = 1,
    stage: str,
    tolerance: Floats | None = None,
) -> RstcResult:
    """Smooth the points (T, L, 2) of a movie's T frames by LK-RSTC, in `threads` processes.

    Parameters, result and errors are those of `rstc.smooth_points`; the result is the same for any number of threads. `stage` is the name
    with which progress is printed.
    """
    check_points(points, window)
    chunk = chunk_windows(source.shape, window)
    count = len(points) - window + 1
    stretches = [_Stretch(0, count)]
    if threads > 1:
        # The same number for each process, so that all finish at the same time.
        stretches = _stretches(count, threads * -(-count // (threads * STRETCH_WINDOWS)), source.starts)

    def track(stretch: _Stretch) -> Iterator[WindowTracks]:
        first, last = stretch.first, stretch.end + window - 1
        return iterate_windows(source.read(first, last), points[first:last], window, engine, chunk, first)

    def track_in_batches(stretch: _Stretch) -> Iterator[WindowTracks]:
        # The queue of a process must have room for the tracks of several stretches: see `run_side_by_side`.
        return _joined(track(stretch), -(-(stretch.end - stretch.first) // (WAITING // 3)))

    tracks = run_side_by_side(track_in_batches if threads > 1 else track, stretches, threads)
    return combine_windows(points, window, progress(tracks, total=count, stage=stage, unit="windows", size=_windows), tolerance)


def chunk_windows(shape: tuple[int, int], window: int) -> int:
    """Number of windows that are tracked together, so that their frames of `shape` (rows, columns) need at most HELD_BYTES."""
    frames = HELD_BYTES // (shape[0] * shape[1] * 4 // 3)
    return int(np.clip(frames - window + 1, 8, CHUNK_WINDOWS))


def _joined(parts: Iterable[WindowTracks], windows: int) -> Iterator[WindowTracks]:
    """Consecutive tracks joined, so that each result has at least this number of windows."""
    held: list[WindowTracks] = []
    for part in parts:
        held.append(part)
        if sum(map(_windows, held)) >= windows:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(parts: Sequence[WindowTracks]) -> WindowTracks:
    return WindowTracks(parts[0].start, np.concatenate([p.forward for p in parts]), np.concatenate([p.backward for p in parts]))


def _windows(tracks: WindowTracks) -> int:
    return len(tracks.forward)


def _stretches(count: int, parts: int, starts: Sequence[int]) -> list[_Stretch]:
    """Windows 0 .. count - 1 in stretches of about equal length, each cut at the nearest frame of `starts`, if one is near."""
    cuts = [0]
    for part in range(1, parts):
        even = count * part // parts
        near = min((k for k in starts if 2 * parts * abs(k - even) < count), key=lambda k: abs(k - even), default=even)
        if cuts[-1] < near < count:
            cuts.append(near)
    return [_Stretch(first, end) for first, end in pairwise([*cuts, count])]
