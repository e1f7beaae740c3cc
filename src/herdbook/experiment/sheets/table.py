"""The reader of tables that users write: cells are checked by column, and one message lists all faults of a table.

The module of each table describes its columns, and builds an object from the values of a row. How files are decoded and cut into cells is
said in `text`, how numbers are read in `numbers`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.sheets.numbers import AmbiguousError, Marks, find_marks, whole_number
from herdbook.experiment.sheets.text import MOST_BYTES, Sheet, composed, read_sheet

Cells = Mapping[str, str]
Row = TypeVar("Row")

# Messages must fit on a screen.
MOST_FAULTS, MOST_CHARACTERS = 10, 100
# No movie is so wide: such a number is a typing error, and too large for computations with positions.
FARTHEST_PX = 1e9

_repr = Repr()
_repr.maxstring = MOST_CHARACTERS


@dataclass(frozen=True)
class Kind:
    """Kind of the values in a column; `description` is used in messages.

    `parse` converts the text of a cell, or raises ValueError or LookupError; `accepts` is false for a value that is out of range. Cells of
    a `number` are given to `parse` with a decimal point.
    """

    description: str
    parse: Callable[[str], Any]
    accepts: Callable[[Any], bool] = lambda value: True
    number: bool = False


def _float_or_nan(cell: str) -> float:
    return float(cell or "nan")


TEXT = Kind("a text", composed)
# Names of files are not composed: some systems store them with decomposed letters.
PATH = Kind("a path", str)
WHOLE = Kind("a whole number", whole_number, number=True)
FRAME = Kind("a whole number from 0", whole_number, lambda frame: frame >= 0, number=True)
NUMBER = Kind("a number", float, number=True)
NUMBER_OR_EMPTY = Kind("a number, or empty", _float_or_nan, number=True)
PX = Kind("a number of px below 1e9", float, lambda px: abs(px) < FARTHEST_PX, number=True)
PX_OR_EMPTY = Kind("a number of px below 1e9, or empty", _float_or_nan, lambda px: not abs(px) >= FARTHEST_PX, number=True)


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
    """Read a table. Returns one object per row, built by `make` as in `make_rows`."""
    sheet = read_table(path, columns)
    refuse_cut_rows(path, sheet, columns)
    return make_rows(path, rows_of(sheet), columns, make, delimiter=sheet.delimiter)


def make_rows(
    path: Path,
    rows: Sequence[tuple[int, Cells]],
    columns: Sequence[Column],
    make: Callable[..., Row],
    unit: str = "line",
    delimiter: str = ",",
) -> list[Row]:
    """Check rows, each given with its number in the file, and build one object per row.

    `make(line=number, **values)` gets the values by name of their column. It may raise ValueError for values that are valid alone but not
    together. `unit` is the word for a row in messages, `delimiter` what separates the cells. Raises HerdbookError with all faults of all
    rows at once.
    """
    made, faults = [], []
    reader = _RowReader(columns, rows, delimiter)
    for number, cells in rows:
        values, found = reader.values(cells)
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


def read_table(path: Path, columns: Sequence[Column], most_bytes: int = MOST_BYTES) -> Sheet:
    """The text of a table that has all `columns` that are not optional, in any order and among others, and each only once.

    Raises HerdbookError if the file or a column is missing, if a column is there twice, or if the file is not text.
    """
    sheet = read_sheet(path, [column.name for column in columns if not column.optional], most_bytes)
    twice = [column.name for column in columns if sheet.header.count(column.name) > 1]
    if twice:
        raise HerdbookError(f"{path}: the column {twice[0]} is there {sheet.header.count(twice[0])} times. Delete or rename the others.")
    return sheet


def rows_of(sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table, each with its line in the file and its cells by column; cells that a short row lacks are empty."""
    width = len(sheet.header)
    return [(line, dict(zip(sheet.header, [*cells, *[""] * (width - len(cells))], strict=False))) for line, cells in sheet.rows]


