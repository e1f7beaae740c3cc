"""Several experiments in one table and page; the state of each stage for each movie."""

import json
import os
import re

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from herdbook.artifacts.store import Provenance, artifact_fingerprint
from herdbook.commands.cli import app
from herdbook.commands.status import experiment_status
from herdbook.commands.study import nearest_distances, study_table
from herdbook.experiment.file import load_experiment
from herdbook.job import stage_version
from herdbook.tables.dictionary import STUDY, names_of
from tests.support.table_cases import write_results


def experiment_file(folder, name, **sections):
    movies = [{"name": movie, "file": f"{movie}.mp4", "recording": "day"} for movie in "ab"]
    raw = {"experiment": name, "movies": movies, "animals": {"marking": "none", "number": 2}, **sections}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path):
    """Two experiments that have run; the second has a scale and names."""
    named = {"animals": {"marking": "marked", "identities": ["A", "B", "C"], "labels": "labels.csv"}, "scale": {"px_per_mm": 4}}
    paths = [experiment_file(tmp_path, "one"), experiment_file(tmp_path, "two", **named)]
    write_results(tmp_path / "results" / "one", marking="none")
    write_results(tmp_path / "results" / "two")
    return paths


def test_the_summary_has_a_row_for_each_recording_with_what_was_drawn(files):
    table = study_table([load_experiment(path) for path in files])
    assert table.columns.tolist() == names_of(STUDY)
    assert table.experiment.tolist() == ["one", "two"]
    two = table.iloc[1]
    assert (two.movies, two.frames, two.animals) == (2, 40, 3)
    assert two.positions == 40 + 17 + 5 + 7
    assert two.assigned == pytest.approx(two.positions / 120, abs=1e-5)
    assert two.expected_error == pytest.approx(0.1, abs=1e-5)
    assert (two.body_length, two.single, two.contacts_per_hour) == (24.0, 1.0, pytest.approx(2 / 3 / 4 * 3600, rel=1e-4))
    assert two.contact_time == pytest.approx(0.5 / 4 / 3, abs=1e-5)
    assert (two.speed_mm, two.speed) == (2.5, 10.0)
    assert np.isnan(table.iloc[0].contacts_per_hour)
    assert np.isnan(table.iloc[0].speed_mm)


def test_summary_writes_a_table_and_a_page(files, tmp_path):
    (tmp_path / "results" / "two" / "report").mkdir()
    (tmp_path / "results" / "two" / "report" / "score.json").write_text(json.dumps({"correct": 0.875}))
    done = CliRunner().invoke(app, ["summary", *map(str, files), "--out", str(tmp_path / "study")])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "study" / "summary.csv")
    assert table.correct.iloc[1] == 0.875
    page = (tmp_path / "study" / "summary.html").read_text(encoding="utf-8")
    assert "87.5 %" in page
    assert all(word in page for word in ("one", "two", "day", "2 experiments".replace("2 ", "")))


def test_an_experiment_without_results_is_reported(tmp_path):
    done = CliRunner().invoke(app, ["summary", str(experiment_file(tmp_path, "empty"))])
    assert done.exit_code == 2
    assert re.search(r"no results yet in .*results/empty", done.output)


def test_the_nearest_other_animal_of_the_same_frame_counts(rng):
    frame = np.sort(rng.integers(0, 12, 40))
    x, y = rng.uniform(0, 100, (2, 40))
    found = nearest_distances(frame, x, y)
    for k in range(40):
        others = [np.hypot(x[k] - x[j], y[k] - y[j]) for j in range(40) if j != k and frame[j] == frame[k]]
        assert found[k] == pytest.approx(min(others)) if others else np.isnan(found[k])


@pytest.fixture
def finished(tmp_path):
    """An experiment whose artifacts are all up to date; returns its file and its folder."""
    file = experiment_file(tmp_path, "one", overlay={"write": False})
    experiment = load_experiment(file)
    folder = write_results(experiment.folder, marking="none")
    for movie in "ab":
        (tmp_path / f"{movie}.mp4").write_text(movie)
        (folder / "background").mkdir(exist_ok=True)
        with h5py.File(folder / "background" / f"{movie}.h5", "w") as made:
            made.attrs["fingerprint"] = movie
    inputs = {
        "index": lambda m: {f"movie/{m}.mp4": tmp_path / f"{m}.mp4"},
        "background": lambda m: {f"index/{m}.h5": folder / "index" / f"{m}.h5"},
        "segment": lambda m: {f"background/{m}.h5": folder / "background" / f"{m}.h5"},
        "tracklets": lambda m: {f"blobs/{m}.h5": folder / "segment" / f"{m}.h5"},
        "propagate": lambda m: {f"tracklets/{x}.h5": folder / "tracklets" / f"{x}.h5" for x in "ab"},
        "smooth": lambda m: {"identities/day.h5": folder / "propagate" / "day.h5"},
        "export": lambda m: {f"trajectories/{x}.h5": folder / "smooth" / f"{x}.h5" for x in "ab"},
    }
    for stage, of in inputs.items():
        units = {"propagate": ["day"], "export": [""]}.get(stage, ["a", "b"])
        for unit in units:
            path = folder / (f"{stage}/{unit}.h5" if unit else "trajectories.h5")
            origin = {name: artifact_fingerprint(source) for name, source in of(unit).items()}
            settings = experiment.settings(stage, unit if unit in "ab" and unit else None)
            with h5py.File(path, "r+") as made:
                made.attrs.update(Provenance(stage, stage_version(stage), settings, 0, origin).attributes())
    (folder / "report").mkdir()
    (folder / "report" / "report.html").write_text("a page")
    return file, folder


