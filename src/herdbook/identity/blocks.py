"""The graph of tracklets divided into blocks where evidence leaves no doubt, and the candidates in the rest.

A tracklet of a single animal with overwhelming evidence is a separator: what comes before it and what comes after it are solved
separately, each with half of its score, and it holds its identity or nobody. Without that last restriction this is a relaxation of the
whole problem: the sum of the best values of the blocks is an upper bound on the optimum.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from herdbook.arrays import Bools, Floats, Ints, Singles
from herdbook.identity.graph import Graph, PathCosts

# The identity of a separator is better than the next one by at least this.
SURE_IDENTITY_NATS = 16.0
# At first, identities whose best path through a tracklet loses more than this against the best ones are no candidates there.
CANDIDATE_NATS = 11.0
# Stands for a gain of -inf (an identity that cannot be there), so that sums and differences stay finite.
IMPOSSIBLE_GAIN = np.float32(-1e6)


@dataclass(frozen=True)
class Blocks:
    """Parts of a graph. `sure` int64 (n,): identity of each separator, -1 for the other tracklets; `block` int64 (n, 2): blocks to which
    the beginning and the end of each tracklet belong, which differ in separators alone; `count`: number of blocks.
    """

    sure: Ints
    block: Ints
    count: int


def sure_identities(graph: Graph, scores: NDArray[np.floating], informed: Bools, members: Ints) -> tuple[Ints, Floats]:
    """Identity int64 (n,) of which a tracklet's own evidence leaves no doubt, or -1, and its margin float64 (n,), nats, over the next one.

    `scores` (n, identities) gain in nats; `informed` bool (n,) whether the tracklet has evidence; `members` (identities,). Where the
    evidence for an identity is that strong in more simultaneous tracklets than it has members, it counts in none of them.
    """
    margin = np.zeros(len(graph))
    sure = np.full(len(graph), -1, np.int64)
    single = np.flatnonzero(informed & (graph.animals == 1))
    if scores.shape[1] == 0 or not len(single):
        return sure, margin
    mine = scores[single]
    best = mine.argmax(axis=1)
    top = mine[np.arange(len(single)), best]
    mine[np.arange(len(single)), best] = -np.inf
    likely = top > 0
    margin[single[likely]] = top[likely] - mine[likely].max(axis=1)
    beyond = margin[single] >= SURE_IDENTITY_NATS
    sure[single[beyond]] = best[beyond]
    for identity, limit in enumerate(members):
        nodes = np.flatnonzero(sure == identity)
        a, b = crowded(graph.first[nodes], graph.last[nodes], np.ones(len(nodes), np.int64), int(limit))
        sure[nodes[a]] = -1
        sure[nodes[b]] = -1
    return sure, margin


@njit(cache=True, nogil=True)
def crowded(first: Ints, last: Ints, count: Ints, limit: int) -> tuple[Ints, Ints]:
    """Pairs of intervals that overlap where the counts of all that overlap add up to more than `limit`: the earlier and the later of each.

    `first`, `last`, `count` int64 (n,), in order of `first`; the result int64 (m,) each.
    """
    earlier, later = [0 for _ in range(0)], [0 for _ in range(0)]
    active = [0 for _ in range(0)]
    for k in range(len(first)):
        active = [j for j in active if last[j] >= first[k]]
        total = count[k]
        for j in active:
            total += count[j]
        if total > limit:
            for j in active:
                earlier.append(j)
                later.append(k)
        active.append(k)
    return np.array(earlier, dtype=np.int64), np.array(later, dtype=np.int64)


def split_blocks(sure: Ints, links: Ints, joined: Ints) -> Blocks:
    """Blocks of a graph: `sure` (n,) identity of each separator or -1; `links` (k, 2) of tracklets; pairs `joined` (j, 2) share a block."""
    n = len(sure)
    whole = np.flatnonzero(sure < 0)
    a = np.concatenate([whole, n + links[:, 0], joined[:, 0]])
    b = np.concatenate([n + whole, links[:, 1], joined[:, 1]])
    count, label = connected_components(coo_array((np.ones(len(a), bool), (a, b)), shape=(2 * n, 2 * n)), directed=False)
    return Blocks(sure, label.reshape(2, n).T.astype(np.int64), int(count))


def best_of_capacity(scores: NDArray[np.floating], animals: Ints, members: Ints) -> tuple[Floats, Floats]:
    """Greatest sum float64 (n,) of the scores that a tracklet can hold, and the smallest score float64 (n,) in it, both at least 0.

    `scores` (n, identities); a tracklet holds up to `animals` (n,) animals, and of each identity up to its `members` (identities,).
    """
    total, least = np.zeros(len(scores)), np.zeros(len(scores))
    for capacity in np.unique(animals):
        rows = np.flatnonzero(animals == capacity)
        values = np.maximum(np.repeat(scores[rows], np.minimum(members, capacity), axis=1), 0.0)
        if 0 < capacity < values.shape[1]:
            values = np.partition(values, -capacity, axis=1)[:, -capacity:]
            least[rows] = values.min(axis=1)
        total[rows] = values.sum(axis=1)
    return total, least


def path_losses(scores: NDArray[np.floating], least: Floats, sure: Ints, path_costs: PathCosts) -> Singles:
    """Loss float32 (n, identities) of the best path of each identity through each tracklet, against the best that any could give there.

    The path begins and ends at separators of its identity or outside of the graph; `scores` (n, identities) gain in nats; `least` (n,)
    from `best_of_capacity`; `sure` (n,) identity of each separator or -1; tracklets in order of first frame. Rows of separators have no
    meaning.
    """
    change = scores.astype(np.float32)
    change -= least[:, None].astype(np.float32)
    np.clip(change, IMPOSSIBLE_GAIN, 0, out=change)
    through, onward = best_ways(change, sure, np.zeros((len(sure), 2)), path_costs)
    through += change
    through += onward
    return np.negative(through, out=through)


def best_ways(worth: Singles, sure: Ints, ends: Floats, path_costs: PathCosts) -> tuple[Singles, Singles]:
    """Worth float32 (n, identities) of the best way of each identity to each tracklet, and of the best way on from it, itself left out.

    `worth` (n, identities) of being there, nats; ways begin at separators, `sure` (n,), which add `ends[:, 1]`, and end at them, which add
    `ends[:, 0]`; or they begin and end outside of the graph.
    """
    forward = np.arange(len(sure))
    parent, child = path_costs.links.T
    enter, leave = (np.ascontiguousarray(side) for side in path_costs.away.T)
    ending, beginning = (np.ascontiguousarray(side) for side in ends.T)
    to = _arrive(forward, worth, sure, beginning, enter, *_by_target(child, parent, path_costs.link_costs, len(sure)))
    on = _arrive(forward[::-1].copy(), worth, sure, ending, leave, *_by_target(parent, child, path_costs.link_costs, len(sure)))
    return to, on


def _by_target(target: Ints, source: Ints, cost: Floats, count: int) -> tuple[Ints, Ints, Floats]:
    """Links in order of their target: offsets (count + 1,) of each target's links, and their sources and costs (k,)."""
    order = np.argsort(target, kind="stable")
    return np.searchsorted(target[order], np.arange(count + 1)), source[order], cost[order]


