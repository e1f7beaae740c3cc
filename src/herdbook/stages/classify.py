"""Stage classify: what a spread sample of each tracklet's images says about its identity."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.architectures import load_model
from herdbook.classifier.cards import Card, check_classes, read_card
from herdbook.classifier.crops import CropSpec, light_of
from herdbook.classifier.network import use_threads
from herdbook.classifier.reading import Depth, Reader, in_order, labelled_classes, read_movie
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions
from herdbook.job import Job, run_stage
from herdbook.system.words import say

STAGE = "classify"
STAGE_VERSION = 3


def _work(job: Job) -> None:
    use_threads(job.threads)
    settings, card = job.settings, read_card(job.file("card"))
    classes = _classes(settings, card)
    blobs, tracklets = Blobs.load(job.file("blobs")), Tracklets.load(job.file("tracklets"))
    length, spec = body_length(blobs.moments) if len(blobs) else card.body_length_px, card.crops
    if card.given:
        spec = CropSpec.from_dict(spec.as_dict() | {"length_px": spec.length_px * length / card.body_length_px})
    direction, _ = head_directions(*tracklets.blob_rows(), blobs.frame, blobs.x, blobs.y, blobs.moments, length)
    light = light_of(Background.load(job.file("background")), spec.white_balance)
    with open_blob_images(job.file("blobs")) as images:
        reader = Reader(load_model(job.file("classifier")), images, blobs, direction, light, spec, STAGE)
        depth = Depth(settings["images"], settings["most_images"])
        look, reading = read_movie(reader, blobs, tracklets, card, depth, drift=settings["drift"])
    for first, last in reading.colourless:
        say(f"frames {first} to {last}: the movie shows no colour, so images there say nothing of who it is", log=False)
    Evidence(
        classes=classes,
        log_likelihood=in_order(reading.evidence, card, classes),
        images=reading.count,
        labelled=_labelled(job, classes, len(tracklets)),
        blob=look.rows,
        blob_log_likelihood=in_order(reading.score + np.float32(np.log(len(card.classes))), card, classes),
    ).save(job.file("out"), job.provenance())


def _classes(settings: dict[str, Any], card: Card) -> list[str]:
    """Names that images are read as; what a given classifier knows beside identities, such as dirt, is read here, too."""
    if card.given:
        check_classes(card, settings["identities"])
    others = [name for name in card.others if name not in settings["other_labels"]]
    return [*settings["identities"], *settings["other_labels"], *others]


def _labelled(job: Job, classes: list[str], tracklets: int) -> np.ndarray:
    if not job.files["trainset"]:
        return np.full(tracklets, -1, np.int16)
    examples = TrainingSet.load(job.file("trainset"), without=("images",))
    return labelled_classes(examples, job.file("blobs").stem, classes, tracklets)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("blobs", "tracklets", "background", "classifier", "card", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, optional=("trainset",), argv=argv)


if __name__ == "__main__":
    main()
