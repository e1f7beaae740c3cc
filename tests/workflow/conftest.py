"""What tests of the workflow share: a small experiment that has run to its end, and stand-ins for the stages."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflow.fault_runs import Reference
from tests.workflow.stand_ins import write_stand_ins

FRAMES = 150
MOVIES = ("movie01", "movie02")


def simulated(results: str, frames: int, identities: list[str]) -> dict[str, Any]:
    """An experiment like the demo: two movies of one recording, made by the simulation, and scored with its truth."""
    made = f"{results}/small/simulate"
    return {
        "experiment": "small",
        "results": results,
        "simulate": {"number": len(identities), "frames": frames, "size": [480, 360]},
        "movies": [{"name": name, "file": f"{made}/{name}.mp4", "recording": "day1"} for name in MOVIES],
        "animals": {"marking": "marked", "identities": identities, "labels": f"{made}/labels.csv"},
        "segment": {"images_per_s": 5},
        "train": {"epochs": 3},
        "score": {"truth": f"{made}/truth.csv"},
    }


EXPERIMENT = simulated("results", FRAMES, ["BB", "GG", "OO", "PP"])


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The experiment, run to its end."""
    return Reference(tmp_path_factory.mktemp("small"), EXPERIMENT)


@pytest.fixture(scope="session")
def finished(reference: Reference) -> Path:
    """The folder of a finished experiment."""
    assert "Report: " in reference.done.stdout
    return reference.results


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose stages are stand-ins; a test may edit them, so each module has its own."""
    folder = tmp_path_factory.mktemp("stand-ins")
    write_stand_ins(folder)
    return folder
