"""Stages run one after the other on a drawn movie, each with the settings that its experiment gives it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from herdbook.experiment.file import parse_experiment
from herdbook.experiment.model import Experiment
from herdbook.stages import background, export, index, propagate, report, segment, smooth, tracklets

MODULES = {module.STAGE: module for module in (background, export, index, propagate, report, segment, smooth, tracklets)}


class Chain:
    """An experiment of one movie in a folder, and its artifacts there."""

    def __init__(self, folder: Path, movie: Path, **sections: Any) -> None:
        self.folder, self.movie = folder, movie
        raw = {"experiment": "e", "movies": [{"name": "m", "file": str(movie)}], "animals": {"marking": "none"}}
        self.experiment: Experiment = parse_experiment(raw | sections, folder / "e.yaml")

    def at(self, stage: str) -> Path:
        """The artifact of a stage."""
        return self.folder / stage / "m.h5"

    def run(self, *stages: str, threads: int = 1) -> Path:
        """Run stages in this order and return the artifact of the last one."""
        for stage in stages:
            options = [part for name, paths in self._files(stage).items() if paths for part in (f"--{name}", *map(str, paths))]
            MODULES[stage].main([*options, "--settings", self.experiment.settings(stage, "m"), "--threads", str(threads)])
        return self.at(stages[-1])

    def _files(self, stage: str) -> dict[str, Sequence[Path | str]]:
        needs = {
            "index": ["movie"],
            "background": ["movie", "index"],
            "segment": ["movie", "index", "background"],
            "tracklets": ["blobs"],
            "propagate": ["blobs", "tracklets", "evidence"],
            "smooth": ["movie", "index", "blobs", "tracklets", "identities"],
            "export": ["trajectories", "index", "blobs", "tracklets", "identities"],
            "report": ["movie", "index", "background", "blobs", "tracklets", "identities", "evidence", "trajectories"],
        }[stage]
        made = {"blobs": "segment", "identities": "propagate", "evidence": "classify", "trajectories": "smooth"}
        files = {name: [self.movie if name == "movie" else self.at(made.get(name, name))] for name in needs}
        files = {name: [path for path in paths if path.exists()] for name, paths in files.items()}
        more: dict[str, dict[str, list[Path | str]]] = {
            "background": {"reference": [self.at("index")], "image": list(filter(None, [self.experiment.background.file]))},
            "segment": {"masks": list(self.experiment.masks.values())},
            "smooth": {"points": [self.folder / "points.h5"]},
            "export": {
                "hdf5": [self.folder / "table.h5"],
                "out": [self.folder / "table.csv"],
                "tables": [self.folder / f"{name}.csv" for name in ("tracklets", "events", "data_dictionary")],
            },
            "report": {
                "table": [self.folder / "table.csv"],
                "events": [self.folder / "events.csv"],
                "out": [self.folder / "report" / "report.html"],
            },
        }
        return {"out": [self.at(stage)]} | files | more.get(stage, {})
