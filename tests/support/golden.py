"""What each stage makes of a small drawn recording, reduced to figures that are kept in golden.json.

    python -m tests.support.golden        writes golden.json anew; refuses while an output changed and its STAGE_VERSION did not

Every stage gets inputs that are drawn here, never those of another stage: only its own change changes its figures. They hold on other
processors: text and whole numbers count exactly, other numbers as sums that leave room for rounding, pictures as mean levels of their
parts. Of training, which differs between processors, the network's layout and the size of its weights count, and of the card what was
trained with; of the page of the report its words. Unmarked animals, and networks that learn from labelled images alone, are not covered.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import cv2
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.store import read_attributes
from herdbook.experiment.model import Experiment
from herdbook.system.files import write_text
from tests.support.golden_inputs import NAMES, draw_recording

GOLDEN = Path(__file__).with_name("golden.json")
# Images have more samples than this.
LEAST_IMAGE = 2000
# Attributes that say where an artifact comes from, not what it holds.
TOLD_OF_ALL = {
    *("artifact", "columns", "fingerprint", "herdbook_version", "inputs", "input_files"),
    *("movie_fingerprint", "seed", "settings", "stage", "stage_version"),
}
Figures = dict[str, Any]


@dataclass(frozen=True)
class StageCase:
    """How a stage is run: its inputs by argument, in the folder of drawn files, and what it makes in the folder of its own."""

    inputs: dict[str, str]
    outputs: dict[str, str]


ALL = {"index": "index/m.h5", "background": "background/m.h5", "blobs": "segment/m.h5", "tracklets": "tracklets/m.h5"}
TRACKED = {"index": "index/m.h5", "trajectories": "smooth/m.h5"}
EXPORTED = ("motion.csv", "tracklets.csv", "events.csv", "data_dictionary.csv")
CASES = {
    "simulate": StageCase({}, {"out": "."}),
    "index": StageCase({"movie": "m.mkv"}, {"out": "m.h5"}),
    "background": StageCase({"movie": "m.mkv", "index": "index/m.h5", "reference": "index/m.h5"}, {"out": "m.h5"}),
    "segment": StageCase({"movie": "m.mkv", "index": "index/m.h5", "background": "background/m.h5"}, {"out": "m.h5"}),
    "tracklets": StageCase({"blobs": "segment/m.h5"}, {"out": "m.h5"}),
    "trainset": StageCase(
        {"labels": "labels.csv", **{name: ALL[name] for name in ("blobs", "tracklets", "background")}}, {"out": "trainset.h5"}
    ),
    "train": StageCase({"trainset": "trainset/trainset.h5"}, {"out": "classifier.keras", "card": "classifier.json"}),
    "classify": StageCase(
        {
            **{name: ALL[name] for name in ("blobs", "tracklets", "background")},
            **{"trainset": "trainset/trainset.h5", "classifier": "train/classifier.keras", "card": "train/classifier.json"},
        },
        {"out": "m.h5"},
    ),
    "propagate": StageCase(
        {"blobs": ALL["blobs"], "tracklets": ALL["tracklets"], "evidence": "classify/m.h5", "facts": "facts.csv"}, {"out": "m.h5"}
    ),
    "smooth": StageCase(
        {"movie": "m.mkv", **{name: ALL[name] for name in ("index", "blobs", "tracklets")}, "identities": "propagate/m.h5"},
        {"out": "m.h5", "points": "m.points.h5"},
    ),
    "repair": StageCase(
        {**{name: ALL[name] for name in ("index", "blobs", "tracklets")}, "identities": "propagate/m.h5", **TRACKED, "poses": "poses.csv"},
        {"out": "m.h5"},
    ),
    "smooth_points": StageCase(
        {"movie": "m.mkv", "index": "index/m.h5", "blobs": ALL["blobs"], "repaired": "repair/m.h5"}, {"out": "m.h5"}
    ),
    "pose_trainset": StageCase({"labels": "points.csv", "movie": "m.mkv", **TRACKED, "blobs": ALL["blobs"]}, {"out": "pose_trainset.h5"}),
    "pose_train": StageCase({"examples": "pose_trainset/pose_trainset.h5"}, {"out": "pose.keras", "card": "pose.json"}),
    "pose": StageCase(
        {"movie": "m.mkv", **TRACKED, "blobs": ALL["blobs"], "network": "pose_train/pose.keras", "pose_card": "pose_train/pose.json"},
        {"out": "m.h5"},
    ),
    "export": StageCase(
        {**TRACKED, **{name: ALL[name] for name in ("blobs", "tracklets")}, "identities": "propagate/m.h5"},
        {"out": "trajectories.csv", "hdf5": "trajectories.h5", "tables": " ".join(EXPORTED)},
    ),
    "report": StageCase(
        {
            **{"movie": "m.mkv", **ALL, "identities": "propagate/m.h5", "evidence": "classify/m.h5", "trajectories": "smooth/m.h5"},
            **{"table": "trajectories.csv", "events": "events.csv", "truth": "truth.csv"},
        },
        {"out": "report.html"},
    ),
    "overlay": StageCase({"movie": "m.mkv", **TRACKED, "blobs": ALL["blobs"]}, {"out": "m.mp4"}),
    "closeups": StageCase({"movie": "m.mkv", **TRACKED, "reference": ALL["blobs"]}, {"out": "m"}),
    "mosaic": StageCase({"movie": "m.mkv", **TRACKED, "reference": ALL["blobs"]}, {"out": "m.mp4"}),
}
EXPERIMENT: dict[str, Any] = {
    "experiment": "golden",
    "simulate": {"number": 4, "frames": 12, "size": [320, 300], "labels_per_animal": 1, "leave": False},
    "movies": [{"name": "m", "file": "m.mkv"}],
    "animals": {"marking": "marked", "identities": NAMES, "labels": "labels.csv"},
    "segment": {"area": [50, 2000], "images_per_s": 5},
    "train": {"epochs": 1},
    "export": {"formats": ["hdf5"]},
    "score": {"truth": "truth.csv"},
}


def run_stage(stage: str, drawn: Path, threads: int = 1) -> Figures:
    """Run a stage on what is drawn and return its figures: version, settings, what its inputs hold, and what it made."""
    module, settings, out = import_module(f"herdbook.stages.{stage}"), stage_settings(stage), drawn / f"made_{stage}"
    case = CASES[stage]
    words = [f"--{name}={drawn / path}" for name, path in case.inputs.items()]
    for name, paths in case.outputs.items():
        words += [f"--{name}", *(str(out / path) for path in paths.split())]
    words += ["--settings", json.dumps(settings), "--threads", str(threads)]
    if stage in ("train", "pose_train"):
        # TensorFlow's number of threads, on which its sums depend, is fixed by what a process does first.
        subprocess.run([sys.executable, "-m", f"herdbook.stages.{stage}", *words], check=True)
    else:
        module.main(words)
    inputs = {path: _held(drawn / path) for path in case.inputs.values()}
    return {"version": module.STAGE_VERSION, "settings": settings, "inputs": _sum_of(json.dumps(inputs)), "made": dict(_figures(out))}


def stage_settings(stage: str) -> dict[str, Any]:
    """What the experiment tells a stage."""
    told = EXPERIMENT
    if stage.startswith("pose"):
        told = EXPERIMENT | {"pose": {"labels": ["points.csv"], "size": 32, "steps": 2, "batch": 4}}
    if stage == "repair":
        told = EXPERIMENT | {"repair": {}, "movies": [EXPERIMENT["movies"][0] | {"poses": ["poses.csv"]}]}
    settings: dict[str, Any] = json.loads(Experiment.model_validate(told).settings(stage, "m"))
    if stage == "simulate":
        settings["identities"] = ["BB", "GG", "OO", "PP"]
    return settings


def differences(found: Figures, golden: Figures) -> list[str]:
    """What a stage made that is not as it was, by file and column."""
    one, other = found["made"], golden["made"]
    return sorted(name for name in {*one, *other} if name not in one or name not in other or not _alike(one[name], other[name]))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if "parts" in one:
        mine, theirs = (np.array(figures["parts"].split(), int) for figures in (one, other))
        return len(mine) == len(theirs) and bool(np.abs(mine - theirs).max() <= 2)
    close = abs(one["sum"] - other["sum"]) <= one["room"] * max(one["size"], 1e-12)
    return bool(one["count"] == other["count"] and close and abs(one["size"] - other["size"]) <= one["room"] * max(one["size"], 1e-12))


def _figures(folder: Path) -> Iterator[tuple[str, Any]]:
    """Figures of all files in a folder, by file and column."""
    readers: dict[str, Callable[[Path], Mapping[str, Any]]] = {
        **{".h5": _artifact_figures, ".csv": _table_figures, ".mp4": _movie_figures},
        **{".keras": _network_figures, ".json": _json_figures, ".html": _page_figures},
    }
    for path in sorted(folder.rglob("*")):
        for name, value in readers[path.suffix](path).items() if path.suffix in readers else ():
            yield f"{path.relative_to(folder)}: {name}", value


def _artifact_figures(path: Path) -> Figures:
    with h5py.File(path) as file:
        columns = json.loads(file.attrs["columns"])
        said = read_attributes(file)
        told = {name: said[name] for name in sorted(said) if name not in TOLD_OF_ALL}
        return {name: _column(file[name][...]) for name in columns} | {name: _column(np.asarray(value)) for name, value in told.items()}


def _table_figures(path: Path) -> Figures:
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    return {"columns": _sum_of(",".join(table.columns))} | {name: _column(table[name].to_numpy()) for name in table.columns}


def _column(values: NDArray[Any]) -> Any:
    """Text and whole numbers as their sum of bytes; numbers that were rounded, and images, as sums that leave room."""
    if values.dtype.kind not in "fui" or (values.dtype.kind in "ui" and values.dtype != np.uint8):
        return _sum_of(json.dumps(values.tolist()))
    if values.dtype == np.uint8 and values.size < LEAST_IMAGE:
        return _sum_of(json.dumps(values.tolist()))
    flat = values.astype(np.float64).ravel()
    known = np.isfinite(flat)
    # Weights without order, so that no exchange of rows keeps the sum.
    weight = 0.5 + (np.arange(len(flat)) * 7919 % 1009) / 1009
    size = float(np.abs(flat[known]).sum())
    return {
        "count": int(known.sum()),
        "sum": float((flat * weight)[known].sum()),
        "size": size,
        "room": 1e-3 if values.dtype == np.uint8 else 1e-5,
    }


def _movie_figures(path: Path) -> Figures:
    """Every sixth frame as mean levels of 8 x 6 parts."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    parts = np.array([cv2.resize(frame, (8, 6), interpolation=cv2.INTER_AREA) for frame in frames[::6]])
    return {
        "frames": _sum_of(json.dumps([frame.shape for frame in frames])),
        "levels": {"parts": " ".join(map(str, parts.ravel().tolist()))},
    }


