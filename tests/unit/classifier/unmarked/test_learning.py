"""Animals without labels, from images to a classifier with a card: they are found, named, matched; and it says so when they cannot be."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from herdbook.classifier.architectures import load_model
from herdbook.classifier.network import predict_logits
from herdbook.classifier.unmarked.training import train_unmarked
from herdbook.errors import HerdbookError
from tests.support.unmarked_crowd import NUMBER, answers, crowd, learn, patterns, settings


def accuracy(names, true):
    known = sorted(set(names))
    counts = np.zeros((len(known), NUMBER))
    np.add.at(counts, ([known.index(name) for name in names], true), 1)
    return counts[linear_sum_assignment(-counts)].sum() / len(true)


@pytest.fixture(scope="module")
def day1(tmp_path_factory):
    found, true = crowd()
    path, card = learn(tmp_path_factory.mktemp("results") / "day1" / "train", found)
    return found, true, path, card


def test_animals_that_are_never_all_apart_are_reported_apart(day1):
    found, true, path, card = day1
    assert accuracy(answers(path, found), true) == 1
    assert card["clean"]
    assert card["estimated_accuracy"] > 0.98
    assert not [warning for warning in card["warnings"] if "hard to tell" in warning or "look alike" in warning]


def test_the_look_of_an_animal_is_known_for_marks_that_fade(day1):
    card = day1[3]
    assert card["prototypes"]
    for name, logits in card["prototypes"].items():
        assert card["classes"][int(np.argmax(logits))] == name


def test_new_images_of_the_same_animals_are_read_rightly(day1):
    found, true = crowd(7)
    assert accuracy(answers(day1[2], found), true) == 1


def test_training_checks_early_and_ends_when_clusters_are_clean(day1):
    history = day1[3]["history"]
    assert history["step"][0] <= 40
    assert history["step"][-1] <= 400
    assert len(set(map(len, history.values()))) == 1
    assert history["same"][0] == 0, "there is nothing before to be the same"


def test_the_same_seed_gives_the_same_animals(day1, tmp_path):
    found, _, path, card = day1
    again, other = learn(tmp_path / "again", found)
    assert other == card
    assert answers(again, found) == answers(path, found)


def test_names_are_taken_over_from_another_day(day1, tmp_path):
    _, true1, path, _ = day1
    found, true2 = crowd(5)
    new, card = learn(tmp_path / "day2" / "train", found, like=path)
    before = dict(zip(answers(path, day1[0]), true1.tolist(), strict=True))
    after = dict(zip(answers(new, found), true2.tolist(), strict=True))
    assert before == after
    assert min(card["match"]["certainty"]) > 0.9
    assert np.asarray(card["match"]["share"]).shape == (NUMBER, NUMBER)


def test_an_animal_that_is_away_today_gets_no_tracklet(day1, tmp_path):
    _, true1, path, _ = day1
    found, true2 = crowd(6)
    there = np.isin(true2, [0, 1, 2])
    keep = np.isin(found.group, np.flatnonzero(there))
    place = np.cumsum(there) - 1
    for name in ("images", "label", "frame", "time_s", "head", "chroma", "group"):
        setattr(found, name, getattr(found, name)[keep])
    found.group = place[found.group].astype(np.int32)
    pairs = found.coexisting[there[found.coexisting].all(axis=1)]
    found.coexisting = place[pairs].astype(np.int32)
    for name in ("group_movie", "group_tracklet", "group_arena", "group_first", "group_frames"):
        setattr(found, name, getattr(found, name)[there])
    new, card = learn(tmp_path / "day3" / "train", found, like=path, number=3)
    before = dict(zip(answers(path, day1[0]), true1.tolist(), strict=True))
    absent = next(name for name, animal in before.items() if animal == 3)
    assert card["untrained"] == [absent]
    assert {before[name] for name in answers(new, found)} == {0, 1, 2}


def test_a_labelled_animal_keeps_its_name_among_the_others(tmp_path):
    classes = ["queen", "animal1", "animal2", "animal3"]
    found, true = crowd(3, classes=classes, label=lambda animal: 0 if animal == 2 else -1)
    path, _ = learn(tmp_path, found)
    assert {animal for name, animal in zip(answers(path, found), true, strict=True) if name == "queen"} == {2}
    assert accuracy(answers(path, found), true) == 1


def test_animals_that_look_the_same_are_not_claimed_to_be_known(tmp_path):
    found, _ = crowd(4, looks=np.repeat(patterns(0)[:1], NUMBER, axis=0), noise=6.0)
    _, card = learn(tmp_path, found, epochs=3)
    assert not card["clean"]
    assert any("hard to tell apart" in warning for warning in card["warnings"])
    assert card["estimated_accuracy"] < 0.8


def test_too_few_frames_are_reported(tmp_path):
    found, _ = crowd(moments=4)
    found.seconds = np.array([20.0])
    _, card = learn(tmp_path, found)
    assert any(warning.startswith("too few frames: an animal is seen alone for 5 s") for warning in card["warnings"])


def test_more_animals_than_there_are_is_reported(tmp_path):
    found, _ = crowd(8, number=NUMBER + 1)
    _, card = learn(tmp_path, found, number=NUMBER + 1)
    assert any("Is the number right?" in warning for warning in card["warnings"])


def test_more_animals_in_view_than_told_are_reported(tmp_path):
    found, _ = crowd()
    found.crowded = np.array([0.2])
    _, card = learn(tmp_path, found)
    told = "number may be too small: 20 % of the frames of arena 1 show more than 4 single animals"
    assert any(warning.startswith(told) for warning in card["warnings"])


def test_a_movie_in_which_nobody_is_alone_is_refused(tmp_path):
    found, _ = crowd()
    for name in ("images", "label", "frame", "time_s", "head", "chroma", "group"):
        setattr(found, name, getattr(found, name)[:0])
    with pytest.raises(HerdbookError, match="no animal is ever seen alone"):
        train_unmarked(found, tmp_path / "trainset.h5", settings(found), 1)


def test_animals_of_two_arenas_are_found_apart_even_if_they_look_the_same(tmp_path):
    left, true = crowd(1)
    right, _ = crowd(1)
    count = len(true)
    joined = {name: np.concatenate([getattr(left, name)] * 2) for name in ("images", "label", "frame", "time_s", "head", "chroma")}
    joined |= {name: np.concatenate([getattr(left, name)] * 2) for name in ("group_movie", "group_first", "group_frames")}
    for name, values in joined.items():
        setattr(left, name, values)
    left.group = np.concatenate([right.group, right.group + count])
    left.group_tracklet = np.arange(2 * count, dtype=np.int32)
    left.group_arena = np.repeat(np.array([0, 1], np.int16), count)
    left.coexisting = np.concatenate([right.coexisting, right.coexisting + count])
    left.seconds, left.crowded = np.array([1000.0, 1000.0]), np.zeros(2)
    left.classes = [f"animal{k + 1}" for k in range(2 * NUMBER)]
    homes = [left.classes[:NUMBER], left.classes[NUMBER:]]
    path, card = learn(tmp_path, left, homes=homes, numbers=[NUMBER, NUMBER])
    logits = predict_logits(load_model(path), left.images)
    mean = np.array([logits[left.group == k].mean(axis=0) for k in range(2 * count)])
    column = [card["classes"].index(name) for name in left.classes]
    for arena, home in enumerate(homes):
        mine = mean[arena * count : (arena + 1) * count][:, column][:, arena * NUMBER : (arena + 1) * NUMBER]
        assert accuracy([home[k] for k in mine.argmax(axis=1)], true) == 1
    assert card["clean"]
