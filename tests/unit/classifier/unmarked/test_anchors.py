"""Labels as anchors of animals that learn together: who gets which name, who gets none, and what a wrong label does."""

import numpy as np
import pytest

from tests.support.unmarked_crowd import NUMBER, answers, crowd, learn

NAMES = ["A", "B", "C", "D"]


def labelled(animals, *, each=1, moments=12, classes=NAMES):
    """A training set in which so many tracklets of each of these animals have a label, the true animal and label of each tracklet."""
    found, true = crowd(2, classes=list(classes), moments=moments)
    label = np.full(len(true), -1)
    for animal in animals:
        label[np.flatnonzero(true == animal)[:each]] = animal
    found.label = label[found.group].astype(np.int32)
    return found, true, label


def names_of(path, found, true):
    """The names that the tracklets of each animal are read as."""
    read = answers(path, found)
    return [{name for name, animal in zip(read, true, strict=True) if animal == k} for k in range(NUMBER)]


def test_a_label_of_each_animal_names_all_tracklets(tmp_path):
    found, true, _ = labelled(range(NUMBER))
    path, card = learn(tmp_path, found, marking="marked")
    assert names_of(path, found, true) == [{name} for name in NAMES]
    assert (card["others"], card["untrained"], card["notes"], card["labelled_tracklets"]) == ([], [], [], NUMBER)


def test_the_only_animal_without_a_label_is_found_by_elimination(tmp_path):
    found, true, _ = labelled([0, 1, 3])
    path, card = learn(tmp_path, found, marking="marked")
    assert names_of(path, found, true) == [{name} for name in NAMES]
    assert card["others"] == []


def test_two_animals_without_labels_stay_nameless_and_a_note_says_so(tmp_path):
    found, true, _ = labelled([0, 3])
    path, card = learn(tmp_path, found, marking="marked")
    read = names_of(path, found, true)
    assert (read[0], read[3]) == ({"A"}, {"D"})
    assert read[1] | read[2] == set(card["others"])
    assert len(read[1]) == len(read[2]) == 1
    assert card["untrained"] == ["B", "C"]
    (note,) = card["notes"]
    assert note.startswith("B, C: without a label nothing says which of nameless")


def test_an_animal_more_than_there_are_names_takes_nobodys(tmp_path):
    found, true, _ = labelled([0, 1, 2], classes=NAMES[:3])
    path, card = learn(tmp_path, found, marking="marked")
    assert names_of(path, found, true) == [{"A"}, {"B"}, {"C"}, set(card["others"])]
    assert len(card["others"]) == 1
    assert card["notes"] == []


def test_unmarked_animals_have_numbers_beside_those_with_a_label(tmp_path):
    found, true, _ = labelled([3], classes=["animal1", "animal2", "animal3", "queen"])
    path, card = learn(tmp_path, found)
    assert names_of(path, found, true)[3] == {"queen"}
    assert card["others"] == []


@pytest.fixture(scope="module")
def swapped(tmp_path_factory):
    """Six labels of each animal, and one of A exchanged with one of B."""
    found, true, label = labelled(range(NUMBER), each=6, moments=24)
    wrong = [int(np.flatnonzero(label == k)[2]) for k in (0, 1)]
    label[wrong] = (1, 0)
    found.label = label[found.group].astype(np.int32)
    path, card = learn(tmp_path_factory.mktemp("swapped"), found, marking="marked")
    return found, true, wrong, path, card


def test_a_wrong_label_spoils_no_animal(swapped):
    found, true, _, path, card = swapped
    assert names_of(path, found, true) == [{name} for name in NAMES]
    assert card["clean"]
    assert np.diag(card["confusion"]).min() > 0.95


def test_a_wrong_label_is_doubted_by_its_tracklet_and_no_other(swapped):
    _, _, wrong, _, card = swapped
    assert [note.split(", but its images look like ")[0] for note in card["notes"]] == [
        f"m, tracklet {k} from frame {100 * (k // (NUMBER - 1))} on: labelled {name}" for k, name in sorted(zip(wrong, "BA", strict=True))
    ]
