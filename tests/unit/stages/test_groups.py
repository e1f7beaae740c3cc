"""Groups of animals that cannot be told apart, together with named animals: the experiment, the names they get, what stays unknown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from herdbook.artifacts.propagate import Identities
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.roster import make_roster
from tests.support.identity_cases import Body, RecordingFiles, Track, who_where

WORKER, QUEEN = {"worker": 12.0, "queen": -12.0}, {"worker": -12.0, "queen": 12.0}
PLACES = (Body(30, 30), Body(120, 30), Body(30, 90), Body(120, 90))
TOGETHER = (Body(60, 60), Body(80, 60))


def names_in(found: Identities) -> dict[int, set[str]]:
    return {
        int(t): {found.individuals[i] for i, tracklet in zip(found.individual, found.tracklet, strict=True) if tracklet == t}
        for t in np.unique(found.tracklet)
    }


def test_every_member_has_a_name_for_as_long_as_it_is_followed(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["queen", "worker"])
    tracks = [Track(0, 19, (body,)) for body in PLACES[:3]]
    made.add(tracks, 20, [WORKER, QUEEN, WORKER])
    made.add(tracks, 20, [None, None, WORKER], border_edges=[(57, 0), (58, 1), (59, 2)])
    found = made.identities(identities=["queen"], groups={"worker": 2})
    assert found.individuals == ["queen", "worker.1", "worker.2"]
    assert who_where(found, 0) == {0: "worker.1", 1: "queen", 2: "worker.2"}
    assert who_where(found, 1) == who_where(found, 0)


def test_after_a_contact_of_two_members_their_names_are_free_ones(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["worker"])
    # Four workers; two of them meet and part, a third is in view all the time, the fourth comes into view when they have parted.
    tracks = [
        *(Track(0, 4, (body,)) for body in PLACES[:2]),
        Track(5, 9, TOGETHER, animals=2),
        *(Track(10, 14, (body,)) for body in PLACES[:2]),
        Track(0, 14, PLACES[2:3]),
    ]
    made.add(tracks, 15, [{}, {}, None, {}, {}, {}], edges=[(0, 2), (1, 2), (2, 3), (2, 4)])
    found = names_in(made.identities(identities=[], groups={"worker": 5}))
    assert found[2] == found[0] | found[1]
    assert not (found[3] | found[4]) & found[2]
    assert len(found[0] | found[1] | found[3] | found[4] | found[5]) == 5
    fewer = made.identities(identities=[], groups={"worker": 3})
    assert len(fewer.individuals) == 3
    assert names_in(fewer)[3] | names_in(fewer)[4] == names_in(fewer)[2]


def test_a_member_keeps_its_name_through_a_contact_with_a_named_animal(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["queen", "worker"])
    tracks = [
        *(Track(0, 4, (body,)) for body in PLACES[:2]),
        Track(5, 9, TOGETHER, animals=2),
        *(Track(10, 14, (body,)) for body in PLACES[:2]),
        Track(0, 14, PLACES[2:3]),
    ]
    made.add(tracks, 15, [QUEEN, WORKER, None, WORKER, QUEEN, WORKER], edges=[(0, 2), (1, 2), (2, 3), (2, 4)])
    found = names_in(made.identities(identities=["queen"], groups={"worker": 2}))
    (worker,) = found[1]
    assert found == {0: {"queen"}, 1: {worker}, 2: {"queen", worker}, 3: {worker}, 4: {"queen"}, 5: found[5]}
    assert worker not in found[5]


def test_no_more_members_are_named_than_there_are(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["queen", "worker"])
    made.add([Track(0, 9, (body,)) for body in PLACES], 10, [WORKER, WORKER, WORKER, {"queen": 12.0, "worker": 8.0}])
    found = made.identities(identities=["queen"], groups={"worker": 3}, number=4)
    assert who_where(found)[3] == "queen"
    assert len({name for t, name in who_where(found).items() if t < 3}) == 3


def test_without_a_group_the_rest_stays_unknown(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["A", "B", "plain"])
    unlike = {"A": -12.0, "B": -12.0, "plain": 12.0}
    made.add([Track(0, 19, (body,)) for body in PLACES], 20, [{"A": 12.0}, {"B": 12.0}, unlike, unlike])
    assert who_where(made.identities(identities=["A", "B"], number=4)) == {0: "A", 1: "B"}


def test_a_fact_may_speak_of_a_group(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["queen", "worker"])
    made.add([Track(0, 19, (body,)) for body in PLACES[:2]], 20, [{"queen": 6.0, "worker": -6.0}, {}])
    assert who_where(made.identities(identities=["queen"], groups={"worker": 1}))[0] == "queen"
    found = made.identities(identities=["queen"], groups={"worker": 1}, facts=["m1,5,30,30,is,worker,"])
    assert who_where(found) == {0: "worker.1", 1: "queen"}


def test_members_are_numbered_through_the_arenas() -> None:
    roster = make_roster(["queen", "worker"], [["queen", "worker"], ["worker"]], [{"worker": 2}, {"worker": 3}])
    assert roster.individuals == ["queen", *(f"worker.{k}" for k in range(1, 6))]
    assert roster.names == ["queen", "worker", "worker"]
    assert roster.members.tolist() == [1, 2, 3]
    assert [roster.individuals[k] for k in roster.first] == ["queen", "worker.1", "worker.3"]
    assert roster.allowed.tolist() == [[True, True, False], [False, False, True]]
    assert roster.is_group.tolist() == [False, True, True]


BASE = {"marking": "marked", "labels": "labels.csv"}


def experiment(folder: Path, animals: dict[str, Any], arenas: list[dict[str, Any]] | None = None) -> Any:
    raw: dict[str, Any] = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": BASE | animals}
    return parse_experiment(raw | ({"arenas": arenas} if arenas else {}), folder / "e.yaml")


def half(name: str, x: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "include": [{"polygon": [[x, 0], [x + 9, 0], [x + 9, 9]]}], **more}


def test_the_members_of_groups_count(tmp_path: Path) -> None:
    made = experiment(tmp_path, {"identities": ["queen"], "groups": {"worker": 12}})
    assert made.number == 13
    settings = json.loads(made.settings("propagate"))
    assert settings["identities"] == ["queen", "worker"]
    assert settings["groups"] == [{"worker": 12}]
    assert settings["numbers"] == [13]
    assert json.loads(made.settings("trainset"))["identities"] == ["queen", "worker"]
    assert json.loads(made.settings("report"))["individuals"][-1] == "worker.12"
    assert experiment(tmp_path, {"groups": {"worker": 12}, "number": 15}).number == 15


def test_arenas_give_the_number_of_a_group_in_them(tmp_path: Path) -> None:
    arenas = [half("west", 0, identities=["queen"], groups={"worker": 3}), half("east", 20, groups={"worker": 4})]
    made = experiment(tmp_path, {}, arenas)
    assert made.animals.groups == {"worker": 7}
    settings = json.loads(made.settings("propagate"))
    assert settings["groups"] == [{"worker": 3}, {"worker": 4}]
    assert settings["homes"] == [["queen", "worker"], ["worker"]]
    assert settings["numbers"] == [4, 4]


@pytest.mark.parametrize(
    ("animals", "arenas", "expected"),
    [
        ({"groups": {"worker": 0}}, None, "groups.worker"),
        ({"identities": ["queen"], "groups": {"worker": 3}, "number": 3}, None, "1 identities and 3 members of groups"),
        ({"identities": ["worker.2"], "groups": {"worker": 3}}, None, "names given twice: worker.2"),
        ({"groups": {"worker": 3}, "other_labels": ["worker"]}, None, "names given twice: worker"),
        ({"marking": "none", "labels": None, "groups": {"worker": 3}}, None, "groups and facts need marking: marked"),
        ({"marking": "none", "labels": None, "facts": "facts.csv"}, None, "groups and facts need marking: marked"),
        ({}, None, "marked animals need identities: a list of their names, or groups"),
        (
            {"groups": {"worker": 9}},
            [half("west", 0, groups={"worker": 3}), half("east", 20, groups={"worker": 4})],
            "the group 'worker' has 9 members, but 7 live in the arenas",
        ),
        (
            {"groups": {"worker": 3}},
            [half("west", 0, groups={"worker": 3}), half("east", 20, groups={"wurker": 4})],
            "arena 'east': animals.groups have no 'wurker'; did you mean 'worker'?",
        ),
    ],
)
def test_groups_that_do_not_fit_are_reported(tmp_path: Path, animals, arenas, expected) -> None:
    with pytest.raises(HerdbookError) as caught:
        experiment(tmp_path, animals, arenas)
    assert expected in str(caught.value)
