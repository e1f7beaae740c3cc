"""Runs of the workflow on one experiment: start, follow, stop; a run goes on when the app ends, and is found again.

One run at a time. Its output is `run.log` in the app's folder of the results, and `run.json` says which process it is.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from herdbook.app.keys import plain
from herdbook.app.running.run_log import DONE, FAILED, RUNNING, WAITING, RunLog, pace_of, tail
from herdbook.app.running.supervisor import LOG, RUN
from herdbook.app.saving.locks import locked
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment, parse_experiment
from herdbook.experiment.layout import WRITTEN_MOVIES, artifact
from herdbook.experiment.model import Experiment
from herdbook.system import progress
from herdbook.system.alive import process_start
from herdbook.system.files import make_writable_folder, read_json, write_text
from herdbook.system.snakemake import list_jobs, project_snakefile, snakemake_command, snakemake_environment

# What a person runs, and the target of the workflow that makes it.
TARGETS = {"everything": "all", "names": "names", "before_labels": "before_labels"}
STOP = "stop.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
START_S, PAUSE_S = 20.0, 0.02
PROGRESS_S = "1"


class RunError(HerdbookError):
    """A run that cannot be started or stopped now."""


class Runs:
    """The runs of the experiment file at `path`, whose results have the folder `app`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self._read()

    def _read(self) -> None:
        """Read the experiment file."""
        self._stamp = self.path.stat().st_mtime_ns
        self._experiment = load_experiment(self.path)
        self.folder = self._experiment.folder / "app"
        self._log = RunLog(self.folder / LOG)

    def _follow_file(self) -> None:
        """Read the experiment file again if it was changed; as long as it has faults, the stages are those of before."""
        with suppress(OSError, HerdbookError):
            if self.path.stat().st_mtime_ns != self._stamp:
                self._read()

    def start(self, target: str = "everything", cores: int | None = None, profile: str | None = None) -> None:
        """Start a run of a target, on all cores unless told otherwise, or with a profile of Snakemake, such as one for a cluster.

        Raises RunError if one runs already, or if the results are locked by a run that may live elsewhere.
        """
        if target not in TARGETS:
            raise RunError(f"there is no target {target!r}; there are {', '.join(TARGETS)}")
        self._read()
        make_writable_folder(self.folder)
        with locked(self.folder / RUN):
            if self._alive(self._run()):
                raise RunError("a run of this experiment is on its way. Stop it first, or wait for its end.")
            self._unlock_own()
            options = [*(["--cores", str(cores)] if cores else []), *(["--profile", profile] if profile else []), TARGETS[target]]
            details = json.dumps({"target": target, "cores": cores, "profile": profile, "results": str(self._experiment.results)})
            command = [sys.executable, "-m", "herdbook.app.running.supervisor", str(self.folder), details]
            environment = {**snakemake_environment(), progress.VARIABLE: os.environ.get(progress.VARIABLE, PROGRESS_S)}
            self._process = subprocess.Popen(
                [*command, *snakemake_command(self.path, options)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
            self._wait_for(self._process)

    def state(self) -> dict[str, Any]:
        """How the last run stands.

        `running`; `target`; `began`, `ended` (s since 1970); `ok`, None while it runs or if it is not known; `steps`, done and in all;
        `stages`, one entry for each stage and unit (movie, scene, recording or "") with its `state`, and for running ones the pace;
        `message`, the last lines of a run that failed; `stopped`, whether it was asked to end; `locked`, whether a dead run left its lock.
        """
        self._follow_file()
        run = self._run()
        running = self._alive(run)
        self._log.refresh()
        ok = None if running or "status" not in run else run["status"] == 0
        return {
            "running": running,
            **{name: run.get(name) for name in ("target", "cores", "profile", "began", "ended")},
            "ok": ok,
            "steps": list(self._log.steps) if run else [0, 0],
            "stages": self._stages(running, bool(run)),
            "message": "\n".join(self._log.last_lines) if run and not running and not ok else "",
            "stopped": bool(self._stops(run)),
            "locked": not running and self._locked(),
        }

    def stop(self) -> str:
        """Ask the run to end: like Ctrl-C, by which Snakemake ends its jobs and its lock. What does not listen is ended within 5 s.

        On a cluster, where jobs are called off one by one, each further call is firmer instead. Returns the name of the signal. Raises
        RunError if nothing runs.
        """
        run = self._run()
        if not self._alive(run):
            raise RunError("nothing runs")
        if run.get("host") != socket.gethostname():
            raise RunError(f"the run is on the computer {run.get('host')}: stop it there (process {run['pid']})")
        self._log.refresh()
        before = self._stops(run)
        count = int(before.get("count", 0))
        number = SIGNALS[min(count, len(SIGNALS) - 1)]
        asked = {"pid": run["pid"], "start": run["start"], "count": count + 1, "at": before.get("at", self._log.read)}
        write_text(self.folder / STOP, json.dumps(asked) + "\n")
        with suppress(ProcessLookupError):
            os.killpg(run["pid"], number)
        return number.name

    def log(self, job: str) -> str:
        """The end of the log of a job, `stage/unit` or `stage`, or of the whole run, `run`."""
        if job == "run":
            return tail(self.folder / LOG)
        stage, _, unit = job.partition("/")
        known = {(one["stage"], one["unit"]) for one in self._stages(False, True)}
        if (stage, unit) not in known:
            raise RunError(f"there is no job {job!r}")
        return tail(self._log_of(stage, unit))

    def planned(self, target: str = "everything", values: Mapping[str, Any] | None = None) -> list[dict[str, str]]:
        """The jobs, `stage` and `unit`, that would run now, of the file or of the `values` that a draft would give it; nothing is run."""
        snakefile = project_snakefile()
        if snakefile is None:
            raise RunError("there is no workflow beside this package. Install Herdbook again.")
        file = self.path
        if values is not None:
            experiment = parse_experiment(dict(values), self.path)
            file = self.folder / "planned.yaml"
            write_text(
                file, yaml.safe_dump(plain(experiment.model_dump(mode="json", exclude_unset=True)), allow_unicode=True, sort_keys=False)
            )
        return [{"stage": job.rule, "unit": job.unit} for job in list_jobs(snakefile, file, TARGETS[target])]

    def unlock(self) -> None:
        """Take away the lock of a dead run; a person has made sure that none runs on another computer. Raises RunError if one runs."""
        if self._alive(self._run()) or self._others():
            raise RunError("a run of this experiment is on its way: stop it first")
        command = snakemake_command(self.path, ["--cores", "1", "--unlock"])
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=snakemake_environment(), cwd=self.path.parent)
        if ended.returncode:
            raise RunError(f"the lock cannot be taken away: {ended.stderr.strip().splitlines()[-1:]}")

    def _run(self) -> dict[str, Any]:
        """What is known of the last run, nothing if there was none."""
        try:
            values = read_json(self.folder / RUN)
            return values if isinstance(values, dict) else {}
        except (OSError, ValueError):
            return {}

    def _stops(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """How often a run was asked to end, and how long its output was then; nothing if it was not."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            values = read_json(self.folder / STOP)
            if run and (values["pid"], values["start"]) == (run["pid"], run["start"]):
                return dict(values)
        return {}

    def _alive(self, run: Mapping[str, Any]) -> bool:
        if self._process is not None:
            self._process.poll()
        if not run or "status" in run:
            return False
        if run["host"] != socket.gethostname():
            return True
        return any(process_start(one["pid"]) == one["start"] for one in (run, run["child"]))

    def _wait_for(self, process: "subprocess.Popen[bytes]") -> None:
        until = time.monotonic() + START_S
        while self._run().get("pid") != process.pid:
            if process.poll() is not None or time.monotonic() > until:
                raise RunError(f"the run did not start: see {self.folder / LOG}")
            time.sleep(PAUSE_S)

    # --- locks of Snakemake

    def _locked(self) -> bool:
        return any(Path(self._experiment.results, ".snakemake", "locks").glob("*"))

    def _unlock_own(self) -> None:
        """Take away the lock of a dead run that this app started on this computer."""
        if not self._locked():
            return
        run = self._run()
        if self._others() or run.get("host", "") != socket.gethostname():
            raise RunError(
                f"{self._experiment.results}: another run has locked the results. If none is on its way, on no computer, unlock them first."
            )
        self.unlock()

    def _others(self) -> list[int]:
        """Processes of Snakemake on this computer that work in the results, where the system tells."""
        found, results = [], Path(self._experiment.results).resolve()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if b"snakemake" in (folder / "cmdline").read_bytes() and (folder / "cwd").resolve() == results:
                    found.append(int(folder.name))
        return found

    # --- stages

    def _stages(self, running: bool, begun: bool) -> list[dict[str, Any]]:
        run = self._run()
        stopped_at = self._stops(run).get("at", float("inf"))
        jobs = {(job.rule, job.unit): job for job in self._log.jobs.values()} if begun else {}
        target = str(run.get("target") or "everything")
        expected = _expected(self._experiment, target)
        expected += [job for job in jobs if job not in expected and job[0] not in TARGETS.values()]
        found = []
        for stage, unit in expected:
            job = jobs.get((stage, unit))
            state = job.state if job else None
            # Jobs that end with a run that is stopped did not fail.
            if job and ((state == RUNNING and not running) or (state == FAILED and job.failed_at >= stopped_at)):
                state = WAITING
            if state is None:
                state = DONE if _output(self._experiment, stage, unit).exists() else WAITING
            entry: dict[str, Any] = {"stage": stage, "unit": unit, "state": state}
            if state in (RUNNING, FAILED):
                text = tail(self._log_of(stage, unit), 4096)
                pace = pace_of(text) if state == RUNNING else None
                entry |= asdict(pace) | {"pace_unit": pace.unit, "unit": unit} if pace else {}
                if state == FAILED:
                    entry["message"] = "\n".join(text.strip().splitlines()[-3:])
            found.append(entry)
        return found

    def _log_of(self, stage: str, unit: str) -> Path:
        logged = next((job.log for job in self._log.jobs.values() if (job.rule, job.unit) == (stage, unit)), "")
        if logged and not re.search(r"(^|/)\.\.(/|$)", logged):
            return Path(self._experiment.results, logged)
        return self._experiment.folder / "logs" / stage / f"{unit or stage}.log"


def _expected(experiment: Experiment, target: str) -> list[tuple[str, str]]:
    """Stage and unit of each job of a target, in the order of the stages."""
    movies = [movie.name for movie in experiment.movies]
    recordings = list(experiment.recordings)
    scenes = recordings if experiment.background.scope == "recording" else movies
    named = experiment.animals.marking != "none"
    found = [("simulate", "")] if experiment.simulate else []
    for stage, units in (("index", movies), ("background", scenes), ("segment", movies), ("tracklets", movies)):
        found += [(stage, unit) for unit in units]
    if target == "before_labels":
        return found
    if named and not experiment.train.use:
        found += [("trainset", "")] if not experiment.trainset.use else []
        found += [("train", "")]
    found += [("classify", movie) for movie in movies] if named else []
    found += [("propagate", recording) for recording in recordings]
    if target == "names":
        return found
    found += [("smooth", movie) for movie in movies]
    if experiment.pose:
        found += [("pose_trainset", "")] if experiment.pose.labels else []
        found += [("pose_train", ""), *(("pose", movie) for movie in movies)]
    if experiment.repair:
        found += [("repair", movie.name) for movie in experiment.movies if movie.poses]
    if experiment.points_apart:
        found += [("smooth_points", movie) for movie in movies]
    found.append(("export", ""))
    found += [(stage, movie) for stage in WRITTEN_MOVIES for movie in movies if experiment.section(stage, movie).write]
    return [*found, ("report", "")]


def _output(experiment: Experiment, stage: str, unit: str) -> Path:
    if stage == "simulate":
        return experiment.folder / "provenance" / "simulate.json"
    path = WRITTEN_MOVIES[stage].format(movie=unit) if stage in WRITTEN_MOVIES else artifact(stage, unit)
    return experiment.folder / path
