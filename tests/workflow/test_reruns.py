"""What an edit, a touch, a move or a new movie makes run again; the stages are stand-ins that only write their outputs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from herdbook.experiment.model import Experiment
from tests.workflow.stand_ins import Bench, Run, changed, copy_project, from_stage

BASE: dict[str, Any] = {
    "experiment": "ants",
    "movies": [
        {"name": "a1", "file": "a1.mp4", "recording": "day1"},
        {"name": "a2", "file": "a2.mp4", "recording": "day1"},
        {"name": "b", "file": "b.mp4"},
    ],
    "animals": {"marking": "marked", "identities": ["red", "blue"], "labels": "labels.csv"},
    "arenas": [{"include": [{"ellipse": {"centre": [50, 40], "axes": [30, 20]}}]}],
    "segment": {"difference": 20, "area": [60, 900]},
    "train": {"architecture": "small", "epochs": 12, "batch": 34},
    "score": {"truth": "truth.csv"},
}
# What overlays show where there are no body points.
BASE_SHOW = ["names", "trails", "outlines", "marks", "time"]
# The same with the default classifier, which learns from all movies and not only from those with labels.
TOGETHER: dict[str, Any] = {**BASE, "results": "together", "train": {"epochs": 12, "batch": 34}}


@pytest.fixture(scope="module")
def finished(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The experiment BASE, run to its end."""
    bench = Bench(tmp_path_factory.mktemp("finished"), stages)
    bench.movies("a1", "a2", "b", "c")
    (bench.folder / "labels.csv").write_text("movie,frame,x,y,label\na1,3,10,20,red\na1,3,30,20,blue\n")
    (bench.folder / "truth.csv").write_text("movie,frame,identity,x,y\n")
    (bench.folder / "other.csv").write_text("movie,frame,identity,x,y\n")
    (bench.folder / "facts.csv").write_text("movie,frame,x,y,fact,name\na1,3,10,20,is,red\n")
    (bench.folder / "empty.png").write_text("an image")
    (bench.folder / "corrections.csv").write_text("movie,frame,individual,point,x,y\na1,3,red,,10,20\n")
    (bench.folder / "poses.json").write_text("{}")
    (bench.folder / "poses.csv").write_text("scorer")
    (bench.folder / "points.csv").write_text("movie,frame,individual,point,x,y\na1,3,red,nose,1,1\n")
    (bench.folder / "times.csv").write_text("0\n1\n")
    (bench.folder / "given.h5").write_text("a training set")
    done = bench.run(BASE)
    assert done.status == 0, done.text
    return bench


def movies(**changes: dict[str, Any]) -> dict[str, Any]:
    """Changes of single movies of BASE."""
    return {"movies": [movie | changes.get(movie["name"], {}) for movie in BASE["movies"]]}


