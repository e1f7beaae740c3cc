"""Experiment files made at random from the models themselves, so that each key of each section takes part."""

import json
import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from herdbook.errors import HerdbookError
from herdbook.experiment.arenas import Arena
from herdbook.experiment.base import LARGEST, SMALLEST, Section
from herdbook.experiment.file import load_experiment, parse_experiment
from herdbook.experiment.model import OVERRIDABLE, Experiment

Raw = dict[str, Any]
Strategy = SearchStrategy[Any]

STAGES = (
    *("index", "background", "segment", "tracklets", "trainset", "train", "classify", "propagate", "smooth", "export"),
    *("overlay", "closeups", "mosaic", "report", "simulate"),
)
ALWAYS_FILES = settings(
    max_examples=30, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
ALWAYS = settings(ALWAYS_FILES, max_examples=60)

# Texts that YAML may read as another type, and names that shells, wildcards and tables may misread.
WORDS = (
    "no",
    "12",
    "1e5",
    "null",
    "2026-05-17",
    "0x1",
    "it's",
    'a "b"',
    "a: b",
    "#x",
    "$(x)",
    "蟻 é",
    "é",
    "~",
    "*a",
    "&a",
    "!a",
    "%",
    "x\ny",
)
names = (st.sampled_from(WORDS) | st.text(min_size=1, max_size=12)).filter(
    lambda name: name not in ("day", "night") and name[0] not in "-." and not {"/", "\0"} & set(name)
)
paths = names.map(lambda name: f"{name}.x")


def bounds_of(metadata: list[Any]) -> dict[str, Any]:
    """Bounds of numbers and lengths among what annotates a type."""
    found: dict[str, Any] = {}
    for item in metadata:
        if isinstance(item, FieldInfo):
            found |= bounds_of(item.metadata)
        keys = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")
        found |= {key: getattr(item, key) for key in keys if getattr(item, key, None) is not None}
    return found


def whole_numbers(bounds: dict[str, Any]) -> Strategy:
    step = bounds.get("multiple_of", 1)
    first = bounds.get("ge", bounds.get("gt", -LARGEST - 1) + 1)
    # There is a largest number of animals.
    last = min(bounds.get("le", LARGEST), bounds.get("lt", LARGEST + 1) - 1, 5000 if first == 1 else LARGEST)
    return st.integers(math.ceil(first / step), last // step).map(lambda number: number * step)


def numbers(bounds: dict[str, Any]) -> Strategy:
    first, last = bounds.get("ge", bounds.get("gt", -LARGEST)), bounds.get("le", bounds.get("lt", LARGEST))
    found = st.floats(first, last, exclude_min="gt" in bounds, exclude_max="lt" in bounds) | st.integers(math.ceil(first), math.floor(last))
    return found.filter(lambda x: (x == 0 or abs(x) >= SMALLEST) and not (x == 0 and "gt" in bounds) and not (x == 1 and "lt" in bounds))


def values(hint: Any, metadata: list[Any] | None = None) -> Strategy:
    """Values of a type as a person could write them into the file."""
    bounds, origin, inner = bounds_of(metadata or []), get_origin(hint), get_args(hint)
    if origin is Annotated:
        return values(inner[0], list(inner[1:]))
    if origin in (Union, UnionType):
        return st.one_of(*(values(part, metadata) for part in inner if part is not NoneType))
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.tuples(*(values(part) for part in inner)).map(list)
    if origin is list:
        unique = get_origin(inner[0]) is Literal or (inner[0] is not str and "Name" in str(inner[0]))
        return st.lists(values(inner[0]), min_size=bounds.get("min_length", 0), max_size=4, unique=unique)
    if origin is dict:
        return st.dictionaries(names, st.integers(1, 5), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Section):
        return sections(hint)
    simple: dict[Any, Strategy] = {bool: st.booleans(), str: names if "max_length" in bounds else paths}
    simple[datetime] = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1))
    return simple[hint] if hint in simple else whole_numbers(bounds) if hint is int else numbers(bounds)


def pairs(hint: Any, metadata: list[Any] | None = None) -> Strategy:
    """Two numbers in their order, which differ."""
    both = values(hint, metadata)
    return st.tuples(both, both).filter(lambda pair: pair[0] != pair[1]).map(sorted)


# Constraints that are not in the types: pairs in order, intervals one after the other.
ends = st.lists(st.integers(0, 10**6), max_size=6, unique=True).map(sorted)
stretches = ends.map(lambda found: [list(pair) for pair in zip(found[::2], found[1::2], strict=False)])
SPECIAL: dict[str, Strategy] = {
    "intervals": stretches,
    "area": pairs(int, [FieldInfo(ge=1)]),
    "area_body": pairs(float, [FieldInfo(gt=0)]),
    "intensity": pairs(float, [FieldInfo(gt=0, lt=255)]),
}


