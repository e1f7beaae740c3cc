"""The integer programme of identities on the blocks of a graph.

Per candidate (a tracklet and an identity) the variables are: being there, entering there, leaving there; per link and identity: flow along
it. Blocks share no row.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from herdbook.arrays import Bools, Floats, Ints
from herdbook.identity.blocks import Blocks
from herdbook.identity.graph import Graph, PathCosts

# Kinds of columns; the first three are integers: being there, and the same at the end and at the beginning of a block, at its separators.
THERE, ENDING, BEGINNING, ENTERS, LEAVES, FLOWS = range(6)


@dataclass(frozen=True)
class Programme:
    """Minimise `cost` @ x with `low` <= `matrix` @ x <= `high`, `least` <= x <= `most`; columns and rows are sorted by block. No solution
    has more of a column than its `limit`, which is below `most` where rows say so.

    Per column: its `kind`, `identity`, and the `node` whose time is its own (the later one of a flow); for a column that leaves, `onward`
    is the last tracklet that a link leads to, -1 without. `holder` (rows,): the tracklet whose number of animals a row keeps, or -1.
    `columns`, `rows` (blocks + 1,): offsets.
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
    """The programme of the `active` (blocks,) ones.

    `allowed` bool (n, identities) candidates, for separators their identity alone; `members` (identities,) how many of an identity there
    are; `firm`: separators must hold their identities.
    """
    links, link_costs, away = path_costs.links, path_costs.link_costs, path_costs.away
    nodes = np.flatnonzero(active[blocks.block].any(axis=1))
    local = np.full(len(graph), -1)
    local[nodes] = np.arange(len(nodes))
    node, identity = np.nonzero(allowed[nodes])
    pairs = len(node)
    number = np.full((len(nodes), len(members)), -1, np.int32)
    number[node, identity] = np.arange(pairs)
    node = nodes[node]
    fixed = blocks.sure[node] >= 0
    link = np.flatnonzero(active[blocks.block[links[:, 1], 0]])
    both, stream_identity = np.nonzero(allowed[links[link, 0]] & allowed[links[link, 1]])
    link = link[both]
    out, into = (number[local[links[link, k]], stream_identity].astype(np.int64) for k in (0, 1))
    flows = len(link)

    free = np.flatnonzero(~fixed)
    comes = np.flatnonzero(active[blocks.block[node, 0]])
    goes = np.flatnonzero(active[blocks.block[node, 1]])
    onward = np.full(pairs, -1)
    np.maximum.at(onward, out, links[link, 1])
    # A separator is there twice, at its end in the one block and at its beginning in the other, with half of its score each.
    ending, beginning = comes[fixed[comes]], goes[fixed[goes]]
    owner = np.concatenate([free, ending, beginning, comes, goes])
    side = np.repeat([0, 0, 1, 0, 1], [len(free), len(ending), len(beginning), len(comes), len(goes)])
    column_block = np.concatenate([blocks.block[node[owner], side], blocks.block[links[link, 1], 0]])
    sizes = [len(free), len(ending), len(beginning), len(comes), len(goes), flows]
    total = sum(sizes)
    at_there, at_ending, at_beginning, at_come, at_go, at_flow = np.split(np.arange(total), np.cumsum(sizes)[:-1])
    here = np.full(pairs, -1)
    here[free] = at_there
    come_row = np.full(pairs, -1)
    come_row[comes] = np.arange(len(comes))
    go_row = np.full(pairs, -1)
    go_row[goes] = len(comes) + np.arange(len(goes))

    # What comes to a candidate, and what goes from it, is what is there.
    parts = [
        (come_row[comes], at_come, np.ones(len(comes))),
        (come_row[into], at_flow, np.ones(flows)),
        (come_row[free], at_there, -np.ones(len(free))),
        (come_row[ending], at_ending, -np.ones(len(ending))),
        (go_row[goes], at_go, np.ones(len(goes))),
        (go_row[out], at_flow, np.ones(flows)),
        (go_row[free], at_there, -np.ones(len(free))),
        (go_row[beginning], at_beginning, -np.ones(len(beginning))),
    ]
    count = len(comes) + len(goes)
    row_block = [np.concatenate([blocks.block[node[comes], 0], blocks.block[node[goes], 1]])]
    low, high = [np.zeros(count)], [np.zeros(count)]

    # There are no more identities than animals, and of each identity no more than its members at a time.
    holder, capacity_row = np.unique(node[free], return_inverse=True)
    parts.append((count + capacity_row, at_there, np.ones(len(free))))
    row_block.append(blocks.block[holder, 0])
    low.append(np.zeros(len(holder)))
    high.append(graph.animals[holder].astype(float))
    held_from, count = count, count + len(holder)

    order = free[np.lexsort((graph.first[node[free]], identity[free], blocks.block[node[free], 0]))]
    group = blocks.block[node[order], 0] * len(members) + identity[order]
    many = np.minimum(members[identity[order]], graph.animals[node[order]])
    clique, member = _cliques(graph.first[node[order]], graph.last[node[order]], group, many, members[identity[order]])
    if len(clique):
        lead = order[member[np.unique(clique, return_index=True)[1]]]
        parts.append((count + clique, here[order[member]], np.ones(len(clique))))
        row_block.append(blocks.block[node[lead], 0])
        low.append(np.zeros(len(lead)))
        high.append(members[identity[lead]].astype(float))
        count += len(lead)

    limit = np.minimum(members[identity], graph.animals[node]).astype(float)
    gain = scores[node, identity] / np.where(fixed, 2, 1)
    there = np.concatenate([free, ending, beginning])
    cost = np.concatenate([-gain[there], away[node[comes], 0], away[node[goes], 1], link_costs[link]])
    # What moves is limited by what is there.
    column_limit = np.concatenate([limit[owner], np.minimum(limit[out], limit[into])])
    most = np.where(np.repeat([True, False], [len(there), total - len(there)]), column_limit, np.inf)
    column_node = np.concatenate([node[owner], links[link, 1]])
    column_identity = np.concatenate([identity[owner], stream_identity])
    kind = np.repeat([THERE, ENDING, BEGINNING, ENTERS, LEAVES, FLOWS], sizes)
    column_onward = np.full(total, -1)
    column_onward[at_go] = onward[goes]

    by_block = np.argsort(column_block, kind="stable")
    new_column = np.empty(total, np.int64)
    new_column[by_block] = np.arange(total)
    rows_block = np.concatenate(row_block)
    row_holder = np.full(count, -1)
    row_holder[held_from : held_from + len(holder)] = holder
    rows_order = np.argsort(rows_block, kind="stable")
    new_row = np.empty(count, np.int64)
    new_row[rows_order] = np.arange(count)
    row, column, value = (np.concatenate(p) for p in zip(*parts, strict=True))
    matrix = coo_array((value, (new_row[row], new_column[column])), shape=(count, total)).tocsr()
    steps = np.arange(blocks.count + 1)
    return Programme(
        cost=cost[by_block],
        matrix=matrix,
        low=np.concatenate(low)[rows_order],
        high=np.concatenate(high)[rows_order],
        least=np.where(firm & ((kind == ENDING) | (kind == BEGINNING)), 1.0, 0.0)[by_block],
        most=most[by_block],
        limit=column_limit[by_block],
        node=column_node[by_block],
        identity=column_identity[by_block],
        kind=kind[by_block],
        onward=column_onward[by_block],
        holder=row_holder[rows_order],
        columns=np.searchsorted(column_block[by_block], steps),
        rows=np.searchsorted(rows_block[rows_order], steps),
    )


@njit(cache=True, nogil=True)
def _cliques(first: Ints, last: Ints, group: Ints, many: Ints, members: Ints) -> tuple[Ints, Ints]:
    """Largest sets of intervals of a group that all overlap, where together they could be more than the members: set, interval."""
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
