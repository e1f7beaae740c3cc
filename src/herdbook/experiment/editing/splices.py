"""Places of a text with what is to stand there instead, and where the nodes of YAML begin and end in it."""

import json
from typing import Any

import yaml

from herdbook.experiment.editing.rendering import has_comment


class UnsafeEditError(Exception):
    """A change that cannot be made without risk."""


class Splices:
    """Changes of a text, each from `start` to `end`, which must not overlap; all are made at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._changes: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, new: str) -> None:
        """Put `new` in place of the text from `start` to `end`."""
        self._changes.append((start, end, new))

    def insert_lines(self, place: int, lines: list[str]) -> None:
        """Insert lines, given without their ends, at the beginning of a line or at the end of the text."""
        if not lines:
            return
        new = "".join(line + self.newline for line in lines)
        if place and self.text[place - 1] != "\n":
            new = self.newline + new.removesuffix(self.newline)
        self.replace(place, place, new)

    def remove_lines(self, start: int, end: int, keep: bool = False) -> None:
        """Delete the lines from `start` to `end`; if there is a comment among them, or with `keep`, they are commented out instead."""
        lines = self.text[start:end].splitlines(keepends=True)
        if not keep and not any(map(has_comment, lines)):
            self.replace(start, end, "")
            return
        for line in lines:
            if line.strip() and not line.lstrip().startswith("#"):
                self.replace(start, start, "#")
                # The comment stays in its column.
                if line.count("#") == 1 and "   #" in line:
                    self.replace(start + line.index("   #"), start + line.index("   #") + 1, "")
            start += len(line)

    def line_start(self, place: int) -> int:
        """The beginning of the line of a place."""
        return self.text.rfind("\n", 0, place) + 1

    def line_end(self, place: int) -> int:
        """The beginning of the line after that of a place, or the end of the text."""
        return self.text.find("\n", place) + 1 or len(self.text)

    def applied(self) -> str:
        """The changed text. Raises UnsafeEditError if changes overlap."""
        parts, done = [], 0
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            if start < done or end < start:
                raise UnsafeEditError("two changes of one place")
            parts += [self.text[done:start], new]
            done = end
        return "".join([*parts, self.text[done:]])


def keys_of(node: yaml.MappingNode) -> list[tuple[Any, yaml.Node, yaml.Node]]:
    """The keys that a mapping has itself, not by merging, each with the nodes of key and value."""
    reader = yaml.SafeLoader("")
    pairs = [(key, value) for key, value in node.value if key.tag != "tag:yaml.org,2002:merge"]
    if any(not isinstance(key, yaml.ScalarNode) for key, _ in pairs):
        raise UnsafeEditError("a key that is a list or a mapping")
    return [(reader.construct_object(key), key, value) for key, value in pairs]


def end_of(node: yaml.Node) -> int:
    """The place after the last character of a node: the mark of YAML stands behind blank lines and comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return max(int(last[0].end_mark.index), end_of(last[1])) if isinstance(last, tuple) else end_of(last)
    end, buffer = int(node.end_mark.index), node.end_mark.buffer
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") and buffer is not None:
        while end and (buffer[end - 1 : end] or " ").isspace():
            end -= 1
    return end


def alike(one: Any, other: Any) -> bool:
    """Whether two values would be written alike, but for 1 and 1.0."""
    return one is other or (type(one) is type(other) and one == other and token(one) == token(other))


def token(value: Any) -> str:
    """A text that tells values apart, also yes from 1."""
    return json.dumps(value, sort_keys=True, default=str)
