"""The network of the classifier: how it learns, what is kept apart to validate it, and what its answers say."""

from pathlib import Path

import keras
import numpy as np
import pytest

from herdbook.classifier import network as classifier
from herdbook.classifier.architectures import build_network
from herdbook.classifier.calibration import Calibration
from herdbook.classifier.cards import Card
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.network import Examples, Recipe, finish_network, predict_logits, split_groups, train_network, use_threads
from herdbook.classifier.reading import in_order, without_class
from tests.support.identity_cases import BLUE, GREEN, RED, YELLOW

COLOURS = np.array([RED, GREEN, BLUE, YELLOW])
OTHERS = ["dirt"]
HEIGHT, WIDTH = 48, 32


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    use_threads(1)


def coloured_examples(rng: np.random.Generator, groups: int, each: int) -> tuple[Examples, np.ndarray]:
    """Bodies of four colours on the blank ground, each group under a light of its own: images, groups."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    body = ((y - 23.5) / 19) ** 2 + ((x - 15.5) / 9) ** 2 <= 1
    images, label, group = [], [], []
    for number in range(4 * groups):
        light = np.exp(rng.normal(0, 0.15))
        for _ in range(each):
            image = np.full((HEIGHT, WIDTH, 3), 127.0)
            image[body] = COLOURS[number % 4] * light
            images.append(np.clip(image + rng.normal(0, 25, image.shape), 0, 255))
            label.append(number % 4)
            group.append(number)
    head = np.ones(len(label), np.float32)
    return Examples(np.array(images).astype(np.uint8), np.array(label, np.int32), head), np.array(group, np.int32)


def train_briefly(seed: int, epochs: int = 1, held: int = 40) -> tuple[keras.Model, dict[str, list[float]]]:
    examples, _ = coloured_examples(np.random.default_rng(3), 3, 10)
    keras.utils.set_random_seed(seed)
    model = classifier_network()
    history = train_network(model, examples, np.arange(len(examples.label)) < held, Recipe(epochs, batch=4, patience=2, seed=seed))
    return model, history


def classifier_network() -> keras.Model:
    return build_network("small", HEIGHT, WIDTH, 4)[0]


def test_the_network_learns_four_colours_from_a_few_groups():
    examples, group = coloured_examples(np.random.default_rng(1), 5, 12)
    held, _ = split_groups(examples.label, group, np.zeros(len(group), np.int32), 0.3, np.random.default_rng(1))
    model = classifier_network()
    history = train_network(model, examples, held, Recipe(3, batch=16, patience=3, seed=1))
    answer = predict_logits(model, examples.images[held]).argmax(axis=1)
    assert np.mean(answer == examples.label[held]) > 0.95
    assert min(history["val_loss"]) < history["val_loss"][0] < np.log(4)
    assert {len(values) for values in history.values()} == {3}


def test_the_same_seed_gives_the_same_weights(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 3)
    first, again, other = (train_briefly(seed)[0].get_weights() for seed in (5, 5, 6))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_without_images_kept_apart_training_takes_all_epochs(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 2)
    _, history = train_briefly(1, epochs=4, held=0)
    assert history["val_loss"] == []
    assert len(history["loss"]) == 4


def test_what_was_kept_apart_is_learned_at_last(monkeypatch):
    monkeypatch.setattr(classifier, "LEAST_STEPS", 30)
    examples, _ = coloured_examples(np.random.default_rng(3), 3, 10)
    # Yellow is shown for the first time when training is finished.
    held = examples.label == 3
    model = classifier_network()
    recipe = Recipe(4, batch=8, patience=4, seed=1)
    train_network(model, examples, held, recipe)
    before = np.mean(predict_logits(model, examples.images[held]).argmax(axis=1) == 3)
    finish_network(model, examples, 4, recipe)
    assert before < 0.1
    assert np.mean(predict_logits(model, examples.images[held]).argmax(axis=1) == 3) > 0.8


def test_predictions_do_not_depend_on_the_batch():
    examples, _ = coloured_examples(np.random.default_rng(3), 1, 5)
    model = classifier_network()
    np.testing.assert_allclose(predict_logits(model, examples.images, 3), predict_logits(model, examples.images), rtol=1e-4, atol=1e-4)
    assert predict_logits(model, examples.images[:0]).shape == (0, 4)


@pytest.mark.parametrize("seed", range(10))
def test_validation_takes_whole_groups_and_leaves_each_class_one_for_training(seed):
    rng = np.random.default_rng(seed)
    # The classes have 1, 2, 5 and 10 groups of uneven size.
    owner = np.repeat(np.arange(4), [1, 2, 5, 10])
    group = np.repeat(np.arange(len(owner)), rng.integers(1, 30, len(owner))).astype(np.int32)
    label = owner[group].astype(np.int32)
    held, by = split_groups(label, group, np.zeros_like(group), 0.2, rng)
    assert by == "tracklet"
    per_group = [set(held[group == g].tolist()) for g in range(len(owner))]
    assert all(len(values) == 1 for values in per_group)
    kept_apart = np.array([True in values for values in per_group])
    assert np.bincount(owner[kept_apart], minlength=4).tolist() == [0, 1, 1, 2]
    assert set(label[~held]) == {0, 1, 2, 3}


def test_a_large_share_for_validation_leaves_each_class_one_group_for_training():
    label = np.repeat(np.arange(2), 20).astype(np.int32)
    group = np.repeat(np.arange(8), 5).astype(np.int32)
    held, _ = split_groups(label, group, np.zeros_like(group), 0.95, np.random.default_rng(1))
    assert set(label[~held]) == {0, 1}


@pytest.mark.parametrize(("movie_of_group", "held_movie"), [((0, 0, 0, 0, 1, 1), 1), ((0, 0, 1, 1, 2, 2), 0), ((0, 0, 0, 1, 1, 1), None)])
def test_a_whole_movie_is_kept_apart_where_the_others_hold_every_class(movie_of_group, held_movie):
    group = np.repeat(np.arange(6), 4).astype(np.int32)
    label = (group % 2).astype(np.int32)
    movie = np.array(movie_of_group, np.int32)[group]
    if held_movie is None:
        # Each movie lacks one of the classes.
        label = movie.copy()
    held, by = split_groups(label, group, movie, 0.2, np.random.default_rng(1))
    if held_movie is None:
        assert by == "tracklet"
        assert set(label[~held]) == {0, 1}
    else:
        assert by == "movie"
        np.testing.assert_array_equal(held, movie == held_movie)


def card_of(classes: list[str], others: list[str] = OTHERS) -> Card:
    return Card(Path("c.json"), classes, others, CropSpec(50.0), Calibration(), 40.0, 50.0, {}, given=False)


def test_evidence_is_put_in_the_order_of_the_experiment_and_zero_for_the_untrained():
    evidence = np.log(np.array([[2.5, 0.3, 0.2], [1, 1, 1]], np.float32))
    evidence[1] = 0
    found = in_order(evidence, card_of(["B", "dirt", "A"]), ["A", "B", "C", "dirt"])
    np.testing.assert_allclose(np.exp(found[0]), [0.2, 2.5, 1, 0.3], rtol=1e-5)
    assert (found[1] == 0).all()


def test_identities_that_are_not_there_leave_their_share_to_the_others():
    evidence = np.log(np.array([[3 * 0.8, 3 * 0.15, 3 * 0.05]], np.float32))
    found = np.exp(in_order(evidence, card_of(["A", "B", "gone"], []), ["A", "B"]))
    np.testing.assert_allclose(found[0] / found[0].sum(), [0.8 / 0.95, 0.15 / 0.95], rtol=1e-5)
    assert found[0].mean() == pytest.approx(1)


def test_what_is_unreadable_says_nothing_of_who_it_is():
    score, readable = without_class(np.log(np.array([[0.1, 0.1, 0.8], [0.6, 0.3, 0.1]], np.float32)), 2)
    np.testing.assert_allclose(readable, [0.2, 0.9], rtol=1e-5)
    np.testing.assert_allclose(np.exp(score[:, :2]), [[0.5, 0.5], [2 / 3, 1 / 3]], rtol=1e-5)
    evidence = in_order(
        np.log(np.array([[0.3, 1.5, 1.2]], np.float32)), card_of(["A", "B", "unreadable"], ["unreadable"]), ["A", "B", "unreadable"]
    )
    assert evidence[0, 2] == 0
