"""Gaps in point trajectories filled by optical flow from both ends, with the weights of LK-RSTC over each gap.

This fills both frames in which a detector missed a point and frames between labelled ones. Points are (x, y) in px.

Source: Magana-Salgado et al. 2023, BioMedical Engineering OnLine 22:52.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Image
from herdbook.errors import HerdbookError
from herdbook.smoothing.flow import ENGINES, Engine
from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.parts import HELD_BYTES
from herdbook.smoothing.rstc import check_near_frame, rstc_weights


class Gaps(NamedTuple):
    """Gaps in trajectories: `label` of the point, last known frame before the gap (`start`) and first one after it (`end`), int64 (g,)."""

    label: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def take(self, rows: NDArray[Any] | slice) -> "Gaps":
        """The gaps of these rows."""
        return Gaps(*(column[rows] for column in self))


class _Paths(NamedTuple):
    """Gaps sorted by start, with the `offset` of each in `places` (frames of all gaps, 2) float32 px, including both ends."""

    gaps: Gaps
    offset: NDArray[np.int64]
    places: NDArray[np.float32]


def find_gaps(known: NDArray[np.bool_], most_frames: int | None = None) -> Gaps:
    """Gaps of 1 to `most_frames` (None: any number of) frames in which a point is not `known`, bool (T, L)."""
    label, frame = np.nonzero(known.T)
    gap = np.diff(frame)
    here = np.flatnonzero((np.diff(label) == 0) & (gap > 1) & (gap - 1 <= (most_frames if most_frames is not None else len(known))))
    return Gaps(label[here], frame[here], frame[here + 1])


def fill_gaps_by_flow(source: FrameSource, points: Floats, gaps: Gaps, engine: str = "numba") -> tuple[Floats, Floats]:
    """Points (T, L, 2) with these gaps filled, and the distance between forward and backward track there, (T, L) px, NaN elsewhere.

    Only frames inside gaps are read; those of gaps too long for memory are read twice. Raises HerdbookError for a point outside the frame.
    """
    filled, disagreement = points.copy(), np.full(points.shape[:2], np.nan)
    if not len(gaps.label):
        return filled, disagreement
    check_near_frame(points, ~(np.isnan(points[..., 0]) | np.isnan(points[..., 1])), source.shape)
    gaps = gaps.take(np.argsort(gaps.start, kind="stable"))
    length = gaps.end - gaps.start + 1
    offset = np.cumsum(length) - length
    forward, backward = (_Paths(gaps, offset, np.full((int(length.sum()), 2), np.nan, np.float32)) for _ in range(2))
    forward.places[offset] = points[gaps.start, gaps.label]
    backward.places[offset + length - 1] = points[gaps.end, gaps.label]
    held_frames = max(2, HELD_BYTES // (source.shape[0] * source.shape[1] * 4 // 3))
    reader = _Reader(source, ENGINES[engine])
    for rows, first, last in _groups(gaps, held_frames):
        there, back = (_Paths(gaps.take(rows), offset[rows], paths.places) for paths in (forward, backward))
        _track_group(reader, there, back, first, last, held_frames)
    for g, (label, start, end) in enumerate(zip(*gaps, strict=True)):
        own, inside = slice(offset[g], offset[g] + length[g]), slice(start + 1, end)
        f, b = forward.places[own].astype(np.float64), backward.places[own].astype(np.float64)
        forward_weight, backward_weight = rstc_weights(int(length[g]))
        filled[inside, label] = (f * forward_weight[:, None] + b * backward_weight[:, None])[1:-1]
        disagreement[inside, label] = np.hypot(*(f - b).T)[1:-1]
    return filled, disagreement


def _groups(gaps: Gaps, held_frames: int) -> Iterator[tuple[slice, int, int]]:
    """Groups of gaps, sorted by start, that are tracked together, with their first and last frame: at most `held_frames` frames.

    A longer gap is in one group with all gaps that begin in it.
    """
    begin = 0
    while begin < len(gaps.start):
        first, last = int(gaps.start[begin]), int(gaps.end[begin])
        long = last - first >= held_frames
        stop = begin + 1
        while stop < len(gaps.start) and gaps.start[stop] < last and (long or gaps.end[stop] - first < held_frames):
            last = max(last, int(gaps.end[stop]))
            stop += 1
        yield slice(begin, stop), first, last
        begin = stop


class _Reader:
    """Prepared frames of a movie. Later frames are read without a seek if a seek would only return to the same keyframe."""

    def __init__(self, source: FrameSource, flow: Engine) -> None:
        self.flow = flow
        self._source = source
        self._ahead: Iterator[Image] = iter(())
        self._next = source.n_frames
        self._held: dict[int, Any] = {}

    def frames(self, first: int, last: int) -> list[Any]:
        """Frames first .. last, prepared; frames of the last call are reused."""
        self._held = {t: frame for t, frame in self._held.items() if first <= t <= last}
        for t in range(first, last + 1):
            if t not in self._held:
                self._held[t] = self.flow.prepare(self._read(t))
        return [self._held[t] for t in range(first, last + 1)]

    def _read(self, t: int) -> Image:
        if t < self._next or any(self._next < start <= t for start in self._source.starts):
            self._ahead, self._next = self._source.read(t, self._source.n_frames), t
        for frame in self._ahead:
            self._next += 1
            if self._next > t:
                return frame
        raise HerdbookError(f"the movie ended before frame {t} of {self._source.n_frames}: is it truncated, or another movie?")


def _track_group(reader: _Reader, forward: _Paths, backward: _Paths, first: int, last: int, held_frames: int) -> None:
    """Track gaps in frames first .. last forward and backward, through blocks of frames that share their outermost ones."""
    blocks = [(a, min(a + held_frames - 1, last)) for a in range(first, last, held_frames - 1)]
    for a, b in blocks:
        held = reader.frames(a, b)
        for t in range(a, b):
            _step(reader.flow, held[t - a], held[t + 1 - a], forward, t, t + 1)
    for a, b in blocks[::-1]:
        held = reader.frames(a, b)
        for t in range(b, a, -1):
            _step(reader.flow, held[t - a], held[t - 1 - a], backward, t, t - 1)


def _step(flow: Engine, origin: Any, target: Any, paths: _Paths, at: int, to: int) -> None:
    """Track the points of all gaps that contain both frames from frame `at` to frame `to`, in place."""
    gaps = paths.gaps
    began = np.searchsorted(gaps.start, min(at, to), "right")
    active = np.flatnonzero(gaps.end[:began] >= max(at, to))
    if len(active):
        place = paths.offset[active] - gaps.start[active]
        paths.places[place + to] = flow.track(origin, target, paths.places[place + at])
