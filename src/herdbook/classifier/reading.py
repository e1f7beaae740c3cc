"""Reading the tracklets of one movie: images looked at batch by batch, and combined into evidence."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import SEVERAL, UNREADABLE, TrainingSet
from herdbook.classifier.calibration import combine_images, image_scores
from herdbook.classifier.cards import Card
from herdbook.classifier.crops import CropSpec, Light, make_crops, spread_rows
from herdbook.classifier.drift import colourless_frames, follow_drift
from herdbook.classifier.network import predict_logits
from herdbook.system.progress import progress

# A tracklet is sure, and not looked at further, when an answer has this probability.
SURE_PROBABILITY = 0.99
BATCH_IMAGES = 1024


@dataclass(frozen=True)
class Look:
    """Images looked at: blob rows (n,), their logits (n, classes) and how coloured they are (n,), levels."""

    rows: NDArray[np.int64]
    logits: NDArray[np.float32]
    chroma: NDArray[np.float32]

    def joined(self, other: "Look") -> "Look":
        """Both, ordered by blob."""
        rows = np.concatenate([self.rows, other.rows])
        order = np.argsort(rows)
        return Look(rows[order], np.concatenate([self.logits, other.logits])[order], np.concatenate([self.chroma, other.chroma])[order])


class Reader:
    """Looks at blobs of one movie with a network, batch by batch; `label` names the work in the progress."""

    def __init__(
        self, model: keras.Model, images: BlobImages, blobs: Blobs, direction: NDArray[np.float32], light: Light, spec: CropSpec, label: str
    ) -> None:
        self._model, self._images, self._blobs, self._direction, self._light, self._spec = model, images, blobs, direction, light, spec
        self._label = label

    def look(self, rows: NDArray[np.int64]) -> Look:
        """Look at the blobs `rows`, which have images."""
        logits = [np.zeros((0, self._model.output_shape[1]), np.float32)]
        chroma = [np.zeros(0, np.float32)]
        batches = [rows[k : k + BATCH_IMAGES] for k in range(0, len(rows), BATCH_IMAGES)]

        def make(part: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
            return make_crops(self._images, self._blobs, part, self._direction, self._light, self._spec)

        # The network reads one batch while another thread makes the next: two batches are in memory, however long the movie is.
        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(make, batches[0]) if batches else None
            for number in progress(range(len(batches)), total=len(batches), stage=self._label, unit="batches"):
                assert following is not None
                crops, coloured = following.result()
                following = pool.submit(make, batches[number + 1]) if number + 1 < len(batches) else None
                logits.append(predict_logits(self._model, crops))
                chroma.append(coloured)
        return Look(rows, np.concatenate(logits), np.concatenate(chroma))


@dataclass(frozen=True)
class Reading:
    """What the images say: evidence float32 (tracklets, classes), images behind it (tracklets,), scores (n, classes) of each image."""

    evidence: NDArray[np.float32]
    count: NDArray[np.int32]
    score: NDArray[np.float32]
    colourless: list[tuple[int, int]]


def read_tracklets(look: Look, blobs: Blobs, tracklet: NDArray[np.int64], tracklets: int, card: Card, drift: bool) -> Reading:
    """Combine the images of each tracklet; `tracklet` (n,) is that of each image.

    Images in stretches of the movie that have lost the colour of the marks do not count; an image counts the less the more it looks
    UNREADABLE.
    """
    time_s, frame = blobs.frame[look.rows] / blobs.fps, blobs.frame[look.rows]
    valid, colourless = colourless_frames(frame, look.chroma, blobs.fps, card.chroma)
    weight = valid.astype(np.float32)
    logits = look.logits
    if drift:
        prototypes = np.array([card.prototypes.get(name, [np.nan] * len(card.classes)) for name in card.classes])
        logits = follow_drift(logits, valid, tracklet, time_s, prototypes, card.calibration)
    score = image_scores(logits, card.calibration.temperature)
    if UNREADABLE in card.classes and len(card.classes) > 1:
        score, readable = without_class(score, card.classes.index(UNREADABLE))
        weight *= readable
    evidence = combine_images(score, weight, tracklet, time_s, tracklets, card.calibration)
    return Reading(evidence, np.bincount(tracklet[valid], minlength=tracklets).astype(np.int32), score, colourless)


def without_class(score: NDArray[np.float32], column: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-probabilities (n, classes) given that it is not the class of a column, whose own becomes that of any; and how probable."""
    other = 1 - np.exp(score[:, column].astype(np.float64))
    given = score - np.log(other)[:, None]
    given[:, column] = -np.log(score.shape[1] - 1)
    return given.astype(np.float32), other.astype(np.float32)


