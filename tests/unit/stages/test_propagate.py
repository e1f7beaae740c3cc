from pathlib import Path

import pytest

from herdbook.artifacts.propagate import HOW_KNOWN, PROPAGATED, Identities
from tests.support.identity_cases import FPS, Body, RecordingFiles, Track, who_where

NAMES = ["A", "B", "C"]
LEFT, RIGHT, BELOW = Body(30, 30), Body(120, 30), Body(75, 90)


@pytest.fixture
def recording(tmp_path: Path) -> RecordingFiles:
    return RecordingFiles(tmp_path, NAMES)


def known_by_name(found: Identities) -> dict[tuple[int, str], str]:
    """How each name in each tracklet of the first movie is known."""
    rows = zip(found.tracklet, found.individual, found.how, strict=True)
    return {(int(t), found.individuals[i]): HOW_KNOWN[h] for t, i, h in rows}


def test_without_identities_every_animal_of_every_tracklet_has_a_name_of_its_own(recording):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,)), Track(5, 9, (LEFT, RIGHT), animals=2)], 10, edges=[(0, 2), (1, 2)])
    found = recording.identities(marking="none", identities=[])
    assert who_where(found) == {0: "track0001", 1: "track0002", 2: "track0003track0004"}
    assert (found.confidence == 1).all()


@pytest.mark.parametrize("keep", [False, True])
def test_an_animal_alone_in_its_arena_has_the_name_of_the_arena_in_all_its_tracklets(recording, keep):
    tracks = [Track(0, 40, (LEFT,)), Track(44, 89, (LEFT,)), Track(0, 89, (RIGHT,), arena=1), Track(0, 89, (BELOW,), arena=1)]
    recording.add(tracks, 90)
    recording.add([Track(0, 49, (LEFT,))], 50)
    more = {"numbers": [1, 2], "lone": ["well A1", ""], "keep": keep}
    found = recording.identities(marking="none", identities=[], more=more)
    names = ["animal2", "animal3"] if keep else ["track0001", "track0002"]
    assert [who_where(found)[k] for k in (0, 1)] == ["well A1", "well A1"]
    assert {who_where(found)[k] for k in (2, 3)} == set(names)
    assert who_where(found, 1) == {0: "well A1"}
    assert found.individuals == ["well A1", *names]


def test_names_run_on_across_a_movie_border_where_only_one_way_leads(recording):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,)), Track(0, 4, (BELOW, Body(90, 90)), animals=2)], 5)
    tracks = [Track(0, 4, (RIGHT,)), Track(0, 4, (LEFT,)), Track(0, 4, (BELOW, Body(90, 90)), animals=2)]
    recording.add(tracks, 5, border_edges=[(12, 1), (13, 0), (14, 2)])
    found = recording.identities(marking="none", identities=[])
    assert who_where(found, 0) == {0: "track0001", 1: "track0002", 2: "track0003track0004"}
    assert who_where(found, 1) == {0: "track0002", 1: "track0001", 2: "track0003track0004"}
    assert found.individuals == ["track0001", "track0002", "track0003", "track0004"]


@pytest.mark.parametrize(
    ("border_edges", "animals"),
    [([(8, 0), (9, 0)], 2), ([(8, 0), (8, 1)], 1)],
    ids=["two become one blob", "one becomes two blobs"],
)
def test_names_end_at_a_movie_border_that_is_ambiguous(recording, border_edges, animals):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,))], 5)
    recording.add([Track(0, 4, (LEFT,), animals=animals), Track(0, 4, (RIGHT,))], 5, border_edges=border_edges)
    found = recording.identities(marking="none", identities=[])
    assert not set(who_where(found, 0).values()) & set(who_where(found, 1).values())
    assert len(found.individuals) == len(found.individual)


def merge_of_three(recording: RecordingFiles) -> None:
    """Three animals alone, together, and alone again; in the end B and C are read, in the beginning A is labelled and B is read."""
    tracks = [
        *(Track(0, 4, (body,)) for body in (LEFT, RIGHT, BELOW)),
        Track(5, 9, (Body(60, 50), Body(75, 50), Body(90, 50)), animals=3),
        *(Track(10, 14, (body,)) for body in (LEFT, RIGHT, BELOW)),
    ]
    evidence = [{"A": 1.0}, {"B": 12.0, "A": -3.0}, None, None, None, {"B": 12.0}, None]
    recording.add(tracks, 15, evidence, labelled={0: "A"}, edges=[(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)])


def test_an_animal_is_named_through_a_merge_and_it_is_reported_how(recording):
    merge_of_three(recording)
    found = recording.identities()
    assert who_where(found)[0] == "A"
    assert who_where(found)[1] == "B"
    assert who_where(found)[5] == "B"
    assert set(who_where(found)[3]) >= {"A", "B"}
    how = known_by_name(found)
    assert (how[0, "A"], how[1, "B"], how[5, "B"]) == ("labelled", "classified", "classified")
    assert (how[3, "A"], how[3, "B"]) == ("propagated", "propagated")
    assert found.movies == ["m1"]
    assert found.gap < 1e-3


