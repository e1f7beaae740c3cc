"""The plan of an experiment that the rules of the workflow use, tested without Snakemake."""

import os
from pathlib import Path
from typing import Any

import pytest

from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.workflow import ByName, Plan, classifier_files, read_experiment

MOVIES = [
    {"name": "a", "file": "a.mp4", "recording": "day1"},
    {"name": "b", "file": "b.mp4", "recording": "day1"},
    {"name": "c", "file": "c.mp4"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three movies, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    for movie in MOVIES:
        (tmp_path / movie["file"]).write_text(movie["name"])
    return tmp_path


def plan(**sections: Any) -> Plan:
    keys: dict[str, Any] = {"experiment": "e", "movies": MOVIES, "animals": {"marking": "none"}}
    return Plan(Experiment.model_validate(keys | sections))


def marked(labels: str = "labels.csv", **keys: Any) -> dict[str, Any]:
    return {"marking": "marked", "identities": ["A", "B"], "labels": labels, **keys}


def test_movies_of_a_recording_know_the_one_before(folder: Path) -> None:
    known = plan()
    assert [known.previous(movie) for movie in "abc"] == [[], ["a"], []]
    assert known.recordings == {"day1": ["a", "b"], "c": ["c"]}


def test_a_scene_is_a_movie_or_a_recording(folder: Path) -> None:
    assert plan().scene_of == {"a": "a", "b": "b", "c": "c"}
    by_recording = plan(background={"scope": "recording"})
    assert by_recording.scene_of == {"a": "day1", "b": "day1", "c": "c"}
    assert by_recording.first_of_recording("day1") == "a"


def test_missing_files_are_reported_at_once(folder: Path) -> None:
    (folder / "b.mp4").unlink()
    with pytest.raises(HerdbookError, match="cannot start") as error:
        plan(background={"file": "scene.png"}, score={"truth": "truth.csv", "radius": 5})
    for text in ("movie b: there is no file b.mp4", "background.file: there is no file scene.png", "score.truth"):
        assert text in str(error.value)


def test_names_that_snakemake_would_read_as_its_own_are_refused(folder: Path) -> None:
    (folder / "{x}.mp4").touch()
    with pytest.raises(HerdbookError, match="must not contain any of"):
        plan(movies=[{"name": "x", "file": "{x}.mp4"}])


def test_only_movies_with_labels_give_examples(folder: Path) -> None:
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nb,1,2,3,A\nb,4,5,6,B\n")
    known = plan(animals=marked(), train={"architecture": "small"})
    assert known.labelled == ["b"]
    assert known.training_set() == ["e/trainset/trainset.h5"]


def test_the_embedding_learns_from_all_movies_if_one_has_labels(folder: Path) -> None:
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nb,1,2,3,A\nb,4,5,6,B\n")
    assert plan(animals=marked()).labelled == ["a", "b", "c"]
    (folder / "labels.csv").write_text("movie,frame,x,y,label\n")
    assert plan(animals=marked()).labelled == []


def test_without_labels_the_training_set_says_what_to_do(folder: Path) -> None:
    (folder / "labels.csv").write_text("movie,frame,x,y,label\n")
    with pytest.raises(HerdbookError, match=r"labels\.csv: expected labels of each identity.*before_labels"):
        plan(animals=marked()).training_set()


def test_unmarked_animals_learn_from_all_movies(folder: Path) -> None:
    assert plan(animals={"marking": "unmarked", "number": 3}).labelled == ["a", "b", "c"]


def test_a_given_classifier_needs_no_training_set(folder: Path) -> None:
    for name in ("m.keras", "m.json"):
        (folder / name).touch()
    known = plan(animals={"marking": "marked", "identities": ["A", "B"]}, train={"use": "m.keras"})
    assert known.training_set() == []
    assert classifier_files("m.keras") == ["m.keras", "m.json"]
    assert classifier_files(None) == []


def test_tables_follow_the_formats(folder: Path) -> None:
    known = plan(export={"formats": ["hdf5", "motion", "mot"]})
    assert known.hdf5_table == ["e/trajectories.h5"]
    assert known.tables == ["e/events.csv", "e/tracklets.csv", "e/data_dictionary.csv", "e/motion.csv"]
    assert known.tool_files == [f"e/mot/{m}{end}.csv" for m in "abc" for end in ("", ".names")]
    assert plan(export={"formats": []}).hdf5_table == []


def test_body_points_come_back_as_files_of_their_kind(folder: Path) -> None:
    (folder / "p.csv").touch()
    known = plan(movies=[MOVIES[0] | {"poses": ["p.csv"]}, MOVIES[2]])
    assert known.pose_tables == ["e/body_points.csv", "e/poses/a.csv"]
    assert plan().pose_tables == []


def test_movies_are_written_as_each_asks_for_it(folder: Path) -> None:
    movies = [MOVIES[0] | {"override": {"overlay": {"write": False}, "closeups": {"write": True}}}, MOVIES[2]]
    assert plan(movies=movies).written_movies == ["e/overlay/c.mp4", "e/closeups/a"]


def test_another_name_lists_the_known_ones() -> None:
    with pytest.raises(HerdbookError, match="no movie or recording of this name, but a, b"):
        ByName(a=1, b=2)["x"]


def test_an_experiment_is_one_file(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="found 2"):
        read_experiment([tmp_path / "a.yaml", tmp_path / "b.yaml"], tmp_path / "demo.yaml", {})


def test_a_movie_is_known_by_its_content(folder: Path) -> None:
    before = plan().fingerprint("a")
    (folder / "a.mp4").write_text("another one")
    assert plan().fingerprint("a") != before
    assert plan().fingerprint("c") == plan().fingerprint("c")


def test_a_run_that_ended_well_prints_the_score_and_the_page(folder: Path) -> None:
    (folder / "truth.csv").touch()
    known = plan(score={"truth": "truth.csv", "radius": 5})
    assert known.closing_message() == ""
    (folder / "e" / "report").mkdir(parents=True)
    (folder / "e/report/score.txt").write_text("assigned 1")
    (folder / "e/report/report.html").touch()
    assert known.closing_message() == f"assigned 1\nReport: {folder.resolve()}/e/report/report.html"


GIVEN: dict[str, dict[str, Any]] = {
    "scene.png": {"background": {"file": "scene.png"}},
    "mask.png": {"arenas": [{"mask": "mask.png"}]},
    "labels.csv": {"animals": marked()},
    "facts.csv": {"animals": marked(facts="facts.csv")},
    "answers.csv": {"animals": marked(answers="answers.csv")},
    "noted.csv": {"animals": marked(events="noted.csv")},
    "set.h5": {"animals": marked(), "trainset": {"use": "set.h5"}},
    "m.keras": {"animals": marked(), "train": {"use": "m.keras"}},
    "m.json": {"animals": marked(), "train": {"start": "m.keras", "architecture": "small"}},
    "net.json": {"animals": marked(), "train": {"model": "net.json", "architecture": "custom"}},
    "like.json": {"animals": {"marking": "unmarked", "number": 2, "like": "like.keras"}},
    "corrections.csv": {"smooth": {"corrections": "corrections.csv"}},
    "p.json": {"movies": [MOVIES[0] | {"poses": ["p.json", "q.json"]}, MOVIES[2]]},
    "q.json": {"movies": [MOVIES[0] | {"poses": ["p.json", "q.json"]}, MOVIES[2]]},
    "r.csv": {"movies": [MOVIES[0] | {"poses": ["r.csv"]}, *MOVIES[1:]], "animals": marked(), "repair": {}},
    # A layer of DUSTrack, which is of the movie whose name it has.
    "b.json": {"animals": marked(), "pose": {"labels": ["b.json"]}},
    "pose.json": {"animals": marked(), "pose": {"model": "pose.keras"}},
    "truth.csv": {"score": {"truth": "truth.csv", "radius": 5}},
}
READERS = {
    **{"scene.png": {"background"}, "mask.png": {"segment", "report"}, "labels.csv": {"trainset"}, "facts.csv": {"propagate", "smooth"}},
    **{name: {"train"} for name in ("set.h5", "m.keras", "m.json", "net.json", "like.json")},
    **{
        "corrections.csv": {"smooth", "smooth_points"},
        "p.json": {"smooth", "export"},
        "q.json": {"smooth"},
        "r.csv": {"repair", "export"},
        "b.json": {"pose_trainset"},
        "pose.json": {"pose_train"},
        "truth.csv": {"report"},
        "answers.csv": {"report"},
        "noted.csv": {"export"},
    },
}
STAGES = ("background", "segment", "tracklets", "trainset", "train", "classify", "propagate", "smooth", "repair", "smooth_points", "export")
STAGES += ("pose_trainset", "pose_train", "pose", "overlay", "report")


@pytest.mark.parametrize("name", GIVEN)
def test_another_content_of_a_given_file_is_another_version_of_the_stages_that_read_it(folder: Path, name: str) -> None:
    for given in GIVEN:
        (folder / given).write_text("{}")
    (folder / "like.keras").touch()
    (folder / "pose.keras").touch()
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nb,1,2,3,A\nb,4,5,6,B\n")
    (folder / "facts.csv").write_text("movie,frame,x,y,fact,name\n")
    (folder / "noted.csv").write_text("movie,first,last,individuals,event,note\n")

    def versions() -> dict[str, int | str]:
        known = plan(**GIVEN[name])
        return {stage: known.version(stage, 3, "a") for stage in STAGES}

    before = versions()
    os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    assert versions() == before
    (folder / name).write_text((folder / name).read_text() + "\n")
    os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    after = versions()
    assert {stage for stage in STAGES if after[stage] != before[stage]} == READERS[name]


def test_only_movies_with_labelled_points_are_learned_from(folder: Path) -> None:
    (folder / "labels.csv").write_text("movie,frame,x,y,label\nb,1,2,3,A\n")
    (folder / "points.csv").write_text("movie,frame,individual,point,x,y\nc,1,A,nose,2,3\nb,1,A,,2,3\na,9,A,nose,2,3\n")
    assert plan(animals=marked(), pose={"labels": ["points.csv"]}).pose_labelled == ["a", "c"]
    assert plan().pose_labelled == []
    (folder / "points.csv").write_text("movie,frame,individual,point,x,y\nd,1,A,nose,2,3\n")
    with pytest.raises(HerdbookError, match=r"line 2: there is no movie 'd'"):
        plan(animals=marked(), pose={"labels": ["points.csv"]})


def test_a_stage_that_reads_no_given_files_keeps_its_version(folder: Path) -> None:
    (folder / "p.json").touch()
    known = plan(movies=[MOVIES[0] | {"poses": ["p.json"]}, MOVIES[2]])
    assert {known.version(stage, 3, "c") for stage in STAGES if stage != "export"} == {3}
    assert isinstance(known.version("smooth", 3, "a"), str)