def in_order(evidence: NDArray[np.float32], card: Card, classes: Sequence[str]) -> NDArray[np.float32]:
    """Columns of the card's classes (n, known) put in the order of the experiment's (n, classes), 0 for those never trained.

    Identities of a given classifier that are not in the experiment fall away, and so does UNREADABLE, which says nothing of who it is.
    """
    kept = [k for k, name in enumerate(card.classes) if name in classes and name != UNREADABLE]
    if not kept:
        return np.zeros((len(evidence), len(classes)), np.float32)
    mine = evidence[:, kept].astype(np.float64)
    looked = (evidence != 0).any(axis=1)
    mean = np.log(np.exp(mine).mean(axis=1, keepdims=True))
    found = np.zeros((len(evidence), len(classes)), np.float32)
    found[:, [classes.index(card.classes[k]) for k in kept]] = np.where(looked[:, None], mine - mean, 0)
    return found


@dataclass(frozen=True)
class Depth:
    """How many images of a tracklet are looked at: `images` at a time, at most `most_images` while its answer is unsure."""

    images: int
    most_images: int


def read_movie(reader: Reader, blobs: Blobs, tracklets: Tracklets, card: Card, depth: Depth, *, drift: bool) -> tuple[Look, Reading]:
    """Look at a spread sample of the images of each single animal, at more where the answer is unsure, and combine what they say."""
    grouped, offsets = tracklets.blob_rows()
    usable = (blobs.image >= 0) & (tracklets.tracklet_kind[tracklets.blob_tracklet] == SINGLE)
    look = reader.look(np.zeros(0, np.int64))
    unsure = np.ones(len(tracklets), bool)
    for done in range(0, max(depth.images, depth.most_images), depth.images):
        chosen = spread_rows(grouped, offsets, usable & unsure[tracklets.blob_tracklet], depth.images, done)
        rows = np.sort(np.concatenate([*chosen, np.zeros(0, np.int64)]))
        if done and not len(rows):
            break
        look = look.joined(reader.look(rows))
        tracklet = tracklets.blob_tracklet[look.rows].astype(np.int64)
        reading = read_tracklets(look, blobs, tracklet, len(tracklets), card, drift)
        unsure = np.exp(reading.evidence.max(axis=1, initial=0)) / len(card.classes) < SURE_PROBABILITY * (1 - card.calibration.doubt)
    return look, reading


def labelled_classes(examples: TrainingSet, movie: str, classes: Sequence[str], tracklets: int) -> NDArray[np.int16]:
    """Class (tracklets,) that a person gave to each tracklet of a movie, or -1; SEVERAL and UNREADABLE are no such class."""
    labelled = np.full(tracklets, -1, np.int16)
    if movie in examples.movies:
        for group in np.flatnonzero(examples.group_movie == examples.movies.index(movie)):
            images = examples.label[examples.group == group]
            if len(images) and images[0] >= 0 and examples.classes[images[0]] not in (SEVERAL, UNREADABLE):
                labelled[examples.group_tracklet[group]] = classes.index(examples.classes[images[0]])
    return labelled
