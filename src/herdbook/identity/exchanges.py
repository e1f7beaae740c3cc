"""The odds that two animals were exchanged somewhere on their paths, or that an animal with a name is one without.

Two paths are followed side by side in the order of time. An occasion is a moment at which each of the two animals could have gone on as the
other: in a tracklet that both share, out of the graph, or where links allow it. Occasions cut both paths into stretches. One that is not
free adds its cost if only one of the stretches beside it is exchanged, so whether each stretch is exchanged is a chain of two states, which
is summed exactly. A chain ends where the paths share a tracklet, and where both have ended.

Named tuples are what functions compiled by Numba are given. Costs, gains and losses are in nats.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from herdbook.arrays import Bools, Floats, Ints, Singles
from herdbook.identity.graph import Graph, PathCosts

# An exchange that costs more (nats) is no alternative.
FARTHEST = 25.0
# One tracklet adds at most this (nats) to what a stretch loses or gains: gains may be infinite.
MOST_NATS = 1e3
# No odds exceed exp of this.
MOST_LOG_ODDS = 20.0


class LinkCosts(NamedTuple):
    """Costs of all moves in a graph of n tracklets: per link, in the order of its `key` int64 (k,), which is parent * n + child, its `cost`
    float64 (k,); `away` float64 (n, 2) of entering the graph in each tracklet and of leaving it.
    """

    key: Ints
    cost: Floats
    away: Floats


class Walks(NamedTuple):
    """Paths of single animals, with what they pay.

    Path p visits the tracklets `node[offsets[p] : offsets[p + 1]]` in the order of time, each from frame `first` to `last` (places,), and
    gains there what row `row[p]` of the gains says, all int64. The way to place k, or from the last place of p out of the graph, has the
    index k + p: `paid` float64 is its cost; `loose` bool, that it is no free link, so that another animal could come or go instead;
    `choice` bool, that the animal could have gone another way.
    """

    offsets: Ints
    node: Ints
    row: Ints
    first: Ints
    last: Ints
    paid: Floats
    loose: Bools
    choice: Bools


class _Chain(NamedTuple):
    """Room for the stretches of one chain: stretch k goes from place `start_a[k]` of one path and `start_b[k]` of the other to the next.

    Exchanging it loses `lost[k]`, and `crossing[k]` is the cost of the occasion after it; `odds[k]` are those of its exchange. `ahead[k]`
    are the logarithms of the sums over all that may follow, if stretch k is not exchanged and if it is.
    """

    start_a: Ints
    start_b: Ints
    lost: Floats
    crossing: Floats
    odds: Floats
    ahead: Floats


def collect_links(path_costs: PathCosts) -> LinkCosts:
    """Costs of all moves, to be found by their tracklets."""
    key = path_costs.links[:, 0] * len(path_costs.away) + path_costs.links[:, 1]
    order = np.argsort(key, kind="stable")
    return LinkCosts(key[order], path_costs.link_costs[order], np.ascontiguousarray(path_costs.away))


def trace_walks(graph: Graph, offsets: Ints, node: Ints, row: Ints, links: LinkCosts) -> Walks:
    """The walks along the paths that `offsets`, `node` and `row` describe as in `Walks`."""
    return Walks(offsets, node, row, graph.first[node], graph.last[node], *_pay(offsets, node, links))


@njit(cache=True, nogil=True)
def _pay(offsets: Ints, node: Ints, links: LinkCosts) -> tuple[Floats, Bools, Bools]:
    n = len(links.away)
    several = np.bincount(links.key // n, minlength=n) > 1
    paid = np.zeros(len(node) + len(offsets))
    loose, choice = np.zeros(len(paid), np.bool_), np.zeros(len(paid), np.bool_)
    for p in range(len(offsets) - 1):
        for k in range(offsets[p], offsets[p + 1] + 1):
            before = node[k - 1] if k > offsets[p] else -1
            here = node[k] if k < offsets[p + 1] else -1
            paid[k + p] = _cost(before, here, links)
            loose[k + p] = before < 0 or here < 0 or paid[k + p] > 0 or _find_link(before, here, links) < 0
            choice[k + p] = loose[k + p] or several[before]
    return paid, loose, choice


@njit(cache=True, nogil=True)
def add_exchanges(walks: Walks, links: LinkCosts, gains: Singles, odds: Floats) -> None:
    """Add to the `odds` float64 (places,) against each place of each path those of its exchange with each other path.

    `gains` float32 (rows, n) of each identity in each tracklet. Paths of one row are not exchanged.
    """
    longest = 1
    for p in range(len(walks.row)):
        longest = max(longest, walks.offsets[p + 1] - walks.offsets[p])
    # No more stretches than steps on both paths together.
    most = 2 * longest + 3
    chain = _Chain(np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most), np.empty(most), np.empty(most), np.empty((most, 2)))
    for p in range(len(walks.row)):
        for q in range(p + 1, len(walks.row)):
            if walks.row[p] != walks.row[q]:
                _exchange(p, q, walks, links, gains, chain, odds)


@njit(cache=True, nogil=True)
def _exchange(p: int, q: int, walks: Walks, links: LinkCosts, gains: Singles, chain: _Chain, odds: Floats) -> None:
    """Add to the odds against each place of the paths p and q those of its exchange with the other path."""
    # Taking arrays out of a tuple, or passing all of them on, in the loop would double the time.
    node, first, last, paid, choice = walks.node, walks.first, walks.last, walks.paid, walks.choice
    start_a, start_b, lost, crossing = chain.start_a, chain.start_b, chain.lost, chain.crossing
    mine, other = gains[walks.row[p]], gains[walks.row[q]]
    a, begin_a, stop_a = walks.offsets[p], walks.offsets[p], walks.offsets[p + 1]
    b, begin_b, stop_b = walks.offsets[q], walks.offsets[q], walks.offsets[q + 1]
    count, loss = 0, 0.0
    start_a[0], start_b[0] = a, b
    while True:
        v = node[a] if a < stop_a else -1
        w = node[b] if b < stop_b else -1
        ended, met = v < 0 and w < 0, v >= 0 and v == w
        moved = a > start_a[count] or b > start_b[count]
        cost = FARTHEST
        if ended or met:
            cost = 0.0
        elif moved and choice[a + p] and choice[b + q]:
            before_v = node[a - 1] if a > begin_a else -1
            before_w = node[b - 1] if b > begin_b else -1
            after_w = v < 0 or before_w < 0 or last[b - 1] < first[a]
            after_v = w < 0 or before_v < 0 or last[a - 1] < first[b]
            if after_w and after_v:
                crossed = _cost(before_v, w, links) + _cost(before_w, v, links)
                cost = max(crossed - paid[a + p] - paid[b + q], 0.0)
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
        elif w < 0 or (v >= 0 and (first[a] < first[b] or (first[a] == first[b] and v < w))):
            loss += max(min(mine[v] - other[v], MOST_NATS), -MOST_NATS)
            a += 1
        else:
            loss += max(min(other[w] - mine[w], MOST_NATS), -MOST_NATS)
            b += 1


@njit(cache=True, nogil=True)
def _sum_chain(chain: _Chain, count: int) -> None:
    """The odds of the exchange of each of `count` stretches, summed over all that may happen to the others; 0 below exp(-FARTHEST)."""
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
def add_nobody(walks: Walks, links: LinkCosts, gains: Singles, odds: Floats) -> None:
    """Add to the odds that what a path visits between two loose ways is nobody that has a name; arguments as in `add_exchanges`."""
    offsets, node = walks.offsets, walks.node
    for p in range(len(walks.row)):
        start, gained = offsets[p], 0.0
        for k in range(offsets[p], offsets[p + 1]):
            gained += max(gains[walks.row[p], node[k]], -MOST_NATS)
            if walks.loose[k + 1 + p]:
                before = node[start - 1] if start > offsets[p] else -1
                after = node[k + 1] if k + 1 < offsets[p + 1] else -1
                worth = gained - walks.paid[start + p] - walks.paid[k + 1 + p] + _cost(before, after, links)
                if worth < FARTHEST:
                    for place in range(start, k + 1):
                        odds[place] += np.exp(-max(worth, -MOST_LOG_ODDS))
                start, gained = k + 1, 0.0


@njit(cache=True, nogil=True)
def _find_link(parent: int, child: int, links: LinkCosts) -> int:
    """Row of the link from one tracklet to another, -1 without."""
    key = parent * len(links.away) + child
    k = int(np.searchsorted(links.key, key))
    return k if k < len(links.key) and links.key[k] == key else -1


@njit(cache=True, nogil=True)
def _cost(before: int, after: int, links: LinkCosts) -> float:
    """Cost of going from one tracklet to another, along a link or out of the graph and in again; -1 is out of the graph."""
    if before < 0 and after < 0:
        return 0.0
    if before < 0:
        return float(links.away[after, 0])
    if after < 0:
        return float(links.away[before, 1])
    k = _find_link(before, after, links)
    if k >= 0:
        return float(links.cost[k])
    return float(links.away[before, 1] + links.away[after, 0])
