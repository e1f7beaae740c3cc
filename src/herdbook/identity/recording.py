"""The movies of a recording joined to one graph of tracklets, with frames counted over the recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.intervals import interval_of
from herdbook.identity.graph import Graph
from herdbook.tracklets.counting import count_in_arenas
from herdbook.tracklets.joining import JoinedTracklets, join_tracklets


@dataclass(frozen=True)
class RecordingGraph:
    """The tracklets of a recording as one graph: `graph`, and for each of its rows the `movie`, the `tracklet` in it, and its `arena`.

    `animals` int16 is how many each tracklet holds, those of the movies in turn, from `animals_offsets` int64 (movies + 1,).
    `start_frame` int64 (movies,) is the frame of the recording with which each movie begins. `look_frame` int64 (n,), a frame of the
    recording, and `look_xy` (n, 2) px: where a person finds each tracklet, the blob in its middle. `body_length_px` and `step_px` as in
    `JoinedTracklets`.
    """

    graph: Graph
    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    arena: NDArray[np.int16]
    animals: NDArray[np.int16]
    animals_offsets: Ints
    start_frame: Ints
    look_frame: Ints
    look_xy: Floats
    body_length_px: float
    step_px: float

    def rows_of(self, movie: int) -> Ints:
        """Row int64 (tracklets,) of the graph of each tracklet of a movie, -1 for those without an animal."""
        rows = np.full(int(np.diff(self.animals_offsets)[movie]), -1, np.int64)
        mine = np.flatnonzero(self.movie == movie)
        rows[self.tracklet[mine]] = mine
        return rows


def join_movies(tracklets: Sequence[Tracklets], blobs: Sequence[Blobs], numbers: Sequence[int | None]) -> RecordingGraph:
    """One graph of all tracklets that hold animals, with frames counted over the recording, ordered by first frame.

    How many animals each holds is counted again over the whole recording; `numbers` are those in each arena, where they are known.
    """
    joined = join_tracklets(tracklets, blobs)
    animals, _ = count_in_arenas(
        *(joined.size, joined.first, joined.last, joined.edges, joined.border, joined.arena), numbers=numbers, intervals=joined.intervals
    )
    real = np.flatnonzero(animals > 0)
    order = real[np.argsort(joined.first[real], kind="stable")]
    return RecordingGraph(
        graph=_make_graph(joined, animals, order),
        movie=joined.movie[order],
        tracklet=joined.tracklet[order],
        arena=joined.arena[order],
        animals=animals,
        animals_offsets=joined.offsets,
        start_frame=joined.start_frame,
        look_frame=joined.look_frame[order],
        look_xy=joined.look_xy[order],
        body_length_px=joined.body_length_px,
        step_px=joined.step_px,
    )


def _make_graph(joined: JoinedTracklets, animals: NDArray[np.int16], order: Ints) -> Graph:
    """The graph of some tracklets in this order, with the edges between them."""
    place = np.full(len(animals), -1, np.int64)
    place[order] = np.arange(len(order))
    edges = place[joined.edges]
    first, last, intervals = joined.first[order], joined.last[order], joined.intervals
    return Graph(
        first=first,
        last=last,
        animals=animals[order].astype(np.int64),
        edges=np.unique(edges[(edges >= 0).all(axis=1)], axis=0),
        start_xy=joined.start_xy[order],
        end_xy=joined.end_xy[order],
        border=joined.border[order],
        free=np.stack([np.isin(first, intervals[:, 0]), np.isin(last + 1, intervals[:, 1])], 1),
        part=joined.arena[order].astype(np.int64) * len(intervals) + interval_of(first, intervals),
    )
