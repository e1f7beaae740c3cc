"""Training sets of drawn animals without marks, each with a pattern of its own, and what a classifier learns from them."""

import json

import cv2
import numpy as np

from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.architectures import load_model
from herdbook.classifier.cards import read_card
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.network import predict_logits
from herdbook.classifier.unmarked.training import train_unmarked
from herdbook.experiment.classifier import TrainSection

NUMBER, MOMENTS, IMAGES, SIDE = 4, 12, 8, 16
SPEC = CropSpec(length_px=20.0, size=(SIDE, SIDE))


def patterns(seed):
    grain = np.random.default_rng(seed).standard_normal((NUMBER, SIDE, SIDE, 3))
    return np.stack([cv2.GaussianBlur(one, (0, 0), 1.5) for one in grain]) * 120 + 110


def crowd(seed=1, *, looks=None, classes=None, moments=MOMENTS, number=NUMBER, label=lambda true: -1, noise=12.0):
    """A training set in which at each moment all but one of the animals are apart, and the true animal of each tracklet."""
    rng = np.random.default_rng(seed)
    looks = patterns(0) if looks is None else looks
    true = np.concatenate([rng.permutation(NUMBER)[: NUMBER - 1] for _ in range(moments)])
    first = np.repeat(np.arange(moments), NUMBER - 1)
    group = np.repeat(np.arange(len(true)), IMAGES)
    images = looks[true[group]] + noise * rng.standard_normal((len(group), SIDE, SIDE, 3))
    count = len(true)
    return UnmarkedSet(
        classes=classes or [f"animal{k + 1}" for k in range(number)],
        movies=["m"],
        notes=[],
        crops=json.dumps(SPEC.as_dict()),
        body_length_px=16.0,
        images=np.clip(images, 0, 255).astype(np.uint8),
        label=np.array([label(true[k]) if k < 2 * (NUMBER - 1) else -1 for k in group], np.int32),
        frame=np.tile(np.arange(IMAGES), count).astype(np.int32),
        time_s=np.tile(np.arange(IMAGES) / 5, count),
        head=np.ones(len(group), np.float32),
        chroma=np.zeros(len(group), np.float32),
        group=group.astype(np.int32),
        group_movie=np.zeros(count, np.int32),
        group_tracklet=np.arange(count, dtype=np.int32),
        coexisting=np.argwhere(np.triu(first[:, None] == first, 1)).astype(np.int32),
        group_arena=np.zeros(count, np.int16),
        group_first=(100 * first).astype(np.int32),
        group_frames=np.full(count, 100, np.int32),
        seconds=np.array([1000.0]),
        crowded=np.array([0.0]),
    ), true


def settings(found, number=NUMBER, **changes):
    section = TrainSection().model_dump(mode="json", exclude={"use", "start", "model"})
    return section | {
        "identities": found.classes,
        "other_labels": [],
        "homes": [found.classes],
        "numbers": [number],
        "marking": "unmarked",
        **changes,
    }


def learn(folder, found, like=None, number=NUMBER, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    found.save(folder / "trainset.h5", Provenance("trainset", 1, "{}", 1, {}))
    network, card = train_unmarked(found, folder / "trainset.h5", settings(found, number, **changes), 1, like)
    network.save(folder / "classifier.keras")
    (folder / "classifier.json").write_text(json.dumps(card))
    return folder / "classifier.keras", card


def answers(path, found):
    logits = predict_logits(load_model(path), found.images)
    classes = read_card(path.with_suffix(".json")).classes
    mean = np.array([logits[found.group == k].mean(axis=0) for k in range(len(found.group_movie))])
    return [classes[k] for k in mean.argmax(axis=1)]
