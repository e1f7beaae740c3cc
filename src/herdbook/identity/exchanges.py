"""The odds that two animals were exchanged somewhere on their paths, or that an animal with a name is one without.

Two paths are followed side by side in the order of time. An occasion is a moment at which each of the two animals could have gone on
as the other: in a tracklet that both share, out of the graph, or where links allow it. Occasions cut both paths into stretches, and one
that is not free costs something if only one of the stretches beside it is exchanged. So whether each stretch is exchanged is a chain of
two states, summed exactly; where the paths share a tracklet, or both have ended, a chain ends.

The named tuples are what functions compiled by Numba are given. Costs, gains and losses are in nats.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from herdbook.arrays import Bools, Floats, Ints, Singles
from herdbook.identity.graph import Graph, PathCosts

# An exchange that costs more (nats) is no alternative.
FARTHEST = 25.0
# What one tracklet adds to the loss or gain of a stretch is at most this (nats): gains may be infinite.
MOST_NATS = 1e3
# No odds exceed exp of this.
MOST_LOG_ODDS = 20.0


class Moves(NamedTuple):
    """How animals can move through a graph of n tracklets.

    `first`, `last` int64 (n,) frames; per link, in the order of its `key` int64 (k,), which is parent * n + child, its `cost` float64 (k,);
    `away` float64 (n, 2) costs of entering and leaving the graph; `several` bool (n,): more than one link leads on from the tracklet.
    """

    first: Ints
    last: Ints
    key: Ints
    cost: Floats
    away: Floats
    several: Bools


class Walks(NamedTuple):
    """Paths of single animals and what they pay.

    Path p visits the tracklets `node[offsets[p] : offsets[p + 1]]` in the order of time and gains what row `row[p]` of the gains says, all
    int64. The way to place k of `node`, or from the last place of p out of the graph, has the index k + p in `paid` float64, its cost, and
    in `loose` bool: it is no free link, so that another animal could come, or go, instead.
    """

    offsets: Ints
    node: Ints
    row: Ints
    paid: Floats
    loose: Bools


class _Chain(NamedTuple):
    """Room for the stretches of one chain: stretch k goes from place `start_a[k]` of one path and `start_b[k]` of the other to the next.

    Exchanging it loses `lost[k]`, and changing the state after it costs `crossing[k]`; `odds[k]` are those of the exchange. `ahead[k]` are
    the logarithms of what may follow stretch k if it is not exchanged and if it is.
    """

    start_a: Ints
    start_b: Ints
    lost: Floats
    crossing: Floats
    odds: Floats
    ahead: Floats


def collect_moves(graph: Graph, path_costs: PathCosts) -> Moves:
    """How animals can move through a graph at these costs."""
    key = path_costs.links[:, 0] * len(graph) + path_costs.links[:, 1]
    order = np.argsort(key, kind="stable")
    several = np.bincount(path_costs.links[:, 0], minlength=len(graph)) > 1
    return Moves(graph.first, graph.last, key[order], path_costs.link_costs[order], np.ascontiguousarray(path_costs.away), several)


@njit(cache=True, nogil=True)
def pay_walks(offsets: Ints, node: Ints, row: Ints, moves: Moves) -> Walks:
    """The walks along paths; arguments and result as in `Walks`."""
    paid = np.zeros(len(node) + len(offsets))
    loose = np.zeros(len(paid), np.bool_)
    for p in range(len(offsets) - 1):
        for k in range(offsets[p], offsets[p + 1] + 1):
            before = node[k - 1] if k > offsets[p] else -1
            here = node[k] if k < offsets[p + 1] else -1
            paid[k + p] = _cost(before, here, moves)
            loose[k + p] = before < 0 or here < 0 or paid[k + p] > 0 or _find_link(before, here, moves) < 0
    return Walks(offsets, node, row, paid, loose)


@njit(cache=True, nogil=True)
def add_exchanges(walks: Walks, moves: Moves, gains: Singles, odds: Floats) -> None:
    """Add to the `odds` float64 (places,) against each place of each path those of its exchange with each other path.

    `gains` float32 (identities + 1, n) of naming each tracklet; its last row is that of nobody.
    """
    longest = 1
    for p in range(len(walks.row)):
        longest = max(longest, walks.offsets[p + 1] - walks.offsets[p])
    # Each place of either path begins one stretch at most.
    most = 2 * longest + 3
    starts, values = np.empty((2, most), np.int64), np.empty((3, most))
    chain = _Chain(starts[0], starts[1], values[0], values[1], values[2], np.empty((most, 2)))
    for p in range(len(walks.row)):
        for q in range(p + 1, len(walks.row)):
            if walks.row[p] != walks.row[q]:
                _exchange_pair(p, q, walks, moves, gains, chain, odds)


@njit(cache=True, nogil=True)
def _exchange_pair(p: int, q: int, walks: Walks, moves: Moves, gains: Singles, chain: _Chain, odds: Floats) -> None:
    """Add to the odds against each place of the paths p and q those of its exchange with the other path."""
    # Arrays are taken out of the tuples once: in the loop that would cost several times as much as the rest of it.
    node, paid, loose, first, several = walks.node, walks.paid, walks.loose, moves.first, moves.several
    start_a, start_b, lost, crossing = chain.start_a, chain.start_b, chain.lost, chain.crossing
    mine, other = gains[walks.row[p]], gains[walks.row[q]]
    a, begin_a, stop_a = walks.offsets[p], walks.offsets[p], walks.offsets[p + 1]
    b, begin_b, stop_b = walks.offsets[q], walks.offsets[q], walks.offsets[q + 1]
    count, loss = 0, 0.0
    start_a[0], start_b[0] = a, b
    while True:
        v = node[a] if a < stop_a else -1
        w = node[b] if b < stop_b else -1
        before_v = node[a - 1] if a > begin_a else -1
        before_w = node[b - 1] if b > begin_b else -1
        ended, met = v < 0 and w < 0, v >= 0 and v == w
        moved = a > start_a[count] or b > start_b[count]
        cost = FARTHEST
        if ended or met:
            cost = 0.0
        elif moved and (loose[a + p] or several[before_v]) and (loose[b + q] or several[before_w]):
            cost = _crossing_cost(before_v, v, before_w, w, paid[a + p], paid[b + q], moves)
        if cost < FARTHEST:
            if moved:
                lost[count], crossing[count] = loss, cost
                count += 1
            start_a[count], start_b[count] = a, b
            loss = 0.0
        if ended or met:
            _sum_chain(chain, count)
            _add_stretches(chain.odds, start_a, count, odds)
            _add_stretches(chain.odds, start_b, count, odds)
            if ended:
                break
            a, b, count = a + 1, b + 1, 0
            start_a[0], start_b[0] = a, b
        elif w < 0 or (v >= 0 and (first[v] < first[w] or (first[v] == first[w] and v < w))):
            loss += max(min(mine[v] - other[v], MOST_NATS), -MOST_NATS)
            a += 1
        else:
            loss += max(min(other[w] - mine[w], MOST_NATS), -MOST_NATS)
            b += 1


@njit(cache=True, nogil=True, inline="always")
def _crossing_cost(before_v: int, v: int, before_w: int, w: int, paid_v: float, paid_w: float, moves: Moves) -> float:
    """What it costs beyond what is paid to go from `before_v` to w and from `before_w` to v instead; FARTHEST where time forbids it."""
    after_v = v < 0 or before_w < 0 or moves.last[before_w] < moves.first[v]
    after_w = w < 0 or before_v < 0 or moves.last[before_v] < moves.first[w]
    if not (after_v and after_w):
        return FARTHEST
    crossed = _cost(before_v, w, moves) + _cost(before_w, v, moves)
    return float(max(crossed - paid_v - paid_w, 0.0))


@njit(cache=True, nogil=True)
def _sum_chain(chain: _Chain, count: int) -> None:
    """The odds of the exchange of each of `count` stretches, those of all others summed over; 0 where they are no alternative."""
    lost, crossing, odds, ahead = chain.lost, chain.crossing, chain.odds, chain.ahead
    if count == 1:
        odds[0] = np.exp(-lost[0]) if lost[0] < FARTHEST else 0.0
        return
    ahead[count - 1] = 0.0
    for k in range(count - 2, -1, -1):
        stay, swap = ahead[k + 1, 0], ahead[k + 1, 1] - lost[k + 1]
        ahead[k, 0] = np.logaddexp(stay, swap - crossing[k])
        ahead[k, 1] = np.logaddexp(swap, stay - crossing[k])
    stay, swap = 0.0, 0.0
    for k in range(count):
        swap -= lost[k]
        difference = swap + ahead[k, 1] - stay - ahead[k, 0]
        odds[k] = np.exp(min(difference, MOST_LOG_ODDS)) if difference > -FARTHEST else 0.0
        stay, swap = np.logaddexp(stay, swap - crossing[k]), np.logaddexp(swap, stay - crossing[k])


@njit(cache=True, nogil=True)
def _add_stretches(added: Floats, start: Ints, count: int, odds: Floats) -> None:
    for k in range(count):
        if added[k] > 0:
            for place in range(start[k], start[k + 1]):
                odds[place] += added[k]


@njit(cache=True, nogil=True)
def add_nobody(walks: Walks, moves: Moves, gains: Singles, odds: Floats) -> None:
    """Add to the odds that what a path visits between two loose ways is nobody that has a name; arguments as in `add_exchanges`."""
    offsets, node = walks.offsets, walks.node
    for p in range(len(walks.row)):
        start, gained = offsets[p], 0.0
        for k in range(offsets[p], offsets[p + 1]):
            gained += max(gains[walks.row[p], node[k]], -MOST_NATS)
            if walks.loose[k + 1 + p]:
                before = node[start - 1] if start > offsets[p] else -1
                after = node[k + 1] if k + 1 < offsets[p + 1] else -1
                worth = gained - walks.paid[start + p] - walks.paid[k + 1 + p] + _cost(before, after, moves)
                if worth < FARTHEST:
                    for i in range(start, k + 1):
                        odds[i] += np.exp(-max(worth, -MOST_LOG_ODDS))
                start, gained = k + 1, 0.0


@njit(cache=True, nogil=True, inline="always")
def _find_link(parent: int, child: int, moves: Moves) -> int:
    """Row of the link from one tracklet to another, -1 without."""
    key = parent * len(moves.first) + child
    k = np.searchsorted(moves.key, key)
    return int(k) if k < len(moves.key) and moves.key[k] == key else -1


@njit(cache=True, nogil=True, inline="always")
def _cost(before: int, after: int, moves: Moves) -> float:
    """Cost of going from one tracklet to another, along a link or out of the graph and in again; -1 is out of the graph."""
    if before < 0 and after < 0:
        return 0.0
    if before < 0:
        return float(moves.away[after, 0])
    if after < 0:
        return float(moves.away[before, 1])
    k = _find_link(before, after, moves)
    if k >= 0:
        return float(moves.cost[k])
    return float(moves.away[before, 1] + moves.away[after, 0])
