"""Reader of the experiment file: YAML and TSV sheet to an `Experiment`, all faults in one message.

Paths in the file are relative to it; after loading they are absolute.
"""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from herdbook.errors import HerdbookError
from herdbook.experiment.base import Section
from herdbook.experiment.faults import Fault, describe_faults, faults_of, shown
from herdbook.experiment.model import OVERRIDABLE, Experiment
from herdbook.experiment.sheets.movies import read_movie_sheet
from herdbook.experiment.yaml_text import load_yaml

# Ten thousand movies take 1 MB; what YAML makes of a text takes thirty times its size.
MOST_BYTES = 1 << 24


def load_experiment(path: Path, overrides: Mapping[str, Any] | None = None) -> Experiment:
    """Read and check an experiment file.

    `overrides` replace values of the file, key by key. Raises HerdbookError with all faults at once.
    """
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such experiment file. `herdbook new DIR --movies 'videos/*.mp4'` writes one.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise HerdbookError(f"{path}: has {size >> 20} MB, an experiment file has at most {MOST_BYTES >> 20} MB. Is it the right file?")
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except Exception as error:  # YAML makes dates, numbers and sets of texts, each with errors of its own
        place = re.sub(r"\s+", " ", str(error)) or type(error).__name__
        raise HerdbookError(f"{path}: not valid YAML: {place}") from error
    if not isinstance(raw, dict):
        raise HerdbookError(f"{path}: expected keys such as experiment, movies and animals, found {type(raw).__name__}.")
    return parse_experiment(_merge(raw, overrides or {}), path)


def parse_experiment(raw: dict[str, Any], path: Path) -> Experiment:
    """Check the content of the experiment file at `path`; paths in it become absolute."""
    base = path.resolve().parent
    raw, sheet = dict(raw), raw.get("movies")
    if isinstance(sheet, str):
        raw["movies"] = _movies_of(sheet, path)
    raw, faults = _absolute_paths(raw, base)
    experiment = None
    try:
        experiment = Experiment.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, Experiment)
    if isinstance(raw.get("movies"), list):
        faults += _override_faults(raw)
    if experiment is not None and not faults:
        faults += _joined_faults(experiment)
    if isinstance(sheet, str):
        faults = [Fault(fault.place, fault.text + f" (in {sheet})" * (fault.place[:1] == ("movies",))) for fault in faults]
    if faults or experiment is None:
        raise HerdbookError(describe_faults(path, faults))
    return experiment


def _movies_of(sheet: str, path: Path) -> list[dict[str, Any]]:
    """The movies of the sheet that the experiment file at `path` names."""
    try:
        found = Path(_resolved(path.resolve().parent, sheet))
    except ValueError as error:
        raise HerdbookError(describe_faults(path, [Fault(("movies",), str(error))])) from error
    return read_movie_sheet(found)


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


def _joined_faults(experiment: Experiment) -> list[Fault]:
    """Faults of overrides that are valid alone, but not together with the section that they change."""
    faults: list[Fault] = []
    for movie in experiment.movies:
        for stage in movie.override:
            try:
                experiment.section(stage, movie.name)
            except ValidationError as error:
                model = cast(type[Section], Experiment.model_fields[stage].annotation)
                faults += [Fault(("movies", movie.name, "override", stage, *f.place), f.text) for f in faults_of(error, model)]
    return faults


def _absolute_paths(raw: dict[str, Any], base: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The content with absolute paths, and the faults of invalid paths."""
    faults: list[Fault] = []

    def resolved(path: Any, *place: str) -> Any:
        if not isinstance(path, str) or not path:
            return path
        try:
            return _resolved(base, path)
        except ValueError as error:
            faults.append(Fault(place, str(error)))
            return path

    def absolute(owner: Any, key: str, *place: str) -> Any:
        return {**owner, key: resolved(owner[key], *place, key)} if isinstance(owner, dict) and key in owner else owner

    raw = absolute({"results": "results", **raw}, "results")
    if isinstance(raw.get("movies"), list):
        for key in ("file", "times"):
            raw["movies"] = [absolute(movie, key, "movies", str(k)) for k, movie in enumerate(raw["movies"])]
        for k, movie in enumerate(raw["movies"]):
            if isinstance(movie, dict) and isinstance(movie.get("poses"), list):
                poses = [resolved(path, "movies", str(k), "poses", str(n)) for n, path in enumerate(movie["poses"])]
                raw["movies"][k] = movie | {"poses": poses}
    if isinstance(raw.get("arenas"), list):
        raw["arenas"] = [absolute(arena, "mask", "arenas", str(k)) for k, arena in enumerate(raw["arenas"])]
    paths = [("animals", key) for key in ("labels", "facts", "answers", "events", "like")] + [
        ("background", "file"),
        ("smooth", "corrections"),
    ]
    paths += [("score", "truth"), ("train", "model"), ("train", "use"), ("train", "start"), ("trainset", "use"), ("trainset", "left_out")]
    paths.append(("pose", "model"))
    for section, key in paths:
        if section in raw:
            raw[section] = absolute(raw[section], key, section)
    pose = raw.get("pose")
    if isinstance(pose, dict) and isinstance(pose.get("labels"), list):
        raw["pose"] = pose | {"labels": [resolved(path, "pose", "labels", str(k)) for k, path in enumerate(pose["labels"])]}
    return raw, faults


def _resolved(base: Path, path: str) -> str:
    """The absolute path of a file, with composed or decomposed letters, whichever is there.

    Raises ValueError if `path` is not valid or cannot be accessed.
    """
    try:
        # A name that is too long, or a folder without permission, is found here, where the message can name the key.
        spellings = dict.fromkeys((path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))))
        paths = [(base / spelling).resolve() for spelling in spellings]
        found = next((one for one in paths if one.exists()), paths[0])
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{shown(path)} cannot be used as the path of a file ({reason}): correct it") from error
    return str(found)


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