EDITS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "index": ({"index": {"on_broken": "keep"}}, from_stage("index")),
    "background": ({"background": {"frames": 50}}, from_stage("background")),
    "background, one per recording": ({"background": {"scope": "recording"}}, from_stage("background")),
    "background, one per window": ({"background": {"scope": "window"}}, from_stage("background")),
    "image of the background": ({"background": {"file": "empty.png"}}, from_stage("background")),
    "length of windows that are not used": ({"background": {"window_s": 60}}, set()),
    "polarity, which the background needs too": ({"segment": {"polarity": "bright"}}, from_stage("background")),
    "segment": ({"segment": {"difference": 30}}, from_stage("segment")),
    "difference in units of the noise": ({"segment": {"difference": None, "difference_noise": 6}}, from_stage("segment")),
    "area in bodies": ({"animals": {"body_length": 30}, "segment": {"area": None, "area_body": [0.1, 2]}}, from_stage("segment")),
    "body length that measures nothing": ({"animals": {"body_length": 30}}, set()),
    "frames with more blobs than animals": ({"segment": {"on_excess": "warn"}}, from_stage("segment")),
    "arenas": ({"arenas": [{"include": [{"ellipse": {"centre": [40, 50], "axes": [30, 20]}}]}]}, from_stage("segment")),
    "mask of an arena": ({"arenas": [{**BASE["arenas"][0], "mask": "empty.png"}]}, from_stage("segment")),
    "number of animals in the arena": ({"arenas": [{**BASE["arenas"][0], "number": 3}]}, from_stage("tracklets")),
    "all identities in the one arena": ({"arenas": [{**BASE["arenas"][0], "identities": ["blue", "red"]}]}, set()),
    "intervals, which the background needs too": ({"segment": {"intervals": [[0, 9]]}}, from_stage("background")),
    "tracklets": ({"tracklets": {"bridge": 3}}, from_stage("tracklets")),
    "number of animals": ({"animals": {"number": 3}}, from_stage("tracklets")),
    "order of identities": ({"animals": {"identities": ["blue", "red"]}}, from_stage("trainset")),
    "labels that are no identity": ({"animals": {"other_labels": ["dirt"]}}, from_stage("trainset")),
    "trainset": ({"trainset": {"images_per_tracklet": 20}}, from_stage("trainset")),
    "a given training set": ({"trainset": {"use": "given.h5"}}, from_stage("train")),
    "facts": ({"animals": {"facts": "facts.csv"}}, from_stage("propagate")),
    "a group beside the identities": ({"animals": {"groups": {"plain": 3}}}, from_stage("tracklets")),
    "train": ({"train": {"patience": 3}}, from_stage("train")),
    "a classifier that learns from all movies": ({"train": {"architecture": "auto"}}, from_stage("trainset")),
    "two values swapped": ({"train": {"epochs": 34, "batch": 12}}, from_stage("train")),
    "seed": ({"seed": 2}, from_stage("train")),
    "classify": ({"classify": {"images": 10}}, from_stage("classify")),
    "propagate": ({"propagate": {"gap_s": 5}}, from_stage("propagate")),
    "recording": (movies(b={"recording": "day2"}), from_stage("propagate")),
    "smooth": ({"smooth": {"window_s": 1}}, from_stage("smooth")),
    "corrections": ({"smooth": {"corrections": "corrections.csv"}}, from_stage("smooth")),
    "rate of a movie": (movies(b={"fps": 12.5}), from_stage("index") - {"trainset", "train"}),
    "times of a movie": (movies(b={"times": "times.csv"}), from_stage("index") - {"trainset", "train"}),
    "turn of a movie": (movies(b={"rotate": 90}), from_stage("index") - {"trainset", "train"}),
    "every third frame": ({"index": {"every": 3}}, from_stage("index")),
    "body points": (movies(b={"poses": ["poses.json"]}), from_stage("smooth")),
    "body points that are found": (
        {"pose": {"labels": ["points.csv"]}},
        {"pose_trainset", "pose_train", "pose", "smooth_points", "export", "overlay", "report"},
    ),
    "body points that are repaired": (
        movies(b={"poses": ["poses.csv"]}) | {"repair": {}},
        {"repair", "smooth_points", "export", "overlay", "report"},
    ),
    "body points that are repaired, but not shown": (
        movies(b={"poses": ["poses.csv"]}) | {"repair": {}, "overlay": {"show": BASE_SHOW}},
        {"repair", "smooth_points", "export", "report"},
    ),
    "lines between body points, of which there are none": ({"points": {"skeleton": [["nose", "tail"]]}}, set()),
    "export": ({"export": {"formats": []}}, {"export", "report"}),
    "files for another tool": ({"export": {"formats": ["hdf5", "mot"]}}, {"export", "report"}),
    "px in a mm": ({"scale": {"px_per_mm": 8}}, {"export", "report"}),
    "beginning of a movie": (movies(b={"start": "2026-05-17 14:03:20"}), {"export", "report"}),
    "length of trails": ({"overlay": {"trail_s": 5}}, {"overlay"}),
    "what is drawn": ({"overlay": {"show": ["names"]}}, {"overlay"}),
    "stretches that are shown": (movies(b={"override": {"overlay": {"intervals": [[3, 9]]}}}), {"overlay", "report"}),
    "no overlay movies": ({"overlay": {"write": False}}, {"report"}),
    "close-ups": ({"closeups": {"write": True}}, {"closeups", "report"}),
    "size of close-ups that are not written": ({"closeups": {"size": 96}}, set()),
    "mosaics": ({"mosaic": {"write": True}}, {"mosaic", "report"}),
    "score": ({"score": {"radius": 10}}, {"report"}),
    "truth": ({"score": {"truth": "other.csv"}}, {"report"}),
    "name of the experiment": ({"experiment": "ants2"}, from_stage("index")),
    "folder of results": ({"results": "elsewhere"}, from_stage("index")),
}


