from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.propagate import ASSUMED, CLASSIFIED, ELIMINATED, HOW_KNOWN, LABELLED, PROPAGATED, Identities
from herdbook.identity.how_known import how_known
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


def test_frames_count_on_and_tracklets_are_ordered_by_their_first_frame(recording):
    recording.add([Track(5, 9, (LEFT,), border=True), Track(0, 9, (RIGHT,))], 10)
    recording.add([Track(0, 19, (RIGHT,)), Track(3, 8, (LEFT,), border=True)], 20)
    recording.add([Track(0, 4, (LEFT,))], 5)
    joined = recording.joined()
    assert joined.graph.first.tolist() == [0, 5, 10, 13, 30]
    assert joined.graph.last.tolist() == [9, 9, 29, 18, 34]
    assert joined.movie.tolist() == [0, 0, 1, 1, 2]
    assert joined.tracklet.tolist() == [1, 0, 0, 1, 0]
    assert joined.graph.start_xy[[0, 1]].round().tolist() == [[120, 30], [30, 30]]


def test_border_edges_join_the_tracklets_of_the_blobs_they_name(recording):
    recording.add([Track(0, 9, (LEFT,)), Track(0, 9, (RIGHT,)), Track(0, 9, (BELOW,), animals=0)], 10)
    # The last frame holds the blobs 27 (left), 28 (right) and 29 (no animal); the next movie begins with 0 (right) and 1 (left).
    recording.add([Track(0, 9, (RIGHT,)), Track(0, 9, (LEFT,))], 10, border_edges=[(27, 1), (28, 0), (29, 0)])
    recording.add([Track(0, 9, (LEFT,))], 10, border_edges=[(19, 0)])
    joined = recording.joined()
    place = {(int(m), int(t)): k for k, (m, t) in enumerate(zip(joined.movie, joined.tracklet, strict=True))}
    assert (0, 2) not in place
    expected = [((0, 0), (1, 1)), ((0, 1), (1, 0)), ((1, 1), (2, 0))]
    assert sorted(map(tuple, joined.graph.edges.tolist())) == sorted((place[a], place[b]) for a, b in expected)


def test_edges_inside_later_movies_keep_their_tracklets(recording):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,))], 5)
    recording.add([Track(5, 9, (LEFT,)), Track(0, 4, (LEFT,))], 10, edges=[(1, 0)])
    joined = recording.joined()
    ((parent, child),) = joined.graph.edges.tolist()
    assert (joined.movie[parent], joined.tracklet[parent]) == (1, 1)
    assert (joined.movie[child], joined.tracklet[child]) == (1, 0)


def test_ends_border_size_and_speed_come_from_the_blobs(recording):
    recording.add([Track(0, 9, (LEFT,), step=(3, 4), border=True), Track(0, 9, (RIGHT,), step=(-3, 4))], 10)
    joined = recording.joined()
    np.testing.assert_allclose(joined.graph.end_xy - joined.graph.start_xy, [[27, 36], [-27, 36]], atol=0.01)
    assert joined.graph.border.tolist() == [[True, True], [False, False]]
    assert joined.step_px == pytest.approx(5, abs=0.01)
    assert joined.body_length_px == pytest.approx(24, abs=1)


def test_without_identities_every_animal_of_every_tracklet_has_a_name_of_its_own(recording):
    recording.add([Track(0, 4, (LEFT,)), Track(0, 4, (RIGHT,)), Track(5, 9, (LEFT, RIGHT), animals=2)], 10, edges=[(0, 2), (1, 2)])
    found = recording.identities(marking="none", identities=[])
    assert who_where(found) == {0: "track0001", 1: "track0002", 2: "track0003track0004"}
    assert (found.confidence == 1).all()


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


def known_along_path(evidence: Sequence[Sequence[float]], stated: Sequence[int] = ()) -> list[int]:
    """How it is known along a path of tracklets that all hold the first identity; without evidence where all is 0."""
    held = np.zeros((len(evidence), 2), bool)
    held[:, 0] = True
    words = np.zeros_like(held)
    words[list(stated), 0] = True
    values = np.array(evidence, float)
    return how_known(held, values, (values != 0).any(axis=1), words)[:, 0].tolist()


def test_a_path_with_evidence_somewhere_is_labelled_classified_or_propagated():
    known = known_along_path([[0, 0], [9, 0], [0, 0], [0, 0], [0.5, 0]], stated=[3])
    assert known == [PROPAGATED, CLASSIFIED, PROPAGATED, LABELLED, PROPAGATED]


def test_a_path_without_sure_evidence_is_eliminated():
    assert known_along_path([[0, 0], [1.0, 0], [0, 0]]) == [ELIMINATED] * 3


def test_a_name_against_the_images_is_assumed():
    assert known_along_path([[9, 0], [0, 4], [9, 0]]) == [CLASSIFIED, ASSUMED, CLASSIFIED]


def test_what_a_person_stated_is_labelled_whatever_the_images_say():
    assert known_along_path([[0, 9]], stated=[0]) == [LABELLED]
