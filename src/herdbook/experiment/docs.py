"""Tables of all keys of the experiment file, made from its models; `python -m herdbook.experiment.docs` writes them to config/README.md."""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic_core import PydanticUndefined

import herdbook
from herdbook.errors import HerdbookError
from herdbook.experiment.base import Section
from herdbook.experiment.model import Experiment
from herdbook.system.files import write_text

BEGIN = "<!-- keys: begin (written by python -m herdbook.experiment.docs) -->"
END = "<!-- keys: end -->"


@dataclass(frozen=True)
class Key:
    """One key of a section: its type as text, its default as YAML, its meaning, and the model of a section or list of sections.

    `default` is "" for a key without a default value, and None for a required key.
    """

    name: str
    type_text: str
    default: str | None
    meaning: str
    inner: type[Section] | None


@lru_cache
def keys_of(model: type[Section]) -> tuple[Key, ...]:
    """The keys of a model in their order."""
    schemas = model.model_json_schema()["properties"]
    keys = []
    for name, field in model.model_fields.items():
        inner = inner_model(field.annotation)
        value = field.get_default(call_default_factory=True)
        if field.is_required() or value is PydanticUndefined:
            default = None
        else:
            default = "" if value is None or isinstance(value, Section) else as_yaml(value)
        meaning = field.description or (summary(inner) if inner else "")
        keys.append(Key(name, _type_text(schemas[name]), default, meaning, inner))
    return tuple(keys)


def inner_model(hint: Any) -> type[Section] | None:
    """The model in a type: the type itself, or that of an optional value or of the items of a list."""
    if isinstance(hint, type) and issubclass(hint, Section):
        return hint
    return next((found for part in get_args(hint) if (found := inner_model(part))), None)


def summary(model: type[Section]) -> str:
    """The first sentence of a model's docstring."""
    return (model.__doc__ or "").strip().split("\n")[0]


def as_yaml(value: Any) -> str:
    """A value as written in a line of YAML, quoted where necessary."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump([plain], default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False).strip()[1:-1]


def key_tables() -> str:
    """Markdown tables of keys: one for the file and one for each of its sections, in the order of the file."""
    sections: dict[type[Section], list[str]] = {}
    _collect(Experiment, "", sections)
    parts = [f"### The file\n\n{summary(Experiment)}\n\n{_table(Experiment, sections)}"]
    for model, places in sections.items():
        parts.append(f"### {_heading(places)}\n\n{summary(model)}\n\n{_table(model, sections)}")
    return "\n\n".join(parts)


def with_key_tables(text: str, path: Path) -> str:
    """The text of the README with new tables between its two markers. Raises HerdbookError, which names `path`, if a marker is missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise HerdbookError(f"{path}: expected the two lines {BEGIN!r} and {END!r}; put them where the tables of keys belong.")
    return f"{head}{BEGIN}\n\n{key_tables()}\n\n{END}{tail}"


def _collect(model: type[Section], place: str, sections: dict[type[Section], list[str]]) -> None:
    for key in keys_of(model):
        if key.inner:
            sections.setdefault(key.inner, []).append(place + key.name)
            _collect(key.inner, f"{place}{key.name}.", sections)


def _table(model: type[Section], sections: dict[type[Section], list[str]]) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key in keys_of(model):
        kind = key.type_text
        if key.inner:
            anchor = re.sub(r"[^\w -]", "", _heading(sections[key.inner]).lower()).replace(" ", "-")
            kind = f"[{kind}](#{anchor})"
        default = "**required**" if key.default is None else f"`{key.default}`" if key.default else "–"
        rows.append(f"| `{key.name}` | {kind} | {default} | {key.meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(rows)


def _heading(places: list[str]) -> str:
    return ", ".join(dict.fromkeys(places))


def _type_text(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_text(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "$ref" in schema:
        return "section"
    if "enum" in schema:
        *most, last = (f"`{value}`" for value in schema["enum"])
        return f"{', '.join(most)} or {last}"
    kind = schema.get("type")
    if kind == "array" and "prefixItems" in schema:
        return f"[{', '.join(_type_text(part) for part in schema['prefixItems'])}]"
    if kind == "array":
        return f"list of {_type_text(schema['items']).replace('section', 'sections')}"
    if kind in ("integer", "number"):
        return _number_text(schema)
    if kind == "object" and schema.get("additionalProperties", {}).get("type") == "integer":
        return f"{_number_text(schema['additionalProperties']).replace('number', 'numbers')} by name"
    return {"string": "text", "boolean": "true or false", "object": "sections by name"}[str(kind)]


def _number_text(schema: dict[str, Any]) -> str:
    kind = "whole number" if schema["type"] == "integer" else "number"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {schema[name]:g}" for name, sign in signs.items() if name in schema]
    return " ".join([kind, " and ".join(limits)]).strip()


def main() -> None:
    """Rewrite the tables in the project's config/README.md; exit status 2 and a message if that fails."""
    path = Path(herdbook.__file__).resolve().parents[2] / "config" / "README.md"
    try:
        write_text(path, with_key_tables(path.read_text(encoding="utf-8"), path))
    except HerdbookError as error:
        print(f"herdbook experiment_docs: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
