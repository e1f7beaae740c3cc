"""The profile for SLURM, on a SLURM that is started for it on this machine: see one_node.sh."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT, Done
from tests.workflow.conftest import EXPERIMENT, MOVIES

ONE_NODE = Path(__file__).with_name("one_node.sh")
# What differs on a node of two cores without accounting: see docs/cluster.md.
HERE = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "8"]
# What a user may choose for a cluster.
CHOSEN = ["--set-resources", "train:gpu=1", "tracklets:slurm_partition=short", "--slurm-array-jobs", "index"]


class Sent(NamedTuple):
    """A job of the queue: its number, state, what it is for, the memory it was given (MB), partition and what it asked for beside these."""

    number: str
    state: str
    comment: str
    memory_mb: int
    partition: str
    devices: str


def queue() -> list[Sent]:
    """All jobs of the queue, also those that have ended, in the order in which they were sent."""
    # A field is cut at the width that it is given.
    fields = ",".join(f"{field}:300|" for field in ("JobArrayID", "State", "Comment", "MinMemory", "Partition", "tres-per-job"))
    shown = ["squeue", "--array", "--states=all", "--noheader", "--sort=V,i", f"--Format={fields}"]
    lines = subprocess.run(shown, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [[value.strip() for value in line.split("|")[:6]] for line in lines]
    return [Sent(number, state, comment, int(memory.rstrip("M")), *rest) for number, state, comment, memory, *rest in rows]


@pytest.fixture(scope="module")
def slurm() -> Iterator[None]:
    """A SLURM of one node with the partitions short and long, two cores and one GPU."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("needs the plugin: pip install -e '.[slurm]'")
    missing = [name for name in ("munged", "slurmctld", "slurmd") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, and slurm-wlm and munge of Debian; there is no {', '.join(missing) or 'right to start them'}")
    if any(Path("/etc/slurm", name).exists() for name in ("slurm.conf", "gres.conf")):
        pytest.skip("this machine belongs to a cluster")
    # A folder of pytest is closed to the user munge.
    folder = tempfile.mkdtemp(prefix="onenode")
    environment = os.environ | {"CPUS": "2", "MEMORY_MB": "32000"}
    try:
        subprocess.run([ONE_NODE, "start", folder], check=True, env=environment)
        yield
    finally:
        subprocess.run([ONE_NODE, "stop", folder], check=True)
        shutil.rmtree(folder)


def kill_the_first(rule: str, killed: list[Sent], over: threading.Event) -> None:
    """End one job of this rule while it runs, as a node does that has no memory left."""
    while not over.wait(0.3):
        running = [job for job in queue() if f"rule_{rule}" in job.comment and job.state == "RUNNING"]
        if running:
            subprocess.run(["scancel", running[0].number], check=True)
            killed.append(running[0])
            return


# What is compared is whether both runs agree, not how good they are.
SMALL = EXPERIMENT | {"train": {"epochs": 1}, "overlay": {"write": False}}


@pytest.fixture(scope="module")
def ran(slurm: None, snakemake: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sent, list[Sent]]:
    """The folder of an experiment that ran through the queue, the job that was killed on the way, and all jobs that were sent."""
    folder = tmp_path_factory.mktemp("cluster")
    options = ["--profile", str(ROOT / "profiles" / "slurm"), *HERE, *CHOSEN]
    killed: list[Sent] = []
    over = threading.Event()
    killer = threading.Thread(target=kill_the_first, args=("tracklets", killed, over))
    killer.start()
    try:
        done = snakemake(folder, SMALL, *options)
    finally:
        over.set()
        killer.join()
    assert done.returncode == 0, done.stdout
    return folder / "results" / "small", killed[0], queue()


def test_an_experiment_runs_to_its_report(ran: tuple[Path, Sent, list[Sent]]) -> None:
    assert (ran[0] / "report" / "report.html").exists()


def test_positions_are_those_of_a_run_without_a_queue(
    ran: tuple[Path, Sent, list[Sent]], snakemake: Callable[..., Done], tmp_path: Path
) -> None:
    done = snakemake(tmp_path, SMALL, "small/trajectories.csv")
    assert done.returncode == 0, done.stdout
    by_itself = tmp_path / "results" / "small"
    for table in ("trajectories.csv", "tracklets.csv", "events.csv"):
        assert (ran[0] / table).read_bytes() == (by_itself / table).read_bytes(), table


def test_a_job_that_is_killed_is_sent_again_with_more_memory(ran: tuple[Path, Sent, list[Sent]]) -> None:
    _, killed, sent = ran
    again = [job for job in sent if "rule_tracklets" in job.comment and job.memory_mb > killed.memory_mb]
    assert [job.state for job in again] == ["COMPLETED"]
    assert again[0].memory_mb == pytest.approx(2 * killed.memory_mb, abs=10)


def test_background_and_segment_of_a_movie_are_one_job(ran: tuple[Path, Sent, list[Sent]]) -> None:
    together = [job.comment for job in ran[2] if "background" in job.comment or "segment" in job.comment]
    assert sorted(together) == [f"rule_frames-{movie}_background_segment" for movie in MOVIES]


def test_the_jobs_of_a_stage_can_be_one_array(ran: tuple[Path, Sent, list[Sent]]) -> None:
    numbers = [job.number for job in ran[2] if "rule_index" in job.comment]
    assert [number.split("_")[1] for number in numbers] == ["1", "2"]
    assert len({number.split("_")[0] for number in numbers}) == 1


def test_only_training_asks_for_a_gpu(ran: tuple[Path, Sent, list[Sent]]) -> None:
    assert {job.comment for job in ran[2] if "gpu" in job.devices} == {"rule_train"}


def test_a_partition_can_be_chosen_for_a_rule(ran: tuple[Path, Sent, list[Sent]]) -> None:
    assert {job.partition for job in ran[2] if "rule_tracklets" in job.comment} == {"short"}
    assert {job.partition for job in ran[2] if "rule_smooth" in job.comment} == {"long"}


def test_tables_and_report_are_made_where_snakemake_runs(ran: tuple[Path, Sent, list[Sent]]) -> None:
    assert not any("rule_export" in job.comment or "rule_report" in job.comment for job in ran[2])
