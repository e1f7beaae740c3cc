"""From blobs to tracklets: links between frames, merges and splits.

A tracklet is a run of one blob without merge or split. Blobs are linked by shared pixels; those without (fast animals, drop-outs) by their
predicted position, within a gate that is learned from the movie. Points are (x, y) in px.
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

# An overlap of less than this share of the smaller blob, between blobs that both have a better partner of similar size, is between two
# animals that follow each other closely, and is no merge or split.
WEAK_OVERLAP = 0.3
LIKE_AREA = 1.35
# The variation of an animal's features is learned from at least and at most this many pairs of its blobs in consecutive frames.
LEAST_PAIRS, MOST_PAIRS = 50, 200_000
# Smallest variation of a feature.
LEAST_FEATURE_SPREAD = 0.02


@dataclass(frozen=True)
class Links:
    """Edges between blobs: `parent`, `child` integers (e,), rows of blobs, by parent; `weight` float 0..1, share of common pixels."""

    parent: NDArray[np.integer[Any]]
    child: NDArray[np.integer[Any]]
    weight: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Chains:
    """Tracklets: `tracklet` int32 (blobs,) of each blob, and `edges` int64 (e, 2) parent, child tracklet, with `weight` float64 (e,)."""

    tracklet: NDArray[np.int32]
    edges: Ints
    weight: Floats

    @property
    def count(self) -> int:
        """Number of tracklets."""
        return int(self.tracklet.max(initial=-1)) + 1


def link_overlapping(overlaps: Ints, area: NDArray[np.int32]) -> Links:
    """Links between blobs of consecutive frames that share pixels.

    `overlaps` int64 (m, 3) blob, blob of the next frame, number of shared pixels; `area` (n,) px. Each blob first gets its best partner
    (greedily, by the share of common pixels); other overlaps are kept as merges or splits, unless they are small and both blobs have a
    partner of similar size.
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

    Three times the 99.9th percentile of the steps of these links, and at least one and a half body lengths, since links by overlap do not
    include the longest steps.
    """
    children = np.bincount(links.parent, minlength=len(x))
    parents = np.bincount(links.child, minlength=len(x))
    unique = (children[links.parent] == 1) & (parents[links.child] == 1)
    a, b = links.parent[unique], links.child[unique]
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
    features: NDArray[np.float32] | None = None,
) -> Links:
    """Add links from blobs without a child to blobs without a parent, which do not overlap.

    A blob must be within `max_step_px` per frame of the predicted position: the last one plus the mean of the last two steps. Pairs in
    consecutive frames are assigned with the lowest total cost, of the distance, and of the difference in `features` (n, k), such as size
    and brightness, in units of their variation in the unambiguous links of the movie. Over a drop-out of up to `bridge_frames` frames only
    unambiguous pairs (each is the only candidate of the other) of similar area are linked. Blobs of different `group` (n,) are never
    linked.
    """
    has_child = np.zeros(len(x), bool)
    has_parent = np.zeros(len(x), bool)
    has_child[links.parent] = True
    has_parent[links.child] = True
    before = _unique_parents(links, len(x))
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
            # A third of the gate is the longest step in links by overlap.
            cost = np.hypot(predicted[:, 0] - x[b], predicted[:, 1] - y[b]) / (max_step_px / 3)
            if features is not None:
                cost = cost + (np.abs(features[a] - features[b]) / feature_spread(features, before)).sum(axis=1)
            a, b = _assign(a, b, cost)
        has_child[a] = True
        has_parent[b] = True
        parents.append(a.astype(links.parent.dtype))
        children.append(b.astype(links.child.dtype))
        weights.append(np.zeros(len(a), links.weight.dtype))
    parent, child, weight = np.concatenate(parents), np.concatenate(children), np.concatenate(weights)
    order = np.lexsort((child, parent))
    return Links(parent[order], child[order], weight[order])


def _unique_parents(links: Links, blobs: int) -> NDArray[np.int32]:
    """The parent of each blob (blobs,) if it has only one, of which it is the only child; otherwise -1."""
    children = np.bincount(links.parent, minlength=blobs)
    parents = np.bincount(links.child, minlength=blobs)
    unique = (children[links.parent] == 1) & (parents[links.child] == 1)
    before = np.full(blobs, -1, np.int32)
    before[links.child[unique]] = links.parent[unique]
    return before


def feature_spread(features: NDArray[np.float32], before: NDArray[np.int32]) -> Floats:
    """Variation of each feature (n, k) of an animal from one frame to the next, float64 (k,): a robust standard deviation.

    `before` (n,): blob of the same animal in the frame before, -1 for none. With too few pairs it is infinite, so that features are
    ignored.
    """
    pairs = np.flatnonzero(before >= 0)
    pairs = pairs[:: max(1, len(pairs) // MOST_PAIRS)]
    if len(pairs) < LEAST_PAIRS:
        return np.full(features.shape[1], np.inf)
    change = np.abs(features[pairs].astype(np.float64) - features[before[pairs]])
    return np.asarray(np.maximum(1.4826 * np.median(change, axis=0), LEAST_FEATURE_SPREAD))


def _velocities(ends: Ints, before: NDArray[np.int32], x: Floats, y: Floats) -> Floats:
    """Mean of the last two steps before each end, (m, 2) px per frame; the last step if there is only one, zero if there is none."""
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
    """Pairs of an end (its index in `ends`) and a beginning `gap` frames later, at most `reach_px` away from the predicted position."""
    # With frames far apart on a third axis, one tree is enough for the whole movie.
    spread = 4 * reach_px + 1
    predicted = np.column_stack([x[ends] + gap * velocity[:, 0], y[ends] + gap * velocity[:, 1], (frame[ends] + gap) * spread])
    tree = cKDTree(np.column_stack([x[starts], y[starts], frame[starts] * spread]))
    pairs: Any = tree.query_ball_point(predicted, reach_px)
    k = np.repeat(np.arange(len(ends)), [len(p) for p in pairs])
    b = starts[np.concatenate([np.sort(p) for p in pairs]).astype(np.int64)] if len(k) else np.zeros(0, np.int64)
    return k, b


def _assign(a: Ints, b: Ints, cost: Floats) -> tuple[Ints, Ints]:
    """One partner for each: the largest number of pairs, and among these the lowest total cost, component by component."""
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
        # Pairs that are not candidates cost more than all candidates together.
        never = cost[group].sum() + 1.0
        table = np.full((len(rows), len(columns)), never)
        table[local_row, local_column] = cost[group]
        i, j = linear_sum_assignment(table)
        real = table[i, j] < never
        chosen_a.append(ends[rows[i[real]]])
        chosen_b.append(starts[columns[j[real]]])
    return np.concatenate(chosen_a), np.concatenate(chosen_b)


def chain_links(links: Links, blobs: int) -> Chains:
    """Cut the graph of links at merges and splits into tracklets, numbered by their first blob; `blobs` is the number of blobs."""
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
    """Join tracklets that are separated only by merges and splits with blobs that are not animals.

    `animals` (tracklets,): number of animals in each. A parent and its child are joined if, without the tracklets of no animal, each is the
    only neighbour of the other and both have the same number. Returns the new tracklets and, for each of them, one of the old ones in it.
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
