"""Stage train: the classifier of one experiment, calibrated on tracklets it has not seen, with a card that tells all about it."""

import json
from collections.abc import Sequence

import keras
import numpy as np

from herdbook import __version__
from herdbook.artifacts import TrainingSet
from herdbook.classifier import split_groups, train_network, use_threads
from herdbook.stage import Job, run_stage
from herdbook.store import artifact_fingerprint, replacing, write_text

STAGE = "train"
STAGE_VERSION = 1


def _work(job: Job) -> None:
    # The number of threads decides in which order sums are taken, and so the network: one gives the same one everywhere. More are no
    # faster with images as small as these (2,847 images, 2 epochs: 3.9 s with one thread, 5.0 with two).
    use_threads(1)
    examples = TrainingSet.load(job.file("trainset"))
    settings = job.settings
    count = len(examples.classes)
    held = split_groups(examples.label, examples.group, settings["validation"], np.random.default_rng(job.seed))
    training = train_network(
        examples.images,
        examples.label,
        held,
        count,
        epochs=settings["epochs"],
        batch=settings["batch"],
        patience=settings["patience"],
        seed=job.seed,
    )
    truth, answer = examples.label[held], training.validation_logits.argmax(axis=1)
    confusion = np.zeros((count, count), int)
    np.add.at(confusion, (truth, answer), 1)
    unchecked = [name for k, name in enumerate(examples.classes) if not (truth == k).any()]
    notes = list(examples.notes)
    if unchecked:
        notes.append(f"not validated for want of a second labelled tracklet: {', '.join(unchecked)}")
    untrained = [name for k, name in enumerate(examples.classes) if not (examples.label == k).any()]
    card = {
        "classes": examples.classes,
        "untrained": untrained,
        "crop_width": examples.crop_width,
        "temperature": training.temperature,
        "images": len(examples.label),
        "tracklets": int(examples.group.max(initial=-1)) + 1,
        "validation_images": int(held.sum()),
        "confusion": confusion.tolist(),
        "accuracy": float(np.mean(truth == answer)) if len(truth) else None,
        "validation_loss": min(training.history["val_loss"], default=None),
        "history": training.history,
        "notes": notes,
        "trainset": artifact_fingerprint(job.file("trainset")),
        "settings": settings,
        "versions": {"herdbook": __version__, "stage": STAGE_VERSION, "keras": keras.__version__, "backend": keras.backend.backend()},
    }
    with replacing(job.file("out")) as temporary:
        named = temporary.with_suffix(".keras")
        training.model.save(named)
        named.replace(temporary)
    write_text(job.file("card"), json.dumps(card, indent=1, ensure_ascii=False))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("trainset", "out", "card"), argv=argv)


if __name__ == "__main__":
    main()
