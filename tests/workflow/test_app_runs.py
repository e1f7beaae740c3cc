"""Runs: started, followed, stopped, found again; the stages are stand-ins that wait until they may go on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from herdbook.app.runs import RunError, Runs
from herdbook.system.alive import process_start


@pytest.fixture
def experiment(tmp_path: Path, stand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(stand_ins))
    raw: dict[str, Any] = {"experiment": "e", "animals": {"marking": "none"}, "overlay": {"write": False}}
    raw["movies"] = [{"name": name, "file": f"{name}.mp4"} for name in ("a", "b")]
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").write_text(name * 1000)
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


@pytest.fixture
def started(experiment: Path) -> Iterator[Runs]:
    """A run of names whose first stage waits."""
    runs = Runs(experiment)
    runs.start("names", cores=2)
    yield runs
    if runs.state()["running"]:
        os.killpg(runs._run()["pid"], signal.SIGKILL)


def wait_for(runs: Runs, fits: Callable[[dict[str, Any]], bool], most_s: float = 60.0) -> dict[str, Any]:
    until = time.monotonic() + most_s
    while not fits(state := runs.state()):
        assert time.monotonic() < until, (state, runs.log("run"))
        time.sleep(0.05)
    return state


def stage(state: dict[str, Any], name: str, unit: str) -> dict[str, Any]:
    (found,) = [one for one in state["stages"] if (one["stage"], one["unit"]) == (name, unit)]
    return found


def test_a_run_is_followed_found_again_and_ends(started: Runs, experiment: Path) -> None:
    state = wait_for(started, lambda state: all(stage(state, "index", unit).get("per_s") for unit in "ab"))
    assert stage(state, "index", "b") == {
        **{"stage": "index", "unit": "b", "state": "running", "done": 30, "total": 300, "per_s": 15.0, "left_s": 18.0},
        "pace_unit": "frames",
    }
    assert stage(state, "propagate", "a")["state"] == "waiting"
    with pytest.raises(RunError, match="is on its way"):
        started.start()
    again = Runs(experiment)
    assert again.state()["running"]
    assert "15 frames/s" in again.log("index/a")
    with pytest.raises(RunError, match="no job"):
        again.log("../../my")
    (experiment.parent / "go").touch()
    state = wait_for(again, lambda state: not state["running"])
    assert (state["ok"], state["steps"], state["message"]) == (True, [11, 11], "")
    assert {one["state"] for one in state["stages"]} == {"done"}
    assert not (experiment.parent / "results" / "e" / "trajectories.csv").exists()
    assert [job["stage"] for job in again.planned()] == ["smooth", "smooth", "export", "report"]
    assert again.planned("names") == []
    values = yaml.safe_load(experiment.read_text()) | {"segment": {"difference": 12}}
    assert {job["stage"] for job in again.planned("names", values)} == {"segment", "tracklets", "propagate"}


def test_stop_ends_all_and_the_next_run_goes_on(started: Runs, experiment: Path) -> None:
    wait_for(started, lambda state: all(stage(state, "index", unit).get("per_s") for unit in "ab"))
    assert list((started.path.parent / "results" / ".snakemake" / "locks").iterdir())
    begun = time.time()
    assert started.stop() == "SIGINT"
    state = wait_for(started, lambda state: not state["running"])
    # Snakemake may hang if it is interrupted just when it starts jobs: then it is ended, and its lock taken away.
    assert state["ended"] - begun < 5
    assert (bool(state["ok"]), state["stopped"], state["locked"]) == (False, True, False)
    assert stage(state, "index", "a")["state"] == "waiting"
    with pytest.raises(RunError, match="nothing runs"):
        started.stop()
    (experiment.parent / "go").touch()
    started.start("before_labels")
    assert wait_for(started, lambda state: not state["running"])["ok"] is True


def test_the_lock_of_a_dead_run_is_taken_away_by_the_next_one(started: Runs, experiment: Path) -> None:
    wait_for(started, lambda state: stage(state, "index", "a")["state"] == "running")
    os.killpg(started._run()["pid"], signal.SIGKILL)
    state = wait_for(started, lambda state: not state["running"])
    assert (state["ok"], state["locked"]) == (None, True)
    (experiment.parent / "go").touch()
    again = Runs(experiment)
    again.start("before_labels")
    assert wait_for(again, lambda state: not state["running"])["ok"] is True


def test_a_run_goes_on_without_its_supervisor(started: Runs, experiment: Path) -> None:
    wait_for(started, lambda state: stage(state, "index", "a")["state"] == "running")
    run = started._run()
    os.kill(run["pid"], signal.SIGKILL)
    assert Runs(experiment).state()["running"]
    (experiment.parent / "go").touch()
    wait_for(Runs(experiment), lambda state: not state["running"])
    assert process_start(run["child"]["pid"]) != run["child"]["start"]


def test_what_failed_is_told(started: Runs, experiment: Path) -> None:
    wait_for(started, lambda state: stage(state, "index", "a")["state"] == "running")
    started.stop()
    wait_for(started, lambda state: not state["running"])
    raw = yaml.safe_load(experiment.read_text())
    (experiment.parent / "broken.mp4").write_text("b" * 1000)
    experiment.write_text(yaml.safe_dump(raw | {"movies": [{"name": "broken", "file": "broken.mp4"}]}))
    (experiment.parent / "go").touch()
    started.start("everything", cores=1)
    state = wait_for(started, lambda state: not state["running"])
    assert state["ok"] is False
    assert stage(state, "index", "broken") | {"message": ""} == {"stage": "index", "unit": "broken", "state": "failed", "message": ""}
    assert "ends after 7 of 900 frames" in stage(state, "index", "broken")["message"]
    assert state["message"]


def test_an_unknown_target_is_refused(experiment: Path) -> None:
    with pytest.raises(RunError, match="everything, names, before_labels"):
        Runs(experiment).start("all my results")
    assert Runs(experiment).state()["stages"][0] == {"stage": "index", "unit": "a", "state": "waiting"}
