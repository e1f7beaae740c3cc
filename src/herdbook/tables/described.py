"""How the data dictionary describes a table and its columns."""

from typing import NamedTuple


class DescribedColumn(NamedTuple):
    """A column: name, type in words, unit ("" for none), meaning."""

    name: str
    type: str
    unit: str
    meaning: str


class Description(NamedTuple):
    """A file: its name, or a pattern of it, what a row is or what the file is for, and its columns."""

    file: str
    about: str
    columns: tuple[DescribedColumn, ...]


TEXT, WHOLE, NUMBER, YES = "text", "whole number", "number", "0 or 1"
