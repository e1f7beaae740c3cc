"""The text of an experiment file with other values: the result contains exactly what was meant, or nothing is changed."""

from collections.abc import Mapping
from typing import Any

import yaml

from herdbook.errors import HerdbookError
from herdbook.experiment.docs import as_yaml
from herdbook.experiment.editing.nodes import edit_root
from herdbook.experiment.editing.rendering import block_lines
from herdbook.experiment.editing.splices import UnsafeEditError
from herdbook.experiment.yaml_text import load_yaml


class UneditableError(HerdbookError):
    """A text that cannot be edited safely; `lines` are the sections as they should be, to be pasted by a person."""

    def __init__(self, message: str, lines: str) -> None:
        super().__init__(message)
        self.lines = lines


def with_content(text: str, wanted: Mapping[str, Any]) -> str:
    """The text of an experiment file changed so that it contains `wanted`; untouched lines and comments stay byte for byte.

    Keys that are commented out, as `herdbook new` writes them, are uncommented on their line; others are added to their section. What is
    taken out is deleted, or commented out if a comment stands beside it. Raises UneditableError if the new text would not contain exactly
    what is wanted, as with anchors or merged keys, or if a comment would be lost; `text` must be valid YAML.
    """
    have = load_yaml(text)
    if same(have, wanted):
        return text
    try:
        edited = edit_root(text, have, wanted)
        found = load_yaml(edited)
    except (UnsafeEditError, yaml.YAMLError, ValueError):
        found = None
    if found is None or not same(found, wanted):
        before = have if isinstance(have, dict) else {}
        sections = {key: value for key, value in wanted.items() if key not in before or not same(before[key], value)}
        gone = [str(key) for key in before if key not in wanted]
        lines = "\n".join(block_lines(key, value, "", 0) for key, value in sections.items())
        lines = "\n".join([*([lines] if lines else []), *(f"# without {key}" for key in gone)])
        names = ", ".join([*(str(key) for key in sections), *gone])
        raise UneditableError(f"{names}: written in a way that cannot be edited safely. Change it by hand:\n{lines}", lines)
    return edited


def with_values(text: str, section: str, values: Mapping[str, Any]) -> str:
    """The text of an experiment file with these values for keys of a section; see `with_content`.

    Raises HerdbookError if the new text would not contain exactly this change.
    """
    have = load_yaml(text)
    before = have.get(section) if isinstance(have, dict) else None
    try:
        if not isinstance(have, dict) or not (before is None or isinstance(before, dict)):
            raise UneditableError("", "")
        return with_content(text, {**have, section: {**(before or {}), **values}})
    except UneditableError as error:
        lines = "; ".join(f"{key}: {as_yaml(value)}" for key, value in values.items())
        raise HerdbookError(
            f"the section {section} is written in a way that cannot be edited safely. Change it by hand: {lines}"
        ) from error


def same(one: Any, other: Any) -> bool:
    """Whether two values of YAML are the same: yes and 1 are not, 1 and 1.0 are."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