def is_section(model: type[Section], raw: Raw) -> bool:
    try:
        model.model_validate(raw)
    except ValidationError:
        return False
    return True


def sections(model: type[Section], *without: str) -> SearchStrategy[Raw]:
    """Sections of a model: its required keys, and some of the others that may stand together."""
    required: dict[str, Strategy] = {}
    optional: dict[str, Strategy] = {}
    for name, field in model.model_fields.items():
        if name not in without:
            strategy = SPECIAL[name] if name in SPECIAL else values(field.annotation, list(field.metadata))
            (required if field.is_required() else optional)[name] = strategy
    return st.fixed_dictionaries(required).flatmap(lambda first: _with_some(model, first, optional))


def _with_some(model: type[Section], first: Raw, optional: dict[str, Strategy]) -> SearchStrategy[Raw]:
    """Keys are added as long as it is a section with them: each is tried in some order."""

    @st.composite
    def draw_section(draw: st.DrawFn) -> Raw:
        found = dict(first)
        for name in draw(st.permutations(list(optional)))[: draw(st.integers(0, 6))] if optional else ():
            value = draw(optional[name])
            if is_section(model, found | {name: value}):
                found[name] = value
        return found

    return draw_section().filter(lambda raw: is_section(model, raw))


ANIMALS: dict[str, SearchStrategy[Raw]] = {
    "marked": st.builds(
        lambda known, others, groups: {
            **{"identities": known, "other_labels": [name for name in others if name not in known], "labels": "labels.csv"},
            "groups": {f"group {name}": n for name, n in groups.items()},
        },
        st.lists(names, min_size=1, max_size=4, unique=True),
        st.lists(names.map(lambda name: f"no {name}"), max_size=2, unique=True),
        st.dictionaries(names, st.integers(1, 5), max_size=2),
    ),
    "unmarked": st.builds(lambda number: {"number": number}, st.integers(1, 30)),
    "none": st.just({}) | st.builds(lambda number, keep: {"number": number, "keep": keep}, st.integers(1, 30), st.booleans()),
}
SCALES = st.one_of(
    st.builds(lambda n: {"px_per_mm": n}, st.floats(0.1, 100)),
    st.builds(lambda n: {"points": [[0, 0], [3, n]], "length": 2}, st.integers(-50, 50)),
    st.builds(lambda n: {"circle": [[0, 0], [n, 0], [0, n]], "diameter": 2}, st.integers(1, 50)),
)


@st.composite
def experiments(draw: st.DrawFn) -> Raw:
    """Experiment files without faults."""
    marking = draw(st.sampled_from(sorted(ANIMALS)))
    raw: Raw = {"experiment": draw(names), "animals": {"marking": marking, "body_length": 12.5, **draw(ANIMALS[marking])}}
    clocks = st.sampled_from([{}, {"fps": 2.5}, {"times": "times.csv"}])
    read = {"start": values(datetime), "rotate": st.sampled_from(["auto", 0, 90]), "stream": st.integers(0, 3), "bits": st.just(12)}
    raw["movies"] = [
        draw(st.fixed_dictionaries({"name": st.just(name), "file": paths}, optional=read))
        | draw(clocks)
        | draw(st.fixed_dictionaries({}, optional={"recording": st.sampled_from(["day", "night"]), "override": overrides}))
        for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))
    ]
    if draw(st.booleans()):
        # One arena may be named without its animals.
        raw["arenas"] = [draw(sections(Arena, "identities", "groups", "number"))]
    for key in draw(st.lists(st.sampled_from([*STAGE_SECTIONS, "seed", "results", "score", "scale"]), max_size=5, unique=True)):
        raw[key] = draw(STAGE_SECTIONS[key] if key in STAGE_SECTIONS else OTHERS[key])
    for movie in raw["movies"]:
        every = raw.get("index", {}).get("every", 1)
        if movie.get("override", {}).get("index", {}).get("every", every) == 1:
            movie["poses"] = draw(st.lists(paths))
    return raw


def _model(stage: str) -> type[Section]:
    hint: Any = Experiment.model_fields[stage].annotation
    return next(part for part in (hint, *get_args(hint)) if isinstance(part, type) and issubclass(part, Section))


# Without keys of a given classifier, which is only for marked animals.
STAGE_SECTIONS = {stage: sections(_model(stage), "use", "start", "model") for stage in STAGES if stage != "report"}
OTHERS: dict[str, Strategy] = {
    **{"seed": st.integers(0, LARGEST), "results": paths, "scale": SCALES, "score": sections(_model("score"))},
}
overrides = st.fixed_dictionaries({}, optional={stage: sections(_model(stage), "corrections") for stage in OVERRIDABLE})


