"""Runs that are disturbed on purpose: stages killed at a chosen moment, run with a limit on the size of files, or on damaged artifacts."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import h5py
import yaml

import herdbook
from herdbook.artifacts.store import read_attributes
from tests.conftest import ROOT, Done

# The stages in their order; those that wait for the same ones stand together.
ORDER = (
    *(("simulate",), ("index",), ("background",), ("segment",), ("tracklets",), ("trainset",), ("train",)),
    *(("classify",), ("propagate",), ("smooth",), ("export", "overlay", "closeups", "mosaic"), ("report",)),
)
STAGES = tuple(stage for stages in ORDER for stage in stages)
# Before its work; when half of its CPU time is spent, and at the latest when all is written; all but its last file in place.
MOMENTS = ("start", "middle", "writing")
# No kill: the job writes a file `waiting`, and continues when there is a file `go` in its folder.
WAIT = ("wait", "job", 0.0)
# By stage: the moment, the target of the kill ("job", or "all" for snakemake with it), and the CPU time (s) or the number of the file.
Faults = Mapping[str, tuple[str, str, float]]

# Replaces Herdbook's own module, does the same, and kills the stages named in FAULTS, or records its job in the file CALLS.
WATCHED = """
import atexit, io, json, os, signal, sys, time
from pathlib import Path

exec(compile(Path({real!r}).read_text(encoding="utf-8"), {real!r}, "exec"))
_run_stage = run_stage


def run_stage(stage, version, work, **options):
    moment, target, amount = json.loads(os.environ["FAULTS"]).get(stage, ["", "", 0])
    given = sys.stdin.read() if "-" in sys.argv else ""
    sys.stdin = io.StringIO(given)
    call = {{"stage": stage, "argv": sys.argv[1:], "given": given, "cpu_s": 0.0, "renames": 0}}

    def die():
        os.kill(0 if target == "all" else os.getpid(), signal.SIGKILL)

    def look(event, arguments):
        if event == "os.rename" and Path(arguments[0]).name.startswith("." + Path(arguments[1]).name + "."):
            call["renames"] += 1
            if moment == "writing" and call["renames"] == amount:
                die()

    def watched(job):
        before = time.process_time()
        if moment == "start":
            die()
        if moment == "wait":
            Path("waiting").touch()
            while not Path("go").exists():
                time.sleep(0.02)
        if moment == "middle":
            # If nothing handles this signal, it ends the process as SIGKILL does, but at a CPU time.
            if target == "all":
                signal.signal(signal.SIGPROF, lambda *_: die())
            signal.setitimer(signal.ITIMER_PROF, amount)
        work(job)
        if moment == "middle":
            die()
        call["cpu_s"] = time.process_time() - before

    def record():
        with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(call) + "\\n")

    sys.addaudithook(look)
    if "CALLS" in os.environ:
        atexit.register(record)
    _run_stage(stage, version, watched, **options)
"""

# Stages are imported once; each case runs in a process of its own, with its own limit.
CASES = """
import importlib, io, json, os, resource, sys, traceback

cases = json.load(sys.stdin)
for stage in {case["stage"] for case in cases}:
    importlib.import_module("herdbook.stages." + stage)
