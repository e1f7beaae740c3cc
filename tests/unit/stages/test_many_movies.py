"""An experiment of a thousand movies: the size of the settings of its jobs, and what they load before they begin."""

import io
import json
import re
import subprocess
import sys

import pytest

from herdbook.experiment.model import Experiment
from herdbook.job import Job, run_stage
from tests.conftest import ROOT

# The longest that Linux lets a single argument of a command be.
MOST_BYTES = 128 * 1024
# Each takes a third of a second or more to import; TensorFlow takes four.
SLOW = ("matplotlib", "pandas", "scipy.optimize", "tensorflow")
LOADED = "import importlib, sys; [importlib.import_module(f'herdbook.stages.{s}') for s in sys.argv[1].split()]; print(*sys.modules)"


def a_thousand_movies() -> Experiment:
    """With names of the largest length, and all keys that a movie can have."""
    names = [f"{'m' * 76}{number:04}" for number in range(1000)]
    override = {"segment": {"intervals": [[0, 100_000], [200_000, 300_000]]}, "closeups": {"write": True}, "mosaic": {"write": True}}
    movies = [{"name": n, "file": f"{n}.mp4", "recording": "day", "start": "2026-05-17T14:03:20", "override": override} for n in names]
    scene = {"scope": "recording"}
    return Experiment.model_validate(
        {"experiment": "many", "movies": movies, "background": scene, "animals": {"marking": "none", "number": 8}}
    )


def rules() -> dict[str, str]:
    """The text of each rule of the workflow, by its name."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    parts = re.split(r"^rule (\w+):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_no_job_is_reported_more_than_an_argument_can_hold() -> None:
    experiment = a_thousand_movies()
    for rule, text in rules().items():
        unit = "day" if "{unit}" in text else experiment.movies[0].name if "{movie}" in text else None
        settings = experiment.settings(rule, unit)
        assert len(settings.encode()) < MOST_BYTES or "--settings - " in text, f"{rule} gets {len(settings.encode())} bytes in one argument"


def test_settings_can_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"seed": 7})))
    run_stage("any", 1, jobs.append, argv=["--settings", "-"])
    assert jobs[0].settings == {"seed": 7}


@pytest.mark.parametrize(
    ("stages", "allowed"),
    [
        ("index background segment simulate", ()),
        ("tracklets trainset train propagate smooth closeups", ("scipy.optimize",)),
        ("overlay mosaic", ("scipy.optimize", "matplotlib")),
        ("export", ("pandas",)),
        ("report", ("matplotlib", "pandas", "scipy.optimize")),
    ],
)
def test_a_stage_loads_no_library_that_it_may_not_need(stages: str, allowed: tuple[str, ...]) -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED, stages], check=True, capture_output=True, text=True).stdout.split()
    assert not {name for name in SLOW if name not in allowed} & set(loaded)
