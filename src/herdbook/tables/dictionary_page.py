"""docs/tables.md of the project, from the data dictionary: `python -m herdbook.tables.dictionary_page` writes it."""

from pathlib import Path

import herdbook
from herdbook.system.files import write_text
from herdbook.tables.dictionary import BY_FORMAT, EVERYTHING


def tables_page() -> str:
    """The text of docs/tables.md."""
    parts = [_INTRODUCTION]
    for one in EVERYTHING:
        wanted = next((name for name, several in BY_FORMAT.items() if one in several), "")
        asked = f" Written with `{wanted}` among `export.formats`." if wanted else ""
        rows = [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning} |" for c in one.columns]
        parts.append(
            "\n".join(
                [f"## `{one.file}`\n\n{one.about}{asked}\n", "| column | type | unit | meaning |", "| --- | --- | --- | --- |", *rows]
            )
        )
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
# Tables

What is written for people and for the tools they go on with, in `<results>/<experiment>/`. This page is written by
`python -m herdbook.tables.dictionary_page`; each experiment gets the part that concerns it as `data_dictionary.csv`. The artifacts of
the stages are explained in [artifacts.md](artifacts.md), reading all of it in Python in [python.md](python.md).

Points are (x, y) in px of the movie, x to the right and y down; the centre of the top left pixel is (0, 0). A frame in which an animal was
not found has no row in tables with a row for each position, and NaN or an empty cell in those with a row for each frame. mm need
[`scale`](../config/README.md#scale), dates need `start` of a movie. Movies of one recording follow each other; files of the other tools are
one per movie.

A text that begins like a formula, with =, +, - or @, and is no number, stands behind a ' in files of comma-separated values: an animal that
somebody named =HYPERLINK(...) is shown by a spreadsheet, not followed. Herdbook takes the ' away when it reads such a table; other formats
hold the names as they are."""


def main() -> None:
    """Write docs/tables.md of the project."""
    write_text(Path(herdbook.__file__).resolve().parents[2] / "docs" / "tables.md", tables_page())


if __name__ == "__main__":
    main()
