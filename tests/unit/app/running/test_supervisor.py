"""The process that outlives the app: whoever is interrupted ends, one way or another, and leaves no lock."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from herdbook.app.running.snakemake_locks import lock_files, remove_locks
from herdbook.system.alive import group_members, process_start

# A command with a job of its own: both say that they are there, and take the given signals without ending.
STUBBORN = """
import signal, subprocess, sys, time
for number in map(int, sys.argv[2].split(",")):
    signal.signal(number, lambda *_: None)
open(sys.argv[1], "a").write("there\\n")
if len(sys.argv) > 3:
    subprocess.Popen([sys.executable, *sys.argv[3:]])
while True:
    time.sleep(0.02)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "results" / "e" / "app"
    made.mkdir(parents=True)
    locks = tmp_path / "results" / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("/data/a.mp4\ne/index/a.h5\n")
    (locks / "0.output.lock").write_text("e/index/a.h5\ne/segment/a.h5\n")
    (locks / "1.output.lock").write_text("other/index/a.h5\n")
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    return made


def start(folder: Path, ignores: str, **details: object) -> "subprocess.Popen[bytes]":
    root = folder.parents[2]
    job = [str(root / "stubborn.py"), str(root / "there"), ignores]
    command = [sys.executable, *job[:2], ignores.partition("|")[0], *job[:2], ignores.partition("|")[2] or ignores]
    told = json.dumps({"results": str(root / "results"), **details})
    process = subprocess.Popen(
        [sys.executable, "-m", "herdbook.app.running.supervisor", str(folder), told, *command], start_new_session=True
    )
    until = time.monotonic() + 60
    while not ((root / "there").exists() and (root / "there").read_text().count("there") == 2 and (folder / "run.json").exists()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return process


def locks_of(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder.parents[1] / ".snakemake" / "locks").iterdir())


@pytest.mark.parametrize(
    ("ignores", "number", "taken"),
    [("2", signal.SIGTERM, False), ("2,15", signal.SIGKILL, True), ("2|2,15", signal.SIGTERM, True)],
    ids=["Ctrl-C", "Ctrl-C and SIGTERM", "the job more than the command"],
)
def test_what_does_not_listen_ends_within_five_seconds(folder: Path, ignores: str, number: int, taken: bool) -> None:
    process = start(folder, ignores)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    assert time.monotonic() - begun < 5
    assert [pid for pid in group_members(process.pid) if process_start(pid) is not None] == []
    run = json.loads((folder / "run.json").read_text())
    assert run["status"] == -number
    # Locks are taken away from runs that could not do so themselves; those of another experiment stay.
    assert locks_of(folder) == (["1.output.lock"] if taken else ["0.input.lock", "0.output.lock", "1.output.lock"])


def test_a_run_on_a_cluster_is_given_time(folder: Path) -> None:
    process = start(folder, "2", profile="/profiles/slurm")
    os.killpg(process.pid, signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4.5)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(10)
    assert json.loads((folder / "run.json").read_text())["status"] == -signal.SIGTERM


def test_a_run_that_is_not_interrupted_is_left_alone(folder: Path) -> None:
    process = start(folder, "2")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_locks_of_an_experiment_are_known_by_their_files(folder: Path) -> None:
    results = folder.parents[1]
    assert [path.name for path in lock_files(results, "e")] == ["0.input.lock", "0.output.lock"]
    assert lock_files(results, "oth") == []
    remove_locks(results, "other")
    assert locks_of(folder) == ["0.input.lock", "0.output.lock"]
    assert lock_files(results.parent, "e") == []
