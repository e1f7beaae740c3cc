"""Stage classify: what a spread sample of each tracklet's images says about its identity."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from herdbook.architectures import load_model
from herdbook.artifacts import (
    SEVERAL,
    SINGLE,
    UNREADABLE,
    Background,
    BlobImages,
    Blobs,
    Evidence,
    Tracklets,
    TrainingSet,
    open_blob_images,
)
from herdbook.calibration import combine_images, image_scores
from herdbook.cards import Card, check_classes, read_card
from herdbook.classifier import predict_logits, use_threads
from herdbook.crops import CropSpec, Light, light_of, make_crops, spread_rows
from herdbook.drift import colourless_frames, follow_drift
from herdbook.heads import head_directions
from herdbook.linking import body_length
from herdbook.progress import progress
from herdbook.stage import Job, run_stage

STAGE = "classify"
STAGE_VERSION = 2

# A tracklet is sure, and not looked at further, when an answer has this probability.
SURE = 0.99
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
    """Looks at blobs of one movie with a network, batch by batch."""

    def __init__(
        self, model: keras.Model, images: BlobImages, blobs: Blobs, direction: NDArray[np.float32], light: Light, spec: CropSpec
    ) -> None:
        self._model, self._images, self._blobs, self._direction, self._light, self._spec = model, images, blobs, direction, light, spec

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
            for number in progress(range(len(batches)), total=len(batches), stage=STAGE, unit="batches"):
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


def _work(job: Job) -> None:
    use_threads(job.threads)
    settings = job.settings
    card = read_card(job.file("card"))
    if card.given:
        check_classes(card, settings["identities"])
    # What a given classifier knows beside identities, such as dirt, it tells here, too.
    others = [*settings["other_labels"], *(name for name in card.others if card.given and name not in settings["other_labels"])]
    classes = [*settings["identities"], *others]
    model = load_model(job.file("classifier"))
    blobs, tracklets = Blobs.load(job.file("blobs")), Tracklets.load(job.file("tracklets"))
    length, spec = body_length(blobs.moments) if len(blobs) else card.body_length_px, card.crops
    if card.given:
        spec = CropSpec.from_dict(spec.as_dict() | {"length_px": spec.length_px * length / card.body_length_px})
    grouped, offsets = tracklets.blob_rows()
    direction, _ = head_directions(grouped, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, length)
    usable = (blobs.image >= 0) & (tracklets.tracklet_kind[tracklets.blob_tracklet] == SINGLE)
    light = light_of(Background.load(job.file("background")), spec.white_balance)
    with open_blob_images(job.file("blobs")) as images:
        reader = Reader(model, images, blobs, direction, light, spec)
        look = reader.look(np.zeros(0, np.int64))
        unsure = np.ones(len(tracklets), bool)
        for done in range(0, max(settings["images"], settings["most_images"]), settings["images"]):
            chosen = spread_rows(grouped, offsets, usable & unsure[tracklets.blob_tracklet], settings["images"], done)
            rows = np.sort(np.concatenate([*chosen, np.zeros(0, np.int64)]))
            if done and not len(rows):
                break
            look = look.joined(reader.look(rows))
            tracklet = tracklets.blob_tracklet[look.rows].astype(np.int64)
            reading = read_tracklets(look, blobs, tracklet, len(tracklets), card, settings["drift"])
            unsure = np.exp(reading.evidence.max(axis=1, initial=0)) / len(card.classes) < SURE * (1 - card.calibration.doubt)
    for first, last in reading.colourless:
        print(f"frames {first} to {last}: the movie shows no colour, so images there say nothing of who it is")
    Evidence(
        classes=classes,
        log_likelihood=in_order(reading.evidence, card, classes),
        images=reading.count,
        labelled=_labelled(job, classes, len(tracklets)),
        blob=look.rows,
        blob_log_likelihood=in_order(reading.score + np.float32(np.log(len(card.classes))), card, classes),
    ).save(job.file("out"), job.provenance())


def _labelled(job: Job, classes: Sequence[str], tracklets: int) -> NDArray[np.int16]:
    """Class that a person gave to each tracklet of the movie, or -1; what does not say who it is, or is not, is no such class."""
    labelled = np.full(tracklets, -1, np.int16)
    path: Path | None = job.files["trainset"][0] if job.files["trainset"] else None
    if path is None:
        return labelled
    examples = TrainingSet.load(path, without=("images",))
    movie = job.file("blobs").stem
    if movie in examples.movies:
        for group in np.flatnonzero(examples.group_movie == examples.movies.index(movie)):
            images = examples.label[examples.group == group]
            if len(images) and images[0] >= 0 and examples.classes[images[0]] not in (SEVERAL, UNREADABLE):
                labelled[examples.group_tracklet[group]] = classes.index(examples.classes[images[0]])
    return labelled


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("blobs", "tracklets", "background", "classifier", "card", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, optional=("trainset",), argv=argv)


if __name__ == "__main__":
    main()
