"""Changes of single values in the text of an experiment file; comments, order and all other lines stay as they are."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import yaml

from herdbook.errors import HerdbookError
from herdbook.experiment.docs import as_yaml

_INDENT = 2


def with_values(text: str, section: str, values: Mapping[str, Any]) -> str:
    """The text of an experiment file with these values for keys of a section, each a scalar or a list of scalars.

    A key that is commented out, as `herdbook new` writes it, is uncommented on its line; a missing key is added at the top of the section.
    Raises HerdbookError if the new text would not contain exactly this change, as with anchors or merged keys.
    """
    wanted = copy.deepcopy(yaml.safe_load(text))
    wanted[section] = {**(wanted.get(section) or {}), **values}
    try:
        for key, value in values.items():
            text = _with_value(text, section, key, value)
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    if found != wanted:
        lines = "; ".join(f"{key}: {as_yaml(value)}" for key, value in values.items())
        raise HerdbookError(f"the section {section} is written in a way that cannot be edited safely. Change it by hand: {lines}")
    return text


def _with_value(text: str, section: str, key: str, value: Any) -> str:
    found = _node(yaml.compose(text, yaml.SafeLoader), section)
    if found is None:
        return _with_value(_with_section(text, section), section, key, value)
    if not isinstance(found, yaml.MappingNode):
        return _with_new_key(text, section, key, value, _INDENT)
    node = _node(found, key)
    if node is None and found.flow_style:
        end = found.end_mark.index - 1
        comma = ", " if found.value else ""
        return f"{text[:end].rstrip()}{comma}{key}: {as_yaml(value)}{text[end:]}"
    if node is None:
        return _with_new_key(text, section, key, value, found.value[0][0].start_mark.column)
    if isinstance(node, yaml.SequenceNode) and isinstance(value, list) and len(value) == len(node.value):
        for item, part in reversed(list(zip(node.value, value, strict=True))):
            text = _replaced(text, item, part)
        return text
    return _replaced(text, node, value)


def _node(mapping: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key in a mapping."""
    pairs = mapping.value if isinstance(mapping, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    return f"{text[: node.start_mark.index]}{as_yaml(value)}{text[node.end_mark.index :]}"


def _with_section(text: str, section: str) -> str:
    """The text with an empty section added: where it is commented out, or else at the end."""
    commented = re.compile(rf"^# ?({section}:[ \t]*)(?=\r?$)", re.MULTILINE)
    if commented.search(text):
        return commented.sub(r"\1", text, count=1)
    newline = _newline(text)
    return f"{text.rstrip()}{newline}{newline}{section}:{newline}"


def _with_new_key(text: str, section: str, key: str, value: Any, indent: int) -> str:
    """The text with a key added to a section that has one key per line."""
    lines = text.splitlines(keepends=True)
    top = next(number for number, line in enumerate(lines) if line.startswith(f"{section}:"))
    added = f"{' ' * indent}{key}: {as_yaml(value)}"
    for number, line in enumerate(lines[top + 1 :], top + 1):
        if not line.strip() or not line.startswith(("#", " ")):
            break
        commented = re.match(rf"#{' ' * indent}{key}:[^#\r\n]*?(?P<meaning>(?<=\s)#[^\r\n]*)?(?P<end>\r?\n?)$", line)
        if commented:
            meaning = commented["meaning"]
            kept = f"{added.ljust(commented.start('meaning') - 1)} {meaning}" if meaning else added
            return "".join([*lines[:number], kept + commented["end"], *lines[number + 1 :]])
    newline = _newline(text)
    if not lines[top].endswith("\n"):
        lines[top] += newline
    return "".join([*lines[: top + 1], added + newline, *lines[top + 1 :]])


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
