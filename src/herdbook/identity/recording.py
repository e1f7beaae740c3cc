"""The movies of a recording joined to one graph of tracklets, with frames counted over the recording."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.intervals import interval_of, join_intervals
from herdbook.identity.graph import Graph
from herdbook.tracklets.counting import count_in_arenas

# Steps are counted in cells of this width, up to the longest one.
STEPS_PER_PX = 256
MOST_STEP_PX = 4096


@dataclass(frozen=True)
class RecordingGraph:
    """The tracklets of a recording as one graph: `graph`, and for each of its rows the `movie`, the `tracklet` in it, and its `arena`.

    `animals` int16 is how many each tracklet holds, those of the movies in turn, from `animals_offsets` int64 (movies + 1,).
    `start_frame` int64 (movies,) is the frame of the recording with which each movie begins. `look_frame` int64 (n,), a frame of the
    recording, and `look_xy` (n, 2) px: where a person finds each tracklet, the blob in its middle.
    """

    graph: Graph
    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    arena: NDArray[np.int16]
    animals: NDArray[np.int16]
    animals_offsets: NDArray[np.int64]
    start_frame: NDArray[np.int64]
    look_frame: NDArray[np.int64]
    look_xy: NDArray[np.float64]
    body_length_px: float
    step_px: float

    def rows_of(self, movie: int) -> NDArray[np.int64]:
        """Row (tracklets,) of the graph of each tracklet of a movie, -1 for those without an animal."""
        rows = np.full(int(np.diff(self.animals_offsets)[movie]), -1, np.int64)
        mine = np.flatnonzero(self.movie == movie)
        rows[self.tracklet[mine]] = mine
        return rows


def join_movies(tracklets: Sequence[Tracklets], blobs: Sequence[Blobs], numbers: Sequence[int | None]) -> RecordingGraph:
    """One graph of all tracklets that hold animals, with frames counted over the recording, ordered by first frame.

    How many animals each holds is counted again over the whole recording; `numbers` are those in each arena, where they are known.
    """
    columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    edges: list[NDArray[np.int64]] = []
    lengths, tracked = [], []
    bases, starts = [0], [0]
    steps = np.zeros(MOST_STEP_PX * STEPS_PER_PX + 1, np.int64)
    before = np.zeros(0, np.int32)
    # Movies may be read in turn, and none is held: a recording of a thousand has a hundred million blobs.
    for number, (t, b) in enumerate(zip(tracklets, blobs, strict=True)):
        base, start = bases[-1], starts[-1]
        for name, values in _describe(number, t, b, start).items():
            columns[name].append(values)
        edges.append(t.edges.astype(np.int64) + base)
        if number and len(t.border_edges):
            old, new = t.border_edges.T
            edges.append(np.stack([before[old].astype(np.int64) + bases[-2], t.blob_tracklet[new].astype(np.int64) + base], 1))
        lengths.append(body_length(b.moments))
        steps += _count_steps(t, b)
        tracked.append(b.intervals + start)
        before = t.blob_tracklet
        bases.append(base + len(t))
        starts.append(start + t.frames)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    linked, intervals = np.concatenate(edges), join_intervals(np.concatenate(tracked))
    spans = (joined["size"], joined["first"], joined["last"], linked, joined["border"], joined["arena"])
    animals, _ = count_in_arenas(*spans, numbers=numbers, intervals=intervals)
    real = animals > 0
    order = np.flatnonzero(real)[np.argsort(joined["first"][real], kind="stable")]
    return RecordingGraph(
        graph=_graph(joined, linked, animals, order, intervals),
        movie=joined["movie"][order],
        tracklet=joined["tracklet"][order],
        arena=joined["arena"][order],
        animals=animals,
        animals_offsets=np.array(bases, np.int64),
        start_frame=np.array(starts[:-1], np.int64),
        look_frame=joined["look_frame"][order],
        look_xy=joined["look"][order],
        body_length_px=float(np.median(lengths)),
        step_px=_usual_step_px(steps),
    )


def _describe(number: int, t: Tracklets, b: Blobs, start: int) -> dict[str, NDArray[Any]]:
    """The columns of the tracklets of movie `number`, which begins with frame `start` of the recording."""
    rows, ends = t.blob_rows()
    head, tail, middle = rows[ends[:-1]], rows[ends[1:] - 1], rows[(ends[:-1] + ends[1:] - 1) // 2]
    return {
        "movie": np.full(len(t), number, np.int32),
        "tracklet": np.arange(len(t), dtype=np.int32),
        "first": t.first.astype(np.int64) + start,
        "last": t.last.astype(np.int64) + start,
        "arena": t.arena,
        "size": t.size.astype(np.float64),
        "start": np.stack([b.x[head], b.y[head]], 1),
        "end": np.stack([b.x[tail], b.y[tail]], 1),
        "look_frame": b.frame[middle].astype(np.int64) + start,
        "look": np.stack([b.x[middle], b.y[middle]], 1),
        "border": np.stack([b.border[head], b.border[tail]], 1),
    }


def _count_steps(t: Tracklets, b: Blobs) -> NDArray[np.int64]:
    """How many steps from one blob of a tracklet to the next have each length, in cells of 1 / STEPS_PER_PX px."""
    rows, _ = t.blob_rows()
    within = np.diff(t.blob_tracklet[rows]) == 0
    moved = np.hypot(np.diff(b.x[rows]), np.diff(b.y[rows]))[within] * STEPS_PER_PX
    most = MOST_STEP_PX * STEPS_PER_PX
    return np.bincount(np.minimum(moved, most).astype(np.int64), minlength=most + 1)


def _graph(
    joined: Mapping[str, NDArray[Any]], linked: NDArray[np.int64], animals: NDArray[np.int16], order: NDArray[np.int64], intervals: Ints
) -> Graph:
    """The graph of the tracklets `order`; `linked` (k, 2) are all edges, `animals` counts those of all tracklets."""
    place = np.full(len(animals), -1, np.int64)
    place[order] = np.arange(len(order))
    links = place[linked]
    first, last = joined["first"][order], joined["last"][order]
    return Graph(
        first=first,
        last=last,
        animals=animals[order].astype(np.int64),
        edges=np.unique(links[(links >= 0).all(axis=1)], axis=0),
        start_xy=joined["start"][order],
        end_xy=joined["end"][order],
        border=joined["border"][order],
        free=np.stack([np.isin(first, intervals[:, 0]), np.isin(last + 1, intervals[:, 1])], 1),
        part=joined["arena"][order].astype(np.int64) * len(intervals) + interval_of(first, intervals),
    )


def _usual_step_px(steps: NDArray[np.int64]) -> float:
    """What 99 of 100 steps from one frame to the next stay below, of counts in cells of 1 / STEPS_PER_PX px; 1 px without any step."""
    if not steps.any():
        return 1.0
    cell = int(np.searchsorted(np.cumsum(steps), 0.99 * steps.sum()))
    return (cell + 0.5) / STEPS_PER_PX
