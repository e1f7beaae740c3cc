"""Backgrounds for the page: the one that the workflow made, or one that a process of its own makes, first quickly and then as it is meant.

Computing a background takes seconds and hundreds of megabytes, which a server must not spend: the process ends with them.
`python -m herdbook.app.scenes` is that process; what it is to do comes as JSON on its standard input.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from herdbook.artifacts.background import Background
from herdbook.artifacts.store import Provenance
from herdbook.commands.tuning.footage import known_background, read_background
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.model import Experiment
from herdbook.job import stage_version

STAGE = "background"
# Of a first look: a fifth of the usual frames, and animals that rest are not taken out.
QUICK: dict[str, Any] = {"frames": 20, "resting": False}


@dataclass(frozen=True)
class SceneState:
    """The state of a movie's background: `state` is "none", "computing", "quick" (a better one is being computed), "ready" or "failed"."""

    background: Background | None = None
    state: str = "none"
    fault: str = ""


class SceneMaker:
    """Keeps the background of one movie up to date with the settings; `folder`: where made ones are kept for the next time."""

    def __init__(self, movie: str, folder: Path) -> None:
        self._movie, self._folder = movie, folder
        self._key = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._out = Path()
        self.scene = SceneState()

    def want(self, experiment: Experiment, raw: Mapping[str, Any], path: Path) -> None:
        """Make sure that the background of these settings is there or being made; `raw`: content of the experiment file at `path`."""
        unit = experiment.recording_of(self._movie) if experiment.background.scope == "recording" else self._movie
        key = json.dumps([experiment.settings("background", unit), *map(_state, self._files(experiment, unit))])
        if key == self._key:
            return
        self.close()
        self._key = key
        polarity = experiment.section("segment", self._movie).polarity
        self._out = self._folder / f"scene-{hashlib.sha256(key.encode()).hexdigest()[:16]}.h5"
        known = known_background(experiment, self._movie, polarity) or _kept(self._out)
        if known is not None:
            self.scene = SceneState(known, "ready")
            return
        self.scene = replace(self.scene, state="computing", fault="")
        self._task = {"raw": dict(raw), "path": str(path), "movie": self._movie, "polarity": polarity, "out": str(self._out)}
        quick = experiment.background.file is None and experiment.background.frames > QUICK["frames"]
        self._start(quick=quick)

    def _files(self, experiment: Experiment, unit: str) -> list[str]:
        together = experiment.background.scope == "recording"
        movies = experiment.recordings[unit] if together else [self._movie]
        given = [experiment.background.file] if experiment.background.file else []
        return [experiment.movie(name).file for name in movies] + given

    def poll(self) -> bool:
        """Take over what the process has made; whether the scene has changed."""
        if self._process is None or self._process.poll() is None:
            return False
        failed, self._process = self._process.returncode, None
        # Whoever tidies the folder of temporary files may have deleted it.
        errors = self._errors.read_text(encoding="utf-8", errors="replace").strip() if self._errors.is_file() else ""
        self._errors.unlink(missing_ok=True)
        made = self._quick_out if self._quick else self._out
        found = None if failed else _kept(made)
        if found is None:
            lines = [line for line in errors.splitlines() if line.strip()]
            self.scene = replace(self.scene, state="failed", fault=lines[-1] if lines else f"the process ended with status {failed}")
            return True
        if self._quick:
            made.unlink(missing_ok=True)
            self.scene = SceneState(found, "quick")
            self._start(quick=False)
        else:
            self.scene = SceneState(found, "ready")
        return True

    def close(self) -> None:
        """End the process, if one runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._errors.unlink(missing_ok=True)

    def _start(self, *, quick: bool) -> None:
        self._quick, self._quick_out = quick, self._out.with_suffix(".quick.h5")
        task = self._task | ({"changes": QUICK, "out": str(self._quick_out)} if quick else {"changes": {}})
        with tempfile.NamedTemporaryFile(prefix="herdbook-", suffix=".log", delete=False) as errors:
            self._errors = Path(errors.name)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "herdbook.app.scenes"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(task).encode())
        self._process.stdin.close()


def _state(path: str) -> list[Any]:
    """What tells that a file is another one."""
    stat = Path(path).stat() if Path(path).exists() else None
    return [path, stat.st_size, stat.st_mtime_ns] if stat else [path]


def _kept(path: Path) -> Background | None:
    if not path.is_file():
        return None
    try:
        return Background.load(path)
    except (HerdbookError, OSError):
        return None


def make_scene(task: Mapping[str, Any]) -> None:
    """Make the background that a task describes, and write it."""
    experiment = parse_experiment(task["raw"], Path(task["path"]))
    made = read_background(experiment, task["movie"], task["polarity"], task["changes"])
    out = Path(task["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    made.save(out, Provenance(stage=STAGE, stage_version=stage_version(STAGE), settings="{}", inputs={}))


def main() -> None:
    """Read a task from the standard input and carry it out."""
    try:
        make_scene(json.load(sys.stdin))
    except HerdbookError as error:
        sys.exit(str(error).replace("\n", " "))


if __name__ == "__main__":
    main()
