"""How sure each identity in each tracklet is: the posterior odds of its exchange with another one.

The realistic alternatives to a solution are exchanges of two animals between two occasions at which they could have been confused: where
they share a tracklet, where both are out of the graph, or where the graph lets each go on as the other (`exchanges`). The odds against an
identity add up over all other identities, over animals without a name, and over nobody.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.identity.exchanges import MOST_LOG_ODDS, add_exchanges, add_nobody, collect_links, trace_walks
from herdbook.identity.graph import Graph, PathCosts

# The identity of an animal without a name.
NOBODY = -1


@dataclass(frozen=True)
class Paths:
    """Paths of single animals: animal k passes the tracklets `node[offsets[k] : offsets[k + 1]]`, int64, in the order of time, under
    `identity[k]`, int64, which is NOBODY without a name.
    """

    offsets: Ints
    node: Ints
    identity: Ints


def find_paths(graph: Graph, held: NDArray[np.integer], links: Ints) -> Paths:
    """Paths of single animals of a solution `held` (n, identities) along `links` int64 (k, 2), and past them.

    Animals that share an identity follow links where they can, otherwise they go to what begins next. Animals of a tracklet that have no
    name follow paths of their own.
    """
    by_child = np.argsort(links[:, 1], kind="stable")
    offsets = np.searchsorted(links[by_child, 1], np.arange(len(graph) + 1))
    parents = links[by_child, 0]
    nodes, identities, lengths = [], [], []
    unnamed = np.maximum(graph.animals - held.sum(axis=1), 0)
    for identity in [*range(held.shape[1]), NOBODY]:
        count = np.asarray(unnamed if identity == NOBODY else held[:, identity], np.int64)
        mine = np.flatnonzero(count)
        path, number = _follow(mine, count[mine], graph.first, graph.last, offsets, parents)
        order = np.argsort(path, kind="stable")
        nodes.append(np.repeat(mine, count[mine])[order])
        lengths.append(np.bincount(path, minlength=number))
        identities.append(np.full(number, identity))
    path_ends = np.cumsum(np.concatenate(lengths)).astype(np.int64)
    return Paths(np.concatenate([[0], path_ends]), np.concatenate(nodes), np.concatenate(identities))


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
    paths = find_paths(graph, held, path_costs.links)
    gains = np.zeros((scores.shape[1] + 1, len(scores)), np.float32)
    gains[:-1] = scores.T
    row = np.where(paths.identity == NOBODY, scores.shape[1], paths.identity)
    links = collect_links(path_costs)
    walks = trace_walks(graph, paths.offsets, paths.node, row, links)
    odds = np.zeros(len(paths.node))
    add_exchanges(walks, links, gains, odds)
    add_nobody(walks, links, gains, odds)
    passing = np.repeat(row, np.diff(paths.offsets))
    own = gains[passing, paths.node]
    # Identities in the same tracklet do not compete for it.
    best = np.where(held.T > 0, -np.inf, gains[:-1]).max(axis=0)[paths.node]
    # The whole tracklet may belong to another identity, with both of them out of view before and after.
    away = path_costs.away
    costly = 2 * away[paths.node].sum(axis=1) + 2 * float(away.max(initial=0.0))
    odds += np.exp(np.minimum(best - own - costly, MOST_LOG_ODDS)) * (best > own)
    probability = np.zeros(held.shape, np.float32)
    named = passing < scores.shape[1]
    np.add.at(probability, (paths.node[named], passing[named]), 1 / (1 + odds[named]))
    shared = held > 1
    probability[shared] /= held[shared]
    return probability
