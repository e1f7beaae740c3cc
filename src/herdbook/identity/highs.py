"""Solution of the integer programme of identities by HiGHS, many blocks in one call.

A block whose linear relaxation is not integral is solved again, alone and in integers; a very large one in overlapping windows of time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from herdbook.arrays import Bools, Floats, Ints
from herdbook.identity.programme import BEGINNING, LEAVES, Programme

# Columns solved in one call; columns beyond which a block is solved in windows, and columns of a window.
BATCH_COLUMNS = 12_000
LARGEST_COLUMNS = 150_000
WINDOW_COLUMNS = 100_000
# HiGHS stops at this distance from the optimum, as a share of it, and after this time for one block.
RELATIVE_GAP = 1e-6
TIME_LIMIT_S = 20.0
# Values this close to an integer are one.
INTEGRAL = 1e-5


@dataclass(frozen=True)
class Solved:
    """Values `x` (columns,) of the columns. Per block: its `value`, an upper `bound` on it, the bound `linear` by the prices of the
    relaxation, and how much it `lacks` of the value of the relaxation, 0 where it was solved in windows. From the relaxation: `worth`
    (columns,), what being there is worth beyond the price of the place, and `shadow` (rows,), that price: what one more place would gain.
    """

    x: Floats
    value: Floats
    bound: Floats
    linear: Floats
    lacks: Floats
    worth: Floats
    shadow: Floats


def solve_programme(programme: Programme) -> Solved:
    """The best values of the columns, block by block. Values of blocks are negative costs, 0 for blocks that have no columns."""
    sizes = np.diff(programme.columns)
    columns, rows = len(programme.cost), len(programme.low)
    value, bound, linear, lacks = np.zeros((4, len(sizes)))
    found = Solved(np.zeros(columns), value, bound, linear, lacks, np.zeros(columns), np.zeros(rows))
    batch: list[int] = []
    filled = 0
    for block in np.flatnonzero(sizes).tolist():
        if sizes[block] > LARGEST_COLUMNS:
            _solve_windows(programme, block, found)
            continue
        batch.append(block)
        filled += sizes[block]
        if filled >= BATCH_COLUMNS:
            _solve_batch(programme, batch, found)
            batch, filled = [], 0
    if batch:
        _solve_batch(programme, batch, found)
    return found


def _solve_batch(programme: Programme, batch: list[int], found: Solved) -> None:
    columns = np.concatenate([np.arange(*programme.columns[b : b + 2]) for b in batch])
    rows = np.concatenate([np.arange(*programme.rows[b : b + 2]) for b in batch])
    matrix, cost = programme.matrix[rows][:, columns], programme.cost[columns]
    least, most = programme.least[columns], programme.most[columns]
    low, high = programme.low[rows], programme.high[rows]
    x, price, ceiling, floor = _relaxed(cost, matrix, low, high, least, most)
    _keep_prices(found, rows, columns, programme, price, ceiling)
    found.x[columns] = x
    # The bound holds for the problem without lower limits, which could gain their marginals on top.
    gained = -cost * x + floor
    for block in batch:
        a, b = programme.columns[block : block + 2]
        here = np.searchsorted(columns, (a, b))
        found.linear[block] = found.bound[block] = gained[slice(*here)].sum()
        there = programme.kind[a:b] <= BEGINNING
        if not _is_whole(found.x[a:b][there]):
            low, high = (side[slice(*programme.rows[block : block + 2])] for side in (programme.low, programme.high))
            part = programme.matrix[slice(*programme.rows[block : block + 2])][:, a:b]
            limits = programme.least[a:b], programme.most[a:b]
            found.x[a:b], bound = _whole(programme.cost[a:b], part, low, high, *limits, there)
            if not programme.least[a:b].any():
                found.bound[block] = min(bound, found.linear[block])
        found.value[block] = -programme.cost[a:b] @ found.x[a:b]
        found.lacks[block] = found.linear[block] - found.value[block]


def _keep_prices(found: Solved, rows: Ints, columns: Ints, programme: Programme, price: Floats, ceiling: Floats) -> None:
    """Write `worth` and `shadow` from the prices of rows and those of the upper limits of columns; equations have no shadow."""
    cost, matrix = programme.cost[columns], programme.matrix[rows][:, columns]
    shadow = np.where(programme.low[rows] == programme.high[rows], 0.0, price)
    found.shadow[rows] = shadow
    found.worth[columns] = -cost - matrix.T @ shadow - ceiling


def _is_whole(values: Floats) -> bool:
    return bool(np.abs(values - values.round()).max(initial=0.0) <= INTEGRAL)


def _relaxed(
    cost: Floats, matrix: csr_array, low: Floats, high: Floats, least: Floats, most: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Values that minimise the cost, and what one more would gain: of each row, of each upper and each lower limit."""
    equal = low == high
    price = np.zeros(len(low))
    upper, even = (matrix[~equal], high[~equal]), (matrix[equal], high[equal])
    limits = np.stack([least, most], 1)
    given: dict[str, Any] = {"A_ub": upper[0], "b_ub": upper[1]} if len(upper[1]) else {}
    given |= {"A_eq": even[0], "b_eq": even[1]} if len(even[1]) else {}
    result = linprog(cost, **given, bounds=limits)  # type: ignore[call-overload]  # a table of limits is allowed
    if result.x is None:
        raise RuntimeError(f"the assignment of identities was not solved: {result.message}")
    if len(upper[1]):
        price[~equal] = -result.ineqlin.marginals
    if len(even[1]):
        price[equal] = -result.eqlin.marginals
    floor = np.where(least > 0, result.lower.marginals, 0.0)
    return result.x, price, -result.upper.marginals, floor


