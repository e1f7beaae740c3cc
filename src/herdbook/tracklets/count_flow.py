"""Integer min-cost flows of animals through merges and splits, part by part.

Each tracklet begins with the number that its own cost prefers; a flow finds the cheapest changes after which neighbours agree. These
changes are short paths, whereas paths of whole animals would be as long as the movie. Tracklets with a certain number divide the graph into
parts. If the changes in a part cost so much that another number for a tracklet at its edge might be cheaper, the part is solved again
together with the part on the other side. The result is the global optimum: changing a certain tracklet would cost at least twice the
possible gain on either side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from herdbook.arrays import Floats, Ints

# Costs are nats times this, as integers.
SCALE = 1000
# A tracklet divides the graph at the beginning if any other number costs this much more (nats).
SURE_COUNT_NATS = 20.0


@dataclass(frozen=True)
class CountProblem:
    """Tracklets and the costs of the numbers of their animals.

    `costs` (n, most + 1): cost of 0..most animals, nats, convex in each row; `first`, `last` (n,) frames; `edges` (e, 2) parent, child;
    `come`, `go` (n,): cost of each animal that appears at the beginning of the tracklet or disappears at its end; `number`: largest number
    of animals in view at once, None if unknown; `reach` (n,): larger numbers are not considered.
    """

    costs: Floats
    first: Ints
    last: Ints
    edges: Ints
    come: Floats
    go: Floats
    number: int | None
    reach: Ints


def solve_counts(problem: CountProblem) -> Ints:
    """The number of animals in each tracklet, int64 (n,), with the lowest total cost."""
    n = len(problem.costs)
    likely = problem.costs.argmin(axis=1)
    rows = np.arange(n)
    above = problem.costs[rows, np.minimum(likely + 1, problem.costs.shape[1] - 1)]
    below = problem.costs[rows, np.maximum(likely - 1, 0)]
    edge_of_range = (likely == 0, likely == problem.costs.shape[1] - 1)
    other = np.minimum(np.where(edge_of_range[1], np.inf, above), np.where(edge_of_range[0], np.inf, below))
    margin = other - problem.costs[rows, likely]
    free = margin < SURE_COUNT_NATS
    change, excess = np.zeros(n, np.int64), np.zeros(2 * n)
    fresh = np.ones(2 * n, bool)
    while fresh.any():
        part = _parts(problem, free)
        solved = np.isin(part, part[fresh])
        numbers, part_of = np.unique(part[solved], return_inverse=True)
        side = np.full(2 * n, -1)
        side[solved] = part_of
        new, cost = _solve(problem, likely, free, side[:n], side[n:], len(numbers))
        mine = free & (side[:n] >= 0)
        change[mine] = new[mine]
        excess[solved] = cost[part_of]
        doubted = ~free & (np.maximum(excess[:n], excess[n:]) > margin / 2)
        free |= doubted
        fresh = np.concatenate([doubted, doubted])
    return _within_number(problem, likely, free, change)


def _within_number(problem: CountProblem, likely: Ints, free: NDArray[np.bool_], change: Ints) -> Ints:
    """The numbers likely + change, solved again where more animals than exist would be in view."""
    n, counts = len(likely), likely + change
    while problem.number is not None:
        times, slot = np.unique(np.concatenate([problem.first, problem.last + 1]), return_inverse=True)
        in_view = np.cumsum(np.bincount(slot[:n], counts, len(times)) - np.bincount(slot[n:], counts, len(times)))
        crowded = np.concatenate([[0], np.cumsum(in_view > problem.number)])
        there = crowded[slot[n:]] > crowded[slot[:n]]
        if not there.any():
            break
        free = free | there
        part = _parts(problem, free)
        side = np.where(np.isin(part, part[np.concatenate([there, there])]), 0, -1)
        new, _ = _solve(problem, likely, free, side[:n], side[n:], 1, counts)
        counts = np.where(free & (side[:n] >= 0), likely + new, counts)
    return counts


def _parts(problem: CountProblem, free: NDArray[np.bool_]) -> Ints:
    """The part in which each tracklet begins, then that in which each ends, (2 n,); both are the same for a free tracklet."""
    n = len(free)
    row = np.concatenate([problem.edges[:, 0] + n, np.flatnonzero(free)])
    column = np.concatenate([problem.edges[:, 1], np.flatnonzero(free) + n])
    return connected_components(coo_array((np.ones(len(row)), (row, column)), shape=(2 * n, 2 * n)), directed=False)[1].astype(np.int64)


def _solve(
    problem: CountProblem,
    likely: Ints,
    free: NDArray[np.bool_],
    entry_part: Ints,
    leave_part: Ints,
    parts: int,
    counts: Ints | None = None,
) -> tuple[Ints, Floats]:
    """Changes (n,) of the free tracklets in the parts numbered from 0 (others: -1), and their cost in each part (parts,).

    Animals that appear come from outside of the view, and those that disappear go there. Without `counts`, each part has a node of any
    number of such animals; with the `counts` (n,) of all tracklets, there are only those that are not in view at that time.
    """
    n = len(likely)
    enters, leaves = np.flatnonzero(entry_part >= 0), np.flatnonzero(leave_part >= 0)
    flow = _Flow(parts)
    entry, leave = np.full(n, -1), np.full(n, -1)
    entry[enters], leave[leaves] = flow.nodes(len(enters)), flow.nodes(len(leaves))
    flow.supply(leave[leaves], likely[leaves])
    flow.supply(entry[enters], -likely[enters])
    steps = np.diff(problem.costs, axis=1)
    mine = np.flatnonzero(free & (entry_part >= 0))
    number = np.arange(steps.shape[1])
    up, more = np.nonzero((number >= likely[mine, None]) & (number < problem.reach[mine, None]))
    down, less = np.nonzero(number < likely[mine, None])
    up, down = mine[up], mine[down]
    up_arcs = flow.arcs(entry[up], leave[up], 1, steps[up, more], entry_part[up])
    down_arcs = flow.arcs(leave[down], entry[down], 1, -steps[down, less], entry_part[down])
    linked = problem.edges[leave_part[problem.edges[:, 0]] >= 0]
    most = int(problem.costs.shape[1] * n)
    flow.arcs(leave[linked[:, 0]], entry[linked[:, 1]], most, 0.0, leave_part[linked[:, 0]])
    if counts is None:
        hubs = flow.nodes(parts)
        flow.supply(hubs, np.bincount(entry_part[enters], likely[enters], parts) - np.bincount(leave_part[leaves], likely[leaves], parts))
        source, sink = hubs[entry_part[enters]], hubs[leave_part[leaves]]
    else:
        source, sink = _pool(problem, flow, enters, leaves, entry_part, leave_part, counts)
    flow.arcs(source, entry[enters], most, problem.come[enters], entry_part[enters])
    flow.arcs(leave[leaves], sink, most, problem.go[leaves], leave_part[leaves])
    amounts, cost = flow.solve()
    return np.bincount(up, amounts[up_arcs], n).astype(np.int64) - np.bincount(down, amounts[down_arcs], n).astype(np.int64), cost


def _pool(
    problem: CountProblem, flow: "_Flow", enters: Ints, leaves: Ints, entry_part: Ints, leave_part: Ints, counts: Ints
) -> tuple[Ints, Ints]:
    """Nodes of the animals out of view: the one from which animals come to each tracklet in `enters`, and to which they go in `leaves`."""
    begin = int(min(problem.first[enters].min(initial=problem.last.max()), (problem.last[leaves] + 1).min(initial=problem.last.max())))
    end = int(max(problem.first[enters].max(initial=begin), (problem.last[leaves] + 1).max(initial=begin)))
    others_in = np.flatnonzero((entry_part < 0) & (problem.first >= begin) & (problem.first <= end))
    others_out = np.flatnonzero((leave_part < 0) & (problem.last + 1 >= begin) & (problem.last + 1 <= end))
    events = [problem.first[enters], problem.last[leaves] + 1, problem.first[others_in], problem.last[others_out] + 1, np.array([begin])]
    times, slot = np.unique(np.concatenate(events), return_inverse=True)
    source, sink, come, go, _ = np.split(slot, np.cumsum([len(part) for part in events])[:-1])
    pool = flow.nodes(len(times))
    assert problem.number is not None
    before = int(counts[(problem.first < begin) & (problem.last >= begin - 1)].sum())
    level = np.bincount(go, counts[others_out], len(times)) - np.bincount(come, counts[others_in], len(times))
    level[0] += problem.number - before
    # Animals that remain at the end leave the flow at the last node.
    likely_balance = flow.balance + int(level.sum())
    level[-1] -= likely_balance
    flow.supply(pool, level.astype(np.int64))
    flow.arcs(pool[:-1], pool[1:], problem.number, 0.0, np.zeros(len(pool) - 1, np.int64))
    return pool[source], pool[sink]


class _Flow:
    """Arcs, collected as arrays for OR-Tools' min-cost flow. Each belongs to a part; costs are summed by part."""

    def __init__(self, parts: int) -> None:
        self._count, self._parts = 0, parts
        self._solver = min_cost_flow.SimpleMinCostFlow()
        self._cost: list[Floats] = []
        self._part: list[Ints] = []
        self.balance = 0

    def nodes(self, count: int) -> Ints:
        self._count += count
        return np.arange(self._count - count, self._count)

    def arcs(self, tail: Ints, head: Ints, capacity: int, cost: Floats | float, part: Ints) -> Ints:
        nats = np.broadcast_to(np.asarray(cost, float), tail.shape)
        self._cost.append(nats)
        self._part.append(part)
        unit_cost = np.round(nats * SCALE).astype(np.int64)
        return np.asarray(self._solver.add_arcs_with_capacity_and_unit_cost(tail, head, np.full(tail.shape, capacity, np.int64), unit_cost))

    def supply(self, nodes: Ints, amount: Ints | Floats) -> None:
        for node, units in zip(nodes.tolist(), amount.tolist(), strict=True):
            self._solver.set_node_supply(node, round(units))
        self.balance += round(float(amount.sum()))

    def solve(self) -> tuple[Ints, Floats]:
        """The flow along each arc, and what it costs in each part."""
        status = self._solver.solve()
        if status != self._solver.OPTIMAL:
            raise RuntimeError(f"the flow of animals has no solution (status {status})")
        amounts = np.asarray(self._solver.flows(np.arange(self._solver.num_arcs())))
        cost = np.bincount(np.concatenate(self._part), amounts * np.concatenate(self._cost), self._parts)
        return amounts, np.asarray(cost, np.float64)
