"""The tables into which reviewing writes. One that is not there yet is made beside the experiment file, which then names it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herdbook.app.keys import MISSING, value_at
from herdbook.app.live import Live
from herdbook.app.rows import CORRECTIONS, FACTS, PeopleTable
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.answers import POINT_COLUMNS
from herdbook.experiment.sheets.noted import NOTED_COLUMNS
from herdbook.experiment.sheets.text import read_sheet
from herdbook.system.files import write_durably


@dataclass(frozen=True)
class TableKind:
    """A table that people write: key of the experiment file that names it, its usual file name, and its columns."""

    key: str
    file: str
    columns: Sequence[str]


KINDS = {
    "facts": TableKind("animals.facts", "facts.csv", FACTS),
    "corrections": TableKind("smooth.corrections", "corrections.csv", CORRECTIONS),
    "answers": TableKind("animals.answers", "answers.csv", POINT_COLUMNS),
    "events": TableKind("animals.events", "noted_events.csv", NOTED_COLUMNS),
}


def table_of(live: Live, kind: str) -> PeopleTable:
    """A table of the experiment as its file names it, or where it would be made; nothing is written."""
    one = KINDS[kind]
    given = value_at(live.file.values(), one.key)
    path = _free_path(live, one) if given is MISSING or given is None else live.file.path.parent / str(given)
    if path.suffix.lower() == ".json":
        raise HerdbookError(f"{path}: the app writes into tables (CSV) only. Write the entry there yourself, or save the list as a CSV.")
    return PeopleTable(path, one.columns, live.experiment.folder / "app")


def made_table(live: Live, kind: str) -> PeopleTable:
    """A table of the experiment, made and named in the experiment file if it was not. Raises HerdbookError if the file cannot name it."""
    one, table = KINDS[kind], table_of(live, kind)
    if value_at(live.file.values(), one.key) in (MISSING, None):
        # First the table: a file that names one that is not there cannot be run.
        if not table.path.exists():
            write_durably(table.path, (",".join(one.columns) + "\n").encode())
        live.file.set_now(one.key, table.path.name)
        live.refresh()
    return table


def _free_path(live: Live, kind: TableKind) -> Path:
    """The usual file, unless there is one with rows that may belong to another experiment."""
    folder, name = live.file.path.parent, live.experiment.experiment
    for path in (folder / kind.file, folder / f"{name}_{kind.file}", *(folder / f"{name}_{k}_{kind.file}" for k in range(2, 100))):
        if not path.exists() or _without_rows(path, kind.columns):
            return path
    raise HerdbookError(
        f"{folder}: {kind.file} and a hundred like it are there already. Name one of them in the experiment file: {kind.key}"
    )


def _without_rows(path: Path, columns: Sequence[str]) -> bool:
    try:
        return not read_sheet(path, list(columns)).rows
    except HerdbookError:
        return False