def _whole(cost: Floats, matrix: csr_array, low: Floats, high: Floats, least: Floats, most: Floats, there: Bools) -> tuple[Floats, float]:
    """Values that minimise the cost, those that are `there` as integers, and a bound on the negative cost."""
    result = milp(
        cost,
        integrality=there.astype(int),
        bounds=Bounds(least, most),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": RELATIVE_GAP, "time_limit": TIME_LIMIT_S},
    )
    if result.x is None:
        raise RuntimeError(f"the assignment of identities was not solved: {result.message}")
    bound = np.inf if result.mip_dual_bound is None else -float(result.mip_dual_bound)
    return np.where(there, result.x.round(), result.x), bound


def _solve_windows(programme: Programme, block: int, found: Solved) -> None:
    """Solve one block in windows of time, each of which looks ahead by half of its length, and join their prices."""
    columns, rows = np.arange(*programme.columns[block : block + 2]), np.arange(*programme.rows[block : block + 2])
    matrix = programme.matrix[rows][:, columns]
    low, high = programme.low[rows], programme.high[rows]
    node, onward = programme.node[columns], programme.onward[columns]
    least, most = programme.least[columns], programme.most[columns]
    there, leaves = programme.kind[columns] <= BEGINNING, programme.kind[columns] == LEAVES
    nodes, position = np.unique(node, return_inverse=True)
    # A row belongs to the first tracklet in it.
    row_position = np.minimum.reduceat(position[matrix.indices], matrix.indptr[:-1])
    after = np.where(onward >= 0, np.searchsorted(nodes, onward), -1)
    filled = np.cumsum(np.bincount(position))
    x, ceiling, price = np.zeros(len(columns)), np.zeros(len(columns)), np.zeros(len(rows))
    start = 0
    while start < len(nodes):
        done = filled[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(filled, done + WINDOW_COLUMNS)))
        middle = stop if stop >= len(nodes) else max(start + 1, int(np.searchsorted(filled, done + WINDOW_COLUMNS // 2)))
        # What may still leave may also go on into the window.
        open_end = leaves & (position < start) & (after >= start)
        mine = np.flatnonzero(((position >= start) & (position < stop)) | open_end)
        x[mine] = 0
        part = matrix[:, mine]
        touched = np.diff(part.indptr) > 0
        settled = matrix[touched] @ x
        cost = np.where(leaves & (after >= stop), 0.0, programme.cost[columns])[mine]
        part, bounds = part[touched], (low[touched] - settled, high[touched] - settled)
        value, prices, ceilings, _ = _relaxed(cost, part, *bounds, least[mine], most[mine])
        if not _is_whole(value[there[mine]]):
            value, _ = _whole(cost, part, *bounds, least[mine], most[mine], there[mine])
        kept = (position[mine] < middle) | open_end[mine]
        x[mine[kept]], ceiling[mine[kept]] = value[kept], ceilings[kept]
        priced = (row_position[touched] >= start) & (row_position[touched] < middle)
        price[np.flatnonzero(touched)[priced]] = prices[priced]
        start = middle
    _keep_prices(found, rows, columns, programme, price, ceiling)
    found.x[columns] = x
    found.value[block] = -programme.cost[columns] @ x
    # Any prices bound the optimum: at these each column would be filled that gains, and none that loses.
    gain = -programme.cost[columns] - matrix.T @ price
    filling = np.where(gain > 0, gain * programme.limit[columns], gain * least)
    found.bound[block] = found.linear[block] = price @ high + filling.sum()