def test_an_animal_nobody_ever_saw_alone_and_read_is_found_by_elimination(recording):
    tracks = [
        *(Track(0, 4, (body,)) for body in (LEFT, RIGHT, BELOW)),
        Track(5, 9, (Body(60, 50), Body(75, 50), Body(90, 50)), animals=3),
        *(Track(10, 14, (body,)) for body in (LEFT, RIGHT, BELOW)),
    ]
    # C was never labelled: what can be neither A nor B is C.
    evidence = [{"A": 12.0}, {"B": 12.0}, {"A": -2.0, "B": -2.0}, None, None, {"A": 12.0}, {"B": 12.0}]
    recording.add(tracks, 15, evidence, edges=[(0, 3), (1, 3), (2, 3), (3, 4), (3, 5), (3, 6)])
    found = recording.identities()
    assert who_where(found) == {0: "A", 1: "B", 2: "C", 3: "ABC", 4: "C", 5: "A", 6: "B"}
    assert {how for (_, name), how in known_by_name(found).items() if name == "C"} == {"eliminated"}
    assert {how for (_, name), how in known_by_name(found).items() if name != "C"} == {"classified", "propagated"}


def test_evidence_of_animals_that_touch_does_not_count(recording):
    tracks = [Track(0, 9, (LEFT, Body(50, 30)), animals=2), Track(0, 9, (RIGHT,))]
    recording.add(tracks, 10, [{"B": 30.0}, {"B": 2.0}])
    assert who_where(recording.identities()) == {0: "AC", 1: "B"}


def test_an_identity_runs_on_across_a_movie_border(recording):
    recording.add([Track(0, 9, (LEFT,)), Track(0, 9, (RIGHT,))], 10, [{"A": 12.0}, {"B": 12.0}])
    recording.add([Track(0, 9, (RIGHT,)), Track(0, 9, (LEFT,))], 10, [None, None], border_edges=[(18, 1), (19, 0)])
    found = recording.identities()
    assert who_where(found, 0) == {0: "A", 1: "B"}
    assert who_where(found, 1) == {0: "B", 1: "A"}
    assert found.how[found.movie == 1].tolist() == [PROPAGATED, PROPAGATED]
    assert (found.confidence > 0.99).all()


@pytest.mark.parametrize(("gap_s", "names"), [(3.0, {0: "A", 1: "A"}), (1.0, {0: "A"})], ids=["soon", "too late"])
def test_a_lost_animal_keeps_its_name_when_it_is_found_soon_and_near(recording, gap_s, names):
    recording.add([Track(0, 9, (LEFT,)), Track(9 + round(2 * FPS), 99, (Body(40, 35),))], 100, [{"A": 12.0}, None])
    assert who_where(recording.identities(gap_s=gap_s)) == names


def test_rows_are_sorted_and_each_has_a_confidence(recording):
    merge_of_three(recording)
    found = recording.identities()
    keys = list(zip(found.movie.tolist(), found.tracklet.tolist(), found.individual.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_other_classes_of_the_classifier_are_left_aside(recording):
    tracks = [Track(0, 9, (LEFT,)), Track(0, 9, (RIGHT,)), Track(0, 9, (BELOW,))]
    evidence = [{"A": 12.0}, {"B": 12.0}, {"dirt": 30.0, "A": -9.0, "B": -9.0, "C": -9.0}]
    recording.add(tracks, 10, evidence, classes=[*NAMES, "dirt"], labelled={2: "dirt"})
    assert who_where(recording.identities()) == {0: "A", 1: "B"}


def test_a_classifier_of_other_identities_is_refused(recording, capsys):
    recording.add([Track(0, 9, (LEFT,))], 10, [{"A": 12.0}], classes=["B", "A", "C"])
    with pytest.raises(SystemExit) as stop:
        recording.identities()
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert "m1: the classifier knows B, A, C, the experiment asks for A, B, C" in told
    assert not (recording.folder / "day1.h5").exists()


@pytest.mark.parametrize("marking", ["marked", "none"])
def test_the_same_inputs_give_the_same_bytes(recording, marking):
    merge_of_three(recording)
    recording.identities(marking=marking, name="one")
    recording.identities(marking=marking, name="two")
    assert (recording.folder / "one.h5").read_bytes() == (recording.folder / "two.h5").read_bytes()


def test_a_movie_without_animals_is_part_of_the_recording(recording):
    recording.add([Track(0, 4, (LEFT,), animals=0)], 5, [None])
    recording.add([Track(0, 4, (LEFT,))], 5, [{"A": 12.0}])
    found = recording.identities()
    assert who_where(found, 0) == {}
    assert who_where(found, 1) == {0: "A"}
