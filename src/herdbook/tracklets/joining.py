"""The tracklets of a recording's movies joined in one table, with frames counted over the recording. Points are (x, y) in px."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.intervals import join_intervals

# Steps are counted in cells of this width, up to the longest one.
STEPS_PER_PX = 256
MOST_STEP_PX = 4096


@dataclass(frozen=True)
class JoinedTracklets:
    """All tracklets of a recording, those of its movies in turn; frames are those of the recording.

    Per tracklet: `movie` int32 and `tracklet` int32, its number there; `arena` int16; `first`, `last` int64; `size` float64, as in
    `Tracklets`; `start_xy`, `end_xy` float64 (n, 2) of its first and last blob, `border` bool (n, 2) whether these touch the border;
    `look_frame` int64, `look_xy` float64 (n, 2): the blob in its middle.
    `edges` int64 (e, 2) parent, child, also across the border of two movies. The tracklets of movie k begin at `offsets[k]` int64
    (movies + 1,), its frames at `start_frame[k]` int64 (movies,). `intervals` int64 (i, 2): first frame and end of what was tracked;
    none goes on across a broken seam.
    `body_length_px` the median over movies; `step_px`: 99 of 100 steps from a frame to the next are shorter, 1 px without any step.
    """

    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    arena: NDArray[np.int16]
    first: Ints
    last: Ints
    size: Floats
    start_xy: Floats
    end_xy: Floats
    border: Bools
    look_frame: Ints
    look_xy: Floats
    edges: Ints
    offsets: Ints
    start_frame: Ints
    intervals: Ints
    body_length_px: float
    step_px: float


def join_tracklets(tracklets: Sequence[Tracklets], blobs: Sequence[Blobs]) -> JoinedTracklets:
    """The tracklets of all movies of a recording, given in the order of the movies with their blobs."""
    columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    edges: list[Ints] = []
    lengths: list[float] = []
    # Of each run of movies that go on where the one before ended.
    intervals: list[list[Ints]] = [[]]
    offsets, starts = [0], [0]
    steps = np.zeros(MOST_STEP_PX * STEPS_PER_PX + 1, np.int64)
    # Tracklet in the recording of each blob of the movie before.
    before = np.zeros(0, np.int64)
    # Movies are read one after the other and not kept in memory: a recording of a thousand movies has a hundred million blobs.
    for movie, (t, b) in enumerate(zip(tracklets, blobs, strict=True)):
        rows, ends = t.blob_rows()
        for name, values in _describe(t, b, rows, ends, starts[-1]).items():
            columns[name].append(values)
        columns["movie"].append(np.full(len(t), movie, np.int32))
        here = t.blob_tracklet.astype(np.int64) + offsets[-1]
        edges.append(t.edges.astype(np.int64) + offsets[-1])
        if movie and len(t.border_edges):
            old, new = t.border_edges.T
            edges.append(np.stack([before[old], here[new]], 1))
        lengths.append(body_length(b.moments))
        steps += _count_steps(t, b, rows)
        if t.seam_broken:
            intervals.append([])
        intervals[-1].append(b.intervals + starts[-1])
        before = here
        offsets.append(offsets[-1] + len(t))
        starts.append(starts[-1] + t.frames)
    return JoinedTracklets(
        **{name: np.concatenate(parts) for name, parts in columns.items()},
        edges=np.concatenate(edges),
        offsets=np.array(offsets, np.int64),
        start_frame=np.array(starts[:-1], np.int64),
        intervals=np.concatenate([join_intervals(np.concatenate(run)) for run in intervals if run]),
        body_length_px=float(np.median(lengths)),
        step_px=_usual_step_px(steps),
    )


def _describe(t: Tracklets, b: Blobs, rows: Ints, ends: Ints, start: int) -> dict[str, NDArray[Any]]:
    """The columns of one movie, which begins with the frame `start` of the recording; `rows`, `ends` from `Tracklets.blob_rows`."""
    head, tail, middle = rows[ends[:-1]], rows[ends[1:] - 1], rows[(ends[:-1] + ends[1:] - 1) // 2]
    return {
        "tracklet": np.arange(len(t), dtype=np.int32),
        "arena": t.arena,
        "first": t.first.astype(np.int64) + start,
        "last": t.last.astype(np.int64) + start,
        "size": t.size.astype(np.float64),
        "start_xy": np.stack([b.x[head], b.y[head]], 1),
        "end_xy": np.stack([b.x[tail], b.y[tail]], 1),
        "border": np.stack([b.border[head], b.border[tail]], 1),
        "look_frame": b.frame[middle].astype(np.int64) + start,
        "look_xy": np.stack([b.x[middle], b.y[middle]], 1),
    }


def _count_steps(t: Tracklets, b: Blobs, rows: Ints) -> Ints:
    """How many steps from one blob of a tracklet to its next are of each length, in cells of 1 / STEPS_PER_PX px."""
    within = np.diff(t.blob_tracklet[rows]) == 0
    length = np.hypot(np.diff(b.x[rows]), np.diff(b.y[rows]))[within] * STEPS_PER_PX
    most = MOST_STEP_PX * STEPS_PER_PX
    return np.bincount(np.minimum(length, most).astype(np.int64), minlength=most + 1)


def _usual_step_px(steps: Ints) -> float:
    """The length that 99 of 100 steps stay below, from counts in cells of 1 / STEPS_PER_PX px; 1 px without any step."""
    if not steps.any():
        return 1.0
    cell = int(np.searchsorted(np.cumsum(steps), 0.99 * steps.sum()))
    return (cell + 0.5) / STEPS_PER_PX
