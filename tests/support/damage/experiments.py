"""Experiment files, damaged as bytes, as YAML and in their values, and what reading and checking them makes of it."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

# Imported here, once, and not by each fork.
import herdbook.classifier.cards
import herdbook.tables.scoring  # noqa: F401
from herdbook.commands.check import check_experiment
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment
from tests.conftest import ROOT
from tests.support.damage.limits import TOLD, Outcome, run_limited
from tests.support.damage.movies import STAGES as MOVIE_STAGES
from tests.support.damage.mutations import Rng, mutate

STAGES = (
    *(*MOVIE_STAGES, "simulate", "tracklets", "trainset", "train", "classify"),
    *("propagate", "smooth", "export", "overlay", "report"),
)
# A message longer than this is no message: it may list some faults, but not print a file.
MOST_CHARACTERS = 4000

STRANGE: tuple[Any, ...] = (
    *(None, "", " ", [], {}, True, False, 0, -1, 1, 2**31, 10**12, 10**30, -(10**30), 1e-300, 1e308, float("inf"), float("nan")),
    *("text", "no", "12", "1e5", "ü" * 100, "x" * 300, "a/b", "../../up", "/", "~", ".", "..", "-x", "a\nb", "a\0b", "{x}", "<y>", "$(z)"),
    *([1], [1, 2], [2, 1], ["a", "a"], [None], [[[]]], [float("nan"), 1], {"a": 1}, {"": ""}, {1: 2}, {"a": {"b": {"c": []}}}),
    *(list(range(1000)), ["x"] * 1000, "y" * 100_000),
)
_DEEP = 3000
_BOMB = "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9) if n else '1'}]\n" for n in range(12))
# Text put before, after, or in the place of a line.
# Mappings that are merged, each twice the one before: PyYAML before 6.0.4 doubles its work forty times.
_MERGES = "k0: &k0 {a: 1}\n" + "".join(f"k{n}: &k{n} {{<<: [*k{n - 1}, *k{n - 1}]}}\n" for n in range(1, 40))
SNIPPETS = (
    "\t- a\n",
    "a: b: c\n",
    "? [x, y]\n: z\n",
    "experiment: twice\n",
    "animals: *nobody\n",
    "animals: &a [*a]\n",
    "<<: *a\n",
    "&a a: {<<: *a}\n",
    "seed: " + "9" * 5000 + "\n",
    "seed: 0x" + "f" * 100 + "\n",
    "seed: 0x" + "f" * 5000 + "\n",
    "segment: {area: [1, 0x" + "f" * 5000 + "]}\n",
    "results: !!python/object/apply:os.system ['touch run']\n",
    "results: !!binary aGVsbG8=\n",
    "seed: !!set {1, 2}\n",
    "seed: 2020-13-45\n",
    "seed: 190:20:30\n",
    "movies: " + "[" * _DEEP + "]" * _DEEP + "\n",
    "movies: " + "{a: " * _DEEP + "}" * _DEEP + "\n",
    "--- \nexperiment: second document\n",
    "%YAML 9.9\n---\n",
    "\x00\n",
    "\ufeff\n",
    "\u202e\u2028\n",
    "'unclosed\n",
    "{unclosed\n",
    _BOMB,
    _MERGES,
    _MERGES + "animals: {<<: *k39, marking: none}\n",
    _BOMB + "animals: *k11\n",
    _BOMB + "movies: *k11\n",
    _BOMB + "segment: {polarity: *k11}\n",
    _BOMB + "movies: [{name: m, file: m.mp4, override: {segment: {area: *k11}}}]\n",
)


@dataclass(frozen=True)
class Case:
    """A damaged experiment file: which one, and what was done to it."""

    source: str
    change: str
    path: Path


def whole_files() -> dict[str, dict[str, Any]]:
    """The experiment files of the project, and one of each kind of marking with all keys of all sections."""
    found = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "config").glob("*.yaml"))}
    movies = [{"name": name, "file": f"{name}.mp4", "recording": "day", "override": {"segment": {"difference": 30}}} for name in "ab"]
    circle = {"ellipse": {"centre": [30, 20], "axes": [20, 10], "angle": 5}}
    polygon = {"polygon": [[0, 0], [9, 0], [9, 9]]}
    animals: dict[str, dict[str, Any]] = {
        "marked": {"identities": ["A", "B"], "groups": {"w": 2}, "labels": "labels.csv", "facts": "facts.csv", "other_labels": ["dirt"]},
        "unmarked": {"number": 3},
        "none": {"number": 2, "keep": True, "body_length": 12.5},
    }
    for marking, told in animals.items():
        raw: dict[str, Any] = {"experiment": marking, "movies": movies, "animals": {"marking": marking, **told}}
        if marking == "none":
            raw["arenas"] = [{"name": "dish", "include": [circle], "exclude": [polygon]}]
            raw["scale"] = {"px_per_mm": 11.5}
            raw["score"] = {"truth": "truth.csv"}
        full = Experiment.model_validate(raw).model_dump(mode="json", exclude_none=True)
        # Unmarked animals get their names from the number.
        full["animals"] = raw["animals"]
        found[f"{marking}.yaml"] = full
    return found


def damage(whole: dict[str, dict[str, Any]], number: int, folder: Path, seed: int) -> Case:
    """The damaged experiment file of this number, in a folder of its own."""
    rng = np.random.default_rng([seed, number])
    source = list(whole)[number % len(whole)]
    path = folder / f"{number}.yaml"
    way = rng.random()
    if way < 0.5:
        changes, raw = [], copy.deepcopy(whole[source])
        for _ in range(int(rng.integers(1, 3))):
            changes.append(_change_value(raw, rng))
        path.write_text(_as_yaml(raw), encoding="utf-8")
        return Case(source, "; ".join(changes), path)
    if way < 0.75:
        change, data = mutate(_as_yaml(whole[source]).encode(), rng)
        path.write_bytes(data)
        return Case(source, change, path)
    snippet = str(rng.choice(np.array(SNIPPETS, object)))
    # In the place of the key, for a key that is given twice is one fault of many.
    replaced = re.findall(r"^\w+", snippet, re.MULTILINE) if rng.random() < 0.8 else []
    lines = _as_yaml({key: value for key, value in whole[source].items() if key not in replaced}).splitlines(keepends=True)
    place = int(rng.choice([0, len(lines), int(rng.integers(len(lines) + 1))]))
    lines.insert(place, snippet)
    data = "".join(lines).encode("utf-16" if rng.random() < 0.05 else "utf-8")
    path.write_bytes(data)
    return Case(source, f"line {place}: {snippet[:40]!r}", path)


def judge(case: Case) -> tuple[str, Outcome]:
    """What a user gets from a damaged experiment file: PASSED, TOLD or a fault."""
    outcome = run_limited(lambda: read_and_check(case.path))
    if outcome.kind == TOLD and not _is_clear(outcome.printed, case.path):
        return "unclear", outcome
    if outcome.result.get("wrong"):
        return "wrong", outcome
    return outcome.kind, outcome


def read_and_check(path: Path) -> dict[str, Any]:
    """Load an experiment file, say what each stage gets, and check it, as `herdbook check` and the workflow do."""
    experiment = load_experiment(path)
    for stage in STAGES:
        for unit in (None, *experiment.recordings, *(movie.name for movie in experiment.movies)):
            own = unit if unit and (stage == "background" or stage in MOVIE_STAGES or stage in ("tracklets", "smooth")) else None
            if own and stage == "background" and (unit in experiment.recordings) != (experiment.background.scope == "recording"):
                continue
            if own and stage != "background" and unit not in {movie.name for movie in experiment.movies}:
                continue
            json.loads(experiment.settings(stage, own))
    findings = check_experiment(experiment)
    words = "\n".join([*findings.faults, *findings.notes])
    return {"wrong": _not_the_same(experiment, path)} | ({"wrong": words} if len(words) > 50 * MOST_CHARACTERS else {})


def _not_the_same(experiment: Experiment, path: Path) -> str:
    """What is wrong with an experiment that was loaded: it is not one that could be written and loaded again."""
    again = Experiment.model_validate(json.loads(experiment.model_dump_json()))
    if again != experiment:
        return "written and loaded again it is another one"
    outside = [part for part in (experiment.experiment, *(m.name for m in experiment.movies), *experiment.recordings) if "/" in part]
    return f"{outside} lead out of the results" if outside or experiment.folder.parent != Path(experiment.results) else ""


def _as_yaml(raw: dict[str, Any]) -> str:
    return str(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False))


def _is_clear(printed: str, path: Path) -> bool:
    return str(path.parent) in printed and len(printed) <= MOST_CHARACTERS


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of keys to everything in a tree of dictionaries and lists."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from _places(part, (*place, key))


def _change_value(raw: dict[str, Any], rng: Rng) -> str:
    """Change something in the tree; returns what."""
    places = list(_places(raw))
    place = places[int(rng.integers(len(places)))]
    owner: Any = raw
    for key in place[:-1]:
        owner = owner[key]
    key, told = place[-1], ".".join(map(str, place))
    match int(rng.integers(6)):
        case 0:
            del owner[key]
            return f"{told} is lost"
        case 1 if isinstance(owner, dict):
            owner[f"{key}x" if rng.random() < 0.5 else str(key).title()] = owner.pop(key)
            return f"{told} is renamed"
        case 2:
            owner[key] = [owner[key], owner[key]]
            return f"{told} is a list of it twice"
        case 3:
            other = places[int(rng.integers(len(places)))]
            value: Any = raw
            for part in other:
                value = value[part]
            owner[key] = copy.deepcopy(value)
            return f"{told} has the value of {'.'.join(map(str, other))}"
        case _:
            owner[key] = STRANGE[int(rng.integers(len(STRANGE)))]
            return f"{told} = {str(owner[key])[:30]!r}"