def settings_of_stages(experiment: Experiment) -> dict[tuple[str, str | None], str]:
    """The settings of all stages' jobs, by stage and unit."""
    movies: list[str | None] = [movie.name for movie in experiment.movies]
    scenes: list[str | None] = list(experiment.recordings) if experiment.background.scope == "recording" else movies
    units = {stage: movies if stage in OVERRIDABLE else scenes if stage == "background" else [None] for stage in STAGES}
    return {(stage, unit): experiment.settings(stage, unit) for stage in STAGES for unit in units[stage]}


def write(folder: Path, raw: Raw) -> Path:
    path = folder / "experiment.yaml"
    # With allow_unicode PyYAML would write some line breaks so that it reads them as spaces.
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    return path


@ALWAYS_FILES
@given(raw=experiments())
def test_a_valid_file_survives_being_written_and_read(tmp_path: Path, raw: Raw) -> None:
    first = parse_experiment(raw, tmp_path / "experiment.yaml")
    read = load_experiment(write(tmp_path, raw))
    again = load_experiment(write(tmp_path, read.model_dump(mode="json", exclude_unset=True)))
    assert first == read == again
    assert settings_of_stages(first) == settings_of_stages(again)
    assert all(json.loads(text) is not None for text in settings_of_stages(first).values())


def reversed_keys(value: Any, key: str = "") -> Any:
    """The same content with all keys in the opposite order; groups are a list of names, with how many animals each has."""
    match value:
        case dict() if key != "groups":
            return {name: reversed_keys(value[name], name) for name in reversed(value)}
        case list():
            return [reversed_keys(part) for part in value]
    return value


@ALWAYS
@given(raw=experiments())
def test_settings_do_not_depend_on_the_order_of_keys(tmp_path: Path, raw: Raw) -> None:
    one, other = (parse_experiment(content, tmp_path / "e.yaml") for content in (raw, reversed_keys(raw)))
    assert settings_of_stages(one) == settings_of_stages(other)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([*WORDS, "a/b", "..", "\0", 10**400]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers() | st.none(), part, max_size=3),
    max_leaves=5,
)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to the values of all keys."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from places(part, (*place, key))


def full(marking: str) -> Raw:
    """An experiment with all keys of all sections."""
    animals: dict[str, Raw] = {"marked": {"identities": ["A", "B"], "labels": "l.csv"}, "unmarked": {"number": 3}}
    animals["none"] = {"number": 2, "keep": True}
    movies = [{"name": name, "file": f"{name}.mp4", "recording": "day", "override": {"segment": {"difference": 30}}} for name in "ab"]
    raw: Raw = {"experiment": "e", "movies": movies, "animals": {"marking": marking, **animals[marking]}}
    if marking == "none":
        raw["arenas"] = [{"name": "dish", "include": [{"ellipse": {"centre": [30, 20], "axes": [20, 10]}}], "exclude": []}]
        raw |= {"scale": {"px_per_mm": 11.5}, "score": {"truth": "truth.csv"}, "simulate": {}}
    return Experiment.model_validate(raw).model_dump(mode="json", exclude_none=True) | {"animals": raw["animals"]}


FULL = {marking: full(marking) for marking in ANIMALS}


@settings(ALWAYS, max_examples=300)
@given(data=st.data())
def test_any_value_of_any_key_is_accepted_or_reported_with_its_key(tmp_path: Path, data: st.DataObject) -> None:
    raw: Raw = json.loads(json.dumps(FULL[data.draw(st.sampled_from(sorted(FULL)))]))
    place = data.draw(st.sampled_from(list(places(raw))))
    owner: Any = raw
    for part in place[:-1]:
        owner = owner[part]
    owner[place[-1]] = data.draw(json_like)
    path = tmp_path / "experiment.yaml"
    message = ""
    try:
        assert settings_of_stages(parse_experiment(raw, path))
    except HerdbookError as error:
        message = str(error)
    key = [part for part in place if isinstance(part, str)][-1]
    assert not message or (str(path) in message and key in message and len(message) < 5000), message


@pytest.mark.parametrize("stage", ["overlay", "closeups", "mosaic"])
def test_an_override_must_fit_the_section_that_it_changes(tmp_path: Path, stage: str) -> None:
    raw: Raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4", "override": {stage: {"intervals_in": "frames"}}}]}
    raw |= {"animals": {"marking": "none"}, stage: {"intervals": [[1.5, 9]], "intervals_in": "s"}}
    with pytest.raises(HerdbookError, match=rf"movies\.m\.override\.{stage}: intervals: \[1\.5, 9\] are not whole numbers of frames"):
        parse_experiment(raw, tmp_path / "e.yaml")
