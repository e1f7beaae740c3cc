"""Who is in which tracklet: one integer programme over the graph of a recording.

Every identity follows a path through the graph of tracklets: along merges and splits for free, across gaps, into and out of the graph at a
cost. A tracklet holds at most as many identities as animals, and no identity is in two tracklets at the same time. The evidence is the
unary term; "unknown" is an answer, since no identity has to be anywhere. Long recordings are solved in windows that overlap.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from scipy.spatial import cKDTree

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# All costs are in nats, the unit of the evidence.
ENTER_COST = 6.0
GAP_COST = 1.0
GAP_COST_PER_BODY_LENGTH = 1.0
# What a tracklet without evidence gains when it is named: less than any evidence, more than nothing.
NAMED_GAIN = 0.2
# Identities this much less likely (nats) than the best one of a tracklet are not considered for it.
PRUNE = 18.0
# What a person said weighs more than all images of a tracklet together.
LABEL_GAIN = 60.0
RELATIVE_GAP = 1e-4
TIME_LIMIT_S = 120.0


@dataclass(frozen=True)
class Graph:
    """Tracklets of a recording, in order of their first frame.

    `first`, `last` int64 (n,) frames over the recording; `animals` (n,) number each holds; `edges` (e, 2) parent, child; `start_xy`,
    `end_xy` (n, 2) px; `border` bool (n, 2): begins, ends at the border of the view; `free` bool (n, 2): begins, ends with the tracking, so
    that coming and going cost nothing; `part` int64 (n,): the closed part of the recording that it is in, which no edge leaves: an arena
    during an interval.
    """

    first: Ints
    last: Ints
    animals: Ints
    edges: Ints
    start_xy: Floats
    end_xy: Floats
    border: NDArray[np.bool_]
    free: NDArray[np.bool_]
    part: Ints

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Solution:
    """`held` bool (tracklets, identities): who is where; `gap`: bound on the distance from the optimum, as a share of the objective."""

    held: NDArray[np.bool_]
    gap: float


def unary_scores(evidence: Floats, labelled: NDArray[np.int16]) -> Floats:
    """Gain (n, identities) of naming a tracklet: its evidence, or certainty where a person labelled it (-1: not labelled)."""
    scores = evidence + NAMED_GAIN
    for row in np.flatnonzero(labelled >= 0):
        scores[row] = -LABEL_GAIN
        if labelled[row] < scores.shape[1]:
            scores[row, labelled[row]] = LABEL_GAIN
    return scores


def gap_edges(graph: Graph, *, gap_frames: int, body_length_px: float, reach_px_per_frame: float) -> tuple[Ints, Floats]:
    """Pairs (k, 2) of a tracklet that ends and one that begins soon after nearby, and their costs (k,).

    Within the same part, within `gap_frames`, and within three body lengths plus what an animal can walk at `reach_px_per_frame`.
    """
    spent = np.bincount(graph.edges[:, 0], weights=graph.animals[graph.edges[:, 1]], minlength=len(graph))
    gained = np.bincount(graph.edges[:, 1], weights=graph.animals[graph.edges[:, 0]], minlength=len(graph))
    ends = np.flatnonzero(spent < graph.animals)
    starts = np.flatnonzero(gained < graph.animals)
    if not len(ends) or not len(starts):
        return np.zeros((0, 2), np.int64), np.zeros(0)
    tree = cKDTree(graph.first[starts, None].astype(float))
    # Half a frame after the end, so that what begins in the same frame is left out.
    near = tree.query_ball_point(graph.last[ends, None] + gap_frames / 2 + 0.5, gap_frames / 2)
    a = np.repeat(ends, [len(n) for n in near])
    b = starts[np.concatenate([np.asarray(n, np.int64) for n in near])]
    wait = graph.first[b] - graph.last[a]
    distance = np.hypot(*(graph.start_xy[b] - graph.end_xy[a]).T)
    close = (distance <= 3 * body_length_px + reach_px_per_frame * wait) & (graph.part[a] == graph.part[b])
    pairs = np.stack([a[close], b[close]], 1)
    cost = GAP_COST + GAP_COST_PER_BODY_LENGTH * distance[close] / body_length_px + wait[close] / gap_frames
    return pairs, cost


def candidates(graph: Graph, scores: Floats, informed: NDArray[np.bool_], links: Ints) -> NDArray[np.bool_]:
    """Which identities (n, identities) may be in which tracklet.

    Where there is evidence, those within PRUNE of the best; elsewhere, those of the neighbours that it can have come from or gone to.
    """
    allowed = np.zeros(scores.shape, bool)
    best = scores[informed].max(axis=1, keepdims=True, initial=-np.inf)
    allowed[informed] = (scores[informed] >= best - PRUNE) & (scores[informed] > -LABEL_GAIN)
    parent, child = links.T
    open_child, open_parent = ~informed[child], ~informed[parent]
    for _ in range(len(graph)):
        before = allowed.sum()
        np.logical_or.at(allowed, child[open_child], allowed[parent[open_child]])
        np.logical_or.at(allowed, parent[open_parent], allowed[child[open_parent]])
        if allowed.sum() == before:
            break
    return allowed


def solve_identities(graph: Graph, scores: Floats, informed: NDArray[np.bool_], gaps: Ints, gap_costs: Floats, *, window: int) -> Solution:
    """The best assignment of identities to tracklets.

    `scores` (n, identities) gain in nats; `informed` bool (n,) whether the tracklet has evidence of its own; `gaps`, `gap_costs` from
    `gap_edges`; `window`: tracklets solved together. Windows advance by half of their length, and what lies in the half that is left behind
    stays as it was decided; a tracklet that began before the window and lasts into it still binds its identities.
    """
    links = np.concatenate([graph.edges, gaps])
    costs = np.concatenate([np.zeros(len(graph.edges)), gap_costs])
    allowed = candidates(graph, scores, informed, links)
    held = np.zeros(scores.shape, bool)
    worst, start, half = 0.0, 0, max(1, window // 2)
    number = np.arange(len(graph))
    while start < len(graph):
        stop = min(len(graph), start + window)
        begin = max(0, start - half)
        nodes = np.flatnonzero((number < stop) & ((number >= begin) | (graph.last >= graph.first[begin])))
        fixed = nodes < start
        part, gap = _solve_window(graph, nodes, fixed, held, scores, allowed, links, costs)
        held[nodes] = part
        worst = max(worst, gap)
        start = stop if stop == len(graph) else start + half
    return Solution(held, worst)


def _solve_window(
    graph: Graph,
    nodes: Ints,
    fixed: NDArray[np.bool_],
    held: NDArray[np.bool_],
    scores: Floats,
    allowed: NDArray[np.bool_],
    links: Ints,
    costs: Floats,
) -> tuple[NDArray[np.bool_], float]:
    rows = _Rows()
    node, identity = np.nonzero(np.where(fixed[:, None], held[nodes], allowed[nodes]))
    count = len(node)
    if count == 0:
        return np.zeros((len(nodes), scores.shape[1]), bool), 0.0
    number = np.full((len(nodes), scores.shape[1]), -1)
    number[node, identity] = np.arange(count)
    lower = np.where(fixed[node], 1.0, 0.0)

    local = np.full(len(graph), -1)
    local[nodes] = np.arange(len(nodes))
    inside = (local[links] >= 0).all(axis=1)
    parent, child = local[links[inside]].T
    both = (number[parent] >= 0) & (number[child] >= 0)
    edge, edge_identity = np.nonzero(both)
    flows = len(edge)
    into, out = number[child[edge], edge_identity], number[parent[edge], edge_identity]

    first, last = graph.first[nodes], graph.last[nodes]
    # Where the tracking or the window begins or ends, animals come and go for free.
    come = graph.free[nodes, 0] | (first == first.min())
    go = graph.free[nodes, 1] | (last == last.max())
    come[local[links[~inside & (local[links[:, 1]] >= 0), 1]]] = True
    go[local[links[~inside & (local[links[:, 0]] >= 0), 0]]] = True
    enter_cost = np.where(come, 0.0, np.where(graph.border[nodes, 0], ENTER_COST / 2, ENTER_COST))[node]
    leave_cost = np.where(go, 0.0, np.where(graph.border[nodes, 1], ENTER_COST / 2, ENTER_COST))[node]

    # Variables: being there, entering there, leaving there (one of each per candidate), and flow along links.
    objective = np.concatenate([-scores[nodes][node, identity], enter_cost, leave_cost, costs[inside][edge]])
    me = np.arange(count)
    stream = 3 * count + np.arange(flows)
    rows.add(
        np.concatenate([me, me, into]), np.concatenate([me, count + me, stream]), np.repeat([1.0, -1.0, -1.0], [count, count, flows]), 0, 0
    )
    rows.add(
        np.concatenate([me, me, out]),
        np.concatenate([me, 2 * count + me, stream]),
        np.repeat([1.0, -1.0, -1.0], [count, count, flows]),
        0,
        0,
    )
    rows.add(node, me, np.ones(count), 0, graph.animals[nodes].astype(float))
    once, member = _simultaneous(first, last, node, identity)
    if len(once):
        rows.add(once, member, np.ones(len(once)), 0, 1)

    result = milp(
        objective,
        integrality=np.concatenate([np.ones(count), np.zeros(2 * count + flows)]),
        bounds=Bounds(np.concatenate([lower, np.zeros(2 * count + flows)]), np.ones(len(objective))),
        constraints=rows.constraint(len(objective)),
        options={"mip_rel_gap": RELATIVE_GAP, "time_limit": TIME_LIMIT_S},
    )
    if result.x is None:
        raise RuntimeError(f"the assignment of identities was not solved: {result.message}")
    chosen = np.zeros((len(nodes), scores.shape[1]), bool)
    picked = result.x[:count] > 0.5
    chosen[node[picked], identity[picked]] = True
    return chosen, float(result.mip_gap or 0.0)


def _simultaneous(first: Ints, last: Ints, node: Ints, identity: Ints) -> tuple[Ints, Ints]:
    """Rows "at most one of these": for each candidate, all candidates of its identity that exist when its tracklet begins."""
    rows, members = [], []
    by_identity: dict[int, list[int]] = defaultdict(list)
    for k in np.argsort(first[node], kind="stable"):
        by_identity[int(identity[k])].append(int(k))
    row = 0
    for mine in by_identity.values():
        active: list[int] = []
        for k in mine:
            active = [j for j in active if last[node[j]] >= first[node[k]]]
            active.append(k)
            if len(active) > 1:
                rows += [row] * len(active)
                members += active
                row += 1
    return np.array(rows, np.int64), np.array(members, np.int64)


class _Rows:
    """Rows of a sparse constraint, collected block by block."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Floats]] = []
        self._bounds: list[tuple[Floats, Floats]] = []
        self._count = 0

    def add(self, row: Ints, column: Ints, value: Floats, low: float | Floats, high: float | Floats) -> None:
        count = len(high) if isinstance(high, np.ndarray) else int(row.max()) + 1
        self._parts.append((row + self._count, column, value))
        self._bounds.append((np.broadcast_to(np.asarray(low, float), count), np.broadcast_to(np.asarray(high, float), count)))
        self._count += count

    def constraint(self, columns: int) -> LinearConstraint:
        row, column, value = (np.concatenate(p) for p in zip(*self._parts, strict=True))
        low, high = (np.concatenate(b) for b in zip(*self._bounds, strict=True))
        return LinearConstraint(coo_array((value, (row, column)), shape=(self._count, columns)).tocsr(), low, high)
