"""Runs that were disturbed: killed, on a full disk or a read-only one, two at once, on damaged artifacts and unfinished movies."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from herdbook.artifacts.store import Provenance, columns_writer
from tests.conftest import Done
from tests.workflow.conftest import EXPERIMENT
from tests.workflow.fault_runs import (
    MOMENTS,
    STAGES,
    WAIT,
    Case,
    Killed,
    Reference,
    Runs,
    differing,
    kill_every_stage,
    run_cases,
    stage_of,
)

# Here each stage is killed at one of the moments; benchmarks/faults.py, which sets this, kills every stage at all of them.
SHIFT = os.environ.get("HERDBOOK_FAULTS_SHIFT")
MORE = ("closeups", "mosaic")
KILLED = [stage for stage in STAGES if SHIFT or stage not in MORE]
MOMENT = {stage: MOMENTS[(number + int(SHIFT or 0)) % len(MOMENTS)] for number, stage in enumerate(KILLED)}
# Arguments that name what comes from people, or is not read: the experiment has no body points.
UNREAD = ("movie", "labels", "truth", "tables", "made", "record", "points")
# Killed together with snakemake.
TOGETHER = "smooth"


class KilledRuns(NamedTuple):
    """Runs in which every stage was killed, how, and which files differ from those of the undisturbed run at last."""

    runs: Runs
    how: dict[str, Killed]
    differ: set[str]


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    if SHIFT:
        return Reference(tmp_path_factory.mktemp("undisturbed"), EXPERIMENT | {stage: {"write": True} for stage in MORE})
    found: Reference = request.getfixturevalue("reference")
    return found


@pytest.fixture(scope="module")
def killed(undisturbed: Reference, tmp_path_factory: pytest.TempPathFactory) -> KilledRuns:
    runs, how = kill_every_stage(undisturbed, tmp_path_factory.mktemp("killed"), MOMENT, TOGETHER)
    last = runs.snakemake()
    assert last.returncode == 0, last.stdout
    return KilledRuns(runs, how, differing(runs.results, undisturbed.results))


@pytest.mark.parametrize("stage", KILLED)
def test_a_killed_stage_is_made_again_as_if_nothing_had_happened(killed: KilledRuns, stage: str) -> None:
    fault = killed.how[stage].fault
    # A killed snakemake prints nothing more; otherwise it reports which rule failed.
    assert fault.returncode == -9 if stage == TOGETHER else f"Error in rule {stage}:" in fault.stdout, fault.stdout
    assert {path for path in killed.differ if stage_of(Path(path)) == stage} == set()


def test_after_kills_one_job_at_a_time_makes_the_bytes_that_two_make_undisturbed(killed: KilledRuns) -> None:
    assert killed.differ == set()
    assert (killed.runs.results / "trajectories.csv").stat().st_size > 10_000


def test_a_killed_snakemake_leaves_a_lock_and_the_next_one_reports_how_it_is_removed(killed: KilledRuns) -> None:
    locked = killed.how[TOGETHER].locked
    assert locked is not None
    assert locked.returncode != 0
    assert [words for words in ("LockException", str(killed.runs.results.parent), "--unlock") if words not in locked.stdout] == []


def assert_reported(done: Done, *expected: str) -> None:
    """A stage ended with a HerdbookError, not with a crash, and its message contains all expected texts."""
    assert done.returncode == 2, done.stdout
    assert [words for words in expected if words not in done.stdout] == [], done.stdout
    assert "Traceback" not in done.stdout


@pytest.fixture(scope="module")
def full(undisturbed: Reference, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Done], Path]:
    """Output of each stage if files may be only half as large as the largest that it makes, and the folder of results."""
    folder = undisturbed.copy(tmp_path_factory.mktemp("full"))
    cases = [Case(undisturbed.call(stage), folder, undisturbed.largest(stage)[1] // 2) for stage in KILLED]
    return dict(zip(KILLED, run_cases(cases, tmp_path_factory.mktemp("printed")), strict=True)), folder / undisturbed.results.name


@pytest.mark.parametrize("stage", KILLED)
def test_a_file_that_may_not_grow_further_is_reported(undisturbed: Reference, full: tuple[dict[str, Done], Path], stage: str) -> None:
    path = Path(undisturbed.largest(stage)[0])
    # Close-ups are named by their folder, and a job that makes several files stops at the first that is too large.
    named = path.parent if stage in ("closeups", "simulate", "export") else path
    assert_reported(full[0][stage], f"herdbook {stage}: ", str(named), "file too large", "ulimit")


def test_stages_that_could_not_write_leave_what_was_there(undisturbed: Reference, full: tuple[dict[str, Done], Path]) -> None:
    assert differing(full[1], undisturbed.results) == set()


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Something mounted on a folder; skips the test where that is not allowed."""
    if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here: only root may, and not in every container")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


PLAIN: dict[str, Any] = {
    "experiment": "plain",
    "movies": [{"name": name, "file": f"{name}.mp4"} for name in ("one", "other")],
    "animals": {"marking": "none"},
}


@pytest.fixture
def plain(undisturbed: Reference, tmp_path: Path) -> Runs:
    """An experiment on the two simulated movies, of which nothing is made yet."""
    for name, movie in zip(("one", "other"), EXPERIMENT["movies"], strict=True):
        shutil.copy(undisturbed.results / "simulate" / f"{movie['name']}.mp4", tmp_path / f"{name}.mp4")
    return Runs(tmp_path, PLAIN)