def refuse_cut_rows(path: Path, sheet: Sheet, columns: Sequence[Column]) -> None:
    """Raise HerdbookError for rows with fewer or more cells than the header where something else would be read than was meant."""
    refuse_faults(path, list(_faults_of_length(sheet, columns)))


def _faults_of_length(sheet: Sheet, columns: Sequence[Column]) -> Iterator[str]:
    for line, cells in sheet.rows:
        # An empty cell is told by its own column unless that may be empty.
        lacking = [c.name for c in columns if not c.optional and c.name in sheet.header[len(cells) :] and _may_be_empty(c)]
        if lacking:
            yield f"line {line}: the line ends before {', '.join(lacking)}: it has {len(cells)} cells, the header has {len(sheet.header)}"
        joined = _with_joined_numbers(cells, sheet, columns) if len(cells) > len(sheet.header) else None
        if joined:
            pairs = [f"{name} {cells[k]} or {joined[name]}" for k, name in enumerate(sheet.header) if joined[name] != cells[k]]
            yield (
                f"line {line}: its {len(cells)} cells can be read in two ways under a header of {len(sheet.header)}: {', '.join(pairs)}. "
                "Write decimal points, or save the table with semicolons"
            )


def _may_be_empty(column: Column) -> bool:
    try:
        return column.among is None and column.kind.accepts(column.kind.parse(""))
    except (ValueError, LookupError):
        return False


def _with_joined_numbers(cells: Sequence[str], sheet: Sheet, columns: Sequence[Column]) -> dict[str, str] | None:
    """The cells by column if the separator is also the decimal mark of some numbers, None if the row makes no sense so."""
    numbers = {column.name for column in columns if column.kind.number}
    reader = _RowReader(columns, [], sheet.delimiter)
    for widths in product(*((1, 2) if name in numbers else (1,) for name in sheet.header)):
        if sum(widths) != len(cells):
            continue
        waiting = iter(cells)
        parts = [[next(waiting) for _ in range(width)] for width in widths]
        if all(len(part) == 1 or (part[0].lstrip("+-").isdigit() and part[1].isdigit()) for part in parts):
            joined = {name: ".".join(part) for name, part in zip(sheet.header, parts, strict=True)}
            if not reader.values(joined)[1]:
                return joined
    return None


class _RowReader:
    """Reads the values of rows of one table, whose numbers show together what their marks mean."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[tuple[int, Cells]], delimiter: str) -> None:
        self.columns = columns
        numbers = [column.name for column in columns if column.kind.number]
        self.marks: Marks = find_marks((cells.get(name, "") for _, cells in rows for name in numbers), delimiter)
        self.names = {c.name: {composed(name): name for name in c.among} for c in columns if c.among is not None}

    def values(self, cells: Cells) -> tuple[dict[str, Any], list[str]]:
        """The values of a row by column, and its faults."""
        missing = [column.name for column in self.columns if not column.optional and column.name not in cells]
        if missing:
            return {}, [f"missing {', '.join(missing)}; found {', '.join(cells) or 'nothing'}"]
        values, faults = {}, []
        for column in self.columns:
            cell = cells.get(column.name, "")
            if not (column.needed(cells) if column.needed else cell or not column.optional):
                continue
            try:
                values[column.name] = column.kind.parse(self.marks.plain(cell) if column.kind.number else cell)
                fit = column.kind.accepts(values[column.name])
            except AmbiguousError as error:
                faults.append(f"{column.name} {error}")
                continue
            except (ValueError, LookupError, ArithmeticError):
                fit = False
            if not fit:
                faults.append(f"{column.name} must be {column.kind.description}, found {_repr.repr(cell)}")
            elif column.among is not None:
                names = self.names[column.name]
                if composed(cell) in names:
                    values[column.name] = names[composed(cell)]
                else:
                    where = f" among {column.listed}" if column.listed else ""
                    faults.append(f"there is no {column.name} {_repr.repr(cell)}{where}; {nearest(cell, column.among)}")
        return values, faults
