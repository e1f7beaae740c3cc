"""LK-RSTC over a whole movie: stretches of windows side by side in several processes, with the result of one.

Every window is tracked by itself and all are added up in their order, so that the result does not depend on the stretches.
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

# Frames held by one process, with their pyramids: 4/3 bytes per pixel.
HELD_BYTES = 64 << 20
# Windows that one process tracks in a row, if there are several: each stretch begins with W - 1 frames that the one before has read, too,
# and its tracks, 2 kB per window for ten points, wait until those before are done.
STRETCH_WINDOWS = 2000


class _Stretch(NamedTuple):
    """Windows whose first frames are first .. end - 1."""

    first: int
    end: int


def smooth_movie(source: FrameSource, points: Floats, window: int, *, engine: str = "numba", threads: int = 1, stage: str) -> RstcResult:
    """Smooth the points (T, L, 2) of a movie's T frames by LK-RSTC, in `threads` processes.

    Parameters, result and errors are those of `lkrstc.smooth_points`; the result is the same for any number of threads. `stage` is
    the name under which progress is printed.
    """
    check_points(points, window)
    chunk = chunk_windows(source.shape, window)
    count = len(points) - window + 1
    stretches = [_Stretch(0, count)]
    if threads > 1:
        # As many for each process, so that all are done at the same time.
        stretches = _stretches(count, threads * -(-count // (threads * STRETCH_WINDOWS)), source.starts)

    def track(stretch: _Stretch) -> Iterator[WindowTracks]:
        first, last = stretch.first, stretch.end + window - 1
        return iterate_windows(source.read(first, last), points[first:last], window, engine, chunk, first)

    def track_in_lumps(stretch: _Stretch) -> Iterator[WindowTracks]:
        # The tracks of some stretches must fit among those that wait for their turn: see `run_side_by_side`.
        return _joined(track(stretch), -(-(stretch.end - stretch.first) // (WAITING // 3)))

    tracks = run_side_by_side(track_in_lumps if threads > 1 else track, stretches, threads)
    return combine_windows(points, window, progress(tracks, total=count, stage=stage, unit="windows", size=_windows))


def chunk_windows(shape: tuple[int, int], window: int) -> int:
    """How many windows are tracked together so that the frames (rows, columns) held for them stay below HELD_BYTES."""
    frames = HELD_BYTES // (shape[0] * shape[1] * 4 // 3)
    return int(np.clip(frames - window + 1, 8, CHUNK_WINDOWS))


def _joined(parts: Iterable[WindowTracks], windows: int) -> Iterator[WindowTracks]:
    """Consecutive tracks joined to such of at least so many windows."""
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
    """Windows 0 .. count - 1 in about equal stretches, cut at the nearest place where reading can begin if there is one near by."""
    cuts = [0]
    for part in range(1, parts):
        even = count * part // parts
        near = min((k for k in starts if 2 * parts * abs(k - even) < count), key=lambda k: abs(k - even), default=even)
        if cuts[-1] < near < count:
            cuts.append(near)
    return [_Stretch(first, end) for first, end in pairwise([*cuts, count])]
