"""`herdbook suggest --points`: frames whose body points are worth labelling, with pictures in folders as DeepLabCut has them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.index import Index
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.bodypoints.learned.examples import positions_of
from herdbook.bodypoints.learned.labels import read_point_labels
from herdbook.classifier.crops import spread_order
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.geometry.ellipses import body_length
from herdbook.movie.reading import read_frame_samples
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

# Of the frames, a half are spread over the movies, for whatever animals do there; the others are those that were read worst, or, before
# anything was read, those in which animals touch: a third of the error is in contacts.
SPREAD_SHARE = 0.5
# Animals whose middles are nearer than this, in body lengths, touch.
CONTACT = 0.7
# Frames nearer to each other than this (s) show the same.
APART_S = 0.5
TABLE = "frames.csv"


@dataclass(frozen=True)
class FrameSuggestion:
    """A frame to label: its `movie`, number, why, and how far off its points are expected to be (px), NaN where nothing was read."""

    movie: str
    frame: int
    reason: str
    expected_error: float


def suggest_frames(experiment: Experiment, count: int, movies: Sequence[str]) -> list[FrameSuggestion]:
    """The frames of these movies whose labels would help most, the first ones most. Raises HerdbookError if positions are missing."""
    pose = experiment.pose
    labels = (
        []
        if pose is None
        else read_point_labels(
            [Path(path) for path in pose.labels], [movie.name for movie in experiment.movies], experiment.animals.individuals
        )
    )
    parts = []
    for name in movies:
        done = np.array([label.frame for label in labels if label.movie == name], np.int64)
        parts.append((name, *_weighed(experiment, name, done)))
    usable = [(name, frames, error, touching) for name, frames, error, touching in parts if len(frames)]
    if not usable:
        raise HerdbookError("No frame is left: all frames with animals are near one that has labels. Name other movies with --movies.")
    return _chosen(usable, count, {name: _gap(experiment, name) for name, *_ in usable})


def _weighed(experiment: Experiment, movie: str, done: Ints) -> tuple[Ints, Floats, Bools]:
    """Frames (n,) that show most of the animals and are not near labelled ones, their expected error (n,) px, and whether animals touch."""
    trajectories = Trajectories.load(experiment.artifact("smooth", movie))
    place, heading, _ = positions_of(trajectories, np.arange(trajectories.frames))
    shown = (~np.isnan(heading)).sum(axis=1)
    body_px = body_length(Blobs.load(experiment.artifact("segment", movie)).moments)
    gap = _gap(experiment, movie)
    near = np.zeros(trajectories.frames, bool)
    for frame in done:
        near[max(0, frame - gap) : frame + gap + 1] = True
    away = np.hypot(*np.moveaxis(place[:, :, None] - place[:, None], -1, 0))
    away[:, np.arange(place.shape[1]), np.arange(place.shape[1])] = np.inf
    touching = (away < CONTACT * body_px).any(axis=(1, 2))
    error = np.full(trajectories.frames, np.nan)
    path = experiment.artifact("pose", movie)
    if path.is_file():
        found = FoundPoints.load(path)
        told = np.where(np.isnan(found.expected_error), 0, found.expected_error).sum(axis=(1, 2))
        number = (~np.isnan(found.expected_error)).sum(axis=(1, 2))
        error = np.where(number > 0, told / np.maximum(number, 1), np.nan)
    frames = np.flatnonzero((shown > 0) & (shown >= np.median(shown[shown > 0]) if (shown > 0).any() else False) & ~near)
    return frames, error[frames], touching[frames]


def _chosen(parts: Sequence[tuple[str, Ints, Floats, Bools]], count: int, gaps: dict[str, int]) -> list[FrameSuggestion]:
    """Alternately a frame of those spread over all, and one of the worst or in contact, none near another one."""
    names = [name for name, frames, *_ in parts for _ in frames]
    frames, error, touching = (np.concatenate([part[k] for part in parts]) for k in (1, 2, 3))
    spread = [int(k) for k in spread_order(len(frames))]
    read = ~np.isnan(error)
    worst = np.argsort(np.where(read, -error, np.inf), kind="stable")[: int(read.sum())]
    hard = worst.tolist() if read.any() else [k for k in spread if touching[k]]
    reason = "read worst" if read.any() else "animals touch"
    found: list[FrameSuggestion] = []
    taken: dict[str, list[int]] = {name: [] for name, *_ in parts}
    queues = {"spread over the movies": iter(spread), reason: iter(hard)}
    while len(found) < count and queues:
        wanted = "spread over the movies"
        if reason in queues and sum(one.reason == wanted for one in found) > SPREAD_SHARE * len(found):
            wanted = reason
        if wanted not in queues:
            wanted = next(iter(queues))
        row = next((k for k in queues[wanted] if all(abs(int(frames[k]) - t) > gaps[names[k]] for t in taken[names[k]])), None)
        if row is None:
            del queues[wanted]
            continue
        taken[names[row]].append(int(frames[row]))
        found.append(FrameSuggestion(names[row], int(frames[row]), wanted, float(error[row])))
    return found


def _gap(experiment: Experiment, movie: str) -> int:
    index = Index.load(experiment.artifact("index", movie))
    return max(1, round(APART_S * index.fps))


def write_frames(experiment: Experiment, found: Sequence[FrameSuggestion], folder: Path) -> None:
    """Write a table of the frames, and the picture of each as labeled-data/<movie>/img<number>.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for movie in dict.fromkeys(one.movie for one in found):
        index = Index.load(experiment.artifact("index", movie))
        pictures = folder / "labeled-data" / movie
        pictures.mkdir(parents=True, exist_ok=True)
        wanted = sorted(one.frame for one in found if one.movie == movie)
        digits = max(4, len(str(len(index) - 1)))
        for frame in read_frame_samples(Path(experiment.movie(movie).file), index, wanted):
            cv2.imwrite(str(pictures / f"img{frame.index:0{digits}d}.png"), frame.bgr())
    with replacing(folder / TABLE) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("movie", "frame", "reason", "expected_error"))
        for one in found:
            error = "" if np.isnan(one.expected_error) else f"{one.expected_error:.1f}"
            writer.writerow((as_cell(one.movie), one.frame, one.reason, error))
