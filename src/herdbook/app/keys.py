"""Values of an experiment file by dotted keys: `segment.area`, `movies.day1.override.segment.intervals`, `arenas.left.number`, `arenas.0`.

In a list, an item is known by its name, or else by its place from 0. A value None takes a key out, and a section that is then empty.
"""

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.editing.rendering import inline
from herdbook.experiment.editing.text import UneditableError

MISSING: Any = object()


def plain(value: Any) -> Any:
    """A value as JSON has it: dates are texts, and keys are texts."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def value_at(raw: Any, key: str) -> Any:
    """The value of a dotted key, MISSING if there is none."""
    parts = key.split(".")
    while parts:
        found, count = _entry(raw, parts)
        if found is MISSING:
            return MISSING
        raw = raw[found]
        parts = parts[count:]
    return MISSING if raw is None else raw


def with_value(raw: Any, key: str, value: Any) -> Any:
    """The content of a file with another value for a dotted key; sections that are not there are added.

    Raises HerdbookError for an item of a list that is not there, and UneditableError where the movies stand in a table of their own.
    """
    changed = copy.deepcopy(raw)
    _set(changed, key.split("."), value, key)
    return changed


def with_all(raw: Any, changes: Mapping[str, Any]) -> Any:
    """The content of a file with other values for several dotted keys."""
    for key, value in changes.items():
        raw = with_value(raw, key, value)
    return raw


def within(key: str, other: str) -> bool:
    """Whether a key is another one or lies within it."""
    return key == other or key.startswith(f"{other}.")


def _entry(owner: Any, parts: list[str]) -> tuple[Any, int]:
    """The key or index in `owner` that the first parts name, or MISSING, and how many parts these are: names may have dots."""
    for count in range(len(parts), 0, -1):
        name = ".".join(parts[:count])
        if isinstance(owner, dict) and name in owner:
            return name, count
        if isinstance(owner, list):
            places = [k for k, item in enumerate(owner) if isinstance(item, dict) and str(item.get("name")) == name]
            if places:
                return places[0], count
    if isinstance(owner, list) and parts[0].isdecimal() and int(parts[0]) < len(owner):
        return int(parts[0]), 1
    return MISSING, 1


def _set(owner: Any, parts: list[str], value: Any, key: str) -> None:
    if isinstance(owner, str) and key.startswith("movies."):
        raise _in_a_sheet(owner, key, value)
    if not isinstance(owner, dict | list):
        raise HerdbookError(f"{key}: {inline(owner)} is no section; nothing can be set in it.")
    found, count = _entry(owner, parts)
    if found is MISSING and isinstance(owner, list):
        if parts[0].isdecimal() and int(parts[0]) == len(owner) and len(parts) == 1 and value is not None:
            owner.append(copy.deepcopy(value))
            return
        raise HerdbookError(f"{key}: there is no {parts[0]!r}; {nearest(parts[0], [str(item.get('name')) for item in _dicts(owner)])}.")
    name: Any = found if found is not MISSING else parts[0]
    rest = parts[count:]
    if rest:
        if found is MISSING or owner[name] is None:
            if value is None:
                return
            owner[name] = {}
        _set(owner[name], rest, value, key)
        if isinstance(owner, dict) and owner[name] == {}:
            del owner[name]
    elif value is not None:
        owner[name] = copy.deepcopy(value)
    elif found is not MISSING:
        del owner[name]


def _dicts(items: list[Any]) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)]


def _in_a_sheet(sheet: str, key: str, value: Any) -> UneditableError:
    movie, _, column = key.removeprefix("movies.").partition(".")
    column = column.removeprefix("override.")
    cell = "(empty)" if value is None else value if isinstance(value, str) else inline(value)
    lines = f"name\t{column or 'file'}\n{movie}\t{cell}"
    return UneditableError(f"the movies stand in the table {sheet}, which the app does not change. Write there yourself:\n{lines}", lines)
