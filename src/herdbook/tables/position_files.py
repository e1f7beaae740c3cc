"""Reading the columns of tables of positions, which may have millions of rows or come from a spreadsheet."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from herdbook.errors import HerdbookError, parsing
from herdbook.experiment.sheets.numbers import AmbiguousError, find_marks
from herdbook.experiment.sheets.table import NUMBER_OR_EMPTY, Column, read_table, refuse_cut_rows
from herdbook.experiment.sheets.text import MOST_BYTES_OF_PROGRAMS, composed
from herdbook.system.cells import from_cells

UNKNOWN = ["", "nan", "NaN", "NA"]
NEEDED = ("frame", "x", "y")


def read_columns(path: Path, numbers: Sequence[str], texts: Collection[str]) -> pd.DataFrame:
    """Those of the columns `numbers` and `texts` that a table has: texts as str, numbers as float or, if one cannot be read, as object.

    A plain table, as programs write it, is read in bulk; any other one by the reader of all tables that people write. Raises HerdbookError
    for a file that cannot be read, or whose numbers or letters can be read in two ways.
    """
    with parsing(path, "cannot be read as a table of positions", f"Expected the columns {', '.join(NEEDED)} and others."):
        try:
            table = _read_plain(path, numbers, texts) if _is_plain(path) else None
        except UnicodeDecodeError:
            table = None
    if table is None:
        table = _read_sheet(path, numbers, texts)
    for column in (column for column in texts if column in table):
        spellings = {name: composed(name) for name in table[column].unique()}
        if any(name != spelled for name, spelled in spellings.items()):
            table[column] = table[column].map(spellings)
    return table


def _is_plain(path: Path) -> bool:
    """Whether commas separate the cells, none is quoted, all lines have as many, and none begins with an empty one, as empty rows do."""
    with path.open("rb") as file:
        header = file.readline()
        commas = header.count(b",")
        if not header.strip():
            return True
        if not commas or any(mark in header for mark in (b'"', b";", b"\t", b"\0")):
            return False
        return all(line.count(b",") == commas and b'"' not in line and line[:1] != b"," for line in file)


def _read_plain(path: Path, numbers: Sequence[str], texts: Collection[str]) -> pd.DataFrame:
    known = {*numbers, *texts}
    table = pd.read_csv(
        path,
        encoding="utf-8-sig",
        skipinitialspace=True,
        usecols=lambda column: column in known,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={column: UNKNOWN for column in numbers},
        low_memory=False,
    )
    return table.assign(**{name: from_cells(table[name]) for name in texts if name in table})


def _read_sheet(path: Path, numbers: Sequence[str], texts: Collection[str]) -> pd.DataFrame:
    columns = [Column(name, NUMBER_OR_EMPTY, optional=name not in NEEDED) for name in numbers]
    columns += [Column(name, optional=True) for name in texts]
    sheet = read_table(path, columns, MOST_BYTES_OF_PROGRAMS)
    refuse_cut_rows(path, sheet, columns)
    place = {name: sheet.header.index(name) for name in (*numbers, *texts) if name in sheet.header}
    cells = {name: [row[k] if k < len(row) else "" for _, row in sheet.rows] for name, k in place.items()}
    marks = find_marks((cell for name in numbers for cell in cells.get(name, [])), sheet.delimiter)
    for name in (name for name in numbers if name in cells):
        for k, (line, _) in enumerate(sheet.rows):
            try:
                cells[name][k] = marks.plain(cells[name][k])
            except AmbiguousError as error:
                raise HerdbookError(f"{path}, line {line}: {name} {error}.") from error
    table = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in cells.items()})
    for name in (name for name in numbers if name in table):
        values = pd.to_numeric(table[name].where(~table[name].isin(UNKNOWN)), errors="coerce")
        # A column with a cell that is no number is left as text, for the message about it.
        table[name] = values if (values.isna() == table[name].isin(UNKNOWN)).all() else table[name].where(~table[name].isin(UNKNOWN))
    return table
