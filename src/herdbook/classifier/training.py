"""From a training set to a classifier and its card: network, training, calibration, figures. Keras is imported with this module."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from herdbook.artifacts.store import artifact_fingerprint
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.architectures import build_network, custom_network, load_model, with_classes
from herdbook.classifier.augmentation import Augmentation
from herdbook.classifier.calibration import fit_calibration, image_scores, reliability, tracklet_posteriors
from herdbook.classifier.cards import FORMAT, read_card
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.network import Examples, Recipe, finish_network, predict_logits, split_groups, train_network, use_threads
from herdbook.errors import HerdbookError
from herdbook.version import VERSION

MOST_WORST = 12


def train_classifier(
    found: TrainingSet, path: Path, settings: dict[str, Any], seed: int, *, start: Path | None = None, custom: Path | None = None
) -> tuple[keras.Model, dict[str, Any]]:
    """Train by the `settings` of the section train and return the network and its card, as JSON can hold it.

    `found` is the training set of the file `path`; `start` the classifier to go on with, its card beside it; `custom` a Keras model.
    Raises HerdbookError for a training set without images or with one name only, and for networks that do not fit.
    """
    # The number of threads decides in which order sums are taken, and so the network: one gives the same one everywhere. More are no
    # faster with images as small as these; the next batch is made by a thread of its own.
    use_threads(1)
    classes = [name for k, name in enumerate(found.classes) if (found.label == k).any()]
    if len(classes) < min(2, len(found.classes)):
        raise HerdbookError(f"{path}: the training set holds images of {', '.join(classes) or 'no name'}; expected two names or more.")
    number = np.array([classes.index(name) if name in classes else -1 for name in found.classes], np.int32)
    examples = Examples(found.images, number[found.label], found.head)
    recipe = Recipe(
        settings["epochs"],
        settings["batch"],
        settings["patience"],
        settings["rate"],
        settings["balance"],
        Augmentation(**settings["augmentation"], symmetry=settings["symmetry"]),
        seed,
    )
    keras.utils.set_random_seed(seed)
    model, notes = _network(found, classes, settings["architecture"], start, custom)
    held, by = split_groups(
        examples.label, found.group, found.group_movie[found.group], settings["validation"], np.random.default_rng(seed)
    )
    history = train_network(model, examples, held, recipe)
    card = _figures(model, found, examples.label, classes, held) | {"history": history, "validated_by": by}
    if held.any():
        best = int(np.argmin(history["val_loss"])) + 1
        finish_network(model, examples, best, recipe)
    unchecked = [name for k, name in enumerate(classes) if not (examples.label[held] == k).any()]
    if unchecked:
        notes.append(f"cannot be validated for want of another labelled tracklet: {', '.join(unchecked)}")
    card |= {
        "format": FORMAT,
        "classes": classes,
        "others": [name for name in classes if name in settings["other_labels"]],
        "untrained": [name for name in found.classes if name not in classes],
        "architecture": "start" if start else settings["architecture"],
        "parameters": int(model.count_params()),
        "crops": json.loads(found.crops),
        "body_length_px": found.body_length_px,
        "chroma": float(np.median(found.chroma)),
        "images": len(found.label),
        "tracklets": len(found.group_movie),
        "notes": [*found.notes, *notes],
        "trainset": artifact_fingerprint(path),
        "settings": settings,
        "versions": {"herdbook": VERSION, "keras": keras.__version__, "backend": keras.backend.backend()},
    }
    return model, card


def _network(
    found: TrainingSet, classes: list[str], architecture: str, start: Path | None, custom: Path | None
) -> tuple[keras.Model, list[str]]:
    height, width = found.images.shape[1:3]
    if custom is not None:
        return custom_network(custom, height, width, len(classes)), []
    if start is None:
        return build_network(architecture, height, width, len(classes))
    card = read_card(start.with_suffix(".json"))
    mine, theirs = CropSpec.from_dict(json.loads(found.crops)), card.crops
    differ = [name for name in ("size", "blank", "neighbours", "white_balance") if getattr(mine, name) != getattr(theirs, name)]
    if differ:
        each = ", ".join(f"{name} {getattr(theirs, name)} there, {getattr(mine, name)} here" for name in differ)
        raise HerdbookError(f"{start}: this classifier learned from images that were made in another way: {each}. Set trainset alike.")
    added, dropped = [n for n in classes if n not in card.classes], [n for n in card.classes if n not in classes]
    changes = [f"; {what}: {', '.join(names)}" for what, names in (("new", added), ("left out", dropped)) if names]
    return with_classes(load_model(start), card.classes, classes), ["".join([f"began with {start}", *changes])]


def _figures(
    model: keras.Model, found: TrainingSet, label: NDArray[np.int32], classes: list[str], held: NDArray[np.bool_]
) -> dict[str, Any]:
    """What the validation images and tracklets tell: calibration, accuracies, confusions, reliability, the worst images."""
    logits, truth, group = predict_logits(model, found.images[held]), label[held], found.group[held]
    calibration = fit_calibration(logits, truth, group, found.time_s[held])
    scores = image_scores(logits, calibration.temperature)
    answer = logits.argmax(axis=1)
    tracklets, posterior = tracklet_posteriors(scores, group, found.time_s[held], calibration)
    true_class = np.array([truth[group == k][0] for k in tracklets], np.int64)
    named = posterior.argmax(axis=1) if len(posterior) else np.zeros(0, np.int64)
    probability = softmax(logits.astype(np.float64) / calibration.temperature, axis=1)
    loss = -scores[np.arange(len(truth)), truth]
    worst = np.flatnonzero(held)[np.argsort(-loss, kind="stable")[:MOST_WORST]]
    place = {int(row): k for k, row in enumerate(np.flatnonzero(held))}
    return {
        "calibration": calibration.as_dict(),
        "validation_images": int(held.sum()),
        "validation_tracklets": len(tracklets),
        "validation_loss": float(loss.mean()) if len(loss) else None,
        "accuracy": float(np.mean(answer == truth)) if len(truth) else None,
        "tracklet_accuracy": float(np.mean(named == true_class)) if len(tracklets) else None,
        "confusion": _confusion(truth, answer, len(classes)),
        "tracklet_confusion": _confusion(true_class, named, len(classes)),
        "reliability": reliability(probability.max(axis=1), answer == truth),
        "tracklet_reliability": reliability(posterior.max(axis=1, initial=0.0), named == true_class),
        "prototypes": {name: logits[truth == k].mean(axis=0).tolist() for k, name in enumerate(classes) if (truth == k).any()},
        "worst": [
            {
                "movie": found.movies[found.group_movie[found.group[row]]],
                "tracklet": int(found.group_tracklet[found.group[row]]),
                "frame": int(found.frame[row]),
                "label": classes[label[row]],
                "answer": classes[answer[place[int(row)]]],
                "probability": float(probability[place[int(row)], label[row]]),
                "png": base64.b64encode(cv2.imencode(".png", found.images[row])[1].tobytes()).decode(),
            }
            for row in worst
        ],
    }


def _confusion(truth: NDArray[np.integer], answer: NDArray[np.integer], classes: int) -> list[list[int]]:
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (truth, answer), 1)
    return confusion.tolist()
