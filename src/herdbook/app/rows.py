"""Tables that people write (labels, facts, corrections, answers), one row at a time: on the disk at once, with undo and redo.

A row is known by its content, never by its line. Columns that the app does not know, their order and all other rows stay byte for byte.
"""

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from herdbook.app.saving.journal import CHANGE, REDO, UNDO, VOID, Entry, Journal, NothingToUndoError
from herdbook.app.saving.locks import locked
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.corrections import COLUMNS as CORRECTION_COLUMNS
from herdbook.experiment.sheets.facts import FACT_COLUMNS
from herdbook.experiment.sheets.labels import LABEL_COLUMNS
from herdbook.experiment.sheets.numbers import AmbiguousError, Marks, find_marks
from herdbook.experiment.sheets.text import SAVE_AGAIN, read_sheet
from herdbook.system.cells import as_cell, from_cell
from herdbook.system.files import append_durably, make_writable_folder, write_durably

LABELS, FACTS, CORRECTIONS = LABEL_COLUMNS, FACT_COLUMNS, tuple(column.name for column in CORRECTION_COLUMNS)
# Columns without which the tables can be read.
OPTIONAL = ("last",)
NUMBERS = ("frame", "x", "y", "first", "last")
# More decimals than a person can point at, and fewer than three, which might separate thousands.
DECIMALS = 2
_BOM = b"\xef\xbb\xbf"

Row = Mapping[str, Any]


class RowGoneError(HerdbookError):
    """The row that is to be changed is no longer in the table."""


@dataclass(frozen=True)
class _Text:
    """A table as it is: its bytes, the text up to the end of the header, that of each record with its end, and how cells are written."""

    data: bytes
    head: str
    records: list[str]
    header: list[str]
    delimiter: str
    newline: str
    marks: Marks


