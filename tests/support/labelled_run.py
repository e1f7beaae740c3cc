"""A recording of tagged animals that wait for their labels: four that walk, each seen as two tracklets, with artifacts and a movie."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import yaml

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import CLASSIFIED, LABELLED, Identities
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.merging import Example, assemble_set
from herdbook.experiment.file import load_experiment
from herdbook.movie.scanning import scan_movie
from tests.support.classifier_cases import write_background
from tests.support.identity_cases import BLUE, FPS, GREEN, RED, YELLOW, Body, Track, paint, write_movie

FRAMES, SIZE = 60, (240, 180)
NAMES = ["RB", "GG", "YR", "BY"]
COLOURS = ((RED, BLUE), (GREEN, GREEN), (YELLOW, RED), (BLUE, YELLOW))
# Where each animal begins, and its step; tracklet k is animal k % 4, the first four last longer.
PLACES = ((30.0, 30.0), (180.0, 40.0), (40.0, 140.0), (190.0, 140.0))
LENGTHS = ((0, 39), (0, 37), (0, 35), (0, 33), (42, 59), (42, 58), (42, 57), (42, 56))
TRACKS = tuple(
    Track(first, last, (Body(x, y + (first > 0) * 6, colours=COLOURS[k % 4]),), step=(0.4 - 0.2 * (k % 4), 0.1 * (k % 4)))
    for k, ((first, last), (x, y)) in enumerate(zip(LENGTHS, PLACES * 2, strict=True))
)


def name_of(tracklet: int) -> str:
    """The true name of a tracklet."""
    return NAMES[tracklet % len(NAMES)]


def place_of(tracklet: int, frame: int) -> tuple[float, float]:
    """Where a tracklet is in a frame, px."""
    (body,) = TRACKS[tracklet].at(frame)
    return body.x, body.y


def write_labelled(folder: Path, **sections: Any) -> Path:
    """Make the recording in a folder, and return its experiment file; there are no labels yet."""
    movie = folder / "m.mp4"
    with av.open(str(movie), "w") as container:
        stream = container.add_stream("libx264", rate=int(FPS))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for t in range(FRAMES):
            bodies = [body for track in TRACKS if track.first <= t <= track.last for body in track.at(t)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(bodies, SIZE)[0], format="bgr24")))
        container.mux(stream.encode())
    (folder / "labels.csv").write_text("movie,frame,x,y,label\n", encoding="utf-8")
    raw = {
        "experiment": "e",
        "movies": [{"name": "m", "file": "m.mp4"}],
        "animals": {"marking": "marked", "identities": NAMES, "labels": "labels.csv"},
        "overlay": {"write": False},
    }
    file = folder / "e.yaml"
    file.write_text("# a comment that stays\n" + yaml.safe_dump(raw | sections, sort_keys=False), encoding="utf-8")
    results = load_experiment(file).folder
    write_movie(results, "m", TRACKS, frames=FRAMES, size=SIZE)
    write_background(results, "m")
    Index.from_scan(scan_movie(movie), movie_fingerprint="").save(results / "index" / "m.h5", Provenance("index", 1))
    return file


def write_learned(file: Path, *, labelled: tuple[int, ...] = (0, 1), wrong: int | None = 7, sure: float = 0.8) -> None:
    """What a run has learned: the name of each tracklet with a probability; one is taken for the next animal."""
    results = load_experiment(file).folder
    count = len(Tracklets.load(results / "tracklets" / "m.h5"))
    share = np.full((count, len(NAMES)), (1 - sure) / (len(NAMES) - 1))
    name = np.array([(k + (k == wrong)) % len(NAMES) for k in range(count)])
    share[np.arange(count), name] = sure
    label = np.array([k % len(NAMES) if k in labelled else -1 for k in range(count)], np.int16)
    Evidence(
        classes=NAMES,
        log_likelihood=np.log(len(NAMES) * share).astype(np.float32),
        images=np.full(count, 3, np.int32),
        labelled=label,
        blob=np.zeros(0, np.int64),
        blob_log_likelihood=np.zeros((0, len(NAMES)), np.float32),
    ).save(results / "classify" / "m.h5", Provenance("classify", 1))
    Identities(
        movies=["m"],
        individuals=NAMES,
        movie=np.zeros(count, np.int32),
        tracklet=np.arange(count, dtype=np.int32),
        individual=name.astype(np.int32),
        confidence=np.where(label >= 0, 1.0, sure).astype(np.float32),
        how=np.where(label >= 0, LABELLED, CLASSIFIED).astype(np.uint8),
        animals=np.ones(count, np.int16),
        animals_offsets=np.array([0, count], np.int64),
        gap=0.0,
    ).save(results / "propagate" / "m.h5", Provenance("propagate", 1))


# Label, movie and tracklet of the images of each set; tracklet 0 of m has two labels.
OWN = [*((name, "m", k) for k, name in enumerate(NAMES)), ("RB", "m", 4)]
OTHER = [("GG", "m", 0), ("YR", "n", 1), ("BY", "n", 2)]


def made_of(rows: Sequence[tuple[str, str, int]], seed: int, classes: Sequence[str] = NAMES) -> TrainingSet:
    """A set of three images for each row."""
    spec = CropSpec(30.0)
    examples = [Example(movie, tracklet, frame, frame / 10, label, 1.0, 60.0) for label, movie, tracklet in rows for frame in range(3)]
    images = np.random.default_rng(seed).integers(0, 255, (len(examples), 48, 32, 3), np.uint8)
    return assemble_set(images, examples, classes, spec, 24.0)
