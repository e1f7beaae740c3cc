"""Where proposed values stand in an experiment file."""

from collections.abc import Mapping
from typing import Any

from herdbook.experiment.model import Experiment
from herdbook.experiment.scene import ALTERNATIVES

OTHERS = {key: other for pair in ALTERNATIVES for key, other in (pair, pair[::-1])}


def dotted(experiment: Experiment, movie: str, sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Values by section as changes by dotted key: of the movie alone where it has settings of its own; alternatives are taken out."""
    changes: dict[str, Any] = {}
    override = experiment.movie(movie).override
    for section, values in sections.items():
        own = override.get(section, {})
        for key, value in values.items():
            other = OTHERS.get(key, key)
            if key in own or other in own:
                changes[f"movies.{movie}.override.{section}.{key}"] = value
                if other != key and other in own:
                    changes[f"movies.{movie}.override.{section}.{other}"] = None
                continue
            changes[f"{section}.{key}"] = value
            if other != key and getattr(getattr(experiment, section), other) is not None:
                changes[f"{section}.{other}"] = None
    return changes


def present(experiment: Experiment, movie: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What the settings of these dotted keys are now, for this movie."""
    found = {}
    for key in changes:
        section, name = key.split(".")[-2:]
        found[key] = experiment.section(section, movie).model_dump(mode="json")[name]
    return found
