"""What a classifier says of its training set and of itself, without training."""

import json
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier import training
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.training import train_classifier
from herdbook.errors import HerdbookError
from tests.support.classifier_cases import settings_of


def set_of(labels: list[int], classes: list[str]) -> TrainingSet:
    """Grey images, each a tracklet of its own; the level is that of the label."""
    count = len(labels)
    columns = {name: np.zeros(count, np.float32) for name in ("time_s", "head", "chroma")}
    columns |= {"frame": np.zeros(count, np.int32), "label": np.array(labels, np.int32)}
    columns |= {name: np.arange(count, dtype=np.int32) for name in ("group", "group_tracklet")}
    columns |= {"group_movie": np.zeros(count, np.int32), "coexisting": np.zeros((0, 2), np.int32)}
    images = np.full((count, 24, 16, 3), 100, np.uint8) + 50 * np.array(labels, np.uint8)[:, None, None, None]
    crops = json.dumps(CropSpec(24.0, (16, 24)).as_dict())
    return TrainingSet(classes=classes, movies=["m"], notes=[], crops=crops, body_length_px=20.0, images=images, **columns)


@pytest.mark.parametrize(("labels", "told"), [([0, 0], "images of A;"), ([1, 1], "images of B;"), ([], "images of no name;")])
def test_a_training_set_with_images_of_one_name_is_refused(labels, told):
    with pytest.raises(HerdbookError, match=f"set.h5: the training set holds {told} expected two names or more"):
        train_classifier(set_of(labels, ["A", "B"]), Path("set.h5"), {}, 1)


def test_the_card_says_with_what_the_network_began_and_what_it_could_not_learn(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train_network", lambda *arguments: {"val_loss": [1.0]})
    monkeypatch.setattr(training, "finish_network", lambda *arguments: None)
    found = set_of([0, 0, 0, 0, 2], ["A", "B", "C"])
    found.save(tmp_path / "set.h5", Provenance("trainset", 1))
    settings = settings_of("train", ["A", "B", "C"])
    network, card = train_classifier(found, tmp_path / "set.h5", settings, 1)
    assert (card["architecture"], card["classes"], card["untrained"]) == ("small", ["A", "C"], ["B"])
    assert card["notes"] == ["cannot be validated for want of another labelled tracklet: C"]
    assert (card["validation_tracklets"], sum(map(sum, card["tracklet_confusion"]))) == (1, 1)
    assert card["tracklet_accuracy"] in (0, 1)
    assert list(card["prototypes"]) == ["A"]
    network.save(tmp_path / "first.keras")
    (tmp_path / "first.json").write_text(json.dumps(card), encoding="utf-8")
    _, later = train_classifier(found, tmp_path / "set.h5", settings, 1, start=tmp_path / "first.keras")
    assert later["architecture"] == "start"
    assert later["notes"][:1] == [f"began with {tmp_path / 'first.keras'}"]
