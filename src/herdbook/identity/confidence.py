"""How sure each identity in each tracklet is: the posterior odds of its exchange with another one.

The realistic alternatives to a solution are exchanges of two animals between two occasions at which they could have been confused: where
they share a tracklet, where both are out of the graph, or where the graph lets each go on as the other. Between two such occasions the
exchange costs what the evidence loses by it, and an occasion that is not for free adds its cost if only one of the stretches beside it is
exchanged. That is a chain of two states for each pair of animals, summed exactly. The odds against an identity add up over
all others, over animals without a name, and over nobody.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.identity.graph import Graph, PathCosts

# An exchange that costs more (nats) is no alternative.
FARTHEST = 25.0
NOBODY = -1


@dataclass(frozen=True)
class Paths:
    """Ways of single animals: animal k passes `node[offsets[k] : offsets[k + 1]]`, in order, under `identity[k]`, NOBODY without a name."""

    offsets: Ints
    node: Ints
    identity: Ints


def find_paths(graph: Graph, held: NDArray[np.integer], links: Ints) -> Paths:
    """Paths of single animals of a solution `held` (n, identities); animals of a tracklet that have no name follow paths of their own.

    Animals that share an identity go on along links where they can, otherwise to what begins next.
    """
    children = np.argsort(links[:, 1], kind="stable")
    offsets = np.searchsorted(links[children, 1], np.arange(len(graph) + 1))
    parents = links[children, 0]
    nodes, labels, lengths = [], [], []
    unnamed = np.maximum(graph.animals - held.sum(axis=1), 0)
    for identity in [*range(held.shape[1]), NOBODY]:
        count = np.asarray(unnamed if identity == NOBODY else held[:, identity], np.int64)
        mine = np.flatnonzero(count)
        path, number = _follow(mine, count[mine], graph.first, graph.last, offsets, parents)
        order = np.argsort(path, kind="stable")
        nodes.append(np.repeat(mine, count[mine])[order])
        lengths.append(np.bincount(path, minlength=number))
        labels.append(np.full(number, identity))
    return Paths(np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64), np.concatenate(nodes), np.concatenate(labels))


@njit(cache=True, nogil=True)
def _follow(mine: Ints, count: Ints, first: Ints, last: Ints, offsets: Ints, parents: Ints) -> tuple[Ints, int]:
    """Path of each animal in the tracklets `mine`, in their order, and the number of paths."""
    path = np.empty(count.sum(), np.int64)
    end = [np.int64(0) for _ in range(0)]
    k = 0
    for row in range(len(mine)):
        v = mine[row]
        for _ in range(count[row]):
            chosen, linked = -1, False
            for p in range(len(end)):
                if last[end[p]] >= first[v]:
                    continue
                joined = False
                for e in range(offsets[v], offsets[v + 1]):
                    joined = joined or parents[e] == end[p]
                if chosen < 0 or (joined and not linked) or (joined == linked and last[end[p]] > last[end[chosen]]):
                    chosen, linked = p, joined
            if chosen < 0:
                chosen = len(end)
                end.append(v)
            end[chosen] = v
            path[k] = chosen
            k += 1
    return path, len(end)


def confidences(graph: Graph, scores: NDArray[np.floating], held: NDArray[np.integer], path_costs: PathCosts) -> NDArray[np.float32]:
    """Posterior probability float32 (n, identities) of each identity that a tracklet holds, 0 for the others.

    `scores` (n, identities) gain in nats; `held` (n, identities) how many of each identity are in each tracklet.
    """
    links, link_costs, away = path_costs.links, path_costs.link_costs, path_costs.away
    paths = find_paths(graph, held, links)
    key = links[:, 0] * len(graph) + links[:, 1]
    order = np.argsort(key, kind="stable")
    several = np.bincount(links[:, 0], minlength=len(graph)) > 1
    gains = np.zeros((scores.shape[1] + 1, len(scores)), np.float32)
    gains[:-1] = scores.T
    label = np.where(paths.identity == NOBODY, scores.shape[1], paths.identity)
    odds = np.zeros(len(paths.node))
    walk = (graph.first, graph.last, key[order], link_costs[order], np.ascontiguousarray(away), several)
    _exchange_all(paths.offsets, paths.node, label, gains, odds, *walk)
    _against_nobody(paths.offsets, paths.node, label, gains, odds, *walk[2:5])
    passing = np.repeat(label, np.diff(paths.offsets))
    own = gains[passing, paths.node]
    # Who is in the same tracklet is no rival for it.
    best = np.where(held.T > 0, -np.inf, gains[:-1]).max(axis=0)[paths.node]
    # Its whole tracklet may be another one's, with both of them out of view before and after.
    costly = 2 * away[paths.node].sum(axis=1) + 2 * float(away.max(initial=0.0))
    odds += np.exp(np.minimum(best - own - costly, 20.0)) * (best > own)
    probability = np.zeros(held.shape, np.float32)
    named = passing < scores.shape[1]
    np.add.at(probability, (paths.node[named], passing[named]), 1 / (1 + odds[named]))
    several_held = held > 1
    probability[several_held] /= held[several_held]
    return probability


@njit(cache=True, nogil=True)
def _cost(u: int, w: int, n: int, keys: Ints, costs: Floats, away: Floats) -> float:
    """Cost of going from tracklet u to w; -1 is out of the graph."""
    if u < 0 and w < 0:
        return 0.0
    if u < 0:
        return float(away[w, 0])
    if w < 0:
        return float(away[u, 1])
    k = np.searchsorted(keys, u * n + w)
    if k < len(keys) and keys[k] == u * n + w:
        return float(costs[k])
    return float(away[u, 1] + away[w, 0])


@njit(cache=True, nogil=True)
def _jumps(offsets: Ints, node: Ints, n: int, keys: Ints, costs: Floats, away: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Cost of the way into each node of each path, and whether it is a way that another animal could take from elsewhere."""
    paid = np.zeros(len(node) + len(offsets))
    through = np.zeros(len(paid), np.bool_)
    for p in range(len(offsets) - 1):
        for k in range(offsets[p], offsets[p + 1] + 1):
            u = node[k - 1] if k > offsets[p] else -1
            w = node[k] if k < offsets[p + 1] else -1
            paid[k + p] = _cost(u, w, n, keys, costs, away)
            through[k + p] = u < 0 or w < 0 or paid[k + p] > 0
            if not through[k + p]:
                at = np.searchsorted(keys, u * n + w)
                through[k + p] = at >= len(keys) or keys[at] != u * n + w
    return paid, through


