"""Tables of DeepLabCut as text, as DeepLabCut writes them or as a spreadsheet saved them."""

import csv
import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.arrays import Floats
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.numbers import AmbiguousError, find_marks
from herdbook.experiment.sheets.text import DELIMITERS, MOST_BYTES_OF_PROGRAMS, named_delimiter, read_text
from herdbook.formats.deeplabcut_hdf5 import LEVELS
from herdbook.system.cells import from_cell

COORDS = ("x", "y", "likelihood")


def read_csv_table(path: Path) -> pd.DataFrame:
    """The table of a file, columns as in LEVELS, rows as they are named in its first columns.

    Raises HerdbookError for a file that holds no such table, with its line for a row that is too short or too long, or holds no numbers.
    """
    named, body = named_delimiter(read_text(path, most_bytes=MOST_BYTES_OF_PROGRAMS))
    for delimiter in [named] if named else DELIMITERS:
        try:
            head = list(islice(csv.reader(io.StringIO(body, newline=""), delimiter=delimiter), len(LEVELS[1])))
        except csv.Error:
            continue
        levels = next((names for names in LEVELS if [row[0].strip() for row in head[: len(names)] if row] == names), None)
        if levels:
            break
    else:
        raise HerdbookError(f"{path}: expected a table of DeepLabCut, whose first column begins with {', '.join(LEVELS[0])}")
    head = [[from_cell(cell.strip()) for cell in row] for row in head[: len(levels)]]
    if len({len(row) for row in head}) > 1:
        raise HerdbookError(
            f"{path}: lines 1 to {len(head)} name {' and '.join(str(len(row)) for row in head)} columns, expected as many each"
        )
    # Spreadsheets may add columns without a name.
    columns = [k for k, names in enumerate(zip(*head, strict=True)) if any(names)]
    first = next((k for k in columns if head[-1][k] in COORDS), len(head[0]))
    columns = [k for k in columns if k >= first]
    if not columns:
        raise HerdbookError(f"{path}: expected a table of DeepLabCut, found no columns {', '.join(COORDS)} in its line {len(head)}")
    index, values = _read_rows(path, body, delimiter, len(levels), head, first, columns, lines_before=1 if named else 0)
    names = pd.MultiIndex.from_tuples([tuple(row[k] for row in head) for k in columns], names=levels)
    return pd.DataFrame(values, index=index, columns=names)


def _read_rows(
    path: Path,
    body: str,
    delimiter: str,
    skipped: int,
    head: Sequence[Sequence[str]],
    first: int,
    columns: Sequence[int],
    lines_before: int,
) -> tuple[pd.Index, Floats]:
    """The names of the rows, which stand before the column `first`, and their values (rows, columns), NaN where empty."""
    lines = body.splitlines()
    width = len(head[0])
    plain = delimiter == "," and '"' not in body and all(line.count(",") == width - 1 and line[0] != "," for line in lines[skipped:])
    if plain:
        try:
            table = pd.read_csv(
                io.StringIO(body), header=None, skiprows=skipped, dtype={**dict.fromkeys(range(first), str)}, low_memory=False
            )
            values = table[list(columns)].to_numpy(np.float64)
            return _index([tuple(row) for row in table[list(range(first))].fillna("").to_numpy().tolist()]), values
        except (ValueError, pd.errors.EmptyDataError):
            # The other way names the line.
            pass
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    for cells in islice(reader, skipped, None):
        if any(cell.strip() for cell in cells):
            if len(cells) != width:
                where = reader.line_num + lines_before
                raise HerdbookError(f"{path}: line {where} has {len(cells)} cells, the header has {width}. Write or copy the table again.")
            rows.append((reader.line_num + lines_before, [cell.strip() for cell in cells]))
    marks = find_marks((cells[k] for _, cells in rows for k in columns), delimiter)
    values = np.full((len(rows), len(columns)), np.nan)
    entries = []
    for row, (line, cells) in enumerate(rows):
        for k in (*range(first), *columns):
            name = " ".join(names[k] for names in head[1:]) if k >= first else "the frame"
            try:
                cells[k] = marks.plain(cells[k])
                if k >= first:
                    values[row, columns.index(k)] = float(cells[k] or "nan")
            except AmbiguousError as error:
                raise HerdbookError(f"{path}: line {line}: {name} {error}.") from error
            except ValueError as error:
                raise HerdbookError(f"{path}: line {line}: {name} must be a number, found {cells[k]!r:.100}") from error
        entries.append(tuple(cells[:first]))
    return _index(entries), values


def _index(entries: Sequence[tuple[str, ...]]) -> pd.Index:
    if not entries or len(entries[0]) == 1:
        return pd.Index([entry[0] for entry in entries])
    return pd.MultiIndex.from_tuples(entries)