def _network_figures(path: Path) -> Figures:
    import keras

    weights = keras.models.load_model(path, compile=False).weights
    size = {weight.path: float(np.abs(np.asarray(weight)).mean()) for weight in weights}
    layout = _sum_of(json.dumps([[weight.path, list(weight.shape)] for weight in weights]))
    return {"layout": layout} | {name: {"count": 1, "sum": value, "size": value, "room": 0.1} for name, value in size.items() if value}


def _json_figures(path: Path) -> Figures:
    """The numbers of a score; of a card what was trained with, for how well it went differs between processors."""
    card = json.loads(path.read_text(encoding="utf-8"))
    if "calibration" not in card:
        return {name: _column(np.array(value)) for name, value in card.items() if isinstance(value, int | float)}
    sure = (
        "format",
        "classes",
        "others",
        "untrained",
        "architecture",
        "parameters",
        "crops",
        "body_length_px",
        "images",
        "tracklets",
        "points",
        "size",
        "side_body",
        "shape",
        "half_axes",
        "animals",
        "frames",
        "held_back",
        "mirrored",
        "notes",
    )
    score = {name: _sum_of(json.dumps(card[name])) for name in sure if name in card}
    return score | {"keys": _sum_of(" ".join(sorted(card)))}


def _page_figures(path: Path) -> Figures:
    """The words of the page without pictures, versions and fingerprints."""
    words = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]+>", " ", path.read_text(encoding="utf-8"), flags=re.S)
    words = re.sub(r"\b[0-9a-f]{12,}\b|\b\d+\.\d+\.\d+\S*", "", words)
    return {"words": _sum_of(" ".join(words.split()))}


def _held(path: Path) -> str:
    """What a drawn input holds; of the movie and the network what they are drawn from."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            return str(read_attributes(file)["columns"])
    return path.name if path.suffix in (".mkv", ".keras") else path.read_text(encoding="utf-8")


def _sum_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main() -> None:
    """Write golden.json anew."""
    before = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        draw_recording(Path(name))
        found = {stage: run_stage(stage, Path(name)) for stage in CASES}
    silent = [stage for stage in found if stage in before and is_silent(found[stage], before[stage])]
    if silent:
        sys.exit(f"The output of {', '.join(silent)} changed: raise STAGE_VERSION there first.")
    write_text(GOLDEN, json.dumps(found, indent=1, sort_keys=True) + "\n")


def is_silent(found: Figures, golden: Figures) -> bool:
    """Whether a stage makes something else of the same inputs and settings, and its version does not tell."""
    same = all(found[name] == golden[name] for name in ("version", "settings", "inputs"))
    return same and bool(differences(found, golden))


if __name__ == "__main__":
    main()
