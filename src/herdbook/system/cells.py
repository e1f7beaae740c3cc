"""Texts in tables that people open with a spreadsheet: one that begins like a formula is written so that it is shown and not calculated.

A name may come from anybody's file, and a spreadsheet runs =HYPERLINK(...) or @SUM(...), also as -2+cmd|... . Before such a text stands ',
which a spreadsheet takes for the sign of a text; the readers of Herdbook take it away again. Numbers are left as they are.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Also the wide signs of Japanese and Chinese keyboards. Texts that have the mark already get another one, so that each can be read back.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]")


def as_cell(text: str) -> str:
    """A text as the cell of a table."""
    return f"'{text}" if _begins_formula(text) else text


def from_cell(cell: str) -> str:
    """The text of a cell that `as_cell` gave; a cell that it did not give stays as it is."""
    return cell[1:] if cell.startswith("'") and _begins_formula(cell[1:]) else cell


def as_cells(table: "pd.DataFrame") -> "pd.DataFrame":
    """A table with all of its texts as cells, in its columns and their names."""
    written = table.copy(deep=False)
    for name in table.columns:
        if table[name].dtype.kind == "O":
            risky = {text: cell for text in table[name].unique() if isinstance(text, str) and (cell := as_cell(text)) != text}
            if risky:
                written[name] = table[name].replace(risky)
    return written.rename(columns=lambda name: as_cell(str(name)))


def from_cells(texts: "pd.Series[str]") -> "pd.Series[str]":
    """The texts of a column of cells."""
    risky = {cell: from_cell(cell) for cell in texts.unique() if isinstance(cell, str) and from_cell(cell) != cell}
    return texts.replace(risky) if risky else texts


def _begins_formula(text: str) -> bool:
    if not _FORMULA.match(text):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
