"""Which tracklets and images animals without labels are learned from, and the names that they have in the experiment."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.tracklets import MULTIPLE, NOISE, SINGLE
from herdbook.classifier.unmarked.examples import Singles, choose_tracklets, coexisting, find_singles, images_each
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment

BASE = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}]}


def singles(rng, count=400, animals=5):
    """Each animal is seen in tracklets of random length, one after the other, in two movies and two arenas."""
    rows = []
    for movie in range(2):
        for animal in range(animals):
            begin = 0
            for k in range(count // (2 * animals)):
                length = int(rng.integers(1, 60))
                rows.append((movie, k * animals + animal, animal % 2, begin, begin + length - 1, 1 + length // 6))
                begin += length + int(rng.integers(0, 5))
    return Singles(*np.array(rows, np.int64).T)


class Rows(SimpleNamespace):
    """The columns of tracklets that are needed."""

    def __len__(self):
        return len(self.first)


def test_single_tracklets_of_all_movies_are_found_with_their_usable_images():
    image = np.array([0, -1, 1, 2, -1, 3, 4])
    blobs = [SimpleNamespace(image=image), SimpleNamespace(image=np.arange(3))]
    kinds = [np.array([SINGLE, MULTIPLE, SINGLE, SINGLE]), np.array([NOISE, SINGLE])]
    first = Rows(blob_tracklet=np.array([0, 0, 0, 1, 2, -1, 3]), tracklet_kind=kinds[0], arena=np.array([0, 0, 0, 1]),
                 first=np.array([0, 1, 2, 3]), last=np.array([5, 6, 7, 8]))  # fmt: skip
    second = Rows(blob_tracklet=np.array([1, 1, 0]), tracklet_kind=kinds[1], arena=np.array([0, 1]), first=np.array([0, 4]),
                  last=np.array([9, 8]))  # fmt: skip
    found = find_singles(blobs, [first, second])
    rows = [(0, 0, 0, 0, 5, 2), (0, 3, 1, 3, 8, 1), (1, 1, 1, 4, 8, 2)]
    assert list(zip(*(getattr(found, name).tolist() for name in Singles.__annotations__), strict=True)) == rows


def test_chosen_tracklets_are_bounded_and_keep_who_is_seen_with_them():
    rng = np.random.default_rng(1)
    known = singles(rng)
    chosen = choose_tracklets(known, 60, rng)
    assert 60 <= len(chosen) <= 60 + 5
    pairs = coexisting(known)
    kept = pairs[np.isin(pairs, chosen).all(axis=1)]
    assert np.isin(np.intersect1d(chosen, pairs), kept).mean() > 0.9


def test_labelled_tracklets_are_always_chosen():
    rng = np.random.default_rng(5)
    known = singles(rng)
    labelled = np.zeros(len(known), bool)
    labelled[rng.choice(len(known), 20, replace=False)] = True
    chosen = choose_tracklets(known, 60, rng, labelled)
    assert np.isin(np.flatnonzero(labelled), chosen).all()
    assert 60 <= len(chosen) <= 60 + 5


def test_few_tracklets_are_all_taken():
    rng = np.random.default_rng(2)
    assert len(choose_tracklets(singles(rng, 40), 100, rng)) == 40


def test_tracklets_of_two_movies_or_arenas_are_never_together():
    known = singles(np.random.default_rng(3), 80)
    a, b = coexisting(known).T
    assert (known.movie[a] == known.movie[b]).all()
    assert (known.arena[a] == known.arena[b]).all()
    assert (known.first[a] <= known.last[b]).all()
    assert (known.first[b] <= known.last[a]).all()


def test_images_are_shared_out_to_the_bound():
    images = np.array([1, 5, 50, 500])
    assert images_each(images, 80, 10_000) == 80
    assert images_each(images, 80, 20) == 7
    assert images_each(images, 80, 2) == 1


def experiment(animals, arenas=None, folder=Path("/")):
    return parse_experiment(
        {**BASE, "animals": {"marking": "unmarked", **animals}, **({"arenas": arenas} if arenas else {})}, folder / "e.yaml"
    )


def disc(x):
    return {"include": [{"ellipse": {"centre": [x, 50], "axes": [40, 40]}}]}


def test_unmarked_animals_are_numbered():
    found = experiment({"number": 3})
    assert found.animals.identities == ["animal1", "animal2", "animal3"]
    assert found.number == 3
    assert json.loads(found.settings("propagate"))["homes"] == [["animal1", "animal2", "animal3"]]


def test_each_arena_has_animals_of_its_own():
    found = experiment({}, [{"name": "a", "number": 2, **disc(50)}, {"name": "b", "number": 1, **disc(150)}])
    assert [arena.identities for arena in found.arenas] == [["animal1", "animal2"], ["b"]]
    assert json.loads(found.settings("train"))["numbers"] == [2, 1]


def test_named_animals_come_first_and_the_others_fill_up():
    assert experiment({"number": 3, "identities": ["queen"]}).animals.identities == ["queen", "animal1", "animal2"]


def test_names_of_an_earlier_experiment_are_taken_over_also_of_more_animals(tmp_path):
    (tmp_path / "classifier.json").write_text(json.dumps({"classes": ["A", "B", "C", "dirt"], "others": ["dirt"]}))
    assert experiment({"number": 2, "like": "classifier.keras"}, folder=tmp_path).animals.identities == ["A", "B", "C"]
    found = experiment({"number": 4, "like": "classifier.keras"}, folder=tmp_path)
    assert found.animals.identities == ["A", "B", "C", "animal1"]
    assert found.number == 4


def test_unmarked_animals_have_more_images():
    images = {marking: json.loads(experiment({"marking": marking, "number": 2}).settings("segment", "m"))["images_per_s"]
              for marking in ("unmarked", "none")}  # fmt: skip
    assert images["unmarked"] > images["none"]


@pytest.mark.parametrize(
    ("animals", "message"),
    [
        ({}, "unmarked animals need number"),
        ({"number": 2, "identities": ["A", "B", "C"]}, "number: 2 animals cannot have 3 identities"),
        ({"number": 2, "groups": {"worker": 2}}, "groups and other_labels need marking: marked"),
        ({"marking": "none", "like": "c.keras"}, "like needs marking: unmarked"),
        ({"number": 2, "keep": True}, "keep needs marking: none"),
        ({"marking": "none", "keep": True}, "animals.keep needs animals.number"),
    ],
)
def test_what_does_not_fit_is_reported(animals, message):
    with pytest.raises(HerdbookError, match=message):
        experiment(animals)