def test_an_experiment_that_has_run_is_done(finished):
    status = experiment_status(load_experiment(finished[0]))
    assert status.reasons == {}
    stages = ("index", "background", "segment", "tracklets", "propagate", "smooth")
    assert status.movies == {movie: dict.fromkeys(stages, "done") for movie in "ab"}
    assert status.experiment == {"export": "done", "report": "done"}
    done = CliRunner().invoke(app, ["status", str(finished[0])])
    assert "All results exist and are up to date" in done.output


def test_a_changed_setting_makes_its_stage_stale_and_what_follows_waits(finished):
    file, _ = finished
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    raw["movies"][0]["override"] = {"tracklets": {"bridge": 5}}
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    status = experiment_status(load_experiment(file))
    assert status.movies["a"] == {"index": "done", "background": "done", "segment": "done"} | dict.fromkeys(
        ("tracklets", "propagate", "smooth"), "stale"
    )
    assert status.movies["b"]["tracklets"] == "done"
    assert status.reasons["tracklets/a.h5"] == "was made with other settings: bridge"
    assert status.reasons["propagate/day.h5"] == "waits for tracklets/a.h5"
    assert status.experiment == {"export": "stale", "report": "stale"}


def test_a_missing_artifact_another_movie_and_an_old_version_are_named(finished, tmp_path):
    file, folder = finished
    (folder / "segment" / "a.h5").unlink()
    (tmp_path / "b.mp4").write_text("another movie")
    with h5py.File(folder / "background" / "b.h5", "r+") as made:
        made.attrs["stage_version"] = 0
    reasons = experiment_status(load_experiment(file)).reasons
    assert reasons["segment/a.h5"] == "is missing"
    assert reasons["index/b.h5"] == f"was made from another {tmp_path / 'b.mp4'}"
    assert reasons["background/b.h5"] == f"was made by version 0 of the stage background, which is now {stage_version('background')}"
    printed = CliRunner().invoke(app, ["status", str(file)]).output
    assert "segment/a.h5 is missing" in printed


def test_an_index_made_with_other_times_is_stale(finished, tmp_path):
    file, folder = finished
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    for number, name in enumerate("ab"):
        (tmp_path / f"{name}.csv").write_text("0\n1\n")
        raw["movies"][number]["times"] = f"{name}.csv"
    with h5py.File(folder / "index" / "b.h5", "r+") as made:
        inputs = json.loads(made.attrs["inputs"]) | {"times/b.csv": artifact_fingerprint(tmp_path / "b.csv")}
        made.attrs["inputs"] = json.dumps(inputs)
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    reasons = experiment_status(load_experiment(file)).reasons
    assert reasons["index/a.h5"] == f"was made without {tmp_path / 'a.csv'}"
    assert "index/b.h5" not in reasons
    (tmp_path / "b.csv").write_text("0\n2\n")
    assert experiment_status(load_experiment(file)).reasons["index/b.h5"] == f"was made from another {tmp_path / 'b.csv'}"


def test_a_page_older_than_its_table_is_stale(finished):
    file, folder = finished
    os.utime(folder / "report" / "report.html", (1, 1))
    assert experiment_status(load_experiment(file)).reasons == {"report/report.html": "is older than trajectories.h5"}


def test_before_the_first_run_everything_is_missing(tmp_path):
    status = experiment_status(load_experiment(experiment_file(tmp_path, "one")))
    assert {state for states in status.movies.values() for state in states.values()} == {"–"}


def write_expected_error(folder, *, told):
    assumption = {"name": "one", "tested": "so", "state": "fails", "cause": "The camera was pushed.", "withholds": not told}
    values = {"expected_error": None, "told": told, "assumptions": [assumption, assumption | {"state": "holds", "cause": ""}]}
    (folder / "report").mkdir(exist_ok=True)
    (folder / "report" / "expected_error.json").write_text(json.dumps(values))


@pytest.mark.parametrize("told", [True, False])
def test_an_error_that_cannot_be_told_is_empty_in_the_summary_and_status_says_why(files, tmp_path, told):
    write_expected_error(tmp_path / "results" / "two", told=told)
    table = study_table([load_experiment(path) for path in files])
    assert np.isnan(table.iloc[1].expected_error) == (not told)
    assert not np.isnan(table.iloc[0].expected_error)
    shown = CliRunner().invoke(app, ["status", str(files[1])])
    assert shown.output.count("warning: The camera was pushed.") == 1
    assert ("The expected error cannot be told." in shown.output) == (not told)
    assert "warning" not in CliRunner().invoke(app, ["status", str(files[0])]).output
