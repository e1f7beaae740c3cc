"""A proposal that `herdbook tune` has just made is written by `herdbook tune --write` without computing it again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from herdbook.experiment.model import Experiment
from herdbook.version import VERSION


def proposal_basis(experiment: Experiment, movie: str, frames: int) -> dict[str, Any]:
    """All that a proposal follows from: settings of the stages, the files of the recording by size and date, frames, and the version."""
    members = experiment.recordings[experiment.recording_of(movie)]
    given = [*(experiment.movie(name).file for name in members), *experiment.masks.values(), experiment.background.file or ""]
    unit = experiment.recording_of(movie) if experiment.background.scope == "recording" else movie
    return {
        "version": VERSION,
        "movie": movie,
        "frames": frames,
        "settings": {stage: json.loads(experiment.settings(stage, movie)) for stage in ("index", "segment", "tracklets")}
        | {"background": json.loads(experiment.settings("background", unit)), "scope": experiment.background.scope},
        "files": {path: _state(Path(path)) for path in given if path},
    }


def proposal_before(path: Path, basis: Mapping[str, Any]) -> dict[str, Any] | None:
    """The proposal in this tune.json, if it follows from the same; None if there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(found, dict) and found.get("made_of") == json.loads(json.dumps(basis))
    return found if same else None


def _state(path: Path) -> list[int]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    states = [file.stat() for file in files if file.exists()]
    return [len(states), sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)]