@njit(cache=True, nogil=True)
def _arrive(order: Ints, worth: Singles, sure: Ints, end: Floats, enter: Floats, offsets: Ints, source: Ints, cost: Floats) -> Singles:
    """Worth (n, identities) of the best way to each tracklet, visited in an `order` in which its sources come before it."""
    n, identities = worth.shape
    best = np.empty((n, identities), np.float32)
    for v in order:
        best[v] = -np.float32(enter[v])
        for k in range(offsets[v], offsets[v + 1]):
            u, paid = source[k], np.float32(cost[k])
            if sure[u] >= 0:
                best[v, sure[u]] = max(best[v, sure[u]], np.float32(end[u]) - paid)
            else:
                for i in range(identities):
                    through = best[u, i] + worth[u, i] - paid
                    if through > best[v, i]:
                        best[v, i] = through
    return best


def elsewhere(graph: Graph, sure: Ints, members: Ints, nodes: Ints) -> Bools:
    """Whether each identity is surely in another tracklet at the same time, bool (m, identities), for the tracklets `nodes` (m,).

    Never for an identity of several `members` (identities,). `sure` (n,) is the identity of each separator or -1.
    """
    taken = np.zeros((len(nodes), len(members)), bool)
    for identity in np.flatnonzero(members == 1):
        mine = np.flatnonzero(sure == identity)
        if len(mine):
            before = np.searchsorted(graph.first[mine], graph.last[nodes], side="right") - 1
            taken[:, identity] = (before >= 0) & (graph.last[mine[before]] >= graph.first[nodes])
    return taken


def keep_candidates(losses: Singles, animals: Ints, taken: Bools) -> Bools:
    """Who is a candidate, bool (n, identities): all whose loss is within CANDIDATE_NATS of that of the best, except who is `taken`.

    `losses` (n, identities) from `path_losses`; `animals` (n,): in a tracklet of several, that many are the best; `taken` (n, identities)
    from `elsewhere`.
    """
    open_losses = np.where(taken, -IMPOSSIBLE_GAIN, losses)
    limit = open_losses.min(axis=1)
    for capacity in np.unique(animals[animals > 1]):
        rows = np.flatnonzero(animals == capacity)
        place = min(int(capacity), losses.shape[1]) - 1
        last = np.partition(open_losses[rows], place, axis=1)[:, place]
        # Somebody who could be in it only by coming from outside does not set the limit for the others.
        limit[rows] = np.where(last <= limit[rows] + CANDIDATE_NATS, last, limit[rows])
    near = open_losses <= limit[:, None] + np.float32(CANDIDATE_NATS)
    return np.asarray(near & (open_losses < -IMPOSSIBLE_GAIN / 2) & (animals > 0)[:, None])