@pytest.fixture(scope="module")
def planned(finished: Bench) -> dict[str, Run]:
    """What would run after each of the EDITS."""
    return dict(zip(EDITS, finished.plans([changed(BASE, changes) for changes, _ in EDITS.values()]), strict=True))


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_runs_what_depends_on_it_and_nothing_else(planned: dict[str, Run], edit: str) -> None:
    assert "Building DAG of jobs" in planned[edit].text
    assert planned[edit].rules == EDITS[edit][1]


def test_an_edit_of_every_key_of_the_experiment_file_is_tested() -> None:
    # `simulate` has a test of its own in test_rule_arguments.py.
    assert {key for changes, _ in EDITS.values() for key in changes} == set(Experiment.model_fields) - {"simulate"}


def test_nothing_runs_again_without_a_change(finished: Bench) -> None:
    assert "Nothing to be done" in finished.plan(BASE).text


@pytest.mark.parametrize("latest_first", [False, True])
def test_files_that_were_only_touched_make_nothing_run_again(finished: Bench, latest_first: bool) -> None:
    found = (path for path in finished.folder.rglob("*") if path.is_file() and ".snakemake" not in path.parts)
    times = {path: path.stat().st_mtime_ns for path in sorted(found, reverse=latest_first)}
    for second, path in enumerate(times):
        os.utime(path, (2_000_000_000 + second,) * 2)
    assert "Nothing to be done" in finished.plan(BASE).text
    for path, time_ns in times.items():
        os.utime(path, ns=(time_ns, time_ns))


def test_a_moved_folder_of_results_makes_nothing_run_again(finished: Bench, tmp_path: Path) -> None:
    shutil.copytree(finished.folder / "results", tmp_path / "elsewhere")
    assert "Nothing to be done" in finished.plan({**BASE, "results": str(tmp_path / "elsewhere")}).text


def test_a_fresh_checkout_makes_nothing_run_again(finished: Bench, tmp_path: Path) -> None:
    copy_project(tmp_path / "checkout")
    fresh = Bench(finished.folder, finished.stages, tmp_path / "checkout" / "Snakefile")
    assert "Nothing to be done" in fresh.plan(BASE).text


