"""The reader of tables that users write: cells are checked by column, and one message lists all faults of a table.

The module of each table describes its columns, and builds an object from the values of a row.
"""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from herdbook.errors import HerdbookError, nearest
from herdbook.system.cells import from_cell

Cells = Mapping[str, str]
Row = TypeVar("Row")

# Messages must fit on a screen.
MOST_FAULTS, MOST_CHARACTERS = 10, 100
# As Python objects cells take up to twenty times their size; a million rows take half of this.
MOST_BYTES = 1 << 26
# No movie is so wide: such a number is a typing error, and too large for computations with positions.
FARTHEST_PX = 1e9

_repr = Repr()
_repr.maxstring = MOST_CHARACTERS


@dataclass(frozen=True)
class Kind:
    """Kind of the values in a column; `description` is used in messages.

    `parse` converts the text of a cell, or raises ValueError or LookupError; `accepts` is false for a value that is out of range.
    """

    description: str
    parse: Callable[[str], Any]
    accepts: Callable[[Any], bool] = lambda value: True


def _float_or_nan(cell: str) -> float:
    return float(cell or "nan")


TEXT = Kind("a text", str)
WHOLE = Kind("a whole number", int)
FRAME = Kind("a whole number from 0", int, lambda frame: frame >= 0)
NUMBER = Kind("a number", float)
NUMBER_OR_EMPTY = Kind("a number, or empty", _float_or_nan)
PX = Kind("a number of px below 1e9", float, lambda px: abs(px) < FARTHEST_PX)
PX_OR_EMPTY = Kind("a number of px below 1e9, or empty", _float_or_nan, lambda px: not abs(px) >= FARTHEST_PX)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `among`: allowed values of its cells, None for any; `listed`: where these are listed, for messages. An `optional` column may be missing,
    and its cells may be empty. `needed` decides from all cells of a row whether this cell is read; a cell that is not read has no value.
    """

    name: str
    kind: Kind = TEXT
    among: Collection[str] | None = None
    listed: str = ""
    optional: bool = False
    needed: Callable[[Cells], bool] | None = None


def read_rows(path: Path, columns: Sequence[Column], make: Callable[..., Row]) -> list[Row]:
    """Read a comma-separated table. Returns one object per row, built by `make` as in `make_rows`."""
    _, rows = read_table(path, ",", [column.name for column in columns if not column.optional])
    return make_rows(path, rows, columns, make)


def make_rows(
    path: Path, rows: Sequence[tuple[int, Cells]], columns: Sequence[Column], make: Callable[..., Row], unit: str = "line"
) -> list[Row]:
    """Check rows, each given with its number in the file, and build one object per row.

    `make(line=number, **values)` gets the values by name of their column. It may raise ValueError for values that are valid alone but not
    together. `unit` is the word for a row in messages. Raises HerdbookError with all faults of all rows at once.
    """
    made, faults = [], []
    for number, cells in rows:
        values, found = _values(columns, cells)
        if not found:
            try:
                made.append(make(line=number, **values))
            except ValueError as error:
                found = [str(error)]
        faults += [f"{unit} {number}: {fault}" for fault in found]
    refuse_faults(path, faults)
    return made


def refuse_faults(path: Path, faults: Sequence[str]) -> None:
    """Raise HerdbookError if a table has faults; the message shows the first ten."""
    if faults:
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise HerdbookError("\n  ".join([f"{path}: {count} in the table:", *faults[:MOST_FAULTS], *more]))


def read_table(path: Path, delimiter: str, required: Sequence[str]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows of a text table, each row with its line in the file and its cells by column.

    Raises HerdbookError if the file or one of the required columns is missing, or if it is not text.
    """
    text = read_text(path, required)
    try:
        header, rows = _split(text, delimiter)
    except csv.Error as error:
        raise HerdbookError(f"{path}: not a readable text table ({error}).") from error
    missing = [name for name in required if name not in header]
    if missing:
        kind = "tab" if delimiter == "\t" else "comma"
        raise HerdbookError(f"{path}: missing columns {', '.join(missing)}; found {', '.join(header) or 'nothing'} ({kind}-separated).")
    return header, rows


def read_text(path: Path, columns: Sequence[str]) -> str:
    """The text of a table; `columns`, which it should have, are for the message. Only this function decides which encodings are read.

    Raises HerdbookError if there is no such file, or if it is not text.
    """
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Expected a table with the columns {', '.join(columns)}.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise HerdbookError(f"{path}: has {size >> 20} MB, at most {MOST_BYTES >> 20} MB of a table are read. Is it the right file?")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HerdbookError(f"{path}: not a readable text table ({error}).") from error


def _split(text: str, delimiter: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows of the text of a table, as in `read_table`. Only this function decides how cells are separated."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    # csv puts cells beyond the header into one list under the name None.
    rows = [(reader.line_num, {name: from_cell(cell.strip()) for name, cell in row.items() if isinstance(cell, str)}) for row in reader]
    return header, rows


def _values(columns: Sequence[Column], cells: Cells) -> tuple[dict[str, Any], list[str]]:
    """The values of a row by column, and its faults."""
    missing = [column.name for column in columns if not column.optional and column.name not in cells]
    if missing:
        return {}, [f"missing {', '.join(missing)}; found {', '.join(cells) or 'nothing'}"]
    values, faults = {}, []
    for column in columns:
        cell = cells.get(column.name, "")
        if not (column.needed(cells) if column.needed else cell or not column.optional):
            continue
        try:
            values[column.name] = column.kind.parse(cell)
            fit = column.kind.accepts(values[column.name])
        except (ValueError, LookupError, ArithmeticError):
            fit = False
        if not fit:
            faults.append(f"{column.name} must be {column.kind.description}, found {_repr.repr(cell)}")
        elif column.among is not None and cell not in column.among:
            where = f" among {column.listed}" if column.listed else ""
            faults.append(f"there is no {column.name} {_repr.repr(cell)}{where}; {nearest(cell, column.among)}")
    return values, faults
