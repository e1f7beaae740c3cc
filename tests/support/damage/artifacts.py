"""Artifacts that are damaged on the disk, and what the stages that read them make of it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np

from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec
from herdbook.experiment.model import Experiment
from herdbook.stages import background, export, index, overlay, propagate, segment, smooth, tracklets
from tests.support.damage.limits import TOLD, Outcome, run_limited
from tests.support.damage.movies import write_movies
from tests.support.damage.mutations import mutate

MOVIE = "h264.mp4"
EXPERIMENT = Experiment.model_validate(
    {
        **{"experiment": "e", "movies": [{"name": "m", "file": MOVIE}], "segment": {"area": [10, 2000]}},
        "animals": {"marking": "none", "number": 1},
    }
)
# Each stage with the artifacts that it reads, by argument.
READERS: dict[str, tuple[ModuleType, dict[str, str]]] = {
    "index": (index, {}),
    "background": (background, {"index": "index", "reference": "index"}),
    "segment": (segment, {"index": "index", "background": "background"}),
    "tracklets": (tracklets, {"blobs": "segment"}),
    "propagate": (propagate, {"blobs": "segment", "tracklets": "tracklets"}),
    "smooth": (smooth, {"index": "index", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"}),
    "export": (
        export,
        {
            **{"index": "index", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"},
            **{"trajectories": "smooth", "points": "points"},
        },
    ),
    "overlay": (overlay, {"index": "index", "blobs": "segment", "trajectories": "smooth"}),
}
OUTPUTS = {"smooth": ("smooth", "points")}
# The artifact that is damaged, and the stage that reads it.
PAIRS = (
    *(("index", "background"), ("index", "smooth"), ("background", "segment"), ("segment", "tracklets"), ("segment", "overlay")),
    *(("tracklets", "propagate"), ("propagate", "smooth"), ("smooth", "export"), ("points", "export"), ("trainset", "trainset")),
)


@dataclass(frozen=True)
class Case:
    """A damaged artifact, the stage that reads it, and what was done to it."""

    damaged: str
    reader: str
    change: str
    folder: Path


def place(folder: Path, stage: str) -> Path:
    """The artifact of a stage."""
    return folder / stage / "m.h5"


def run_reader(stage: str, folder: Path) -> None:
    """Run a stage in a folder of artifacts."""
    module, reads = READERS[stage]
    files = {option: place(folder, read) for option, read in reads.items()}
    if stage in ("index", "background", "segment", "smooth", "overlay"):
        files["movie"] = folder / MOVIE
    files["out"] = place(folder, stage)
    if stage == "smooth":
        files["points"] = place(folder, "points")
    if stage == "export":
        files |= {"out": folder / "trajectories.csv", "hdf5": folder / "trajectories.h5"}
    if stage == "overlay":
        files["out"] = folder / "overlay" / "m.mp4"
    unit = "m" if stage in ("index", "background", "segment", "tracklets", "smooth", "overlay") else None
    options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    module.main([*options, "--settings", EXPERIMENT.settings(stage, unit)])


def write_chain(folder: Path) -> None:
    """All artifacts of a small movie, and a training set."""
    movies = folder / "movies"
    movies.mkdir(parents=True)
    write_movies(movies)
    shutil.move(movies / MOVIE, folder / MOVIE)
    shutil.rmtree(movies)
    for stage in READERS:
        run_reader(stage, folder)
    write_trainset(place(folder, "trainset"))


def write_trainset(path: Path) -> None:
    """A small training set."""
    rng = np.random.default_rng(4)
    n, whole = 20, np.zeros(20, np.int32)
    TrainingSet(
        classes=["A", "Bé"],
        movies=["m"],
        notes=["line 7: no blob"],
        crops=json.dumps(CropSpec(40.0).as_dict()),
        body_length_px=12.5,
        images=rng.integers(0, 255, (n, 48, 32, 3), dtype=np.uint8),
        label=whole,
        frame=np.arange(n, dtype=np.int32),
        time_s=np.arange(n) / 20,
        head=np.full(n, 0.7, np.float32),
        chroma=np.full(n, 3, np.float32),
        group=whole,
        group_movie=whole[:1],
        group_tracklet=whole[:1],
        coexisting=np.zeros((0, 2), np.int32),
    ).save(path, Provenance("trainset", 1))


def damage(whole: Path, number: int, folder: Path, seed: int) -> Case:
    """The damaged artifact of this number, among good ones in a folder of its own."""
    rng = np.random.default_rng([seed, number])
    damaged, reader = PAIRS[number % len(PAIRS)]
    target = folder / str(number)
    shutil.copytree(whole, target)
    path = place(target, damaged)
    change, data = mutate(path.read_bytes(), rng)
    path.write_bytes(data)
    return Case(damaged, reader, change, target)


def judge(case: Case, whole: Path) -> tuple[str, Outcome]:
    """What a user gets: PASSED where the result is the one that the good artifact gives, TOLD, or a fault: "wrong" for another result."""
    path = place(case.folder, case.damaged)

    def work() -> dict[str, str]:
        if case.reader == "trainset":
            found, good = (TrainingSet.load(place(where, "trainset")) for where in (case.folder, whole))
            same = all(_same(getattr(found, name), getattr(good, name)) for name in TrainingSet.__dataclass_fields__)
            return {"wrong": "" if same else "the training set is another one"}
        run_reader(case.reader, case.folder)
        return {"wrong": _another(case.reader, case.folder, whole)}

    outcome = run_limited(work)
    said = outcome.printed[outcome.printed.rfind("herdbook") :]
    rule = case.damaged.partition(".")[0]
    if outcome.kind == TOLD and not (str(path) in said and f"'{rule}'" in said and "again" in said and len(said) < 1500):
        return "unclear", outcome
    return ("wrong" if outcome.result.get("wrong") else outcome.kind), outcome


def _same(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def _another(stage: str, folder: Path, whole: Path) -> str:
    """Which columns of a stage's artifact are not those of the good one, "" for none."""
    if stage == "overlay":
        found, good = (where / "overlay" / "m.mp4" for where in (folder, whole))
        return "" if found.read_bytes() == good.read_bytes() else "another movie"
    if stage == "export":
        found, good = (where / "trajectories.csv" for where in (folder, whole))
        return "" if found.read_bytes() == good.read_bytes() else "another table"
    told = []
    for output in OUTPUTS.get(stage, (stage,)):
        with h5py.File(place(folder, output)) as file, h5py.File(place(whole, output)) as good:
            told += [f"{output}: {name}" for name in good if name not in file or not _same(file[name][...], good[name][...])]
    return ", ".join(told)
