"""Reading the experiment file: YAML and TSV sheet to an `Experiment`, all faults in one message.

Paths in the file are relative to it and absolute after loading.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from herdbook.errors import HerdbookError
from herdbook.experiment import OVERRIDABLE, Experiment
from herdbook.experiment_base import Section
from herdbook.experiment_faults import Fault, describe_faults, faults_of, shown
from herdbook.sheets import read_movie_sheet


class _OnceLoader(yaml.SafeLoader):
    """Refuses a key that is given twice: YAML would silently keep the last, and drop a whole section."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is given twice: join the two", key.start_mark)
            keys.add(str(key.value))
        return super().construct_mapping(node, deep)


def load_experiment(path: Path, overrides: Mapping[str, Any] | None = None) -> Experiment:
    """Read and check an experiment file.

    `overrides` are merged into what the file says, key by key. Raises HerdbookError with all faults at once.
    """
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such experiment file. `herdbook new DIR --movies 'videos/*.mp4'` writes one.")
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _OnceLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        place = re.sub(r"\s+", " ", str(error))
        raise HerdbookError(f"{path}: not valid YAML: {place}") from error
    if not isinstance(raw, dict):
        raise HerdbookError(f"{path}: expected keys such as experiment, movies and animals, found {type(raw).__name__}.")
    return parse_experiment(_merge(raw, overrides or {}), path)


def parse_experiment(raw: dict[str, Any], path: Path) -> Experiment:
    """Check the content of an experiment file that stands at `path`; paths in it become absolute."""
    base = path.resolve().parent
    raw, sheet = dict(raw), raw.get("movies")
    if isinstance(sheet, str):
        raw["movies"] = read_movie_sheet(Path(_resolved(base, sheet)))
    faults: list[Fault] = []
    experiment = None
    try:
        experiment = Experiment.model_validate(_absolute_paths(raw, base))
    except ValidationError as error:
        faults += faults_of(error, Experiment)
    if isinstance(raw.get("movies"), list):
        faults += _override_faults(raw)
    if isinstance(sheet, str):
        faults = [Fault(fault.place, fault.text + f" (in {sheet})" * (fault.place[:1] == ("movies",))) for fault in faults]
    if faults or experiment is None:
        raise HerdbookError(describe_faults(path, faults))
    return experiment


def _override_faults(raw: dict[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    for movie in raw["movies"]:
        override = movie.get("override") if isinstance(movie, dict) else None
        if not isinstance(override, dict):
            continue
        for stage, section in override.items():
            place = ("movies", str(movie.get("name")), "override", str(stage))
            if stage not in OVERRIDABLE:
                faults.append(Fault(place, f"cannot be set for a single movie; these can: {', '.join(OVERRIDABLE)}"))
                continue
            model = cast(type[Section], Experiment.model_fields[stage].annotation)
            try:
                model.model_validate(section)
            except ValidationError as error:
                faults += [Fault((*place, *fault.place), fault.text) for fault in faults_of(error, model)]
    return faults


def _absolute_paths(raw: dict[str, Any], base: Path) -> dict[str, Any]:
    def absolute(owner: Any, key: str, default: str | None = None) -> Any:
        if not isinstance(owner, dict):
            return owner
        value = owner.get(key, default)
        if not isinstance(value, str) or not value:
            return owner
        return {**owner, key: _resolved(base, value)}

    raw = absolute(raw, "results", "results")
    if isinstance(raw.get("movies"), list):
        raw["movies"] = [_with_absolute_poses(absolute(movie, "file"), base) for movie in raw["movies"]]
    if isinstance(raw.get("arenas"), list):
        raw["arenas"] = [absolute(arena, "mask") for arena in raw["arenas"]]
    paths = [("animals", "labels"), ("animals", "facts"), ("animals", "like"), ("background", "file"), ("smooth", "corrections")]
    paths += [("score", "truth"), ("train", "model"), ("train", "use"), ("train", "start"), ("trainset", "use")]
    for section, key in paths:
        if section in raw:
            raw[section] = absolute(raw[section], key)
    return raw


def _with_absolute_poses(movie: Any, base: Path) -> Any:
    if not isinstance(movie, dict) or not isinstance(movie.get("poses"), list):
        return movie
    return movie | {"poses": [_resolved(base, path) if isinstance(path, str) and path else path for path in movie["poses"]]}


def _resolved(base: Path, path: str) -> str:
    """The absolute path of a file. Raises HerdbookError for what cannot be one, or cannot be looked at."""
    try:
        found = (base / path).resolve()
        # A name that is too long, or a folder that may not be looked into, would be told without its place by whoever asks first.
        found.exists()
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise HerdbookError(f"{base}: {shown(path)} cannot be the path of a file ({reason}). Correct it in the experiment file.") from error
    return str(found)


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
