"""A page: sections of text, tables and pictures, written as one HTML file that needs no other and runs no script."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import jinja2
import numpy as np

# A longer table is folded.
MOST_ROWS = 26


@dataclass(frozen=True)
class Cell:
    """A table's cell: text, with a link to a file beside the page (a relative path, not yet quoted, and a `fragment` of it such as t=7.5),
    a colour (#rrggbb) before it, or a bar of a `share` 0..1 behind it. `words` wrap, `code` is shown as such and may be long.
    """

    text: str
    path: str = ""
    fragment: str = ""
    colour: str = ""
    share: float | None = None
    words: bool = False
    code: bool = False

    @property
    def href(self) -> str:
        """The link as a URL."""
        return quote(self.path) + (f"#{quote(self.fragment, safe='=,.:')}" if self.fragment else "")

    @property
    def kind(self) -> str:
        """Class of the style sheet."""
        return "code" if self.code else "words" if self.words else "bar" if self.share is not None else ""


@dataclass(frozen=True)
class Table:
    """A table; its first column names the row, all others are numbers or short texts unless their cells are `words`.

    `total` is a row that stands apart. `folded` ones, and all that are long, open on a click.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    total: Sequence[Cell] = ()
    folded: bool = False

    @property
    def is_folded(self) -> bool:
        """Whether it opens on a click."""
        return self.folded or len(self.rows) > MOST_ROWS

    @property
    def label(self) -> str:
        """What a reader of the page calls it."""
        return self.caption or ", ".join(name for name in self.header if name)

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The names of the columns, each with whether it holds text."""
        first = self.rows[0] if self.rows else [Cell("")] * len(self.header)
        return [(name, k == 0 or cell.words or cell.code) for k, (name, cell) in enumerate(zip(self.header, first, strict=True))]


@dataclass(frozen=True)
class Picture:
    """A picture with the name of its file beside the page; `vector` is the same as PDF, empty if there is none."""

    file: str
    png: bytes
    caption: str
    vector: bytes = b""

    @property
    def vector_file(self) -> str:
        """Name of the PDF beside the page."""
        return self.file.removesuffix(".png") + ".pdf"

    @property
    def uri(self) -> str:
        """The picture as a data URI."""
        return "data:image/png;base64," + b64encode(self.png).decode()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height (px), as the PNG's header says; known beforehand, they keep the page from jumping while it loads."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")

    @property
    def files(self) -> list[tuple[str, str]]:
        """The files beside the page: kind and link."""
        return [("PNG", quote(self.file)), *([("PDF", quote(self.vector_file))] if self.vector else [])]


@dataclass(frozen=True)
class PageSection:
    """A section, shown in this order: sentences, terms with their meaning, links, tables, preformatted text, pictures; `folded` ones open
    on a click.
    """

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    preformatted: str = ""
    pictures: Sequence[Picture] = ()
    folded: bool = False
    terms: Sequence[tuple[str, str]] = ()
    links: Sequence[Cell] = ()


@dataclass(frozen=True)
class Page:
    """The whole page; `summary` are sentences, `key_figures` pairs of value and what it means."""

    title: str
    subtitle: str
    key_figures: Sequence[tuple[str, str]]
    sections: Sequence[PageSection] = field(default_factory=list)
    footer: str = ""
    summary: Sequence[str] = ()

    @property
    def pictures(self) -> list[Picture]:
        """All pictures on the page."""
        return [picture for section in self.sections for picture in section.pictures]


def render_page(page: Page) -> str:
    """The page as HTML; every text is escaped."""
    return fill_template("herdbook.report", "report.html.j2", page=page)


def fill_template(package: str, name: str, **values: Any) -> str:
    """The HTML that a template in the folder `templates` of a package makes of values; every text is escaped, and none may be missing."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name).render(**values)


def percent(share: float) -> str:
    """A share 0..1 in percent; what is not all or nothing never reads 100 or 0."""
    if np.isnan(share):
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    share = min(max(share, 0.0001), 0.9999)
    return f"{100 * share:.2f} %" if share < 0.01 or share > 0.99 else f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """A length of time for reading."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int, noun: str) -> str:
    """A number of things: 1 animal, 2 animals."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def time_span(start_s: float, end_s: float, longest_s: float) -> str:
    """A span of a recording that lasts `longest_s`, in s, min, h or days."""
    units = (("s", 1.0, 180.0), ("min", 60.0, 3 * 3600.0), ("h", 3600.0, 3 * 86400.0), ("d", 86400.0, np.inf))
    unit, divisor = next((unit, divisor) for unit, divisor, most in units if longest_s < most)
    return f"{round(start_s / divisor, 1):g} to {round(end_s / divisor, 1):g} {unit}"
