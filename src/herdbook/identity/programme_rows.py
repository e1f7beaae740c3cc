"""Rows and columns of an integer programme while it is built: added group by group, at the end sorted by block.

They are numbered in the order in which they are added, and sorting keeps that order within each block: which of several equally good
solutions the solver finds depends on it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from herdbook.arrays import Floats, Ints


@dataclass(frozen=True)
class Sorted:
    """Rows or columns in the order of their blocks: `values`, named arrays (count,); `place` int64 (count,), where each one went, by its
    number; `offsets` int64 (blocks + 1,) of each block.
    """

    values: dict[str, NDArray[Any]]
    place: Ints
    offsets: Ints


class _Table:
    """Named arrays of one length that grow by groups."""

    def __init__(self) -> None:
        self.count = 0
        self._groups: dict[str, list[NDArray[Any]]] = {}

    def sorted_by_block(self, blocks: int) -> Sorted:
        """All that was added, in the order of the blocks, which are numbered from 0; within each, in the order in which it was added."""
        values = {name: np.concatenate(groups) for name, groups in self._groups.items()}
        block = values.pop("block")
        order = np.argsort(block, kind="stable")
        place = np.empty(self.count, np.int64)
        place[order] = np.arange(self.count)
        offsets = np.searchsorted(block[order], np.arange(blocks + 1))
        return Sorted({name: array[order] for name, array in values.items()}, place, offsets)

    def _append(self, block: Ints, **values: NDArray[Any] | float) -> Ints:
        for name, value in {"block": block, **values}.items():
            self._groups.setdefault(name, []).append(np.broadcast_to(value, block.shape))
        self.count += len(block)
        return np.arange(self.count - len(block), self.count)


class Columns(_Table):
    """Columns of a programme; the values of each are those that `Programme` describes."""

    def add(
        self,
        kind: int,
        block: Ints,
        node: Ints,
        identity: Ints,
        *,
        cost: Floats,
        limit: Floats,
        least: float = 0.0,
        most: Floats | float = np.inf,
        onward: Ints | int = -1,
    ) -> Ints:
        """Add columns of one kind, one for each `block` (m,), and give their numbers int64 (m,)."""
        return self._append(block, kind=kind, node=node, identity=identity, cost=cost, limit=limit, least=least, most=most, onward=onward)


class Rows(_Table):
    """Rows of a programme; the values of each are those that `Programme` describes. Entries that were not put are 0."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[tuple[Ints, Ints, Floats]] = []

    def add(self, block: Ints, low: float, high: Floats | float, *, holder: Ints | int = -1) -> Ints:
        """Add rows, one for each `block` (m,), and give their numbers int64 (m,)."""
        return self._append(block, low=low, high=high, holder=holder)

    def put(self, row: Ints, column: Ints, value: float) -> None:
        """Put a value where rows (k,) and columns (k,) meet, both by their numbers."""
        self._entries.append((row, column, np.full(len(row), value)))

    def matrix(self, row_place: Ints, column_place: Ints) -> csr_array:
        """The entries, sorted by `Sorted.place` of the rows and of the columns."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        shape = (len(row_place), len(column_place))
        return coo_array((value, (row_place[row], column_place[column])), shape=shape).tocsr()
