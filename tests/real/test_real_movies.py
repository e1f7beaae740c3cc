"""The chain on recordings of real animals, against what is known of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from herdbook.tables.scoring import Score, load_trajectories, load_truth, score_trajectories
from tests.conftest import Done


def run_and_score(snakemake: Callable[..., Done], folder: Path, experiment: dict[str, Any], truth: Path, **scoring: Any) -> Score:
    """Run the experiment as far as its table of trajectories and compare that with the truth."""
    done = snakemake(folder, experiment, "--until", "export")
    assert done.returncode == 0, done.stdout
    table = folder / "results" / experiment["experiment"] / "trajectories.csv"
    return score_trajectories(load_trajectories(table), load_truth(truth), **scoring)


def test_two_courting_flies_are_found_wherever_they_are(data: Path, snakemake: Callable[..., Done], tmp_path: Path) -> None:
    experiment = {
        "experiment": "flies2",
        "movies": [{"name": "movie", "file": str(data / "flies2" / "movie.mp4")}],
        "animals": {"marking": "none", "number": 2},
        "segment": {"polarity": "bright", "difference": 25, "area": [300, 50000]},
    }
    score = run_and_score(snakemake, tmp_path, experiment, data / "flies2" / "truth.csv", named=False, radius_px=40)
    assert score.covered >= 0.97


def test_four_painted_mice_keep_their_names(data: Path, snakemake: Callable[..., Done], tmp_path: Path) -> None:
    experiment = {
        "experiment": "mice4",
        "movies": [{"name": "movie01", "file": str(data / "mice4" / "movie01.mp4")}],
        "animals": {
            "marking": "marked",
            "identities": ["red", "green", "blue", "yellow"],
            "labels": str(data / "mice4" / "labels.csv"),
        },
        "segment": {"polarity": "bright", "difference": 25, "area": [100, 20000]},
        "train": {"epochs": 4},
    }
    known = {"named": True, "radius_px": 30, "apart_px": 60, "min_visible": 0.3, "movies": ["movie01"]}
    score = run_and_score(snakemake, tmp_path, experiment, data / "mice4" / "truth.csv", **known)
    assert score.assigned >= 0.98
    assert score.error <= 0.01
