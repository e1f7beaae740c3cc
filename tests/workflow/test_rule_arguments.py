"""A stage takes the arguments of its rule; the demo and an experiment with optional outputs run to their end with stand-ins."""

import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from herdbook.job import Job
from tests.workflow.stand_ins import OPTIONAL, SMALL, STAGES, Bench, Run, changed, copy_project, from_stage


@pytest.fixture(scope="module")
def optional(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, dict[str, Any]]:
    """A small experiment with all optional outputs, run to its end, and its content."""
    bench = Bench(tmp_path_factory.mktemp("optional"), stages)
    bench.movies("m")
    (bench.folder / "poses.csv").write_text("scorer", encoding="utf-8")
    (bench.folder / "points.csv").write_text("movie,frame,individual,point,x,y\nm,3,red,head,10,20\n", encoding="utf-8")
    (bench.folder / "labels.csv").write_text("movie,frame,x,y,label\nm,3,10,20,red\nm,3,30,20,blue\n", encoding="utf-8")
    movie = {**SMALL["movies"][0], "poses": ["poses.csv"]}
    named = {"marking": "marked", "identities": ["red", "blue"], "labels": "labels.csv"}
    raw = SMALL | {"movies": [movie], "animals": named, "closeups": {"write": True}, "mosaic": {"write": True}}
    raw |= {"repair": {}, "pose": {"labels": ["points.csv"]}}
    done = bench.run(raw)
    assert done.status == 0, done.text
    return bench, raw


@pytest.fixture(scope="module")
def demo(stages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Run]:
    """A copy of the project in which `snakemake` ran without any file named, and what it printed."""
    folder = copy_project(tmp_path_factory.mktemp("demo") / "project")
    bench = Bench(folder, stages, folder / "Snakefile")
    return bench, bench.snakemake()


def test_the_demo_runs_to_its_score_without_a_file_named(demo: tuple[Bench, Run]) -> None:
    bench, done = demo
    assert done.status == 0, done.text
    assert "profiles/default" in done.text
    closing = done.text[done.text.index("Complete log") :]
    assert "made by report" in closing
    assert str(bench.folder / "results" / "demo" / "report" / "report.html") in closing


def test_an_edit_of_the_simulation_runs_everything(demo: tuple[Bench, Run]) -> None:
    bench, _ = demo
    planned = bench.snakemake("--dry-run", "--config", "simulate={frames: 80}")
    assert planned.rules == {"simulate", *from_stage("index")}


def test_close_ups_and_mosaics_depend_only_on_their_own_settings(optional: tuple[Bench, dict[str, Any]]) -> None:
    bench, raw = optional
    assert "Nothing to be done" in bench.plan(raw).text
    for changes, expected in (
        ({"closeups": {"head_up": True}}, {"closeups"}),
        ({"mosaic": {"size_body": 3}}, {"mosaic"}),
        # The report links to the moments that are shown.
        ({"mosaic": {"speed": 4}}, {"mosaic", "report"}),
        ({"animals": {"body_length": 30}}, {"closeups", "mosaic"}),
        ({"smooth": {"window_s": 1}}, from_stage("smooth") | set(OPTIONAL)),
    ):
        assert bench.plan(changed(raw, changes)).rules == expected
    assert (bench.folder / "results" / "e" / "closeups" / "m" / "red.mp4").is_file()


@pytest.mark.parametrize("stage", [*STAGES, *OPTIONAL])
def test_a_stage_takes_the_arguments_of_its_rule(
    demo: tuple[Bench, Run], optional: tuple[Bench, dict[str, Any]], stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = optional[0] if stage in OPTIONAL else demo[0]
    calls = [call for name, call in bench.calls() if name == stage]
    assert calls
    module = importlib.import_module(f"herdbook.stages.{stage}")
    real: Callable[..., None] = module.run_stage
    jobs: list[Any] = []
    monkeypatch.setattr(module, "run_stage", lambda name, version, work, **options: real(name, version, jobs.append, **options))
    # The stand-ins' artifacts have no origin to record.
    monkeypatch.setattr(Job, "write_record", lambda *_: None)
    for call in calls:
        # Settings of all movies are too long for a command line: they come from there.
        monkeypatch.setattr(sys, "stdin", io.StringIO("{}"))
        module.main(call)
    assert [job.stage for job in jobs] == [stage] * len(calls)
