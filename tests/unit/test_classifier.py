import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook import classifier, classify, train, trainset
from herdbook.artifacts import Blobs, Evidence, TrainingSet
from herdbook.classifier import (
    DOUBT,
    Training,
    augment,
    fit_temperature,
    log_probabilities,
    predict_logits,
    split_groups,
    train_network,
    use_threads,
)
from herdbook.classify import FURTHER_IMAGE_WORTH, combine_images
from herdbook.crops import CROP_HEIGHT, CROP_WIDTH
from herdbook.experiment import ClassifySection, TrainSection, TrainsetSection
from tests.unit.identity_cases import BLUE, GREEN, RED, YELLOW, Body, Track, arguments, write_movie

COLOURS = np.array([RED, GREEN, BLUE, YELLOW])
CLASSES = ["R", "G", "B", "Y", "dirt"]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    use_threads(1)


def coloured_images(rng: np.random.Generator, groups: int, each: int):
    """Bodies of four colours on the blank ground, each group under a light of its own: images, labels, groups."""
    y, x = np.mgrid[:CROP_HEIGHT, :CROP_WIDTH]
    body = ((x - 23.5) / 19) ** 2 + ((y - 15.5) / 9) ** 2 <= 1
    images, label, group = [], [], []
    for number in range(4 * groups):
        light = np.exp(rng.normal(0, 0.15))
        for _ in range(each):
            image = np.full((CROP_HEIGHT, CROP_WIDTH, 3), 127.0)
            image[body] = COLOURS[number % 4] * light
            images.append(np.clip(image + rng.normal(0, 25, image.shape), 0, 255))
            label.append(number % 4)
            group.append(number)
    return np.array(images).astype(np.uint8), np.array(label, np.int32), np.array(group, np.int32)


def train_briefly(seed: int, epochs: int = 1, held: int = 40) -> Training:
    images, label, _ = coloured_images(np.random.default_rng(3), 3, 10)
    kept_apart = np.arange(len(label)) < held
    return train_network(images, label, kept_apart, 4, epochs=epochs, batch=4, patience=2, seed=seed)


def test_the_network_learns_four_colours_from_a_few_groups():
    images, label, group = coloured_images(np.random.default_rng(1), 5, 12)
    held = split_groups(label, group, 0.3, np.random.default_rng(1))
    training = train_network(images, label, held, 4, epochs=3, batch=16, patience=3, seed=1)
    answer = predict_logits(training.model, images[held]).argmax(axis=1)
    assert np.mean(answer == label[held]) > 0.95
    assert training.history["val_loss"][-1] < training.history["val_loss"][0] < np.log(4)
    assert {len(values) for values in training.history.values()} == {3}
    np.testing.assert_allclose(training.validation_logits, predict_logits(training.model, images[held]), rtol=1e-4, atol=1e-4)