for case in cases:
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(case["folder"])
            sys.stdin = io.StringIO(case["given"])
            printed = os.open(case["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(printed, 1), os.dup2(printed, 2)
            if case["limit_bytes"]:
                resource.setrlimit(resource.RLIMIT_FSIZE, (case["limit_bytes"],) * 2)
            sys.modules["herdbook.stages." + case["stage"]].main(case["argv"])
            status = 0
        except SystemExit as ending:
            status = ending.code or 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@dataclass(frozen=True)
class Call:
    """Arguments and standard input of a stage's job, the CPU time of its work, and the number of files that it renamed into place."""

    stage: str
    argv: list[str]
    given: str
    cpu_s: float
    renames: int


@dataclass(frozen=True)
class Case:
    """A stage's job to run alone in a folder of results, perhaps with a limit on the size of each file that it writes."""

    call: Call
    folder: Path
    limit_bytes: int = 0


class Runs:
    """A folder with an experiment, and snakemake on it with stages that can be killed."""

    def __init__(self, folder: Path, experiment: dict[str, Any]) -> None:
        self.folder, self.experiment = folder, experiment
        self.results = folder / "results" / experiment["experiment"]
        package, real = folder / "watched" / "herdbook", Path(herdbook.__file__).parent
        package.mkdir(parents=True)
        first = (real / "__init__.py").read_text(encoding="utf-8")
        (package / "__init__.py").write_text(f"__path__.append({str(real)!r})\n{first}", encoding="utf-8")
        (package / "job.py").write_text(WATCHED.format(real=str(real / "job.py")), encoding="utf-8")
        (folder / "experiment.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")

    def command(self, *options: str, cores: int = 1) -> list[str]:
        """Snakemake on the experiment."""
        fixed = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "experiment.yaml", "--cores", str(cores)]
        return [sys.executable, "-m", "snakemake", *fixed, *options]

    def environment(self, faults: Faults | None = None) -> dict[str, str]:
        """With stages that can be killed."""
        kernels = {"NUMBA_CACHE_DIR": str(ROOT / ".numba_cache")}
        return os.environ | kernels | {"PYTHONPATH": str(self.folder / "watched"), "COLUMNS": "80", "FAULTS": json.dumps(faults or {})}

    def snakemake(self, *options: str, faults: Faults | None = None, calls: Path | None = None, cores: int = 1) -> Done:
        """Run snakemake to its end; jobs are recorded in the file `calls`."""
        return subprocess.run(
            self.command(*options, cores=cores),
            cwd=self.folder,
            env=self.environment(faults) | ({"CALLS": str(calls)} if calls else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            # What is killed together is a group of processes, which must not be that of the tests.
            start_new_session=True,
        )


class Reference(Runs):
    """An experiment that ran to its end without a fault, two jobs at a time, and the calls of its jobs."""

    def __init__(self, folder: Path, experiment: dict[str, Any]) -> None:
        super().__init__(folder, experiment)
        self.done = self.snakemake(calls=folder / "calls.jsonl", cores=2)
        assert self.done.returncode == 0, self.done.stdout
        lines = (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
        self.calls = sorted((Call(**json.loads(line)) for line in lines), key=lambda call: call.argv)

    def call(self, stage: str) -> Call:
        """One job of a stage."""
        return next(call for call in self.calls if call.stage == stage)

    def fault(self, stage: str, moment: str, target: str = "job") -> tuple[str, str, float]:
        """The fault that makes a run kill the jobs of this stage."""
        call = self.call(stage)
        return moment, target, {"start": 0.0, "middle": max(call.cpu_s / 2, 0.001), "writing": call.renames}[moment]

    def copy(self, folder: Path) -> Path:
        """Copy the results, so that jobs can run in the folder."""
        shutil.copytree(self.results, folder / self.results.name)
        return folder

    def inputs(self, stage: str) -> dict[str, str]:
        """The first file that a job of a stage takes from another stage, by argument; paths as passed to the job."""
        argv, found = self.call(stage).argv, {}
        for option, path in pairwise(argv):
            made = path.startswith(f"{self.results.name}/") and (self.results.parent / path).is_file()
            if option.startswith("--") and made and stage_of(Path(path).relative_to(self.results.name)) != stage:
                found[option.removeprefix("--")] = path
        return found

    def largest(self, stage: str) -> tuple[str, int]:
        """The largest file that a job of a stage makes, as path and bytes."""
        argv = self.call(stage).argv
        files = [path for path in self.results.rglob("*") if path.is_file() and stage_of(path.relative_to(self.results)) == stage]
        mine = {str(Path(self.results.name, path.relative_to(self.results))): path.stat().st_size for path in files}
        named = {path: size for path, size in mine.items() if any(path == word or path.startswith(f"{word}/") for word in argv)} or mine
        return max(named.items(), key=itemgetter(1))


def run_cases(cases: Sequence[Case], folder: Path) -> list[Done]:
    """Run stages alone, one after the other; `stdout` of each is all that it printed."""
    printed = [folder / f"case{number}.txt" for number in range(len(cases))]
    given = [
        asdict(case.call) | {"folder": str(case.folder), "printed": str(file), "limit_bytes": case.limit_bytes}
        for case, file in zip(cases, printed, strict=True)
    ]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(ROOT / ".numba_cache"), "MPLBACKEND": "Agg", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", CASES], input=json.dumps(given), env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    pairs = zip(done.stdout.split(), printed, strict=True)
    return [Done([], int(status), file.read_text(encoding="utf-8")) for status, file in pairs]


def stage_of(path: Path) -> str:
    """The stage that makes a file, by its path in the experiment's folder."""
    if path.parts[0] == "provenance":
        return path.with_suffix("").parts[1]
    return path.parts[0] if len(path.parts) > 1 else "export"


def contents(results: Path) -> dict[str, str]:
    """Content of each file of the results: of artifacts the fingerprints of their columns, of others their bytes."""
    found = {}
    for path in sorted(results.rglob("*")):
        relative = path.relative_to(results)
        if path.is_dir() or relative.parts[0] in ("logs", "benchmarks"):
            continue
        if path.suffix == ".h5" and path.stat().st_size and h5py.is_hdf5(path):
            with h5py.File(path) as file:
                found[str(relative)] = str(read_attributes(file)["columns"])
        else:
            found[str(relative)] = path.read_bytes().hex()
    return found


def differing(results: Path, reference: Path) -> set[str]:
    """Paths of the files that differ from those in the reference, or exist in only one of the folders."""
    one, other = contents(results), contents(reference)
    return {path for path in {*one, *other} if one.get(path) != other.get(path)}


@dataclass(frozen=True)
class Killed:
    """The output of snakemake when a stage was killed, and that of the next run if snakemake itself was killed."""

    fault: Done
    locked: Done | None


def kill_every_stage(reference: Reference, folder: Path, moments: Mapping[str, str], together: str) -> tuple[Runs, dict[str, Killed]]:
    """Run the experiment in an empty folder and kill each stage at its moment; the one `together` with snakemake itself.

    After each kill snakemake runs again, as a user would run it, and gets as far as the next stage that is killed.
    """
    runs, killed = Runs(folder, reference.experiment), {}
    made = {call.stage for call in reference.calls}
    for stages in ([stage for stage in stages if stage in made] for stages in ORDER):
        target = "all" if together in stages else "job"
        fault = runs.snakemake(faults={stage: reference.fault(stage, moments[stage], target) for stage in stages})
        locked = runs.snakemake() if target == "all" else None
        if locked:
            runs.snakemake("--unlock")
        killed |= dict.fromkeys(stages, Killed(fault, locked))
    return runs, killed
