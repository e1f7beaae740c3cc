"""The report's sections on where the results come from: settings in words, versions of the software, fingerprints of all files."""

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from herdbook.artifacts.store import read_attributes
from herdbook.experiment.docs import Key, as_yaml, keys_of, summary
from herdbook.experiment.model import Experiment
from herdbook.report.page import Cell, PageSection, Table
from herdbook.system.fingerprints import file_fingerprint
from herdbook.system.hdf5 import open_hdf5
from herdbook.version import VERSION

# What the package needs, as pyproject.toml lists it.
PACKAGES = (
    *("av", "h5netcdf", "h5py", "jinja2", "keras", "matplotlib", "numba", "numpy", "opencv-python-headless", "ortools", "pandas", "pillow"),
    *("pyarrow", "pydantic", "pyyaml", "rich", "scipy", "snakemake", "starlette", "tables", "tensorflow", "typer", "uvicorn", "websockets"),
    "xarray",
)
# Settings of stages that do not stand in their own section of the experiment file.
OTHER_SETTINGS = {
    "identities": "names of the animals",
    "numbers": "animals in each arena",
    "homes": "who lives in each arena",
    "groups": "animals in each arena that nothing tells apart",
    "other_labels": "labels that are no animal",
    "marking": "how animals are told apart",
    "seed": "seed of everything random",
    "arenas": "where animals can be",
    "keep": "each animal keeps its number through contacts",
    "polarity": "animals darker or brighter than the background",
    "intervals": "frames that are tracked; all if none",
}


@dataclass
class Made:
    """Files that were made with the same settings, by the same versions."""

    stage: str
    stage_version: str
    release: str
    settings: str
    files: list[str] = field(default_factory=list)


def origin_sections(paths: Sequence[Path], marking: str) -> list[PageSection]:
    """Settings; software and files. `paths` are those of all files that the report was made from, `marking` as in the experiment file."""
    made, files = _read_origins(paths)
    return [settings_section(made, marking), _software_section(made, files)]


def settings_section(made: Sequence[Made], marking: str) -> PageSection:
    """What differs from the defaults, then all settings by stage, then the same as they were written."""
    tables, changed = [], []
    several = {one.stage for one in made if sum(other.stage == one.stage for other in made) > 1}
    for one in made:
        whose = f" ({_few(one.files)})" if one.stage in several else ""
        meanings = {key.name: key.meaning for key in _keys(one.stage)}
        defaults = dict(_flat(json.loads(_unchanged(marking).settings(one.stage)))) if meanings else {}
        rows = []
        for name, value in _flat(json.loads(one.settings)):
            meaning = Cell(meanings.get(name) or OTHER_SETTINGS.get(name, ""), words=True)
            rows.append([Cell(name), Cell(_shown(value), words=True), meaning])
            if name in meanings and value != defaults.get(name):
                cells = Cell(_shown(value), words=True), Cell(_shown(defaults.get(name)), words=True), meaning
                changed.append([Cell(f"{one.stage}.{name}{whose}"), *cells])
        if rows:
            about = summary(model).rstrip(".") if (model := _model(one.stage)) else ""
            tables.append(Table(("setting", "value", "what it says"), rows, f"{one.stage}{whose}: {about}".removesuffix(": "), folded=True))
    raw = [[Cell(one.stage), Cell(_few(one.files)), Cell(one.settings, code=True)] for one in made]
    tables.append(Table(("stage", "files", "settings"), raw, "As they were written", folded=True))
    sentences = ["All keys of the experiment file are explained in config/README.md of Herdbook."]
    if changed:
        tables.insert(0, Table(("setting", "value", "default", "what it says"), changed, "What differs from the defaults"))
    else:
        sentences.insert(0, "All settings have their defaults.")
    return PageSection("Settings", sentences, tables)


def _software_section(made: Sequence[Made], files: Sequence[Sequence[Cell]]) -> PageSection:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    sentence = f"This page was made by Herdbook {VERSION} and Python {platform.python_version()} on {machine}."
    stages = [[Cell(one.stage), Cell(one.stage_version), Cell(one.release), Cell(_few(one.files), words=True)] for one in made]
    packages = [[Cell(name), Cell(found)] for name, found in installed_packages()]
    return PageSection(
        "Software and files",
        [sentence],
        [
            Table(("package", "version"), packages, "Packages", folded=True),
            Table(("stage", "version of the stage", "Herdbook", "files"), stages, "What made the files", folded=True),
            Table(("file", "stage", "fingerprint"), files, "Fingerprints of the files", folded=True),
        ],
    )


def installed_packages() -> Iterator[tuple[str, str]]:
    """The installed ones of PACKAGES with their versions."""
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _read_origins(paths: Iterable[Path]) -> tuple[list[Made], list[list[Cell]]]:
    """What the files say of how they were made, and their fingerprints."""
    made: dict[tuple[str, str, str, str], Made] = {}
    files = []
    for path in paths:
        attributes: dict[str, str] = {}
        if path.suffix == ".h5":
            with open_hdf5(path) as file:
                attributes = {key: str(value) for key, value in read_attributes(file).items()}
        elif path.suffix == ".json":
            attributes = _of_card(json.loads(path.read_text(encoding="utf-8")))
        files.append([Cell(path.name), Cell(attributes.get("stage", "")), Cell(attributes.get("fingerprint") or file_fingerprint(path))])
        if "settings" in attributes:
            key = (attributes["stage"], attributes["stage_version"], attributes["herdbook_version"], attributes["settings"])
            made.setdefault(key, Made(*key)).files.append(path.stem)
    return list(made.values()), files


def _of_card(card: Mapping[str, Any]) -> dict[str, str]:
    """What a classifier's card says of how it was made, as the attributes of an artifact."""
    if "settings" not in card:
        return {}
    versions = card.get("versions", {})
    return {
        "stage": "train",
        "stage_version": str(versions.get("stage", "")),
        "herdbook_version": str(versions.get("herdbook", "")),
        "settings": json.dumps(card["settings"], sort_keys=True, ensure_ascii=False),
    }


def _model(stage: str) -> Any:
    """The model of a stage's section of the experiment file, if it has one."""
    key = next((key for key in keys_of(Experiment) if key.name == stage), None)
    return key.inner if key else None


@lru_cache
def _unchanged(marking: str) -> Experiment:
    """An experiment whose settings are all left as they are by default."""
    animals = {"marking": marking, "number": 2}
    if marking == "marked":
        animals |= {"identities": ["a", "b"], "labels": "labels.csv"}
    return Experiment.model_validate({"experiment": "unchanged", "movies": [{"name": "m", "file": "m"}], "animals": animals})


def _keys(stage: str, place: str = "", model: Any = None) -> Iterator[Key]:
    """The keys of a stage's section, those of sections inside it with dots."""
    model = model or _model(stage)
    for key in keys_of(model) if model else ():
        if key.inner:
            yield from _keys(stage, f"{place}{key.name}.", key.inner)
        else:
            yield Key(f"{place}{key.name}", key.type_text, key.default, key.meaning, None)


def _flat(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def _shown(value: Any) -> str:
    """A value for reading."""
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else as_yaml(value)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
