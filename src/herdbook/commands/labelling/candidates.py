"""Tracklets that a person may label: their images, where each is best seen, and what is known of who they are."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints, Pixels
from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.classifier.crops import CropSpec, crop_length, light_of, make_crops, spread_order
from herdbook.classifier.labelled import labelled_tracklets
from herdbook.commands.labelling.choice import Candidates, describe_looks
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.labels import Label, read_labels
from herdbook.experiment.sheets.left_out import IMAGE, LeftOut, read_left_out
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions

# Tracklets with fewer images are skipped; at most this number of the longest ones are compared, by this number of images each.
LEAST_IMAGES, MOST_CANDIDATES, IMAGES = 5, 1500, 4
# Number of frames of a tracklet among which the one with the most room around the animal is chosen.
FRAMES_COMPARED = 15


class LabelMovie:
    """A movie whose tracklets are labelled: blobs, tracklets, images, and the direction of each head. Its file stays open until `close`."""

    def __init__(self, experiment: Experiment, movie: str) -> None:
        self.name = movie
        self.blobs = Blobs.load(experiment.artifact("segment", movie))
        self.tracklets = Tracklets.load(experiment.artifact("tracklets", movie), without=("edges", "edge_weight", "border_edges"))
        unit = experiment.recording_of(movie) if experiment.background.scope == "recording" else movie
        self.light = light_of(Background.load(experiment.artifact("background", unit)))
        self.length_px = body_length(self.blobs.moments)
        self._files = ExitStack()
        self.images = self._files.enter_context(open_blob_images(self.blobs.path))
        blobs = self.blobs
        self._grouped, self._offsets = self.tracklets.blob_rows()
        self.direction, _ = head_directions(self._grouped, self._offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, self.length_px)
        self.usable = (blobs.image >= 0) & ~blobs.border & (self.tracklets.blob_tracklet >= 0)
        self.images_of = np.bincount(self.tracklets.blob_tracklet[self.usable], minlength=len(self.tracklets))
        self.open = (self.tracklets.tracklet_kind == SINGLE) & (self.images_of >= LEAST_IMAGES)
        longest = np.argsort(np.where(self.open, -self.images_of, 1), kind="stable")[:MOST_CANDIDATES]
        self._longest = longest[self.open[longest]]
        self._spec = CropSpec(crop_length(self.length_px))
        self._looks: dict[int, Floats] = {}
        self._places: dict[int, tuple[float, float, float]] = {}

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def blobs_of(self, tracklet: int) -> Ints:
        """Rows of the blobs of a tracklet, in order of frame."""
        return self._grouped[self._offsets[tracklet] : self._offsets[tracklet + 1]]

    def spread(self, tracklet: int) -> Ints:
        """Blobs of a tracklet with images, in an order of which every beginning is spread over it; at the border only if all are."""
        mine = self.blobs_of(tracklet)
        inside = mine[self.usable[mine]]
        mine = inside if len(inside) else mine[self.blobs.image[mine] >= 0]
        return mine[spread_order(len(mine))] if len(mine) else mine

    def crops(self, rows: Ints, spec: CropSpec, direction: NDArray[np.float32] | None = None) -> Pixels:
        """Images (n, height, width, 3) of blobs, head up unless another `direction` (blobs,) is to be up."""
        return make_crops(self.images, self.blobs, rows.tolist(), self.direction if direction is None else direction, self.light, spec)[0]

    def place(self, tracklet: int) -> tuple[float, float, float]:
        """Frame, x and y of the blob of a tracklet that is farthest from all others, among some."""
        if tracklet not in self._places:
            compared = np.sort(self.spread(tracklet)[:FRAMES_COMPARED])
            best = max((compared if len(compared) else self.blobs_of(tracklet)[:1]).tolist(), key=lambda blob: _room(self.blobs, blob))
            self._places[tracklet] = (float(self.blobs.frame[best]), float(self.blobs.x[best]), float(self.blobs.y[best]))
        return self._places[tracklet]

    def look(self, tracklet: int) -> Floats:
        """The appearance (d,) of a tracklet."""
        if tracklet not in self._looks:
            self._looks[tracklet] = describe_looks(self.crops(self.spread(tracklet)[:IMAGES], self._spec))
        return self._looks[tracklet]

    def rows_with(self, labelled: Ints) -> Ints:
        """The tracklets that are compared: the longest that may be labelled, and those with labels."""
        return np.union1d(self._longest, labelled[self.images_of[labelled] > 0])


@dataclass(frozen=True)
class KnownTracklets:
    """What is known of the tracklets of a movie: `label` int64 (tracklets,), class that a person gave or -1; `aside` bool: no animal can be
    recognised in it, a person says; `sure` float64: probability of its identity after propagation, `name` int64: whose, or -1;
    `posterior` float64 (tracklets, classes) of the classifier, None without one.
    """

    label: Ints
    aside: NDArray[np.bool_]
    sure: Floats
    name: Ints
    posterior: Floats | None


def classes_of(experiment: Experiment) -> list[str]:
    """The names that a label may have: identities, groups and other labels."""
    return [*experiment.animals.classes, *experiment.animals.other_labels]


def labels_of(experiment: Experiment) -> list[Label]:
    """The labels of an experiment, none if there is no table yet."""
    path = experiment.animals.labels
    if path is None or not Path(path).is_file():
        return []
    return read_labels(Path(path), [movie.name for movie in experiment.movies], classes_of(experiment))


def left_out_of(experiment: Experiment) -> list[LeftOut]:
    """What is no example, nothing if there is no table yet."""
    path = experiment.trainset.left_out
    return [] if path is None or not Path(path).is_file() else read_left_out(Path(path), [movie.name for movie in experiment.movies])


def known_of(experiment: Experiment, movie: LabelMovie, labels: Sequence[Label], left_out: Sequence[LeftOut]) -> KnownTracklets:
    """What labels and, if they have run, the stages classify and propagate say of the tracklets of a movie."""
    classes, count = classes_of(experiment), len(movie.tracklets)
    homes = json.loads(experiment.settings("trainset"))["homes"]
    living = {name: [k for k, names in enumerate(homes) if name in names] for name in experiment.animals.classes}
    mine = [label for label in labels if label.movie == movie.name]
    named, _ = labelled_tracklets(mine, movie.blobs, movie.tracklets, movie.images, living)
    label = np.full(count, -1, np.int64)
    for tracklet, given in named.items():
        label[tracklet] = classes.index(given)
    gone = [Label(one.movie, one.frame, one.x, one.y, one.what, one.line) for one in left_out if one.what != IMAGE]
    aside, _ = labelled_tracklets([one for one in gone if one.movie == movie.name], movie.blobs, movie.tracklets, movie.images, {})
    sure, name = _assigned(experiment, movie.name, count)
    posterior = _posterior(experiment.artifact("classify", movie.name), count, classes)
    return KnownTracklets(label, np.isin(np.arange(count), list(aside)), sure, name, posterior)


def candidates_of(
    experiment: Experiment, movie: LabelMovie, known: KnownTracklets, start: int, *, wanted: bool = True
) -> tuple[Candidates, Ints]:
    """The candidates of a movie, whose first frame is the frame `start` of all movies, and the tracklet of each.

    Unless the movie is `wanted`, none may be suggested.
    """
    tracklets = movie.tracklets
    rows = movie.rows_with(np.flatnonzero(known.label >= 0))
    looks = np.array([movie.look(row) for row in rows.tolist()]).reshape(len(rows), _LOOK)
    found = Candidates(
        first=tracklets.first[rows].astype(np.int64) + start,
        last=tracklets.last[rows].astype(np.int64) + start,
        frames=tracklets.last[rows].astype(np.int64) - tracklets.first[rows] + 1,
        arena=tracklets.arena[rows].astype(np.int64),
        looks=looks,
        label=known.label[rows],
        open=movie.open[rows] & ~known.aside[rows] & wanted,
        posterior=None if known.posterior is None else known.posterior[rows],
        doubt=1 - known.sure[rows],
        animals=experiment.number or len(experiment.animals.individuals),
    )
    return found, rows


def join_candidates(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of all movies in one."""
    posterior = [part.posterior for part in parts if part.posterior is not None]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    known = np.concatenate(posterior) if len(posterior) == len(parts) else None
    return Candidates(**columns, posterior=known, animals=parts[0].animals)


