"""The experiment file: faults are reported by key, and each stage gets its settings."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.classifier import PoseSection
from herdbook.experiment.docs import BEGIN, END, key_tables, keys_of, with_key_tables
from herdbook.experiment.file import load_experiment, parse_experiment
from herdbook.experiment.model import OVERRIDABLE, Experiment
from tests.conftest import ROOT

README = ROOT / "config" / "README.md"

FULL: dict[str, Any] = {
    "experiment": "ants",
    "seed": 7,
    "movies": [
        {"name": "m1", "file": "m1.mp4", "recording": "day"},
        {"name": "m2", "file": "m2.mp4", "recording": "day", "override": {"segment": {"difference": 12}}},
    ],
    "animals": {"marking": "marked", "identities": ["A", "B"], "labels": "labels.csv", "other_labels": ["dirt"]},
    "arenas": [{"name": "dish", "include": [{"ellipse": {"centre": [50, 40], "axes": [30, 20]}}]}],
    "score": {"truth": "truth.csv", "radius": 9},
}

# A value other than the default for every key of every stage's section.
CHANGED: dict[str, dict[str, Any]] = {
    "index": {"on_broken": "keep", "every": 3},
    "background": {"statistic": "max", "frames": 7, "scope": "window", "window_s": 60.0, "resting": False},
    "segment": {
        "method": "intensity",
        "polarity": "bright",
        "difference": 11.0,
        "intensity": [3.0, 90.0],
        "channel": "colour",
        "area": [60, 70],
        "flat_field": True,
        "flicker": True,
        "blur": 1.5,
        "close": 2,
        "open": 3,
        "fill_holes": True,
        "reduce": 2,
        "min_contrast": 8.0,
        "drop_border": True,
        "on_excess": "stop",
        "images_per_s": 5.0,
        "intervals": [[0, 10]],
    },
    "tracklets": {"max_step": 17.0, "bridge": 5},
    "trainset": {
        **{"images_per_tracklet": 12, "size": [24, 30], "crop_length": 64.0, "blank": 9},
        **{"neighbours": True, "white_balance": False},
    },
    "train": {
        **{"architecture": "wide", "epochs": 3, "batch": 8, "patience": 2, "validation": 0.3, "rate": 0.01, "balance": False},
        "symmetry": False,
        "augmentation": {"shift": 0.1, "rotation": 3.0, "shear": 0.1, "zoom": 0.1, "brightness": 0.1, "hue": 0.1},
    },
    "classify": {"images": 9, "most_images": 11, "drift": True},
    "propagate": {"gap_s": 1.5},
    "smooth": {
        **{"method": "none", "window_s": 0.25, "engine": "opencv", "fill": 3, "jumps": "repair", "likelihood": 0.5},
        "corrections": "corrections.csv",
    },
    "repair": {"names": "file", "least": 0.5},
    "export": {"formats": [], "movement_names": "plural", "contact_gap_s": 1.5},
    "overlay": {
        **{"show": ["trails"], "trail_s": 4.0, "every": 3, "speed": 2.0, "intervals": [[1.5, 9.0]], "intervals_in": "s"},
        **{"max_width": 640, "crf": 30},
    },
    "closeups": {
        **{"size": 96, "size_body": 3.0, "head_up": True, "shortest_s": 0.0},
        **{"every": 3, "intervals": [[1.5, 9.0]], "intervals_in": "s", "crf": 30},
    },
    "mosaic": {
        **{"size_body": 3.0, "head_up": True, "max_width": 640},
        **{"every": 3, "speed": 2.0, "intervals": [[1.5, 9.0]], "intervals_in": "s", "crf": 30},
    },
    "simulate": {
        **{"number": 3, "frames": 20, "fps": 10.0, "size": [64, 48], "labels_per_animal": 2},
        **{"marking": "texture", "body_length_px": 20.0, "leave": False},
    },
}

# Keys that are passed to a stage in another form, or not at all; tests below check them.
CONVERTED = {
    **{"background": {"scope", "file"}, "segment": {"area_body", "difference_noise"}, "smooth": {"corrections"}},
    **{stage: {"write"} for stage in ("overlay", "closeups", "mosaic")},
    "train": {"use", "start", "model"},
    "trainset": {"use", "left_out"},
}


def written(folder: Path, content: Any) -> Path:
    path = folder / "experiment.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def with_change(*place: str | int, value: Any) -> dict[str, Any]:
    raw = copy.deepcopy(FULL)
    owner: Any = raw
    for part in place[:-1]:
        owner = owner.setdefault(part, {}) if isinstance(owner, dict) else owner[part]
    owner[place[-1]] = value
    return raw


def message(folder: Path, content: Any) -> str:
    with pytest.raises(HerdbookError) as caught:
        load_experiment(written(folder, content))
    return str(caught.value)


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("segmnt",), {}, "segmnt: unknown key; did you mean 'segment'?"),
        (("segment", "diference"), 3, "segment.diference: unknown key; did you mean 'difference'?"),
        (("arenas", 0, "includes"), [], "arenas.0.includes: unknown key; did you mean 'include'?"),
        (("arenas", 0, "include", 0, "ellipse", "center"), [1, 2], "did you mean 'centre'?"),
        (("movies", 0, "override", "segment", "aera"), [1, 2], "movies.m1.override.segment.aera: unknown key; did you mean 'area'?"),
        (("movies", 0, "override", "train"), {}, "movies.m1.override.train: cannot be set for a single movie; these can: index, segment"),
        (("movies", 0, "override", "nonsense"), {}, "movies.m1.override.nonsense: cannot be set for a single movie"),
        (("animals", "identities"), ["A", "B", "A"], "names given twice: A"),
        (("animals", "other_labels"), ["B"], "names given twice: B"),
        (("animals", "identities"), [False, "B"], "quotes"),
        (("animals", "number"), 1, "1 animals cannot have 2 identities"),
        (("animals", "marking"), "unmarked", "groups and other_labels need marking: marked"),
        (("animals", "marking"), "painted", "expected 'marked', 'unmarked' or 'none', found 'painted'"),
        (("animals", "identities"), [], "marked animals need identities"),
        (("animals", "labels"), None, "marked animals need labels"),
        (("animals", "labels"), "", "animals.labels: expected a text with at least 1 character"),
        (("movies", 1, "name"), "m1", "the movie 'm1' is named twice"),
        (("movies", 0, "name"), "a/b", "'a/b' cannot name a file"),
        (("movies", 0, "file"), "a\0b", "cannot be used as the path of a file"),
        (("movies", 0, "recording"), "m2", "the recording 'm2' has the name of a movie that is not in it"),
        (("experiment",), "../elsewhere", "is the name of a folder"),
        (("segment",), None, "segment: expected keys with values, indented below it, found nothing"),
        (("segment", "area"), [100, 50], "area: the smaller value must be first, found [100, 50]"),
        (("segment", "difference"), -3, "expected greater than 0, found -3"),
        (("segment", "intensity"), [0, 255], "[0, 255] are all grey levels"),
        (("segment", "reduce"), 9, "expected less than or equal to 8, found 9"),
        (("smooth", "window_s"), float("inf"), "finite"),
        (("arenas", 0, "include", 0, "polygon"), [[0, 0], [1, 0], [1, 1]], "either an ellipse or a polygon"),
        (("arenas",), [{"name": "a"}, {"name": "b"}], "the identity 'A' is in no arena"),
    ],
)
def test_a_fault_names_its_key_and_the_remedy(tmp_path: Path, place: tuple[str | int, ...], value: Any, expected: str) -> None:
    assert expected in message(tmp_path, with_change(*place, value=value))


def test_all_faults_are_in_one_message(tmp_path: Path) -> None:
    raw = with_change("segmnt", value={})
    raw["smooth"] = {"window_s": 0}
    raw["movies"][0]["override"] = {"segment": {"aera": [1, 2]}, "train": {}}
    del raw["experiment"]
    text = message(tmp_path, raw)
    assert "5 faults" in text
    for part in ("segmnt", "smooth.window_s", "override.segment.aera", "override.train", "experiment: is missing"):
        assert part in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a: [1", "not valid YAML"), ("- 1", "found list"), ("", "found NoneType"), ("seed: 1\nseed: 2", "the key 'seed' is given twice")],
)
def test_a_file_that_is_no_mapping_is_reported(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in message(tmp_path, text)


def test_a_file_that_is_not_there_is_reported_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="herdbook new"):
        load_experiment(tmp_path / "none.yaml")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    experiment = load_experiment(written(tmp_path / "sub", with_change("movies", 0, "file", value="../videos/m.mp4")))
    assert experiment.movie("m1").file == str(tmp_path / "videos" / "m.mp4")
    assert experiment.animals.labels == str(tmp_path / "sub" / "labels.csv")
    assert experiment.score is not None
    assert experiment.score.truth == str(tmp_path / "sub" / "truth.csv")
    assert experiment.folder == tmp_path / "sub" / "results" / "ants"


def test_a_file_is_found_by_a_name_that_looks_alike(tmp_path: Path) -> None:
    composed, decomposed = "K\u00e4fer.mp4", "Ka\u0308fer.mp4"
    for there, named in ((composed, decomposed), (decomposed, composed)):
        (tmp_path / there).touch()
        raw = {**FULL, "movies": [{"name": "m1", "file": named}]}
        assert parse_experiment(raw, tmp_path / "e.yaml").movies[0].file == str(tmp_path / there)
        (tmp_path / there).unlink()
        assert parse_experiment(raw, tmp_path / "e.yaml").movies[0].file == str(tmp_path / named)


def test_names_that_look_alike_are_one_name(tmp_path: Path) -> None:
    composed, decomposed = "K\u00e4fer", "Ka\u0308fer"
    raw = {**FULL, "movies": [{"name": decomposed, "file": "m.mp4", "recording": decomposed}]}
    read = parse_experiment(raw | {"animals": {**FULL["animals"], "identities": ["A", decomposed]}}, tmp_path / "e.yaml")
    assert (read.movies[0].name, read.recordings, read.animals.identities[1]) == (composed, {composed: [composed]}, composed)
    with pytest.raises(HerdbookError, match="names given twice"):
        parse_experiment(FULL | {"animals": {**FULL["animals"], "identities": [composed, decomposed]}}, tmp_path / "e.yaml")


def test_overrides_replace_single_values(tmp_path: Path) -> None:
    path = written(tmp_path, with_change("segment", value={"difference": 20, "area": [9, 99]}))
    experiment = load_experiment(path, {"segment": {"difference": 30}, "seed": 2})
    assert (experiment.segment.difference, experiment.segment.area, experiment.seed) == (30, (9, 99), 2)


def test_movies_may_be_listed_in_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "movies.tsv").write_text("name\tfile\trecording\tsegment.difference\na\tv/a.mp4\tday\t\nb\tv/b.mp4\tday\t12\n")
    experiment = load_experiment(written(tmp_path, with_change("movies", value="movies.tsv")))
    assert experiment.recordings == {"day": ["a", "b"]}
    assert experiment.movie("b").file == str(tmp_path / "v" / "b.mp4")
    assert json.loads(experiment.settings("segment", "a"))["difference"] == 25
    assert json.loads(experiment.settings("segment", "b"))["difference"] == 12


def test_a_faulty_setting_in_the_sheet_is_a_fault_of_its_movie(tmp_path: Path) -> None:
    (tmp_path / "movies.tsv").write_text("name\tfile\tsegment.diference\na\ta.mp4\t3\n")
    assert "movies.a.override.segment.diference: unknown key" in message(tmp_path, with_change("movies", value="movies.tsv"))


def test_every_section_is_passed_to_its_stage_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    stages = {key.name for key in keys_of(Experiment) if key.inner} - {"movies", "animals", "arenas", "score", "scale", "pose", "points"}
    assert set(CHANGED) == stages

    def parsed(section: str, values: dict[str, Any]) -> Experiment:
        raw = with_change(section, value=values)
        raw["movies"][0] |= {"poses": ["p.h5"]} if section == "repair" else {}
        return parse_experiment(raw, tmp_path / "e.yaml")

    for section, values in CHANGED.items():
        default = parsed(section if section in ("simulate", "repair") else "simulate", {})
        changed = parsed(section, values)
        passed = json.loads(changed.settings(section))
        plain = {key: value for key, value in values.items() if key not in CONVERTED.get(section, ())}
        assert {key: passed[key] for key in plain} == plain
        unlike = {key for key in plain if json.loads(default.settings(section))[key] != passed[key]}
        assert unlike == set(plain), "the test must change every value"
    keys = {key.name: {inner.name for inner in keys_of(key.inner)} for key in keys_of(Experiment) if key.inner and key.name in CHANGED}
    assert keys == {name: set(values) | CONVERTED.get(name, set()) for name, values in CHANGED.items()}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "repair needs body points: movies: poses"),
        ({"poses": ["a.json"]}, "movies.m1.poses: files of DUSTrack hold one animal without a name"),
        ({"poses": ["a.h5"], "marking": "none"}, "repair needs animals with names"),
    ],
)
def test_a_repair_that_has_nothing_to_do_is_refused(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    raw = with_change("repair", value={})
    raw["movies"][0] |= {"poses": changes.get("poses", [])}
    if "marking" in changes:
        raw["animals"] = {"marking": "none"}
    assert expected in message(tmp_path, raw)


def test_body_points_are_smoothed_after_their_repair_by_the_same_settings(tmp_path: Path) -> None:
    raw = with_change("repair", value={})
    raw["movies"][0] |= {"poses": ["a.h5"]}
    raw["smooth"] = {"window_s": 0.75, "likelihood": 0.25}
    experiment = parse_experiment(raw, tmp_path / "e.yaml")
    assert json.loads(experiment.settings("smooth_points", "m1"))["window_s"] == 0.75
    assert json.loads(experiment.settings("repair", "m1")) == {"names": "herdbook", "least": 0.9, "likelihood": 0.25}


def test_only_movies_with_body_points_have_them_on_their_overlay(tmp_path: Path) -> None:
    raw = with_change("points", value={"skeleton": [["nose", "tail"]]})
    raw["movies"][0] |= {"poses": ["a.h5"]}
    experiment = parse_experiment(raw, tmp_path / "e.yaml")
    first, second = (json.loads(experiment.settings("overlay", movie)) for movie in ("m1", "m2"))
    assert (first["skeleton"], "points" in first["show"]) == ([["nose", "tail"]], True)
    assert "skeleton" not in second
    assert second["show"] == ["names", "trails", "outlines", "marks", "time"]
    assert json.loads(experiment.settings("report"))["skeleton"] == [["nose", "tail"]]
    hidden = parse_experiment(raw | {"overlay": {"show": ["names"]}}, tmp_path / "e.yaml")
    assert "skeleton" not in json.loads(hidden.settings("overlay", "m1"))
    assert not hidden.draws_points("m1")


@pytest.mark.parametrize("skeleton", [[["a", "a"]], [["a", "b"], ["b", "a"]]])
def test_a_pair_of_points_is_joined_once(tmp_path: Path, skeleton: list[list[str]]) -> None:
    assert "pairs of two different points, each pair once" in message(tmp_path, with_change("points", value={"skeleton": skeleton}))


POSE = {"labels": ["p.csv"], "points": ["a", "bL", "bR"], "mirror": {"bL": "bR"}, "crop_body": 3.0, "size": 64, "steps": 7, "batch": 5}


@pytest.mark.parametrize(
    ("key", "stages"),
    [
        *((key, {"pose_trainset"}) for key in ("mirror", "crop_body", "size")),
        *((key, {"pose_train"}) for key in ("steps", "batch", "rate")),
        ("points", {"pose_trainset", "pose"}),
        ("most_error", {"pose"}),
        ("labels", set()),
    ],
)
def test_a_key_of_pose_is_passed_to_the_stages_that_it_changes(tmp_path: Path, key: str, stages: set[str]) -> None:
    values = POSE | {"rate": 0.01, "most_error": 0.5}
    assert set(values) == {inner.name for inner in keys_of(PoseSection)} - {"model"}
    full = parse_experiment(with_change("pose", value=values), tmp_path / "e.yaml")
    other = parse_experiment(
        with_change("pose", value={"labels": ["q.csv"]} | {k: v for k, v in values.items() if k not in (key, "labels")}),
        tmp_path / "e.yaml",
    )
    changed = {stage for stage in PoseSection.stages if full.settings(stage, "m1") != other.settings(stage, "m1")}
    assert changed == stages
    assert {stage for stage in PoseSection.stages if key in json.loads(full.settings(stage, "m1"))} == stages


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, "expected either labels, files of labelled frames, or model"),
        ({"labels": ["p.csv"], "model": "pose.keras"}, "expected either labels"),
        ({"labels": ["p.csv"], "points": ["a", "a"]}, "points has 'a' twice"),
        ({"labels": ["p.csv"], "size": 50}, "multiple of 16"),
    ],
)
def test_a_pose_section_that_cannot_be_is_refused(tmp_path: Path, section: dict[str, Any], expected: str) -> None:
    assert expected in message(tmp_path, with_change("pose", value=section))


def test_a_given_network_runs_again_for_other_points_alone(tmp_path: Path) -> None:
    experiment = parse_experiment(with_change("pose", value={"model": "pose.keras", "steps": 9}), tmp_path / "e.yaml")
    assert experiment.pose is not None
    assert experiment.pose.model == str(tmp_path.resolve() / "pose.keras")
    assert json.loads(experiment.settings("pose_train")) == {"points": None}


def test_how_a_movie_is_read_is_passed_to_its_index_and_to_no_other(tmp_path: Path) -> None:
    raw = copy.deepcopy(FULL)
    raw["movies"][0] |= {"fps": 2.5, "rotate": 90, "stream": 1, "bits": 12}
    experiment = parse_experiment(raw, tmp_path / "e.yaml")
    given = {"fps": 2.5, "rotate": 90, "stream": 1, "bits": 12}
    assert json.loads(experiment.settings("index", "m1")) == {"on_broken": "stop", "every": 1, **given}
    assert json.loads(experiment.settings("index", "m2")).items() >= {"fps": None, "rotate": "auto", "stream": None, "bits": None}.items()


def test_the_file_of_times_is_named_relative_to_the_experiment(tmp_path: Path) -> None:
    raw = copy.deepcopy(FULL)
    raw["movies"][1]["times"] = "camera/m2.csv"
    assert parse_experiment(raw, tmp_path / "e.yaml").movie("m2").times == str(tmp_path.resolve() / "camera" / "m2.csv")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"fps": 25, "times": "t.csv"}, "movies.m2: fps and times both say when its frames were filmed"),
        (
            {"poses": ["p.h5"], "override": {"index": {"every": 2}}},
            "movies.m2.poses has a row for each frame of the file: index.every must",
        ),
        ({"rotate": 45}, "rotate"),
        ({"bits": 9}, "bits"),
        ({"fps": 0}, "fps"),
    ],
)
def test_a_movie_that_cannot_be_read_so_is_refused(tmp_path: Path, keys: dict[str, Any], expected: str) -> None:
    raw = copy.deepcopy(FULL)
    raw["movies"][1] |= keys
    assert expected in message(tmp_path, raw)


def test_areas_in_bodies_are_passed_in_px(tmp_path: Path) -> None:
    raw = with_change("segment", "area_body", value=[0.05, 2])
    raw["animals"]["body_length"] = 30
    passed = json.loads(parse_experiment(raw, tmp_path / "e.yaml").settings("segment"))
    assert passed["area"] == [45, 1800]
    assert "area_body" not in passed
    del raw["animals"]["body_length"]
    assert "segment.area_body needs animals.body_length" in message(tmp_path, raw)
    raw["movies"][1]["override"] = {"segment": raw.pop("segment")}
    assert "movies.m2.override.segment.area_body needs animals.body_length" in message(tmp_path, raw)


@pytest.mark.parametrize(
    ("one", "other"), [({"area": [60, 900]}, {"area_body": [0.1, 1]}), ({"difference": 20.0}, {"difference_noise": 6.0})]
)
def test_alternative_keys_exclude_each_other(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    assert "are alternatives: give one of them" in message(tmp_path, with_change("segment", value=one | other))
    for section, override in ((one, other), (other, one)):
        raw = with_change("segment", value=section)
        raw["animals"]["body_length"] = 10
        raw["movies"][1]["override"] = {"segment": override}
        experiment = parse_experiment(raw, tmp_path / "e.yaml")
        for movie, values in (("m1", section), ("m2", override)):
            alone = parse_experiment(raw | {"segment": values, "movies": FULL["movies"][:1]}, tmp_path / "e.yaml")
            assert experiment.settings("segment", movie) == alone.settings("segment", "m1")


def test_stage_background_gets_only_what_it_needs(tmp_path: Path) -> None:
    def passed(**section: Any) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(
            parse_experiment(with_change("background", value=section), tmp_path / "e.yaml").settings("background", "m1")
        )
        return settings

    assert passed(window_s=60) == passed()
    assert passed(scope="window", window_s=60)["window_s"] == 60
    assert passed(file="empty.png", statistic="max") == passed(file="other.png", resting=False)
    experiment = parse_experiment(with_change("background", "file", value="empty.png"), tmp_path / "e.yaml")
    assert experiment.background.file == str(tmp_path / "empty.png")


def test_the_number_of_animals_is_passed_to_segment_only_if_it_matters(tmp_path: Path) -> None:
    def passed(number: int, **section: Any) -> str:
        raw = with_change("segment", value=section)
        raw["animals"]["number"] = number
        return parse_experiment(raw, tmp_path / "e.yaml").settings("segment")

    assert passed(2) == passed(3)
    assert passed(2, on_excess="warn") != passed(3, on_excess="warn")


def test_an_animal_alone_in_an_arena_has_the_name_of_the_arena(tmp_path: Path) -> None:
    square = {"polygon": [[0, 0], [9, 0], [9, 9]]}
    arenas = [{"name": name, "include": [square], "number": number} for name, number in (("A1", 1), ("A2", 2), ("animal9", 1))]
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "arenas": arenas}

    def parsed(**animals: Any) -> Experiment:
        return parse_experiment(copy.deepcopy(raw) | {"animals": animals}, tmp_path / "e.yaml")

    assert parsed(marking="unmarked").animals.identities == ["A1", "animal1", "animal2", "animal9"]
    plain = parsed(marking="none")
    assert json.loads(plain.settings("propagate"))["lone"] == ["A1", "", "animal9"]
    assert not plain.alone
    raw["arenas"] = [arena | {"number": 1} for arena in arenas]
    assert parsed(marking="none").alone
    raw["arenas"] = [{"include": [square], "number": 1}]
    nameless = parsed(marking="none")
    assert "lone" not in json.loads(nameless.settings("propagate"))
    assert parsed(marking="unmarked").animals.identities == ["animal1"]


def test_an_override_reaches_only_its_movie_and_stage(tmp_path: Path) -> None:
    experiment = parse_experiment(FULL, tmp_path / "e.yaml")
    plain = parse_experiment(with_change("movies", 1, "override", value={}), tmp_path / "e.yaml")
    for stage in OVERRIDABLE:
        assert experiment.settings(stage, "m1") == plain.settings(stage, "m1")
        assert (experiment.settings(stage, "m2") == plain.settings(stage, "m2")) == (stage != "segment")


def test_an_override_that_clashes_with_the_section_it_changes_is_a_fault_of_its_movie(tmp_path: Path) -> None:
    raw = with_change("overlay", value={"intervals": [[0.5, 3]], "intervals_in": "s"})
    raw["movies"][1]["override"] = {"overlay": {"intervals_in": "frames"}}
    text = message(tmp_path, raw)
    assert "movies.m2.override.overlay" in text
    assert "[0.5, 3] are not whole numbers of frames" in text
    del raw["overlay"]
    assert parse_experiment(raw, tmp_path / "e.yaml").section("overlay", "m2").intervals_in == "frames"


def test_there_are_no_fewer_animals_than_names_and_members_of_groups(tmp_path: Path) -> None:
    raw = with_change("animals", "groups", value={"workers": 3})
    for number in (2, 3, 4):
        raw["animals"]["number"] = number
        assert f"{number} animals cannot have 2 identities and 3 members of groups" in message(tmp_path, raw)
    for number in (5, 6):
        raw["animals"]["number"] = number
        assert parse_experiment(raw, tmp_path / "e.yaml").number == number


def test_an_override_is_passed_as_the_section_would_be(tmp_path: Path) -> None:
    for number in (12, 12.0, "12"):
        raw = with_change("movies", 1, "override", "segment", "difference", value=number)
        section = parse_experiment(with_change("segment", "difference", value=12), tmp_path / "e.yaml")
        assert parse_experiment(raw, tmp_path / "e.yaml").settings("segment", "m2") == section.settings("segment", "m1")


def test_settings_are_sorted_and_do_not_depend_on_the_order_of_keys(tmp_path: Path) -> None:
    def turned(value: Any) -> Any:
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    # Body points need every frame of their movie.
    raw = FULL | {section: values for section, values in CHANGED.items() if section != "repair"}
    one, other = (parse_experiment(content, tmp_path / "e.yaml") for content in (raw, turned(raw)))
    for stage in CHANGED:
        text = one.settings(stage, "m1")
        assert text == other.settings(stage, "m1")
        assert text == json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["marked", "none", "m1", "day", "A"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, inner in inside for place in places(inner, (*here, key)))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_written_only_herdbook_errors_come_out(tmp_path: Path, data: st.DataObject) -> None:
    raw = copy.deepcopy(FULL | CHANGED)
    for _ in range(data.draw(st.integers(1, 3))):
        owner: Any = raw
        place = data.draw(st.sampled_from([place for place in places(raw) if place]))
        for part in place[:-1]:
            owner = owner[part]
        action = data.draw(st.sampled_from(["replace", "delete", "add"]))
        if action == "delete":
            del owner[place[-1]]
        elif action == "add" and isinstance(owner, dict):
            owner[data.draw(st.text(max_size=6) | st.integers() | st.none())] = data.draw(values)
        else:
            owner[place[-1]] = data.draw(values)
    try:
        experiment = parse_experiment(raw, tmp_path / "e.yaml")
    except HerdbookError:
        return
    for movie in experiment.movies:
        for stage in CHANGED:
            json.loads(experiment.settings(stage, movie.name))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_bytes_the_file_holds_only_herdbook_errors_come_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.yaml"
    path.write_bytes(content)
    with pytest.raises(HerdbookError):
        load_experiment(path)


def test_the_key_tables_in_the_readme_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_key_tables(text, README) == text, "run python -m herdbook.experiment.docs"


def test_every_key_is_explained() -> None:
    for key in keys_of(Experiment):
        for inner in keys_of(key.inner) if key.inner else ():
            assert inner.meaning, f"{key.name}.{inner.name} has no description"
            assert f"| `{inner.name}` |" in key_tables()


def test_a_readme_without_markers_is_reported() -> None:
    for text in ("", BEGIN, END + BEGIN):
        with pytest.raises(HerdbookError, match="expected the two lines"):
            with_key_tables(text, README)


def test_the_examples_of_the_readme_are_valid(tmp_path: Path) -> None:
    blocks = [yaml.safe_load(block.split("```")[0]) for block in README.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    complete = [block for block in blocks if "experiment" in block]
    assert {block["animals"]["marking"] for block in complete} == {"marked", "none"}
    for block in blocks:
        parse_experiment({**complete[0], **block}, tmp_path / "e.yaml")


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"use": "a.keras", "start": "b.keras"}, "use takes a classifier as it is"),
        ({"start": "a.keras", "architecture": "custom", "model": "m.json"}, "start goes on with the network of a classifier"),
        ({"architecture": "custom"}, "architecture: custom needs model"),
        ({"model": "m.json"}, "architecture: custom needs model"),
    ],
)
def test_a_classifier_comes_from_one_place(tmp_path: Path, section: dict[str, Any], fault: str) -> None:
    assert fault in message(tmp_path, with_change("train", value=section))


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"animals": {"groups": {"worker": 3}}}, "embedding learns animals with a name each: not groups, other_labels or trainset.use"),
        ({"animals": {"other_labels": ["dirt"]}}, "not groups, other_labels or trainset.use"),
        ({"trainset": {"use": "set.h5"}}, "not groups, other_labels or trainset.use"),
        ({"train": {"start": "a.keras"}}, "architecture: embedding begins with nothing"),
        ({"train": {"use": "a.keras"}}, "architecture: embedding begins with nothing"),
    ],
)
def test_the_embedding_is_refused_where_it_cannot_learn(tmp_path: Path, keys: dict[str, Any], fault: str) -> None:
    raw = together(**keys)
    raw["train"] = {**raw.get("train", {}), "architecture": "embedding"}
    with pytest.raises(HerdbookError, match=fault):
        parse_experiment(raw, tmp_path / "e.yaml")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "auto"),
        ({"animals": {"groups": {"worker": 3}}}, "small"),
        ({"animals": {"other_labels": ["dirt"]}}, "small"),
        ({"trainset": {"use": "set.h5"}}, "small"),
        ({"train": {"start": "a.keras"}}, "small"),
        ({"train": {"architecture": "wide"}}, "wide"),
    ],
)
def test_marked_animals_learn_together_unless_the_experiment_needs_labelled_images(
    tmp_path: Path, keys: dict[str, Any], expected: str
) -> None:
    found = parse_experiment(together(**keys), tmp_path / "e.yaml")
    train, trainset = (json.loads(found.settings(stage)) for stage in ("train", "trainset"))
    assert train["architecture"] == expected
    assert ("numbers" in train, "numbers" in trainset, found.learns_together) == (expected == "auto",) * 3


def together(animals: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """An experiment of two marked animals."""
    known = {"marking": "marked", "identities": ["A", "B"], "labels": "labels.csv"}
    return {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": known | (animals or {}), **keys}


def test_a_given_classifier_needs_no_labels_and_its_path_is_relative_to_the_file(tmp_path: Path) -> None:
    raw = with_change("animals", "labels", value=None) | {"train": {"use": "other/classifier.keras"}}
    assert parse_experiment(raw, tmp_path / "e.yaml").train.use == str(tmp_path / "other" / "classifier.keras")
