"""Faults of an experiment file, reported by key: what was found, what was expected, and the most similar valid key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from reprlib import Repr
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from herdbook.errors import nearest

# Messages must fit on a screen.
MOST_FAULTS, MOST_CHARACTERS = 10, 400

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100


@dataclass(frozen=True)
class Fault:
    """One fault: its place as a path of keys, and its description."""

    place: tuple[str, ...]
    text: str


def describe_faults(path: Path, faults: Sequence[Fault]) -> str:
    """All faults of an experiment file in one message, without repetitions."""
    lines = list(dict.fromkeys(_shortened(f"  {'.'.join(f.place) or 'the file'}: {f.text}") for f in faults))
    count = "one fault" if len(lines) == 1 else f"{len(lines)} faults"
    more = [f"  and {len(lines) - MOST_FAULTS} more"] if len(lines) > MOST_FAULTS else []
    return f"{path}: {count} in the experiment file:\n" + "\n".join([*lines[:MOST_FAULTS], *more])


def shown(value: Any) -> str:
    """A value as text for a message, shortened: YAML's aliases can make a small file into a huge tree."""
    return _repr.repr(value)


def _shortened(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]} ..."


def faults_of(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """The faults that pydantic found, with the most similar valid key for an unknown one."""
    return [_fault(dict(item), model) for item in error.errors()]


def faults_of_names(movies: Sequence[str], recordings: Mapping[str, Sequence[str]]) -> list[str]:
    """Faults among the names of movies and recordings: used twice, not valid as a file name, or a recording named like another's movie."""
    problems = [f"the movie {name!r} is named twice" for name in sorted({m for m in movies if movies.count(m) > 1})]
    problems += [
        f"{name!r} cannot name a file: it must not contain / nor start with - or ."
        for name in (*movies, *recordings)
        if "/" in name or "\0" in name or name[:1] in "-."
    ]
    problems += [
        f"the recording {name!r} has the name of a movie that is not in it"
        for name, members in recordings.items()
        if name in movies and name not in members
    ]
    return problems


def _fault(item: dict[str, Any], model: type[BaseModel]) -> Fault:
    place = tuple(str(part) for part in item["loc"])
    kind = item["type"]
    if kind == "extra_forbidden":
        owner = _model_at(model, item["loc"][:-1])
        return Fault(place, f"unknown key; {nearest(place[-1], owner.model_fields)}" if owner else "unknown key")
    if kind == "missing":
        return Fault(place, "is missing")
    if kind == "literal_error":
        return Fault(place, f"expected {item['ctx']['expected']}, found {shown(item['input'])}")
    if kind == "model_type":
        found = "nothing" if item["input"] is None else shown(item["input"])
        return Fault(place, f"expected keys with values, indented below it, found {found}")
    text = (
        item["msg"]
        .removeprefix("Value error, ")
        .replace("Input should be", "expected")
        .replace("String should have", "expected a text with")
    )
    found = item["input"]
    if not isinstance(found, dict | list | BaseModel):
        text += f", found {shown(found)}"
    if kind == "string_type" and isinstance(found, bool | int | float | date):
        text += "; YAML reads NO, ON and 12 as text only if they are in quotes"
    return Fault(place, text)


def _model_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    current: Any = model
    for part in place:
        if isinstance(part, int):
            continue
        if not (isinstance(current, type) and issubclass(current, BaseModel)) or part not in current.model_fields:
            return None
        current = _inner_model(current.model_fields[part].annotation)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _inner_model(hint: Any) -> Any:
    if isinstance(hint, type) and get_origin(hint) is None:
        return hint
    if get_origin(hint) in (Union, UnionType, list, tuple) or get_args(hint):
        for inner in get_args(hint):
            found = _inner_model(inner)
            if isinstance(found, type) and issubclass(found, BaseModel):
                return found
    return None
