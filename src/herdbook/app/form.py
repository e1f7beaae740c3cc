"""The controls of the page, made from the models of the experiment file: which keys there are, what they mean, and what they may be."""

from typing import Any, cast

from herdbook.experiment.base import Section
from herdbook.experiment.docs import keys_of, summary
from herdbook.experiment.model import Experiment

# Sections and keys that the page shows as controls; arenas and intervals are drawn.
_SHOWN: dict[str, tuple[str, ...]] = {
    "animals": ("number",),
    "segment": (
        *("method", "polarity", "difference", "difference_noise", "intensity", "channel", "area", "min_contrast", "drop_border"),
        *("blur", "close", "open", "fill_holes", "reduce", "flicker", "flat_field", "on_excess"),
    ),
    "background": ("statistic", "resting", "frames", "scope", "window_s"),
}
# Titles of groups of controls.
_TITLES = {"animals": "Animals", "segment": "Telling animals from the background", "background": "Background"}
# Ends and step of sliders whose keys have no bounds of their own, or bounds too wide for a slider: what is usual, in the unit of the key.
# Other values can be typed.
_SLIDERS: dict[str, tuple[float, float, float]] = {
    "segment.difference": (1, 120, 0.5),
    "segment.difference_noise": (1, 30, 0.5),
    "segment.min_contrast": (0, 120, 1),
    "segment.blur": (0, 10, 0.5),
    "segment.close": (0, 20, 1),
    "segment.open": (0, 20, 1),
    "segment.intensity": (0, 255, 1),
    "background.frames": (10, 300, 10),
    "background.window_s": (60, 7200, 60),
    "animals.number": (1, 100, 1),
}
# The value that a key without one gets when it is switched on.
_FIRST = {"segment.difference_noise": 6.0, "animals.number": 1, "segment.on_excess": "warn"}
# Of keys that exclude each other, the one that gives way when the other is switched on.
INSTEAD = {"segment.difference_noise": "segment.difference"}


def controls() -> list[dict[str, Any]]:
    """Groups of controls: each with `title`, `meaning` and `controls`, which have key, kind, meaning, default and what `kind` needs.

    Kinds are choice (`choices`), switch, number and range (two numbers; `least`, `most` and `step` of the slider, `whole`, `optional`).
    """
    groups = []
    for section, names in _SHOWN.items():
        model = cast(type[Section], Experiment.model_fields[section].annotation)
        schema = model.model_json_schema()
        keys = {key.name: key for key in keys_of(model)}
        found = [_control(f"{section}.{name}", schema["properties"][name], schema, keys[name].meaning) for name in names]
        groups.append({"name": section, "title": _TITLES[section], "meaning": summary(model), "controls": found})
    return groups


def _control(key: str, schema: dict[str, Any], whole: dict[str, Any], meaning: str) -> dict[str, Any]:
    optional = any(part.get("type") == "null" for part in schema.get("anyOf", ()))
    given = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    found: dict[str, Any] = {"key": key, "name": key.partition(".")[2], "meaning": meaning, "default": schema.get("default")}
    found |= {"optional": optional, "first": _FIRST.get(key, schema.get("default")), "instead": INSTEAD.get(key)}
    if "enum" in given:
        return found | {"kind": "choice", "choices": given["enum"]}
    if given.get("type") == "boolean":
        return found | {"kind": "switch"}
    parts = given.get("prefixItems", [given])
    least, most = parts[0].get("minimum", parts[0].get("exclusiveMinimum", 0)), parts[0].get("maximum")
    low, high, step = _SLIDERS.get(key, (least, most if most is not None else 1000, 1))
    kind = "range" if len(parts) == 2 else "number"
    return found | {"kind": kind, "least": low, "most": high, "step": step, "whole": parts[0].get("type") == "integer"}