def test_the_same_seed_gives_the_same_weights(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 3)
    first, again, other = (train_briefly(seed).model.get_weights() for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_without_images_kept_apart_training_takes_all_epochs_and_no_temperature(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 2)
    training = train_briefly(1, epochs=4, held=0)
    assert training.temperature == 1
    assert training.history["val_loss"] == []
    assert len(training.history["loss"]) == 4
    assert training.validation_logits.shape == (0, 4)


def test_logits_do_not_depend_on_the_size_of_the_batch(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 2)
    model = train_briefly(1).model
    images, _, _ = coloured_images(np.random.default_rng(2), 2, 2)
    np.testing.assert_allclose(predict_logits(model, images, batch=3), predict_logits(model, images), rtol=1e-4, atol=1e-4)
    assert predict_logits(model, images[:0]).shape == (0, 4)


@pytest.mark.parametrize("seed", range(10))
def test_validation_takes_whole_groups_and_leaves_each_class_one_for_training(seed):
    rng = np.random.default_rng(seed)
    # The classes have 1, 2, 5 and 10 groups of uneven size.
    owner = np.repeat(np.arange(4), [1, 2, 5, 10])
    group = np.repeat(np.arange(len(owner)), rng.integers(1, 30, len(owner))).astype(np.int32)
    label = owner[group].astype(np.int32)
    held = split_groups(label, group, 0.2, rng)
    per_group = [set(held[group == g].tolist()) for g in range(len(owner))]
    assert all(len(values) == 1 for values in per_group)
    kept_apart = np.array([True in values for values in per_group])
    assert np.bincount(owner[kept_apart], minlength=4).tolist() == [0, 1, 1, 2]
    assert set(label[~held]) == {0, 1, 2, 3}


def test_a_large_share_for_validation_leaves_each_class_one_group_for_training():
    label = np.repeat(np.arange(2), 20).astype(np.int32)
    group = np.repeat(np.arange(8), 5).astype(np.int32)
    held = split_groups(label, group, 0.95, np.random.default_rng(1))
    assert set(label[~held]) == {0, 1}


def test_augmented_images_keep_shape_and_type_and_are_the_same_for_the_same_seed():
    images, _, _ = coloured_images(np.random.default_rng(4), 1, 5)
    before = images.copy()
    first, again, other = (augment(images, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == (images.shape, np.uint8)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(images, before)
    assert not np.array_equal(first, other)


def test_augmented_images_are_of_the_same_animal():
    images, label, _ = coloured_images(np.random.default_rng(4), 1, 10)
    middle = (slice(None), slice(11, 21), slice(16, 32))
    colour = augment(images, np.random.default_rng(1))[middle].mean(axis=(1, 2))
    expected = images[middle].mean(axis=(1, 2))
    nearest = np.abs(colour[:, None] - [expected[label == k].mean(axis=0) for k in range(4)]).sum(axis=2).argmin(axis=1)
    assert nearest.tolist() == label.tolist()


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 5.0])
def test_the_temperature_undoes_a_known_scale_of_the_logits(factor):
    rng = np.random.default_rng(8)
    logits = rng.normal(0, 2, (6000, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (rng.random((6000, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, 4).astype(np.int32)
    assert fit_temperature((factor * logits).astype(np.float32), label) == pytest.approx(factor, rel=0.08)


def test_without_images_the_temperature_is_one():
    assert fit_temperature(np.zeros((0, 3), np.float32), np.zeros(0, np.int32)) == 1


def test_log_probabilities_are_normalised_and_no_image_speaks_without_bound():
    logits = np.array([[1000, 0, 0, 0], [0, 0, 0, 0], [3, 1, -5, 0]], np.float32)
    found = log_probabilities(logits, 1.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)
    assert found.min() >= np.log(DOUBT / 4) - 1e-4
    np.testing.assert_allclose(found[1], np.log(1 / 4), rtol=1e-5)
    assert (found.argsort(axis=1)[2] == logits[2].argsort()).all()


def test_a_higher_temperature_makes_surer_answers_less_sure():
    logits = np.array([[4, 0, 0]], np.float32)
    cold, warm = log_probabilities(logits, 1.0), log_probabilities(logits, 3.0)
    assert cold[0, 0] > warm[0, 0] > warm[0, 1] > cold[0, 1]


def test_each_further_image_of_a_tracklet_counts_less_than_the_first():
    scores = np.array([[1, -1], [2, 0], [2, 0], [3, 3], [-1, 1]], np.float32)
    evidence, images = combine_images(scores, np.array([0, 2, 2, 2, 4]), 5)
    assert images.tolist() == [1, 0, 3, 0, 1]
    assert evidence.dtype == np.float32
    worth = (1 + 2 * FURTHER_IMAGE_WORTH) / 3
    np.testing.assert_allclose(evidence, [[1, -1], [0, 0], [7 * worth, 3 * worth], [0, 0], [-1, 1]], rtol=1e-6)


def test_more_images_that_agree_say_more_but_less_than_independent_ones():
    def combined(count: int) -> float:
        return float(combine_images(np.ones((count, 1), np.float32), np.zeros(count, np.int64), 1)[0][0, 0])

    values = [combined(count) for count in (1, 2, 10, 30)]
    assert values == sorted(values)
    assert values[0] == 1
    assert 1 < values[-1] < 30 / 2


# Three animals in three tracklets each, of which two are labelled; a fourth one without a label; two that touch; one without images.
FRAMES = 24
SPANS = ((0, 7), (8, 15), (16, 23))
PLACES = {"R": (30, 30), "G": (30, 90), "B": (120, 30), "Y": (120, 90)}
HUES = {"R": (RED, RED), "G": (GREEN, GREEN), "B": (BLUE, BLUE), "Y": (YELLOW, YELLOW)}
TRACKS = (
    *(Track(first, last, (Body(*PLACES[who], 40 * k, HUES[who]),), (0.3, 0.2)) for who in "RGB" for k, (first, last) in enumerate(SPANS)),
    Track(0, 23, (Body(*PLACES["Y"], 10, HUES["Y"]),)),
    Track(0, 23, (Body(70, 60, 0, HUES["R"]), Body(86, 62, 0, HUES["G"])), animals=2),
    Track(16, 23, (Body(75, 100, 0, HUES["B"]),), images=False),
)
OWNER = "RRRGGGBBB"


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> SimpleNamespace:
    """The stages trainset, train and classify on one small movie."""
    folder: Path = tmp_path_factory.mktemp("identity")
    segment, tracklets = write_movie(folder, "m1", TRACKS, frames=FRAMES)
    labels = folder / "labels.csv"
    clicks = [f"m1,{SPANS[k][0]},{PLACES[who][0]},{PLACES[who][1]},{who}" for who in "RGB" for k in (0, 1)]
    labels.write_text("\n".join(["movie,frame,x,y,label", *clicks]))
    names = {"identities": CLASSES[:4], "homes": [CLASSES[:4]], "other_labels": CLASSES[4:], "movies": ["m1"]}
    training_set, model, card, out = (folder / name for name in ("trainset.h5", "classifier.keras", "classifier.json", "classify/m1.h5"))
    files = {"labels": labels, "blobs": [segment], "tracklets": [tracklets], "out": training_set}
    trainset.main(arguments(files, TrainsetSection().model_dump() | names))
    settings = TrainSection(epochs=3, batch=16, validation=0.4).model_dump() | {"seed": 1}
    train.main(arguments({"trainset": training_set, "out": model, "card": card}, settings))
    files = {"blobs": segment, "tracklets": tracklets, "trainset": training_set, "classifier": model, "card": card, "out": out}
    settings = ClassifySection(images=5).model_dump() | {"seed": 1, "identities": CLASSES[:4]}
    classify.main(arguments(files, settings))
    return SimpleNamespace(
        folder=folder,
        segment=segment,
        tracklets=tracklets,
        files=files,
        settings=settings,
        card=json.loads(card.read_text()),
        examples=TrainingSet.load(training_set),
        evidence=Evidence.load(out),
    )


def test_the_card_tells_what_the_report_shows(stages):
    card = stages.card
    assert card["classes"] == CLASSES
    assert card["untrained"] == ["Y", "dirt"]
    assert np.array(card["confusion"]).shape == (5, 5)
    assert np.sum(card["confusion"]) == card["validation_images"] == 3 * 8
    assert np.trace(card["confusion"]) / card["validation_images"] == pytest.approx(card["accuracy"])
    assert card["accuracy"] > 0.9
    assert set(card["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert card["validation_loss"] == min(card["history"]["val_loss"])
    assert (card["images"], card["tracklets"]) == (6 * 8, 6)
    assert card["crop_width"] == stages.examples.crop_width
    assert card["temperature"] > 0
    assert [note for note in card["notes"] if note.startswith("not validated")] == [
        "not validated for want of a second labelled tracklet: Y, dirt"
    ]
    assert [note for note in card["notes"] if note.startswith("Y: no usable label")]


def test_tracklets_that_nobody_labelled_are_read_rightly(stages):
    answer = stages.evidence.log_likelihood[:9].argmax(axis=1)
    assert "".join(CLASSES[k] for k in answer) == OWNER
    assert (stages.evidence.log_likelihood[[2, 5, 8]].max(axis=1) > 1).all()


def test_a_class_without_labels_gets_no_evidence(stages):
    untrained = [CLASSES.index("Y"), CLASSES.index("dirt")]
    assert (stages.evidence.log_likelihood[:, untrained] == 0).all()
    assert (stages.evidence.blob_log_likelihood[:, untrained] == 0).all()
    assert (stages.evidence.blob_log_likelihood[:, :3] != 0).all()


def test_a_label_reaches_the_evidence_of_its_tracklet(stages):
    marks = [-1 if k < 0 else CLASSES[k] for k in stages.evidence.labelled]
    assert marks == ["R", "R", -1, "G", "G", -1, "B", "B", -1, -1, -1, -1]


def test_only_animals_alone_with_images_are_looked_at_and_only_a_sample(stages):
    assert stages.evidence.images.tolist() == [5] * 10 + [0, 0]
    assert (stages.evidence.log_likelihood[10:] == 0).all()
    blobs = Blobs.load(stages.segment)
    assert (np.diff(stages.evidence.blob) > 0).all()
    assert (blobs.image[stages.evidence.blob] >= 0).all()
    assert len(stages.evidence.blob) == len(stages.evidence.blob_log_likelihood) == 50


def test_the_evidence_of_a_tracklet_is_that_of_its_images(stages):
    tracklet = np.repeat(np.arange(10), 5)
    blobs = Blobs.load(stages.segment)
    owner = np.array([k for t in range(FRAMES) for k, track in enumerate(TRACKS) if track.first <= t <= track.last])
    assert len(owner) == len(blobs)
    order = np.argsort(owner[stages.evidence.blob], kind="stable")
    expected, _ = combine_images(stages.evidence.blob_log_likelihood[order], tracklet, 12)
    np.testing.assert_allclose(stages.evidence.log_likelihood, expected, rtol=1e-5)


def test_the_same_classifier_gives_the_same_bytes(stages):
    again = stages.folder / "again.h5"
    classify.main(arguments(stages.files | {"out": again}, stages.settings))
    assert again.read_bytes() == stages.files["out"].read_bytes()


def test_a_movie_without_labels_has_none_in_its_evidence(stages, tmp_path):
    segment, tracklets = write_movie(tmp_path, "m2", TRACKS[:1], frames=8)
    out = tmp_path / "m2.h5"
    classify.main(arguments(stages.files | {"blobs": segment, "tracklets": tracklets, "out": out}, stages.settings))
    found = Evidence.load(out)
    assert found.labelled.tolist() == [-1]
    assert CLASSES[int(found.log_likelihood[0].argmax())] == "R"
