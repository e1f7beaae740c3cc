"""The integer programme of identities on the blocks of a graph.

A candidate is a tracklet and an identity that may be in it. Its variables say how often the identity is there, enters there from outside
of the graph, and leaves there for it; one more per link and identity says how often the identity goes along the link. Blocks share no row.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from herdbook.arrays import Bools, Floats, Ints
from herdbook.identity.blocks import Blocks
from herdbook.identity.graph import Graph, PathCosts
from herdbook.identity.programme_rows import Columns, Rows

# Kinds of columns. The first three are integers: being in a tracklet; being in a separator at the end of a block, which is the separator's
# beginning, and at the beginning of a block, which is the separator's end.
THERE, ENDING, BEGINNING, ENTERS, LEAVES, FLOWS = range(6)


@dataclass(frozen=True)
class Programme:
    """Minimise `cost` @ x with `low` <= `matrix` @ x <= `high`, `least` <= x <= `most`; columns and rows are sorted by block.

    Per column: its `kind`, `identity`, and the `node` whose time is its own (the later one of a flow); `limit`, which no solution exceeds,
    also where only rows and not `most` say so; for a column that leaves, `onward` is the last tracklet that a link leads to, -1 without.
    `holder` (rows,): the tracklet whose number of animals a row keeps, or -1. `columns`, `rows` (blocks + 1,): offsets.
    """

    cost: Floats
    matrix: csr_array
    low: Floats
    high: Floats
    least: Floats
    most: Floats
    limit: Floats
    node: Ints
    identity: Ints
    kind: Ints
    onward: Ints
    holder: Ints
    columns: Ints
    rows: Ints


@dataclass(frozen=True)
class _Candidates:
    """Who may be where in the active blocks.

    Per candidate, sorted by tracklet: `node` int64 (m,) and `identity` int64 (m,); `block` int64 (m, 2) of the tracklet's beginning and
    end; `separator` bool (m,), whether the tracklet is one; `limit` float64 (m,), how many of the identity can be there. Per flow, from a
    candidate to another of the same identity: the `link`, a row of `PathCosts.links`, and the candidates `source` and `target`, int64 (f,).
    """

    node: Ints
    identity: Ints
    block: Ints
    separator: Bools
    limit: Floats
    link: Ints
    source: Ints
    target: Ints


@dataclass(frozen=True)
class _Numbers:
    """Numbers int64 of the columns of each candidate, -1 where it has none: being there at the tracklet's beginning, `start`, and at its
    end, `end`, which differ in separators alone; `enters`, `leaves`. Per flow: `flows`.
    """

    start: Ints
    end: Ints
    enters: Ints
    leaves: Ints
    flows: Ints


def build_programme(
    graph: Graph,
    scores: NDArray[np.floating],
    blocks: Blocks,
    active: Bools,
    allowed: Bools,
    path_costs: PathCosts,
    members: Ints,
    *,
    firm: bool,
) -> Programme:
    """The programme of the `active` bool (blocks,) blocks.

    Each identity follows paths, which merges, splits and gaps allow; a tracklet holds no more identities than animals, and no identity is
    in more tracklets at the same time than it has members. The objective is the evidence of who is where, less what the paths cost.

    `scores` (n, identities) gain in nats of naming a tracklet; `allowed` bool (n, identities) candidates, for separators their identity
    alone; `members` (identities,) how many of an identity there are; `firm`: separators must hold their identities.
    """
    candidates = _find_candidates(graph, blocks, active, allowed, path_costs.links, members)
    columns, rows = Columns(), Rows()
    numbers = _add_columns(columns, candidates, scores, active, path_costs, firm)
    _come_and_go(rows, candidates, numbers)
    _hold_no_more_than_animals(rows, candidates, numbers, graph)
    _hold_no_more_than_members(rows, candidates, numbers, graph, members)
    by_column, by_row = columns.sorted_by_block(blocks.count), rows.sorted_by_block(blocks.count)
    matrix = rows.matrix(by_row.place, by_column.place)
    return Programme(matrix=matrix, columns=by_column.offsets, rows=by_row.offsets, **by_column.values, **by_row.values)


def _find_candidates(graph: Graph, blocks: Blocks, active: Bools, allowed: Bools, links: Ints, members: Ints) -> _Candidates:
    nodes = np.flatnonzero(active[blocks.block].any(axis=1))
    row, identity = np.nonzero(allowed[nodes])
    node = nodes[row]
    link = np.flatnonzero(active[blocks.block[links[:, 1], 0]])
    taken, who = np.nonzero(allowed[links[link, 0]] & allowed[links[link, 1]])
    link = link[taken]
    # Candidates are in order of this key.
    key = node * len(members) + identity
    source, target = (np.searchsorted(key, links[link, k] * len(members) + who) for k in (0, 1))
    limit = np.minimum(members[identity], graph.animals[node]).astype(float)
    return _Candidates(node, identity, blocks.block[node], blocks.sure[node] >= 0, limit, link, source, target)


def _add_columns(
    columns: Columns, candidates: _Candidates, scores: NDArray[np.floating], active: Bools, path_costs: PathCosts, firm: bool
) -> _Numbers:
    """Add the columns of all candidates and flows, one kind after the other."""
    node, identity, limit = candidates.node, candidates.identity, candidates.limit
    gain = scores[node, identity].astype(float)
    onward = np.full(len(node), -1)
    np.maximum.at(onward, candidates.source, path_costs.links[candidates.link, 1])

    def add(kind: int, mine: Ints, side: int, cost: Floats, **more: Any) -> Ints:
        return columns.add(kind, candidates.block[mine, side], node[mine], identity[mine], cost=cost, limit=limit[mine], **more)

    free = np.flatnonzero(~candidates.separator)
    comes, goes = (np.flatnonzero(active[block]) for block in candidates.block.T)
    # A separator is there twice, at its beginning in the one block and at its end in the other, with half of its score each.
    ending, beginning = comes[candidates.separator[comes]], goes[candidates.separator[goes]]
    start, end, enters, leaves = np.full((4, len(node)), -1)
    start[free] = end[free] = add(THERE, free, 0, -gain[free], most=limit[free])
    start[ending] = add(ENDING, ending, 0, -gain[ending] / 2, most=limit[ending], least=float(firm))
    end[beginning] = add(BEGINNING, beginning, 1, -gain[beginning] / 2, most=limit[beginning], least=float(firm))
    # What moves is limited by what is there.
    enters[comes] = add(ENTERS, comes, 0, path_costs.away[node[comes], 0])
    leaves[goes] = add(LEAVES, goes, 1, path_costs.away[node[goes], 1], onward=onward[goes])
    later = candidates.target
    flows = columns.add(
        FLOWS,
        candidates.block[later, 0],
        node[later],
        identity[later],
        cost=path_costs.link_costs[candidates.link],
        limit=np.minimum(limit[candidates.source], limit[later]),
    )
    return _Numbers(start, end, enters, leaves, flows)


def _come_and_go(rows: Rows, candidates: _Candidates, numbers: _Numbers) -> None:
    """What comes to a candidate, from outside and along links, is there at its beginning; what is there at its end goes on or away."""
    sides = ((numbers.start, numbers.enters, candidates.target), (numbers.end, numbers.leaves, candidates.source))
    for side, (there, moves, linked) in enumerate(sides):
        mine = np.flatnonzero(moves >= 0)
        row = np.full(len(moves), -1)
        row[mine] = rows.add(candidates.block[mine, side], 0.0, 0.0)
        rows.put(row[mine], moves[mine], 1.0)
        rows.put(row[linked], numbers.flows, 1.0)
        rows.put(row[mine], there[mine], -1.0)


def _hold_no_more_than_animals(rows: Rows, candidates: _Candidates, numbers: _Numbers, graph: Graph) -> None:
    """A tracklet holds no more identities than animals."""
    free = np.flatnonzero(~candidates.separator)
    holder, first, place = np.unique(candidates.node[free], return_index=True, return_inverse=True)
    row = rows.add(candidates.block[free[first], 0], 0.0, graph.animals[holder].astype(float), holder=holder)
    rows.put(row[place], numbers.start[free], 1.0)


def _hold_no_more_than_members(rows: Rows, candidates: _Candidates, numbers: _Numbers, graph: Graph, members: Ints) -> None:
    """Simultaneous tracklets together hold no more of an identity than it has members."""
    free = np.flatnonzero(~candidates.separator)
    order = np.lexsort((graph.first[candidates.node[free]], candidates.identity[free], candidates.block[free, 0]))
    free = free[order]
    node, identity, block = candidates.node[free], candidates.identity[free], candidates.block[free, 0]
    many = np.minimum(members[identity], graph.animals[node])
    group = block * len(members) + identity
    clique, inside = _cliques(graph.first[node], graph.last[node], group, many, members[identity])
    lead = inside[np.unique(clique, return_index=True)[1]]
    row = rows.add(block[lead], 0.0, members[identity[lead]].astype(float))
    rows.put(row[clique], numbers.start[free[inside]], 1.0)


@njit(cache=True, nogil=True)
def _cliques(first: Ints, last: Ints, group: Ints, many: Ints, members: Ints) -> tuple[Ints, Ints]:
    """Largest sets of intervals that all overlap and are of one group, where together they may hold more than the members.

    Intervals `first`, `last` (k,) in order of `group`, then of `first`; `many` (k,) that each can hold; `members` (k,) of its group.
    Returns the number of a set and an interval in it, int64 (m,) each.
    """
    sets, inside = [0 for _ in range(0)], [0 for _ in range(0)]
    active = [0 for _ in range(0)]
    number, grown = 0, False
    for k in range(len(first) + 1):
        ends = k == len(first)
        fresh = ends or (len(active) > 0 and group[active[0]] != group[k])
        gone = fresh
        if not fresh:
            for j in active:
                gone = gone or last[j] < first[k]
        if gone and grown:
            total = 0
            for j in active:
                total += many[j]
            if total > members[active[0]] and len(active) > 1:
                for j in active:
                    sets.append(number)
                    inside.append(j)
                number += 1
            grown = False
        if ends:
            break
        active = [j for j in active if not fresh and last[j] >= first[k]]
        active.append(k)
        grown = True
    return np.array(sets, dtype=np.int64), np.array(inside, dtype=np.int64)