@njit(cache=True, nogil=True)
def _exchange_all(
    offsets: Ints,
    node: Ints,
    label: Ints,
    gains: NDArray[np.float32],
    odds: Floats,
    first: Ints,
    last: Ints,
    keys: Ints,
    costs: Floats,
    away: Floats,
    several: NDArray[np.bool_],
) -> None:
    """Add to the odds against each place of each path those of its exchange with each other path."""
    n = len(first)
    longest = 1
    for p in range(len(offsets) - 1):
        longest = max(longest, offsets[p + 1] - offsets[p])
    delta = np.empty(2 * longest + 2)
    right = np.empty(2 * longest + 2)
    at_a = np.empty(2 * longest + 3, np.int64)
    at_b = np.empty(2 * longest + 3, np.int64)
    ahead = np.empty((2 * longest + 3, 2))
    paid, through = _jumps(offsets, node, n, keys, costs, away)
    for p in range(len(offsets) - 1):
        for q in range(p + 1, len(offsets) - 1):
            if label[p] == label[q]:
                continue
            a, stop_a, b, stop_b = offsets[p], offsets[p + 1], offsets[q], offsets[q + 1]
            mine, other = gains[label[p]], gains[label[q]]
            count, lost = 0, 0.0
            at_a[0], at_b[0] = a, b
            while True:
                v = node[a] if a < stop_a else -1
                w = node[b] if b < stop_b else -1
                before_v = node[a - 1] if a > offsets[p] else -1
                before_w = node[b - 1] if b > offsets[q] else -1
                end = v < 0 and w < 0
                met = v >= 0 and v == w
                crossing = FARTHEST
                if end or met:
                    crossing = 0.0
                elif (through[a + p] or several[before_v]) and (through[b + q] or several[before_w]):
                    after_v = v < 0 or before_w < 0 or last[before_w] < first[v]
                    after_w = w < 0 or before_v < 0 or last[before_v] < first[w]
                    if after_v and after_w and (a > at_a[count] or b > at_b[count]):
                        crossed = _cost(before_v, w, n, keys, costs, away) + _cost(before_w, v, n, keys, costs, away)
                        crossing = max(crossed - paid[a + p] - paid[b + q], 0.0)
                if crossing < FARTHEST:
                    if a > at_a[count] or b > at_b[count]:
                        delta[count], right[count] = lost, crossing
                        count += 1
                    at_a[count], at_b[count] = a, b
                    lost = 0.0
                if end or met:
                    _exchange_chain(delta, right, ahead, count)
                    for k in range(count):
                        if delta[k] > 0:
                            for i in range(at_a[k], at_a[k + 1]):
                                odds[i] += delta[k]
                            for i in range(at_b[k], at_b[k + 1]):
                                odds[i] += delta[k]
                    if end:
                        break
                    a, b, count, lost = a + 1, b + 1, 0, 0.0
                    at_a[0], at_b[0] = a, b
                elif w < 0 or (v >= 0 and (first[v] < first[w] or (first[v] == first[w] and v < w))):
                    lost += max(min(mine[v] - other[v], 1e3), -1e3)
                    a += 1
                else:
                    lost += max(min(other[w] - mine[w], 1e3), -1e3)
                    b += 1


