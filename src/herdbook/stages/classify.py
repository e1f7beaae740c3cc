"""Stage classify: what a spread sample of each tracklet's images says about its identity."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import SEVERAL, UNREADABLE, TrainingSet
from herdbook.classifier.architectures import load_model
from herdbook.classifier.cards import check_classes, read_card
from herdbook.classifier.crops import CropSpec, light_of, spread_rows
from herdbook.classifier.network import use_threads
from herdbook.classifier.reading import SURE_PROBABILITY, Reader, in_order, read_tracklets
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions
from herdbook.job import Job, run_stage

STAGE = "classify"
STAGE_VERSION = 2


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
        reader = Reader(model, images, blobs, direction, light, spec, STAGE)
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
            unsure = np.exp(reading.evidence.max(axis=1, initial=0)) / len(card.classes) < SURE_PROBABILITY * (1 - card.calibration.doubt)
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
