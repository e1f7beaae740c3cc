"""Stage classify: what a spread sample of each tracklet's images says about its identity."""

import json
from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import SINGLE, Blobs, Evidence, Tracklets, TrainingSet, open_blob_images
from herdbook.classifier import log_probabilities, predict_logits, use_threads
from herdbook.crops import make_crops, spread_rows
from herdbook.progress import progress
from herdbook.stage import Job, run_stage

STAGE = "classify"
STAGE_VERSION = 1

# Images of one tracklet are not independent: each one after the first counts for this much of the first.
FURTHER_IMAGE_WORTH = 0.3
BATCH_IMAGES = 2048


def combine_images(
    log_likelihood: NDArray[np.float32], tracklet: NDArray[np.int64], tracklets: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Evidence per tracklet, float32 (tracklets, classes), from that of its images (n, classes), and the number of images (tracklets,)."""
    count = np.bincount(tracklet, minlength=tracklets)
    total = np.zeros((tracklets, log_likelihood.shape[1]))
    np.add.at(total, tracklet, log_likelihood)
    worth = (1 + FURTHER_IMAGE_WORTH * (count - 1)) / np.maximum(count, 1)
    return (total * np.where(count > 0, worth, 0)[:, None]).astype(np.float32), count.astype(np.int32)


def _work(job: Job) -> None:
    use_threads(job.threads)
    card = json.loads(job.file("card").read_text(encoding="utf-8"))
    model = keras.models.load_model(job.file("classifier"), compile=False, safe_mode=True)
    blobs, tracklets = Blobs.load(job.file("blobs")), Tracklets.load(job.file("tracklets"))
    usable = (blobs.image >= 0) & (tracklets.tracklet_kind[tracklets.blob_tracklet] == SINGLE)
    rows = np.concatenate([*spread_rows(*tracklets.blob_rows(), usable, job.settings["images"]), np.zeros(0, np.int64)])
    rows = np.sort(rows)
    scores = [np.zeros((0, len(card["classes"])), np.float32)]
    batches = [rows[k : k + BATCH_IMAGES] for k in range(0, len(rows), BATCH_IMAGES)]
    with open_blob_images(job.file("blobs")) as images:
        for part in progress(batches, total=len(batches), stage=STAGE, unit="batches"):
            logits = predict_logits(model, make_crops(images, blobs, part, card["crop_width"]))
            scores.append(log_probabilities(logits, card["temperature"]))
    log_likelihood = np.concatenate(scores)
    # Relative to "any class"; what the classifier was never shown, it can say nothing of.
    log_likelihood += np.float32(np.log(len(card["classes"])))
    log_likelihood[:, [card["classes"].index(name) for name in card["untrained"]]] = 0
    evidence, count = combine_images(log_likelihood, tracklets.blob_tracklet[rows].astype(np.int64), len(tracklets))
    Evidence(
        classes=card["classes"],
        log_likelihood=evidence,
        images=count,
        labelled=_labelled(TrainingSet.load(job.file("trainset")), job.file("blobs").stem, len(tracklets)),
        blob=rows,
        blob_log_likelihood=log_likelihood,
    ).save(job.file("out"), job.provenance())


def _labelled(examples: TrainingSet, movie: str, tracklets: int) -> NDArray[np.int16]:
    """Class that a person gave to each tracklet of the movie, or -1."""
    labelled = np.full(tracklets, -1, np.int16)
    if movie in examples.movies:
        groups = np.flatnonzero(examples.group_movie == examples.movies.index(movie))
        for group in groups:
            images = examples.label[examples.group == group]
            if len(images):
                labelled[examples.group_tracklet[group]] = images[0]
    return labelled


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("blobs", "tracklets", "trainset", "classifier", "card", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, argv=argv)


if __name__ == "__main__":
    main()
