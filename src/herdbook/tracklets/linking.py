"""From blobs to tracklets: links between frames, merges and splits.

A tracklet is a run of one blob without merge or split. Links come from shared pixels; what shares none (fast animals, drop-outs) is
linked by predicted position within a gate that comes from the movie. Points are (x, y) in px.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from herdbook.arrays import Floats, Ints

# A shared strip of less than this share of the smaller blob, between blobs that both have a better partner of like size, is two animals
# that follow each other closely, not an exchange.
WEAK_OVERLAP = 0.3
LIKE_AREA = 1.35
# How much the looks of an animal vary is learned from pairs of its blobs in consecutive frames: from at least and at most this many.
LEAST_PAIRS, MOST_PAIRS = 50, 200_000
# They are taken to vary by at least this.
LEAST_LOOK = 0.02


@dataclass(frozen=True)
class Links:
    """Edges between blobs: `parent`, `child` integers (e,) blob rows in order of parent; `weight` float 0..1 (share of common pixels)."""

    parent: NDArray[np.integer[Any]]
    child: NDArray[np.integer[Any]]
    weight: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Chains:
    """Tracklets: `tracklet` int32 (blobs,), and `edges` int64 (e, 2) parent, child tracklet with `weight` float64 (e,)."""

    tracklet: NDArray[np.int32]
    edges: Ints
    weight: Floats

    @property
    def count(self) -> int:
        """Number of tracklets."""
        return int(self.tracklet.max(initial=-1)) + 1


def link_overlapping(overlaps: Ints, area: NDArray[np.int32]) -> Links:
    """Links between blobs of consecutive frames that share pixels.

    `overlaps` int64 (m, 3) blob, blob of the next frame, shared pixels; `area` (n,) px. Each blob first takes its best partner (greedy by
    the share of common pixels); further overlaps stay as merges or splits unless they are weak and explained by two good pairs.
    """
    a, b, shared = overlaps.T if len(overlaps) else np.zeros((3, 0), np.int64)
    weight = shared / (area[a].astype(float) + area[b] - shared)
    order = np.lexsort((b, a, -weight))
    keep = _keep_links(a, b, shared, area.astype(np.int64), order)
    return Links(a[keep], b[keep], weight[keep])


@njit(cache=True, nogil=True)
def _keep_links(a: Ints, b: Ints, shared: Ints, area: Ints, order: Ints) -> NDArray[np.bool_]:
    child = np.full(len(area), -1, np.int64)
    parent = np.full(len(area), -1, np.int64)
    for k in order:
        if child[a[k]] < 0 and parent[b[k]] < 0:
            child[a[k]] = b[k]
            parent[b[k]] = a[k]
    keep = np.ones(len(a), np.bool_)
    for k in range(len(a)):
        mate, rival = child[a[k]], parent[b[k]]
        if mate == b[k] or mate < 0 or rival < 0:
            continue
        if shared[k] >= WEAK_OVERLAP * min(area[a[k]], area[b[k]]):
            continue
        alike_a = max(area[a[k]], area[mate]) <= LIKE_AREA * min(area[a[k]], area[mate])
        alike_b = max(area[b[k]], area[rival]) <= LIKE_AREA * min(area[b[k]], area[rival])
        keep[k] = not (alike_a and alike_b)
    return keep


def step_gate(links: Links, x: Floats, y: Floats, body_length_px: float) -> float:
    """Longest step of an animal between two frames, px, learned from the unambiguous links of the movie.

    Three times the 99.9th percentile of the steps seen, and at least one and a half body lengths, since the steps that overlap can show
    are shorter than the longest ones.
    """
    children = np.bincount(links.parent, minlength=len(x))
    parents = np.bincount(links.child, minlength=len(x))
    sure = (children[links.parent] == 1) & (parents[links.child] == 1)
    a, b = links.parent[sure], links.child[sure]
    steps = np.hypot(x[b] - x[a], y[b] - y[a])
    longest = float(np.percentile(steps, 99.9)) if len(steps) else 0.0
    return max(3 * longest, 1.5 * body_length_px)


def link_by_motion(
    links: Links,
    frame: NDArray[np.int32],
    x: Floats,
    y: Floats,
    area: NDArray[np.int32],
    *,
    max_step_px: float,
    bridge_frames: int,
    group: Ints | None = None,
    looks: NDArray[np.float32] | None = None,
) -> Links:
    """Add links from blobs that end to blobs that begin, where overlap says nothing.

    Predicted position (last position plus the mean of the last two steps) within `max_step_px` per frame. Ends and beginnings in
    consecutive frames are assigned at the least total cost: of the distance, and of the difference in `looks` (n, k), such as size and
    brightness, by what it is in the unambiguous links of the movie. Over a drop-out of up to `bridge_frames` frames only unambiguous pairs
    of like area are linked (each the only candidate of the other). Blobs of different `group` (n,), where it is given, are never linked.
    """
    has_child = np.zeros(len(x), bool)
    has_parent = np.zeros(len(x), bool)
    has_child[links.parent] = True
    has_parent[links.child] = True
    before = _sure_parents(links, len(x))
    parents, children = [links.parent], [links.child]
    weights = [links.weight]
    for gap in range(1, bridge_frames + 2):
        ends, starts = np.flatnonzero(~has_child), np.flatnonzero(~has_parent)
        ends = ends[frame[ends] + gap <= (frame[-1] if len(frame) else 0)]
        if not len(ends) or not len(starts):
            break
        velocity = _velocities(ends, before, x, y)
        k, b = _nearby(ends, starts, frame, x, y, velocity, gap, max_step_px * gap)
        a = ends[k]
        if group is not None:
            together = group[a] == group[b]
            k, a, b = k[together], a[together], b[together]
        if gap > 1:
            alike = np.maximum(area[a], area[b]) <= 2 * np.minimum(area[a], area[b])
            a, b = a[alike], b[alike]
            alone = (np.bincount(a, minlength=len(x))[a] == 1) & (np.bincount(b, minlength=len(x))[b] == 1)
            a, b = a[alone], b[alone]
        else:
            predicted = np.stack([x[a], y[a]], 1) + velocity[k]
            # A third of the gate is the longest step that overlap shows.
            cost = np.hypot(predicted[:, 0] - x[b], predicted[:, 1] - y[b]) / (max_step_px / 3)
            if looks is not None:
                cost = cost + (np.abs(looks[a] - looks[b]) / look_spread(looks, before)).sum(axis=1)
            a, b = _assign(a, b, cost)
        has_child[a] = True
        has_parent[b] = True
        parents.append(a.astype(links.parent.dtype))
        children.append(b.astype(links.child.dtype))
        weights.append(np.zeros(len(a), links.weight.dtype))
    parent, child, weight = np.concatenate(parents), np.concatenate(children), np.concatenate(weights)
    order = np.lexsort((child, parent))
    return Links(parent[order], child[order], weight[order])


def _sure_parents(links: Links, blobs: int) -> NDArray[np.int32]:
    """For each blob the one before it, where both have no other; -1 elsewhere."""
    children = np.bincount(links.parent, minlength=blobs)
    parents = np.bincount(links.child, minlength=blobs)
    sure = (children[links.parent] == 1) & (parents[links.child] == 1)
    before = np.full(blobs, -1, np.int32)
    before[links.child[sure]] = links.parent[sure]
    return before


def look_spread(looks: NDArray[np.float32], before: NDArray[np.int32]) -> Floats:
    """By how much each look (n, k) of an animal differs from one frame to the next, (k,): a robust standard deviation.

    `before` (n,): the blob that is the same animal a frame before, -1 for none. Infinite, so that looks say nothing, with too few pairs.
    """
    pairs = np.flatnonzero(before >= 0)
    pairs = pairs[:: max(1, len(pairs) // MOST_PAIRS)]
    if len(pairs) < LEAST_PAIRS:
        return np.full(looks.shape[1], np.inf)
    change = np.abs(looks[pairs].astype(np.float64) - looks[before[pairs]])
    return np.asarray(np.maximum(1.4826 * np.median(change, axis=0), LEAST_LOOK))


def _velocities(ends: Ints, before: NDArray[np.int32], x: Floats, y: Floats) -> Floats:
    """Mean of the last two steps (m, 2) up to each end, px per frame; the last one where there is no more, zero where there is none."""
    once = before[ends]
    twice = np.where(once >= 0, before[np.maximum(once, 0)], -1)
    velocity = np.zeros((len(ends), 2))
    for column, values in enumerate((x, y)):
        last = values[ends] - values[np.maximum(once, 0)]
        both = (values[ends] - values[np.maximum(twice, 0)]) / 2
        velocity[:, column] = np.select([twice >= 0, once >= 0], [both, last], 0.0)
    return velocity


def _nearby(
    ends: Ints, starts: Ints, frame: NDArray[np.int32], x: Floats, y: Floats, velocity: Floats, gap: int, reach_px: float
) -> tuple[Ints, Ints]:
    """Pairs of an end (as its place among the ends) and a beginning `gap` frames later within reach of the predicted position."""
    # Frames far apart on a third axis let one tree answer for the whole movie.
    spread = 4 * reach_px + 1
    predicted = np.column_stack([x[ends] + gap * velocity[:, 0], y[ends] + gap * velocity[:, 1], (frame[ends] + gap) * spread])
    tree = cKDTree(np.column_stack([x[starts], y[starts], frame[starts] * spread]))
    pairs: Any = tree.query_ball_point(predicted, reach_px)
    k = np.repeat(np.arange(len(ends)), [len(p) for p in pairs])
    b = starts[np.concatenate([np.sort(p) for p in pairs]).astype(np.int64)] if len(k) else np.zeros(0, np.int64)
    return k, b


def _assign(a: Ints, b: Ints, cost: Floats) -> tuple[Ints, Ints]:
    """One partner for each, at the least total cost after the greatest number of pairs, component by component."""
    if not len(a):
        return a, b
    ends, row = np.unique(a, return_inverse=True)
    starts, column = np.unique(b, return_inverse=True)
    size = len(ends) + len(starts)
    _, component = connected_components(coo_array((np.ones(len(a)), (row, column + len(ends))), shape=(size, size)), directed=False)
    order = np.argsort(component[row], kind="stable")
    chosen_a, chosen_b = [], []
    for group in np.split(order, np.flatnonzero(np.diff(component[row[order]])) + 1):
        rows, local_row = np.unique(row[group], return_inverse=True)
        columns, local_column = np.unique(column[group], return_inverse=True)
        # A pair that is no candidate costs more than all candidates together.
        never = cost[group].sum() + 1.0
        table = np.full((len(rows), len(columns)), never)
        table[local_row, local_column] = cost[group]
        i, j = linear_sum_assignment(table)
        real = table[i, j] < never
        chosen_a.append(ends[rows[i[real]]])
        chosen_b.append(starts[columns[j[real]]])
    return np.concatenate(chosen_a), np.concatenate(chosen_b)


def chain_links(links: Links, blobs: int) -> Chains:
    """Cut the graph of links at merges and splits: `blobs` blobs in order of frame become tracklets, numbered by their first blob."""
    children = np.bincount(links.parent, minlength=blobs)
    parents = np.bincount(links.child, minlength=blobs)
    single = (children[links.parent] == 1) & (parents[links.child] == 1)
    before = np.full(blobs, -1, np.int64)
    before[links.child[single]] = links.parent[single]
    tracklet = _number_chains(before)
    edges = np.stack([tracklet[links.parent[~single]], tracklet[links.child[~single]]], 1).astype(np.int64)
    return Chains(tracklet, edges, links.weight[~single])


@njit(cache=True, nogil=True)
def _number_chains(before: Ints) -> NDArray[np.int32]:
    tracklet = np.empty(len(before), np.int32)
    count = 0
    for blob in range(len(before)):
        if before[blob] >= 0:
            tracklet[blob] = tracklet[before[blob]]
        else:
            tracklet[blob] = count
            count += 1
    return tracklet


def contract_chains(chains: Chains, animals: NDArray[np.int16]) -> tuple[Chains, Ints]:
    """Join tracklets that only blobs without an animal had kept apart.

    `animals` (tracklets,) is how many each holds. A parent and its child are joined when, the tracklets of no animal left out, each is the
    other's only neighbour and both hold the same number. Returns the new tracklets and, for each of them, one old tracklet it is made of.
    """
    real = (animals[chains.edges] > 0).all(axis=1)
    edges, weight = chains.edges[real], chains.weight[real]
    children = np.bincount(edges[:, 0], minlength=chains.count)
    parents = np.bincount(edges[:, 1], minlength=chains.count)
    joins = (children[edges[:, 0]] == 1) & (parents[edges[:, 1]] == 1) & (animals[edges[:, 0]] == animals[edges[:, 1]])
    group: NDArray[Any] = np.arange(chains.count)
    size = chains.count
    if joins.any():
        graph = coo_array((np.ones(joins.sum()), tuple(edges[joins].T)), shape=(size, size))
        _, group = connected_components(graph, directed=False)
    # Renumber in order of the first blob.
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    number = rank[inverse]
    kept = ~joins
    return (
        Chains(number[chains.tracklet].astype(np.int32), number[edges[kept]], weight[kept]),
        first[np.argsort(first, kind="stable")].astype(np.int64),
    )