class PeopleTable:
    """A table of an experiment; `folder` holds the journal (results/<experiment>/app). Methods raise HerdbookError with the remedy."""

    def __init__(self, path: Path, columns: Sequence[str], folder: Path) -> None:
        self.path, self.columns = path.resolve(), tuple(columns)
        self._folder = folder
        self._journal = Journal(folder)
        self._subject = os.path.relpath(self.path, folder.resolve())

    def rows(self) -> list[dict[str, str]]:
        """The rows in the order of the file, with the texts of all columns; numbers have a decimal point."""
        text = self._read()
        return [row for record in text.records if (row := _cells(record, text))]

    def add(self, *rows: Row) -> None:
        """Append a row, or several as one step; numbers are rounded to 0.01."""
        with self._locked():
            text = self._mended(create=True)
            for row in rows:
                text = self._with_columns(text, row)
            records = [_record(row, text) for row in rows]
            # First the journal: by it a row that a crash cut off is known.
            self._log(CHANGE, [], records, len(text.records))
            self._append(text, "".join(records))

    def last_step(self) -> tuple[int, list[dict[str, str]]]:
        """The number in the journal of the change that `undo` takes back, 0 for none, and the rows that it made."""
        self._journal.refresh()
        try:
            entry = self._journal.to_undo(self._subject)
            text = self._read()
        except HerdbookError:
            return 0, []
        return int(entry["n"]), [_cells(record, text) for record in entry["rows"]["after"]]

    def change(self, old: Row, new: Row) -> None:
        """Give a row, found by the values in `old`, the values in `new`; its other columns stay. Raises RowGoneError."""
        with self._locked():
            text = self._with_columns(self._mended(), new)
            place = self._find(text, old)
            record = _record({**_cells(text.records[place], text), **new}, text)
            before = text.records[place]
            self._write(text, [*text.records[:place], record, *text.records[place + 1 :]])
            self._log(CHANGE, [before], [record], place)

    def remove(self, row: Row) -> None:
        """Take out a row, found by its values. Raises RowGoneError."""
        with self._locked():
            text = self._mended()
            place = self._find(text, row)
            self._write(text, text.records[:place] + text.records[place + 1 :])
            self._log(CHANGE, [text.records[place]], [], place)

    def undo(self) -> list[dict[str, str]]:
        """Undo the last change of this table; returns the rows that are there again. Raises NothingToUndoError, with the reason."""
        return self._step(self._journal.to_undo, UNDO, "after", "before")

    def redo(self) -> list[dict[str, str]]:
        """Make the change again that was undone last; returns its rows. Raises NothingToUndoError, with the reason."""
        return self._step(self._journal.to_redo, REDO, "before", "after")

    def added_since(self, time_s: float) -> list[dict[str, str]]:
        """The rows that this app wrote since a time (s since 1970), and that are still there."""
        self._journal.refresh()
        steps = [entry for entry in self._journal.of(self._subject) if "rows" in entry]
        written = [entry for entry in steps if datetime.fromisoformat(entry["time"]).timestamp() >= time_s]
        records = {record.rstrip("\r\n") for entry in written for record in entry["rows"]["after"]}
        if not records or not self.path.exists():
            return []
        text = self._read()
        return [row for record in text.records if record.rstrip("\r\n") in records and (row := _cells(record, text))]

    def _locked(self) -> Any:
        make_writable_folder(self.path.parent)
        return locked(self.path)

    def _log(self, kind: str, before: list[str], after: list[str], place: int, **more: Any) -> None:
        make_writable_folder(self._folder)
        with locked(self._journal.path):
            self._journal.append(self._subject, kind, rows={"before": before, "after": after, "at": place}, by=os.getpid(), **more)

    def _step(self, find: Callable[[str], Entry], kind: str, now: str, then: str) -> list[dict[str, str]]:
        with self._locked():
            self._journal.refresh()
            entry = find(self._subject)
            text, rows = self._mended(), entry["rows"]
            records, place = list(text.records), rows["at"]
            for record in rows[now]:
                places = [k for k, other in enumerate(records) if _same_record(other, record)]
                if not places:
                    with locked(self._journal.path):
                        self._journal.append(self._subject, VOID, of=entry["n"])
                    raise NothingToUndoError(f"{self.path.name}: the row {record.strip()} was changed since. Change it in the table.")
                place = min(places, key=lambda k: abs(k - rows["at"]))
                del records[place]
            place = min(place, len(records))
            self._write(text, [*records[:place], *rows[then], *records[place:]])
            self._log(kind, rows[now], rows[then], place, of=entry["n"])
            return [_cells(record, text) for record in rows[then]]

    def _read(self, create: bool = False) -> _Text:
        if create and not self.path.exists():
            write_durably(self.path, (",".join(self.columns) + "\n").encode())
        sheet = read_sheet(self.path, [name for name in self.columns if name not in OPTIONAL])
        data = self.path.read_bytes()
        try:
            text = data.removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise HerdbookError(f"{self.path}: the app writes only into tables in UTF-8. {SAVE_AGAIN}.") from error
        records = _records(text, sheet.delimiter)
        named = 1 if text.lstrip('"').lower().startswith("sep=") else 0
        head, body = "".join(records[: named + 1]), records[named + 1 :]
        rows = [dict(zip(sheet.header, cells, strict=False)) for _, cells in sheet.rows]
        marks = find_marks((row.get(name, "") for row in rows for name in NUMBERS if name in sheet.header), sheet.delimiter)
        return _Text(data, head, body, sheet.header, sheet.delimiter, "\r\n" if "\r\n" in head else "\n", marks)

    def _mended(self, create: bool = False) -> _Text:
        """The table without a last row of this app that a crash cut off."""
        text = self._read(create)
        if text.data.endswith(b"\n") or not text.records:
            return text
        self._journal.refresh()
        added = [entry["rows"]["after"] for entry in self._journal.of(self._subject)[-1:] if entry["kind"] == CHANGE]
        tail = text.records[-1]
        if any(record.startswith(tail) and not _same_record(record, tail) for records in added for record in records):
            self._write(text, text.records[:-1])
            return self._read()
        return text

    def _with_columns(self, text: _Text, row: Row) -> _Text:
        """The table with the columns of the row that it may lack."""
        lacking = [name for name in row if name in self.columns and name not in text.header and str(row[name] or "")]
        if not lacking:
            return text
        end = text.head[len(text.head.rstrip("\r\n")) :] or text.newline
        head = text.head.rstrip("\r\n") + "".join(f"{text.delimiter}{name}" for name in lacking) + end
        self._write(text, text.records, head)
        return self._read()

    def _append(self, text: _Text, record: str) -> None:
        whole = not text.data or text.data.endswith(b"\n")
        append_durably(self.path, (record if whole else text.newline + record).encode())

    def _write(self, text: _Text, records: Sequence[str], head: str | None = None) -> None:
        """Put the rows in place of those that were read, unless another program changed the table in between."""
        if self.path.read_bytes() != text.data:
            raise HerdbookError(f"{self.path}: another program wrote into the table just now. Try again.")
        parts = [text.head if head is None else head, *records]
        ended = [part if part.endswith("\n") or part is parts[-1] else part + text.newline for part in parts]
        bom = _BOM if text.data.startswith(_BOM) else b""
        write_durably(self.path, bom + "".join(ended).encode())

    def _find(self, text: _Text, row: Row) -> int:
        """The place of the last row that has all of these values."""
        for place in range(len(text.records) - 1, -1, -1):
            cells = _cells(text.records[place], text)
            if cells and all(_alike(cells.get(name, ""), value) for name, value in row.items()):
                return place
        shown = ", ".join(f"{name} {value}" for name, value in row.items())
        raise RowGoneError(f"{self.path.name}: there is no row with {shown}. It was changed or removed elsewhere: look at the table again.")


