"""Runs that were disturbed: killed, on a full disk or a read-only one, twice at once, on damaged artifacts and unfinished movies."""

import os
from pathlib import Path

import pytest

from tests.workflow.fault_runs import MOMENTS, STAGES, Killed, Reference, Runs, differing, kill_every_stage, stage_of

# Every stage is killed at one of the moments; benchmarks/faults.py kills each at all of them.
SHIFT = int(os.environ.get("HERDBOOK_FAULT_MOMENT", "0"))
MOMENT = {stage: MOMENTS[(number + SHIFT) % len(MOMENTS)] for number, stage in enumerate(STAGES)}
# Killed together with snakemake.
TOGETHER = "smooth"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def killed(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> tuple[Runs, dict[str, Killed], set[str]]:
    """Runs in which every stage was killed once, how, and which files are not as in the undisturbed run after the last run."""
    runs, how = kill_every_stage(reference, tmp_path_factory.mktemp("killed"), MOMENT, TOGETHER)
    last = runs.snakemake()
    assert last.returncode == 0, last.stdout
    return runs, how, differing(runs.results, reference.results)


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_is_made_anew_as_if_nothing_had_happened(
    killed: tuple[Runs, dict[str, Killed], set[str]], stage: str
) -> None:
    _, how, differ = killed
    fault = how[stage].fault
    assert fault.returncode == -9 if stage == TOGETHER else f"Error in rule {stage}:" in fault.stdout, fault.stdout
    assert {path for path in differ if stage_of(Path(path)) == stage} == set()


def test_after_all_kills_every_file_is_that_of_an_undisturbed_run(killed: tuple[Runs, dict[str, Killed], set[str]]) -> None:
    runs, _, differ = killed
    assert differ == set()
    assert (runs.results / "trajectories.csv").stat().st_size > 10_000


def test_a_killed_snakemake_leaves_a_lock_and_says_how_it_is_removed(killed: tuple[Runs, dict[str, Killed], set[str]]) -> None:
    runs, how, _ = killed
    locked = how[TOGETHER].locked
    assert locked is not None
    assert locked.returncode != 0
    assert "LockException" in locked.stdout
    assert str(runs.folder / "results") in locked.stdout
    assert "--unlock" in locked.stdout
