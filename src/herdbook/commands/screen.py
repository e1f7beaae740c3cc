"""The only place that writes on the screen: names come from files of anybody, and must neither command the terminal nor style the text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from herdbook.errors import printable

if TYPE_CHECKING:
    from rich.table import Table


def echo(text: str, *, err: bool = False) -> None:
    """Print a text as it is, its control signs as \\u001b."""
    typer.echo(printable(text), err=err)


def text_table(*columns: str, title: str | None = None, **how: Any) -> "Table":
    """A table for `show`, to which `add_row` adds rows; `how` are options of rich's Table."""
    # A tenth of a second to import, which other commands need not pay.
    from rich.table import Table

    table = Table(title=None if title is None else _plain(title), **how)
    for name in columns:
        table.add_column(_plain(name))
    return table


def add_row(table: "Table", *cells: str, style: str | None = None) -> None:
    """Add a row, whose cells are texts without markup."""
    table.add_row(*(_plain(cell) for cell in cells), style=style)


def show(table: "Table", *, soft_wrap: bool = False) -> None:
    """Print a table."""
    from rich.console import Console

    Console().print(table, soft_wrap=soft_wrap)


def add_rows(table: "Table", rows: Sequence[Sequence[str]]) -> None:
    """Add rows, as `add_row` does."""
    for row in rows:
        add_row(table, *row)


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(printable(text))