def _records(text: str, delimiter: str) -> list[str]:
    """The text of each record of a table, with its end; a quoted cell may hold line breaks."""
    lines = io.StringIO(text, newline="").readlines()
    reader, records, done = csv.reader(lines, delimiter=delimiter), [], 0
    for _ in reader:
        records.append("".join(lines[done : reader.line_num]))
        done = reader.line_num
    return records


def _cells(record: str, text: _Text) -> dict[str, str]:
    """The cells of a record by column, nothing for an empty one."""
    cells = next(csv.reader(io.StringIO(record, newline=""), delimiter=text.delimiter), [])
    if not any(cell.strip() for cell in cells):
        return {}
    found = dict(zip(text.header, [*(from_cell(cell.strip()) for cell in cells), *[""] * len(text.header)], strict=False))
    return {name: _plain(cell, text.marks) if name in NUMBERS else cell for name, cell in found.items()}


def _plain(cell: str, marks: Marks) -> str:
    try:
        return marks.plain(cell)
    except AmbiguousError:
        return cell


def _record(row: Row, text: _Text) -> str:
    out = io.StringIO(newline="")
    comma = text.marks.decimal == {","}
    cells = [_cell(row.get(name), comma and name in NUMBERS) for name in text.header]
    csv.writer(out, delimiter=text.delimiter, lineterminator=text.newline).writerow(cells)
    return out.getvalue()


def _cell(value: Any, comma: bool) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        value = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
        value = "0" if value == "-0" else value
    return str(value).replace(".", ",") if comma else as_cell(str(value))


def _alike(cell: str, value: Any) -> bool:
    wanted = _cell(value, False)
    if cell == from_cell(wanted):
        return True
    try:
        return round(float(cell), DECIMALS) == round(float(wanted), DECIMALS)
    except ValueError:
        return False


def _same_record(one: str, other: str) -> bool:
    return one.rstrip("\r\n") == other.rstrip("\r\n")
