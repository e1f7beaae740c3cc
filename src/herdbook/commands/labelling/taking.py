"""`herdbook suggest --take`: names that a person filled into tables of suggestions become rows of labels.csv."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.commands.labelling.candidates import classes_of, labels_of
from herdbook.commands.labelling.suggest import filled_rows
from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.labels import LABEL_COLUMNS
from herdbook.experiment.sheets.text import read_sheet
from herdbook.system.cells import as_cell, from_cell
from herdbook.system.files import append_durably, write_durably

# Written in place of a name, they take the name of the column guess.
ACCEPTED = ("=", "ok", "yes", "y")


@dataclass(frozen=True)
class Taken:
    """How many rows were `added` to the labels, how many were there already, and faults, one text for each row that cannot be used."""

    added: int
    there: int
    faults: list[str]


def filled_tables(folder: Path) -> list[Path]:
    """The tables of suggestions of all rounds in which names are filled in."""
    paths = [*sorted(folder.glob("round*/suggested.csv"), key=lambda path: (len(path.parent.name), path)), folder / "suggested.csv"]
    return [path for path in paths if filled_rows(path)]


def take_answers(experiment: Experiment, tables: Sequence[Path]) -> Taken:
    """Append the filled in rows of these tables to the labels of the experiment. With faults, nothing is written.

    Raises HerdbookError if the experiment names no table of labels, or if that cannot be written.
    """
    if experiment.animals.labels is None:
        raise HerdbookError(f"{experiment.experiment}: animals.labels names no table. Add labels: labels.csv to the section animals.")
    known = {(one.movie, one.frame, round(one.x, 1), round(one.y, 1), one.label) for one in labels_of(experiment)}
    names, rows, faults, there = classes_of(experiment), [], [], 0
    for path in tables:
        for row in filled_rows(path):
            name = from_cell(row["label"].strip())
            if name.lower() in ACCEPTED and name not in names:
                name = from_cell(row.get("guess") or "")
            place = f"{path}, {row['movie']}, frame {row['frame']}"
            if name not in names:
                accepts = "there is no guess to accept" if not name else f"there is no name {name!r}; {nearest(name, names)}"
                faults.append(f"{place}: {accepts}")
                continue
            values = (from_cell(row["movie"]), int(row["frame"]), round(float(row["x"]), 1), round(float(row["y"]), 1), name)
            if values in known:
                there += 1
            else:
                known.add(values)
                rows.append(values)
    if rows and not faults:
        _append(Path(experiment.animals.labels), rows)
    return Taken(0 if faults else len(rows), there, faults)


def _append(path: Path, rows: Sequence[tuple[str, int, float, float, str]]) -> None:
    if not path.is_file():
        write_durably(path, (",".join(LABEL_COLUMNS) + "\n").encode())
    sheet = read_sheet(path, list(LABEL_COLUMNS))
    if sheet.delimiter != ",":
        raise HerdbookError(f"{path}: expected commas between the cells, found {sheet.delimiter!r}. Add the rows by hand.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        cells = dict(zip(LABEL_COLUMNS, row, strict=True))
        shown = [cells.get(name, "") for name in sheet.header]
        writer.writerow([as_cell(value) if isinstance(value, str) else value for value in shown])
    whole = path.read_bytes().endswith(b"\n")
    append_durably(path, (text.getvalue() if whole else "\n" + text.getvalue()).encode())
