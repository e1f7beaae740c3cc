"""Reading a table that a person wrote; faults name the file and the line."""

import csv
from collections.abc import Sequence
from pathlib import Path

from herdbook.errors import HerdbookError


def refuse_lines(path: Path, faults: Sequence[str]) -> None:
    """Raise HerdbookError with the faults of a table's lines, the first ten in words, if there are any."""
    if faults:
        more = f"\n  and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise HerdbookError(f"{path}: {len(faults)} faulty lines:\n  " + "\n  ".join(faults[:10]) + more)


def read_table(path: Path, delimiter: str, required: Sequence[str]) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header and rows of a text table, each row with its line in the file and its cells by column.

    Raises HerdbookError when the file or one of the required columns is missing, or when it is no text.
    """
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Expected a table with the columns {', '.join(required)}.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter=delimiter, restval="")
            header = [h.strip() for h in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [
                (reader.line_num, {k: (v or "").strip() for k, v in row.items() if k is not None and isinstance(v, str)}) for row in reader
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise HerdbookError(f"{path}: not a readable text table ({error}).") from error
    missing = [c for c in required if c not in header]
    if missing:
        kind = "tab" if delimiter == "\t" else "comma"
        raise HerdbookError(f"{path}: missing columns {', '.join(missing)}; found {', '.join(header) or 'nothing'} ({kind}-separated).")
    return header, rows