def test_a_full_disk_is_reported_and_the_run_goes_on_when_there_is_space(undisturbed: Reference, plain: Runs) -> None:
    disk = plain.folder / "results"
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=16m", "none"):
        assert plain.snakemake("--until", "background").returncode == 0
        free = shutil.disk_usage(disk).free - undisturbed.largest("segment")[1] // 2
        (disk / "ballast").write_bytes(bytes(free))
        done = plain.snakemake("--until", "segment")
        assert done.returncode != 0
        assert "plain/segment/one.h5: cannot be written: no space left on device. Free some space there" in done.stdout
        assert "Traceback" not in done.stdout
        assert not [path for path in plain.results.rglob("*.h5") if path.parent.name == "segment"]
        (disk / "ballast").unlink()
        again = plain.snakemake("--until", "segment")
        assert again.returncode == 0, again.stdout
        assert {path.name for path in (plain.results / "segment").iterdir()} == {
            f"{n}.{end}" for n in ("one", "other") for end in ("h5", "excess.csv")
        }


def test_a_folder_of_results_that_cannot_be_written_is_reported(plain: Runs) -> None:
    folder = plain.folder / "results"
    folder.mkdir()
    with mounted(folder, "-t", "tmpfs", "-o", "ro", "none"):
        done = plain.snakemake()
    assert done.returncode != 0
    assert f"{folder}: nothing can be written into the folder" in done.stdout
    assert "Traceback" not in done.stdout
    assert len(done.stdout.splitlines()) < 10


def test_a_second_snakemake_is_refused_and_the_first_one_ends_well(plain: Runs) -> None:
    folder = plain.folder / "results"
    with subprocess.Popen(
        plain.command("--until", "index"), cwd=plain.folder, env=plain.environment({"index": WAIT}), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8",
    ) as first:  # fmt: skip
        while not (folder / "waiting").exists():
            assert first.poll() is None, first.communicate()[0]
            time.sleep(0.02)
        second = plain.snakemake("--until", "index")
        (folder / "go").touch()
        printed = first.communicate()[0]
    assert second.returncode != 0
    assert [words for words in ("LockException", str(folder), "--unlock") if words not in second.stdout] == []
    assert first.returncode == 0, printed
    assert {path.name for path in (plain.results / "index").iterdir()} == {"one.h5", "other.h5"}


# Ways in which an artifact is not what a stage needs.
DAMAGES = ("truncated", "another kind", "another version")


class Damage(NamedTuple):
    """A stage and a damaged file among its inputs: the path as passed to the stage, and the kind of damage."""

    stage: str
    path: str
    how: str

    @property
    def rule(self) -> str:
        """The rule that makes the file."""
        return stage_of(Path(*Path(self.path).parts[1:]))

    def put(self, results: Path) -> None:
        """Damage the file."""
        path = results.parent / self.path
        content = path.read_bytes()
        # The other results are links to files that must stay as they are.
        path.unlink()
        if self.how == "truncated":
            path.write_bytes(content[: len(content) // 2])
            return
        kind = "no_stage" if self.how == "another kind" else self.rule
        with columns_writer(path, kind, Provenance(self.rule, 1)) as writer:
            writer.append("unknown", np.arange(3))


@pytest.fixture(scope="module")
def damaged(undisturbed: Reference, tmp_path_factory: pytest.TempPathFactory) -> dict[Damage, tuple[Done, set[str]]]:
    """Output of each stage for each damage of its inputs from other stages, and the files that it wrote."""
    files = {(stage, path) for stage in KILLED for option, path in undisturbed.inputs(stage).items() if option not in UNREAD}
    damages = [Damage(stage, path, how) for stage, path in sorted(files) for how in DAMAGES if path.endswith(".h5") or how == "truncated"]
    folders = [tmp_path_factory.mktemp("damaged") for _ in damages]
    for folder, case in zip(folders, damages, strict=True):
        shutil.copytree(undisturbed.results, folder / undisturbed.results.name, copy_function=os.link)
        case.put(folder / undisturbed.results.name)
    cases = [Case(undisturbed.call(case.stage), folder) for case, folder in zip(damages, folders, strict=True)]
    done = run_cases(cases, tmp_path_factory.mktemp("printed"))
    wrote = [
        changed(folder / undisturbed.results.name, undisturbed.results) - {case.path} for folder, case in zip(folders, damages, strict=True)
    ]
    return dict(zip(damages, zip(done, wrote, strict=True), strict=True))


def changed(results: Path, reference: Path) -> set[str]:
    """Files that were written, and are not what they are in the reference. A job of several files may write some of them before it stops;
    snakemake removes them.
    """
    kept = {path.stat().st_ino for path in reference.rglob("*") if path.is_file()}
    fresh = [path for path in results.rglob("*") if path.is_file() and path.stat().st_ino not in kept]
    names = [path.relative_to(results) for path in fresh if path.read_bytes() != (reference / path.relative_to(results)).read_bytes()]
    return {str(results.name / name) for name in names}


@pytest.mark.parametrize("stage", [stage for stage in KILLED if stage not in ("simulate", "index")])
def test_a_damaged_artifact_is_reported_with_the_rule_that_makes_it(damaged: dict[Damage, tuple[Done, set[str]]], stage: str) -> None:
    mine = {case: result for case, result in damaged.items() if case.stage == stage}
    assert mine
    for case, (done, wrote) in mine.items():
        assert done.returncode, case
        assert_reported(done, case.path, f"the rule '{case.rule}' makes it again")
        assert {path for path in wrote if stage_of(Path(*Path(path).parts[1:])) != stage} == set(), case