@pytest.mark.parametrize("seconds", [-1_000_000, 1_000_000])
def test_a_movie_that_was_replaced_runs_all_of_it_whatever_its_time(finished: Bench, seconds: int) -> None:
    stages = ("index", "background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    movie = finished.folder / "b.mp4"
    with edited(movie, "movie b", "movie B"):
        os.utime(movie, (movie.stat().st_mtime + seconds,) * 2)
        assert finished.plan(BASE).jobs == {f"{stage} b" for stage in stages} | JOINT


def test_a_deleted_artifact_is_made_again_when_it_is_needed_or_named(finished: Bench) -> None:
    results = finished.folder / "results" / "ants"
    with away(results / "tracklets" / "b.h5"):
        assert finished.plan(BASE).jobs == set()
        assert finished.plan(BASE, "ants/tracklets/b.h5").jobs == {"tracklets b"}
        # As it is after a job that failed because the artifact is damaged.
        with away(results / "smooth" / "b.h5"), away(results / "trajectories.csv"):
            planned = finished.plan(BASE)
    assert planned.jobs == {f"{stage} b" for stage in ("tracklets", "classify", "propagate", "smooth", "overlay")} | JOINT


def test_the_order_of_keys_means_nothing(finished: Bench) -> None:
    turned = {key: dict(reversed(value.items())) if isinstance(value, dict) else value for key, value in reversed(BASE.items())}
    assert "Nothing to be done" in finished.plan(turned).text


def test_a_value_from_the_command_line_counts_like_one_in_the_file(finished: Bench) -> None:
    assert finished.plan(BASE, "--config", "smooth={window_s: 1}").rules == from_stage("smooth")


@pytest.mark.parametrize("seconds", [-1_000_000, 1_000_000])
def test_times_of_frames_that_were_replaced_run_all_of_their_movie_whatever_their_time(finished: Bench, seconds: int) -> None:
    table, raw = finished.folder / "times.csv", changed(BASE, movies(b={"times": "times.csv"}) | {"results": "timed"})
    done = finished.run(raw)
    assert done.status == 0, done.text
    assert "Nothing to be done" in finished.plan(raw).text
    with edited(table, "1", "2"):
        os.utime(table, (table.stat().st_mtime + seconds,) * 2)
        assert "index b" in finished.plan(raw).jobs
        assert "index a1" not in finished.plan(raw).jobs
    os.utime(table)
    assert "Nothing to be done" in finished.plan(raw).text


# All files that an experiment can name, larger than 1 MB: of such a file Snakemake alone would look at the time.
GIVEN: dict[str, Any] = {
    **BASE,
    "results": "known",
    "movies": [movie | ({"poses": ["given/poses.json"]} if movie["name"] == "b" else {}) for movie in BASE["movies"]],
    "animals": BASE["animals"] | {"labels": "given/labels.csv", "facts": "given/facts.csv"},
    "arenas": [{"mask": "given/mask.png"}],
    "background": {"file": "given/scene.png"},
    "trainset": {"use": "given/set.h5"},
    "train": BASE["train"] | {"start": "given/start.keras"},
    "smooth": {"corrections": "given/corrections.csv"},
    "score": {"truth": "given/truth.csv"},
}
GIVEN_FILES = ("facts.csv", "mask.png", "scene.png", "set.h5", "start.keras", "start.json", "corrections.csv", "poses.json", "truth.csv")


def test_given_files_are_known_by_their_content_and_not_by_their_time(finished: Bench) -> None:
    folder = finished.folder / "given"
    folder.mkdir()
    rows = ",,,,,\n" * 200_000
    (folder / "labels.csv").write_text(f"movie,frame,x,y,label\na1,3,10,20,red\n{rows}")
    for name in GIVEN_FILES:
        (folder / name).write_text(f"movie,frame,x,y,fact,name\na1,3,10,20,is,red\n{rows}")
    done = finished.run(GIVEN)
    assert done.status == 0, done.text
    for later, path in enumerate(sorted(folder.iterdir())):
        seconds = path.stat().st_mtime + (1_000_000 if later % 2 else -1_000_000)
        os.utime(path, (seconds, seconds))
    assert finished.plan(GIVEN).rules == set()
    # As cp -p, rsync -a or unzip bring back an older file; of the same size, and different between the blocks of a sample.
    for name, rules in (("corrections.csv", from_stage("smooth")), ("mask.png", from_stage("segment") - {"train"})):
        path = folder / name
        with path.open("r+b") as file:
            file.seek(70_000)
            file.write(b"\n,")
        os.utime(path, (1_000_000_000, 1_000_000_000))
        assert finished.plan(GIVEN).rules == rules, name


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """The file with new text for old, and afterwards as it was."""
    before, time_ns = path.read_text(encoding="utf-8"), path.stat().st_mtime_ns
    path.write_text(before.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(time_ns, time_ns))


@contextmanager
def away(path: Path) -> Iterator[None]:
    """The file is not there, and afterwards as it was."""
    kept = path.rename(path.with_suffix(".away"))
    try:
        yield
    finally:
        kept.rename(path)


JOINT = {"export", "report"}


def test_animals_that_move_to_another_arena_need_new_names_but_no_new_tracklets(finished: Bench) -> None:
    two = [
        {"name": str(k), "include": [{"polygon": [[k, 0], [k + 9, 0], [k + 9, 9]]}], "identities": [who]}
        for k, who in ((0, "red"), (10, "blue"))
    ]
    before = {**BASE, "results": "more", "arenas": two}
    assert finished.run(before, "--until", "smooth").status == 0
    other = [arena | {"identities": [who]} for arena, who in zip(two, ("blue", "red"), strict=True)]
    planned = finished.plan({**before, "arenas": other}, "--until", "smooth")
    assert planned.rules == {"trainset", "train", "classify", "propagate", "smooth"}


def test_an_interval_of_one_movie_runs_its_own_background(finished: Bench) -> None:
    planned = finished.plan(changed(BASE, movies(b={"override": {"segment": {"intervals": [[0, 9]]}}})))
    stages = ("background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    assert planned.jobs == {f"{stage} b" for stage in stages} | JOINT


def test_a_repainted_mask_runs_the_stages_that_read_it(finished: Bench) -> None:
    masked = {**BASE, "results": "more", "experiment": "masked", "arenas": [{"mask": "mask.png"}]}
    mask = finished.folder / "mask.png"
    mask.write_text("a mask")
    assert finished.run(masked, "--until", "segment").status == 0
    assert finished.plan(masked, "--until", "segment").rules == set()
    with edited(mask, "a mask", "another"):
        assert finished.plan(masked, "--until", "segment").rules == {"segment"}


def test_a_setting_of_one_movie_runs_its_stages_and_the_joint_ones(finished: Bench) -> None:
    stages = ("segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    planned = finished.plan(changed(BASE, movies(b={"override": {"segment": {"difference": 30}}})))
    assert planned.jobs == {f"{stage} b" for stage in stages} | JOINT


def test_a_new_movie_leaves_the_others_and_the_classifier_alone(finished: Bench) -> None:
    stages = ("index", "background", "segment", "tracklets", "classify", "propagate", "smooth", "overlay")
    planned = finished.plan({**BASE, "movies": [*BASE["movies"], {"name": "c", "file": "c.mp4"}]})
    assert planned.jobs == {f"{stage} c" for stage in stages} | JOINT


def test_new_labels_run_the_classifier_and_what_follows(finished: Bench) -> None:
    with edited(finished.folder / "labels.csv", "a1,3,10", "a1,4,10"):
        assert finished.plan(BASE).rules == from_stage("trainset")


def test_without_labels_the_workflow_goes_as_far_as_suggestions_need(finished: Bench) -> None:
    (finished.folder / "unlabelled.csv").write_text("movie,frame,x,y,label\n")
    file = finished.write(changed(BASE, {"animals": {"labels": "unlabelled.csv"}, "results": "unlabelled"}), "unlabelled")
    planned = finished.snakemake("before_labels", "--configfile", file, "--dry-run")
    assert planned.rules - {"before_labels"} == {"index", "background", "segment", "tracklets"}
    whole = finished.snakemake("--configfile", file, "--dry-run")
    assert whole.status != 0
    assert "begin the command with snakemake before_labels" in whole.text


def test_new_facts_run_the_identities_and_what_follows(finished: Bench) -> None:
    stated = {**BASE, "results": "more", "experiment": "stated", "animals": BASE["animals"] | {"facts": "facts.csv"}}
    assert finished.run(stated, "--until", "propagate").status == 0
    assert finished.plan(stated, "--until", "propagate").rules == set()
    with edited(finished.folder / "facts.csv", "is,red", "not,red"):
        assert finished.plan(stated).rules == from_stage("propagate")


def test_new_corrections_run_the_positions_and_what_follows(finished: Bench) -> None:
    corrected = {**BASE, "smooth": {"corrections": "corrections.csv"}, **movies(b={"poses": ["poses.json"]})}
    assert finished.run(corrected).status == 0
    assert finished.plan(corrected).rules == set()
    with edited(finished.folder / "corrections.csv", "10,20", "10,21"):
        assert finished.plan(corrected).rules == from_stage("smooth")
    with edited(finished.folder / "poses.json", "{}", "{ }"):
        assert finished.plan(corrected).jobs == {"smooth b", "overlay b", "export", "report"}
    assert finished.run(BASE).status == 0


def test_only_the_overlay_of_a_movie_with_body_points_runs_again_for_them(finished: Bench) -> None:
    changes = movies(b={"poses": ["poses.csv"]}) | {"repair": {}}
    assert {job for job in finished.plan(changed(BASE, changes)).jobs if job.startswith("overlay")} == {"overlay b"}


def test_other_lines_between_body_points_run_what_draws_them(finished: Bench) -> None:
    pointed = changed(BASE, movies(b={"poses": ["poses.csv"]}) | {"repair": {}, "results": "pointed"})
    assert finished.run(pointed).status == 0
    planned = finished.plan(pointed | {"points": {"skeleton": [["nose", "tail"]]}})
    assert planned.jobs == {"overlay b", "report"}


def test_a_new_version_of_a_stage_runs_it_and_what_follows(finished: Bench) -> None:
    with edited(finished.stages / "herdbook" / "stages" / "smooth.py", "STAGE_VERSION = 1", "STAGE_VERSION = 2"):
        assert finished.plan(BASE).rules == from_stage("smooth")


def test_animals_without_identity_need_no_classifier(finished: Bench) -> None:
    raw = {**BASE, "experiment": "nameless", "animals": {"marking": "none"}}
    assert finished.plan(raw).rules == from_stage("index") - {"trainset", "train", "classify"}


def test_only_labelled_movies_make_the_training_set(finished: Bench) -> None:
    (call,) = [call for stage, call in finished.calls() if stage == "trainset"]
    assert [word for word in call if word.startswith("ants/segment/")] == ["ants/segment/a1.h5"]


@pytest.fixture(scope="module")
def together(finished: Bench) -> Bench:
    """The experiment TOGETHER, run to its end."""
    done = finished.run(TOGETHER)
    assert done.status == 0, done.text
    return finished


def test_the_embedding_learns_from_all_movies(together: Bench) -> None:
    (call,) = [call for stage, call in together.calls("together") if stage == "trainset"]
    assert [word for word in call if word.startswith("ants/segment/")] == [f"ants/segment/{movie}.h5" for movie in ("a1", "a2", "b")]


TOGETHER_EDITS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": ({}, set()),
    "seed, which chooses tracklets, too": ({"seed": 2}, from_stage("trainset")),
    "train": ({"train": {"patience": 3}}, from_stage("train")),
    "classify": ({"classify": {"images": 10}}, from_stage("classify")),
    "propagate": ({"propagate": {"gap_s": 5}}, from_stage("propagate")),
    "number of animals": ({"animals": {"number": 3}}, from_stage("tracklets")),
    "order of identities": ({"animals": {"identities": ["blue", "red"]}}, from_stage("trainset")),
    "a given training set": ({"trainset": {"use": "given.h5"}}, from_stage("trainset")),
    "labelled images alone": ({"train": {"architecture": "small"}}, from_stage("trainset")),
}


@pytest.mark.parametrize("edit", TOGETHER_EDITS)
def test_an_edit_runs_what_depends_on_it_where_all_movies_are_learned_from(together: Bench, edit: str) -> None:
    changes, expected = TOGETHER_EDITS[edit]
    assert together.plan(changed(TOGETHER, changes)).rules == expected


def test_where_all_movies_are_learned_from_a_new_one_is_learned_from_too(together: Bench) -> None:
    stages = ("index", "background", "segment", "tracklets")
    planned = together.plan({**TOGETHER, "movies": [*TOGETHER["movies"], {"name": "c", "file": "c.mp4"}]})
    assert {job for job in planned.jobs if job.split()[0] in stages} == {f"{stage} c" for stage in stages}
    assert planned.rules == from_stage("index")


def test_a_recording_goes_on_from_its_previous_movie(finished: Bench) -> None:
    previous = {
        call[call.index("--blobs") + 1]: call[call.index("--previous") + 1 : call.index("--out")]
        for stage, call in finished.calls()
        if stage == "tracklets"
    }
    assert previous == {"ants/segment/a1.h5": [], "ants/segment/a2.h5": ["ants/segment/a1.h5"], "ants/segment/b.h5": []}
