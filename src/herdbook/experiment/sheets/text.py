"""The text of a table as spreadsheets and editors save it: its encoding, what separates its cells, and its rows.

Names may be written with composed letters (ä as one character) or, as on macOS, with decomposed ones (a and a diaeresis); both look alike.
Text cells and the names of the experiment are compared in the composed form, NFC.
"""

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from herdbook.errors import HerdbookError
from herdbook.system.cells import from_cell

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAVE_AGAIN = "Save the table as CSV UTF-8"
# Tables that people write; those of programs, such as a network's, may be larger.
MOST_BYTES, MOST_BYTES_OF_PROGRAMS = 1 << 26, 1 << 30
# Messages must fit on a screen.
MOST_SHOWN = 100


@dataclass(frozen=True)
class Sheet:
    """A table as text: its header, its rows, each with its line in the file and its cells in order, and what separates the cells."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str


def composed(text: str) -> str:
    """The text with composed letters, NFC."""
    return normalize("NFC", text)


def read_text(path: Path, columns: Sequence[str] = (), *, unicode_only: bool = False, most_bytes: int = MOST_BYTES) -> str:
    """The text of a table; `columns`, which it should have, are for the message. Only this function decides which encodings are read.

    Read are UTF-8, UTF-16 and UTF-32, and, unless `unicode_only`, Windows-1252 where it cannot be mistaken for Mac Roman. Raises
    HerdbookError if there is no such file, if it is larger than `most_bytes` or not text, or if its letters can be read in two ways.
    """
    if not path.is_file():
        expected = f" with the columns {', '.join(columns)}" if columns else ""
        raise HerdbookError(f"{path}: there is no such file. Expected a table{expected}.")
    size = path.stat().st_size
    if size > most_bytes:
        raise HerdbookError(f"{path}: has {size >> 20} MB, at most {most_bytes >> 20} MB of a table are read. Is it the right file?")
    data = path.read_bytes()
    try:
        return data.decode(_encoding_of(data))
    except UnicodeDecodeError as error:
        if unicode_only or error.encoding != "utf-8":
            raise HerdbookError(f"{path}: not a readable text table ({error}). {SAVE_AGAIN}.") from error
    return _read_single_bytes(path, data)


def read_sheet(path: Path, required: Sequence[str], most_bytes: int = MOST_BYTES) -> Sheet:
    """The rows of a table whose cells are separated by commas, semicolons or tabs; rows without any text are left out.

    A first line such as `sep=;`, which spreadsheets understand, names the separator; otherwise the one that gives all `required` columns
    is taken. Raises HerdbookError if the file or a required column is missing, or if it is not text.
    """
    text = read_text(path, required, most_bytes=most_bytes)
    named, body = named_delimiter(text)
    found = {mark: header for mark in ([named] if named else DELIMITERS) if (header := _header(body, mark)) is not None}
    fit = [mark for mark, header in found.items() if set(required) <= set(header)]
    # A header of one column shows no separator.
    if len(fit) > 1 and len(found[fit[0]]) > 1:
        readings = " or ".join(f"{', '.join(found[mark])} ({DELIMITERS.get(mark, mark)}-separated)" for mark in fit)
        raise HerdbookError(f"{path}: its columns can be read in {len(fit)} ways: {readings}. Use one separator only.")
    if found and not fit:
        best = max(found, key=lambda mark: (len(set(required) & set(found[mark])), len(found[mark])))
        missing = [name for name in required if name not in found[best]]
        shown = ", ".join(found[best])[:MOST_SHOWN] or "nothing"
        raise HerdbookError(f"{path}: missing columns {', '.join(missing)}; found {shown} ({DELIMITERS.get(best, repr(best))}-separated).")
    try:
        return _split(body, fit[0] if fit else ",", skipped=1 if named else 0)
    except csv.Error as error:
        raise HerdbookError(f"{path}: not a readable text table ({error}).") from error


def _encoding_of(data: bytes) -> str:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    # A table begins with the name of a column, whose Latin letters have an empty byte each in UTF-16.
    empty = [byte == 0 for byte in data[:4]]
    if empty == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if empty == [True, False, True, False] else "utf-8"


def _read_single_bytes(path: Path, data: bytes) -> str:
    """The text of a file that is not UTF-8: Windows-1252, unless Mac Roman gives letters where that has none or rare ones."""
    for number, line in enumerate(data.splitlines(), 1):
        if line.isascii():
            continue
        other = line.decode("mac_roman")
        for place, byte in enumerate(line):
            known = bytes([byte]).decode("cp1252", "replace")
            # From 0x80 to 0x9f Windows-1252 has marks and a few letters, Mac Roman the common letters with accents.
            if byte >= 0x80 and other[place].isalpha() and (byte < 0xA0 or not known.isalpha()) and known != other[place]:
                readings = [text[:MOST_SHOWN] for text in (line.decode("cp1252", "replace"), other)]
                raise HerdbookError(
                    f"{path}: line {number} can be read in two ways: {readings[0]!r} (Windows) or {readings[1]!r} (Mac). {SAVE_AGAIN}."
                )
    return data.decode("cp1252", "replace")


def named_delimiter(text: str) -> tuple[str, str]:
    """The separator that a first line such as `sep=;` names, "" for none, and the text after that line."""
    first, _, rest = text.partition("\n")
    word = first.rstrip("\r").strip('"')
    return (word[4:], rest) if len(word) == 5 and word.lower().startswith("sep=") else ("", text)


def _header(text: str, delimiter: str) -> list[str] | None:
    """The names of the columns with this separator, None if it makes no sense of them."""
    try:
        return [name.strip() for name in next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])]
    except (csv.Error, ValueError):
        return None


def _split(text: str, delimiter: str, skipped: int) -> Sheet:
    """The rows of a table; the text begins after `skipped` lines. Only this function decides how cells are separated."""
    # strict: otherwise a quotation mark that is not closed would hide all following rows in one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header = [name.strip() for name in next(reader, [])]
    rows: list[tuple[int, list[str]]] = []
    while True:
        try:
            cells = [from_cell(cell.strip()) for cell in next(reader)]
        except StopIteration:
            return Sheet(header, rows, delimiter)
        except csv.Error as error:
            raise csv.Error(f"{error}, line {reader.line_num + skipped}") from error
        if any(cells):
            rows.append((reader.line_num + skipped, cells))
