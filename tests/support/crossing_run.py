"""A finished run on a numbered movie of three animals with names, two of which meet twice: nobody knows who is who afterwards.

A and B walk towards each other, through each other, and back. Images told who they are before they meet, and are slightly wrong afterwards.
"""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.file import load_experiment
from herdbook.movie.writing import MovieWriter
from herdbook.stages import propagate, smooth
from tests.support.numbered import SIZE, numbered_frame
from tests.support.stage_chain import Chain

FRAMES = 160
NAMES = ["A", "B", "C"]
LANE, OTHER_LANE = 50.0, 95.0
# The frames in which A and B meet, and one after each meeting.
MEETINGS, BETWEEN, AFTER = (40, 120), 80, 150


def places(frame: int) -> dict[str, tuple[float, float]]:
    """Where the animals are in a frame, px."""
    way = frame if frame <= BETWEEN else 2 * BETWEEN - frame
    return {"A": (30.0 + way, LANE), "B": (110.0 - way, LANE), "C": (20.0 + frame, OTHER_LANE)}


def write_crossing(folder: Path) -> Path:
    """Make the run in a folder, and return its experiment file."""
    movie = folder / "crossing.mp4"
    with MovieWriter(movie, *SIZE, 20.0, keyframe_interval=30) as writer:
        for frame in range(FRAMES):
            writer.write(numbered_frame(frame, list(places(frame).values())), None)
    width, height = SIZE
    dish = {"name": "dish", "include": [{"polygon": [[0, 14], [width - 1, 14], [width - 1, height - 1], [0, height - 1]]}]}
    sections: dict[str, Any] = {"arenas": [dish], "segment": {"difference": 30, "area": [20, 400]}}
    chain = Chain(folder / "results" / "e", movie, **sections)
    chain.run("index", "background", "segment", "tracklets")
    labels = folder / "labels.csv"
    labels.write_text("movie,frame,x,y,label\n" + "".join(f"m,5,{x:g},{y:g},{name}\n" for name, (x, y) in places(5).items()))
    animals = {"marking": "marked", "identities": NAMES, "labels": labels.name}
    values = {"experiment": "e", "movies": [{"name": "m", "file": str(movie)}], "animals": animals}
    file = folder / "experiment.yaml"
    file.write_text("# a comment that stays\n" + yaml.safe_dump(values | sections, sort_keys=False), encoding="utf-8")
    _write_evidence(chain)
    experiment = load_experiment(file)
    given = {"blobs": "segment", "tracklets": "tracklets", "evidence": "classify", "out": "propagate"}
    options = [part for name, stage in given.items() for part in (f"--{name}", str(chain.at(stage)))]
    propagate.main([*options, "--settings", experiment.settings("propagate")])
    given = {"index": "index", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate", "out": "smooth", "points": "points"}
    options = [part for name, stage in given.items() for part in (f"--{name}", str(chain.at(stage)))]
    smooth.main(["--movie", str(movie), *options, "--settings", experiment.settings("smooth", "m")])
    return file


def _nearest(frame: int, x: float, y: float) -> str:
    return min(NAMES, key=lambda name: float(np.hypot(*np.subtract(places(frame)[name], (x, y)))))


def _write_evidence(chain: Chain) -> None:
    blobs, tracklets = Blobs.load(chain.at("segment")), Tracklets.load(chain.at("tracklets"))
    evidence = np.zeros((len(tracklets), len(NAMES)), np.float32)
    images = np.zeros(len(tracklets), np.int32)
    for number in range(len(tracklets)):
        rows = np.flatnonzero(tracklets.blob_tracklet == number)
        frame = int(blobs.frame[rows[len(rows) // 2]])
        here = blobs.x[rows[len(rows) // 2]], blobs.y[rows[len(rows) // 2]]
        true = _nearest(frame, *here)
        if tracklets.animals[number] != 1:
            continue
        images[number] = 5
        if frame < MEETINGS[0] or true == "C":
            evidence[number, NAMES.index(true)] = 12
        elif frame < MEETINGS[1]:
            evidence[number, NAMES.index("B" if true == "A" else "A")] = 0.7
    chain.at("classify").parent.mkdir(parents=True, exist_ok=True)
    none = np.zeros(0, np.int64)
    labelled = np.full(len(tracklets), -1, np.int16)
    found = Evidence(NAMES, evidence, images, labelled, none, np.zeros((0, len(NAMES)), np.float32))
    found.save(chain.at("classify"), Provenance("classify", 1))
