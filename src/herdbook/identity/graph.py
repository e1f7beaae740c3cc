"""The graph of a recording's tracklets: what may follow what, and what it costs. All costs are in nats, the unit of the evidence."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from herdbook.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Graph:
    """Tracklets of a recording, in order of their first frame.

    `first`, `last` int64 (n,) frames over the recording; `animals` int64 (n,) number each holds; `edges` int64 (e, 2) parent, child;
    `start_xy`, `end_xy` (n, 2) px; `border` bool (n, 2): begins, ends at the border of the view; `free` bool (n, 2): begins, ends with the
    tracking, so that coming and going cost nothing; `part` int64 (n,): the closed part of the recording that it is in, which no edge
    leaves: an arena during an interval.
    """

    first: Ints
    last: Ints
    animals: Ints
    edges: Ints
    start_xy: Floats
    end_xy: Floats
    border: Bools
    free: Bools
    part: Ints

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: Ints) -> "Graph":
        """The graph of some of the tracklets, in order, with the edges between them."""
        place = np.full(len(self), -1, np.int64)
        place[rows] = np.arange(len(rows))
        edges = place[self.edges]
        columns = {item.name: getattr(self, item.name)[rows] for item in fields(self) if item.name != "edges"}
        return Graph(**columns, edges=edges[(edges >= 0).all(axis=1)])


@dataclass(frozen=True)
class PathCosts:
    """What the path of an identity through a graph costs, in nats.

    `links` int64 (k, 2): pairs of tracklets of which the second may follow the first, by an edge or across a gap; `link_costs` float64
    (k,) of following each link; `away` float64 (n, 2) of entering each tracklet from outside of the graph, and of leaving it for there.
    """

    links: Ints
    link_costs: Floats
    away: Floats


@dataclass(frozen=True)
class Costs:
    """Costs (nats) of what a path does besides following edges, which is free; `costs.learn_costs` learns them from a recording.

    `away`: to leave the graph, or to enter it, although the graph goes on for all animals of the tracklet; `away_at_end`: the same where it
    does not; `away_at_border`: at the border of the view; a gap from one tracklet to another costs `gap`, `gap_per_body_length` of
    distance, and `gap_per_wait` times its length as a share of the longest gap.
    """

    away: float = 6.0
    away_at_end: float = 6.0
    away_at_border: float = 3.0
    gap: float = 1.0
    gap_per_body_length: float = 1.0
    gap_per_wait: float = 1.0

    def coming_and_going(self, graph: Graph) -> Floats:
        """Cost float64 (n, 2) of entering each tracklet from outside of the graph and of leaving it for there."""
        inside = np.where(loose_ends(graph), self.away_at_end, self.away)
        cost = np.where(graph.border, np.minimum(self.away_at_border, inside), inside)
        free = np.array(graph.free)
        if len(graph):
            free[:, 0] |= graph.first == graph.first.min()
            free[:, 1] |= graph.last == graph.last.max()
        return np.where(free, 0.0, cost)

    def of_paths(self, graph: Graph, gaps: Ints, gap_costs: Floats) -> PathCosts:
        """Costs of paths along the edges, which are free, and across the `gaps` (k, 2), which cost `gap_costs` (k,)."""
        links = np.concatenate([graph.edges, gaps])
        link_costs = np.concatenate([np.zeros(len(graph.edges)), gap_costs])
        return PathCosts(links, link_costs, self.coming_and_going(graph))


def loose_ends(graph: Graph) -> Bools:
    """Whether (n, 2) fewer animals come to the beginning of a tracklet, and go on from its end, than it holds."""
    parent, child = graph.edges.T
    gained = np.bincount(child, weights=graph.animals[parent], minlength=len(graph))
    spent = np.bincount(parent, weights=graph.animals[child], minlength=len(graph))
    return np.asarray(np.stack([gained, spent], 1) < graph.animals[:, None])


def contacts(graph: Graph) -> Ints:
    """Number int64 (n,) of the contact that each tracklet of several animals belongs to, those that edges join; -1 for single ones."""
    merged = graph.animals > 1
    joined = graph.edges[merged[graph.edges].all(axis=1)]
    links = csr_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(len(graph), len(graph)))
    _, part = connected_components(links, directed=False)
    return np.where(merged, part, -1).astype(np.int64)


def gap_edges(
    graph: Graph, *, gap_frames: int, body_length_px: float, reach_px_per_frame: float, costs: Costs | None = None
) -> tuple[Ints, Floats]:
    """Pairs int64 (k, 2) of a tracklet that ends and one that begins soon after nearby, and their costs float64 (k,).

    Within the same part, within `gap_frames`, and within three body lengths plus what an animal can walk at `reach_px_per_frame`.
    """
    costs = costs or Costs()
    starts, ends = (np.flatnonzero(side) for side in loose_ends(graph).T)
    begins = graph.first[starts]
    soonest = np.searchsorted(begins, graph.last[ends] + 1)
    count = np.searchsorted(begins, graph.last[ends] + gap_frames, side="right") - soonest
    a = np.repeat(ends, count)
    b = starts[np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(soonest, count)]
    wait = graph.first[b] - graph.last[a]
    distance = np.hypot(*(graph.start_xy[b] - graph.end_xy[a]).T)
    close = (distance <= 3 * body_length_px + reach_px_per_frame * wait) & (graph.part[a] == graph.part[b])
    cost = costs.gap + costs.gap_per_body_length * distance / body_length_px + costs.gap_per_wait * wait / gap_frames
    return np.stack([a[close], b[close]], 1).astype(np.int64), cost[close]