def _room(blobs: Blobs, row: int) -> float:
    """Distance (px) from a blob to the nearest other one of its frame."""
    start, stop = np.searchsorted(blobs.frame, (blobs.frame[row], blobs.frame[row] + 1)).tolist()
    away = np.hypot(blobs.x[start:stop] - blobs.x[row], blobs.y[start:stop] - blobs.y[row])
    away[row - start] = np.inf
    return float(away.min())


def _posterior(path: Path, count: int, classes: Sequence[str]) -> Floats | None:
    """Probabilities by the classifier (count, classes); None if it has not run, or on other tracklets."""
    if not path.is_file():
        return None
    evidence = Evidence.load(path, without=("blob", "blob_log_likelihood"))
    if len(evidence.images) != count:
        return None
    found = np.zeros((count, len(classes)))
    for column, name in enumerate(evidence.classes):
        if name in classes:
            found[:, classes.index(name)] = np.exp(evidence.log_likelihood[:, column].astype(np.float64))
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.maximum(total, 1e-30), 1 / len(classes))


def _assigned(experiment: Experiment, movie: str, count: int) -> tuple[Floats, Ints]:
    """How surely the identity of each tracklet is known after propagation, 0 before it, and the class that it is, or -1."""
    path = experiment.artifact("propagate", experiment.recording_of(movie))
    sure, name = np.zeros(count), np.full(count, -1, np.int64)
    if path.is_file():
        identities = Identities.load(path)
        number = identities.movies.index(movie) if movie in identities.movies else -1
        mine = np.flatnonzero((identities.movie == number) & (identities.tracklet < count))
        np.maximum.at(sure, identities.tracklet[mine], identities.confidence[mine].astype(np.float64))
        classes = experiment.animals.classes
        place = np.array([classes.index(one) if one in classes else -1 for one in identities.individuals], np.int64)
        name[identities.tracklet[mine]] = place[identities.individual[mine]]
    return sure, name


_LOOK = describe_looks(np.zeros((1, 3, 2, 3), np.uint8)).size
_COLUMNS = ("first", "last", "frames", "arena", "looks", "label", "open", "doubt")
