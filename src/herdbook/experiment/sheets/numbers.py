"""Numbers as people and spreadsheets write them: 33.5 or 33,5. What can be read in two ways is refused."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# A number with one mark, and one that could as well be thousands: 1 to 3 digits before the mark, 3 after it.
_MARKED = re.compile(r"[+-]?\d*([.,])\d*(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


class AmbiguousError(ValueError):
    """A number that can be read in two ways; the text of the error shows both."""


@dataclass(frozen=True)
class Marks:
    """What a point and a comma in a number of one table mean.

    `decimal`: the marks that some number of the table shows to be decimal, such as the comma by 33,5. `delimiter` separates the cells.
    """

    decimal: frozenset[str] = frozenset()
    delimiter: str = ","

    def plain(self, cell: str) -> str:
        """The number with a decimal point. Raises AmbiguousError if its mark could as well separate thousands.

        Texts of another form come back as they are.
        """
        found = _MARKED.fullmatch(cell)
        if not found:
            return cell
        mark = found[1]
        if _GROUPED.fullmatch(cell) and not self._is_decimal(mark):
            readings = f"{cell.replace(mark, '.')} or {cell.replace(mark, '')}"
            raise AmbiguousError(f"can be read in two ways: {cell!r} is {readings}; write all numbers of the table with a decimal point")
        return cell.replace(",", ".")

    def _is_decimal(self, mark: str) -> bool:
        other = "," if mark == "." else "."
        if other in self.decimal:
            return False
        # Programs separate cells by semicolons where the comma is the decimal mark; elsewhere a point is one.
        return mark in self.decimal or (mark == ",") == (self.delimiter == ";")


def find_marks(cells: Iterable[str], delimiter: str) -> Marks:
    """What the numbers among the cells show of the marks of a table."""
    marked = (found for cell in cells if (found := _MARKED.fullmatch(cell)) and not _GROUPED.fullmatch(cell))
    return Marks(frozenset(found[1] for found in marked), delimiter)


def whole_number(cell: str) -> int:
    """The whole number of a text such as 10 or 10.0. Raises ValueError for another one."""
    whole, _, fraction = cell.partition(".")
    if fraction.strip("0"):
        raise ValueError(f"{cell} is not whole")
    return int(whole)