@njit(cache=True, nogil=True)
def _exchange_chain(delta: Floats, right: Floats, ahead: Floats, count: int) -> None:
    """Turn the losses of a chain's stretches into the odds of their exchange; `right`: cost where the state changes after each."""
    if count == 1:
        delta[0] = np.exp(-delta[0]) if delta[0] < FARTHEST else 0.0
        return
    ahead[count - 1] = 0.0
    for k in range(count - 2, -1, -1):
        stay, swap = ahead[k + 1, 0], ahead[k + 1, 1] - delta[k + 1]
        ahead[k, 0] = np.logaddexp(stay, swap - right[k])
        ahead[k, 1] = np.logaddexp(swap, stay - right[k])
    stay, swap = 0.0, 0.0
    for k in range(count):
        swap -= delta[k]
        difference = swap + ahead[k, 1] - stay - ahead[k, 0]
        delta[k] = np.exp(min(difference, 20.0)) if difference > -FARTHEST else 0.0
        stay, swap = np.logaddexp(stay, swap - right[k]), np.logaddexp(swap, stay - right[k])


@njit(cache=True, nogil=True)
def _against_nobody(
    offsets: Ints, node: Ints, label: Ints, gains: NDArray[np.float32], odds: Floats, keys: Ints, costs: Floats, away: Floats
) -> None:
    """Add the odds that what a path visits between two ways out of the graph is nobody that has a name."""
    n = len(away)
    paid, through = _jumps(offsets, node, n, keys, costs, away)
    for p in range(len(offsets) - 1):
        start, gained = offsets[p], 0.0
        for k in range(offsets[p], offsets[p + 1]):
            gained += max(gains[label[p], node[k]], -1e3)
            if through[k + 1 + p]:
                u = node[start - 1] if start > offsets[p] else -1
                w = node[k + 1] if k + 1 < offsets[p + 1] else -1
                worth = gained - paid[start + p] - paid[k + 1 + p] + _cost(u, w, n, keys, costs, away)
                if worth < FARTHEST:
                    for i in range(start, k + 1):
                        odds[i] += np.exp(-max(worth, -20.0))
                start, gained = k + 1, 0.0
