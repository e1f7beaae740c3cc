import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.examples import coexisting_pairs
from herdbook.stages import trainset
from tests.support.classifier_cases import settings_of, write_background
from tests.support.identity_cases import Body, Track, arguments, write_movie

# Tracklets 0 and 3 are one place at different times, 1 is seen all the time, 2 is two animals that touch.
SCENE = (
    Track(0, 9, (Body(30, 30),)),
    Track(0, 19, (Body(120, 30),)),
    Track(0, 19, (Body(60, 90), Body(78, 92)), animals=2),
    Track(11, 19, (Body(30, 30),)),
)
# The same animals walk, so that no image is like another.
MOVING = tuple(replace(track, step=(0.31, 0.23)) for track in SCENE)
GOOD = ("m1,0,30,30,A", "m1,5,120,30,B")


@pytest.fixture
def make_set(tmp_path: Path):
    """Write a movie of 20 frames and a labels file, and run the stage."""

    def make(labels, tracks=SCENE, *, identities=("A", "B"), other=(), movies=("m1",), left_out=(), **settings) -> TrainingSet:
        files = [write_movie(tmp_path, movie, tracks, frames=20) for movie in movies]
        table = tmp_path / "labels.csv"
        table.write_text("\n".join(["movie,frame,x,y,label", *labels]) + "\n")
        section = settings_of("trainset", list(identities), list(other), trainset=settings)
        paths = {"labels": table, "blobs": [f[0] for f in files], "tracklets": [f[1] for f in files], "out": tmp_path / "trainset.h5"}
        paths["background"] = [write_background(tmp_path, movie) for movie in movies]
        if left_out:
            paths["left_out"] = tmp_path / "left_out.csv"
            paths["left_out"].write_text("\n".join(["movie,frame,x,y,what", *left_out]) + "\n")
        trainset.main(arguments(paths, section))
        return TrainingSet.load(paths["out"])

    return make


def named(examples: TrainingSet) -> dict[int, str]:
    """The label of each tracklet in the training set."""
    return {int(t): examples.classes[examples.label[examples.group == g][0]] for g, t in enumerate(examples.group_tracklet)}


def test_a_click_on_an_animal_names_its_whole_tracklet(make_set):
    examples = make_set(GOOD, MOVING)
    assert named(examples) == {0: "A", 1: "B"}
    assert examples.notes == []
    assert examples.images.shape[1:] == (48, 32, 3)
    for group, last in ((0, 9), (1, 19)):
        frames = examples.frame[examples.group == group]
        assert len(frames) == len(set(frames.tolist())) > 5
        assert (frames[0] <= 2, frames[-1] >= last - 2) == (True, True)
    np.testing.assert_allclose(examples.time_s, examples.frame / 10)
    assert ((examples.head >= 0.5) & (examples.head <= 1)).all()
    assert (examples.chroma > 50).all()


def test_the_images_are_made_as_the_experiment_says(make_set):
    plain = json.loads(make_set(GOOD).crops)
    assert plain == {"length_px": 30.0, "size": [32, 48], "blank": 127, "neighbours": False, "white_balance": True}
    examples = make_set(GOOD, crop_length=40, size=[24, 30], blank=9, neighbours=True, white_balance=False)
    assert json.loads(examples.crops) == {"length_px": 40.0, "size": [24, 30], "blank": 9, "neighbours": True, "white_balance": False}
    assert examples.images.shape[1:] == (30, 24, 3)
    assert (examples.images[:, 0, 0] == 9).all()


def test_images_and_tracklets_that_are_left_out_are_no_examples(make_set):
    whole = make_set((*GOOD, "m1,15,30,30,A"), MOVING)
    frames = whole.frame[whole.group == 1].tolist()
    x, y = 120 + 0.31 * frames[3], 30 + 0.23 * frames[3]
    left_out = (f"m1,{frames[3]},{x},{y},image", "m1,15,31,31,unreadable", "m2,0,0,0,image")
    examples = make_set((*GOOD, "m1,15,30,30,A"), MOVING, left_out=left_out)
    assert frames[3] not in examples.frame[examples.group_tracklet[examples.group] == 1]
    assert set(examples.group_tracklet[examples.group].tolist()) == {0, 1}
    np.testing.assert_array_equal(examples.frame[examples.group == 0], whole.frame[whole.group == 0])


def test_what_is_left_out_must_say_what_it_is(make_set, capsys):
    with pytest.raises(SystemExit):
        make_set(GOOD, left_out=("m1,1,30,30,blurred",))
    assert "what must be one of image, unreadable, several, nothing" in capsys.readouterr().err


def test_an_animal_that_rests_gives_one_image(make_set):
    assert np.bincount(make_set(GOOD).group).tolist() == [1, 1]


def test_no_more_images_than_asked_for_are_taken_of_a_tracklet(make_set):
    examples = make_set(GOOD, MOVING, images_per_tracklet=4)
    assert np.bincount(examples.group).tolist() == [4, 4]


def test_images_at_the_border_are_taken_only_where_there_are_no_others(make_set):
    at_border = tuple(replace(track, border=k == 1) for k, track in enumerate(MOVING))
    assert named(make_set(GOOD, at_border)) == {0: "A", 1: "B"}


@pytest.mark.parametrize(
    ("click", "tracklet"),
    [((41, 30), 0), ((30, 43), 0), ((108, 30), 1), ((120, 14.5), 1), ((75, 30), None), ((30, 50), None)],
    ids=["on its tip", "7 px below", "on its tip", "9.5 px above", "between both", "14 px below"],
)
def test_a_click_means_the_animal_under_it_or_the_nearest_within_reach(make_set, click, tracklet):
    tracks = (*SCENE[:2], Track(0, 19, (Body(30, 95),)), Track(0, 19, (Body(120, 95),)))
    labels = ["m1,0,30,95,A", "m1,0,120,95,B", f"m1,3,{click[0]},{click[1]},C"]
    examples = make_set(labels, tracks, identities=("A", "B", "C"))
    if tracklet is None:
        assert named(examples) == {2: "A", 3: "B"}
        assert examples.notes[0] == f"line 4 (m1, frame 3, C): there is no blob at ({click[0]:g}, {click[1]:g})"
    else:
        assert named(examples) == {2: "A", 3: "B", tracklet: "C"}
        assert examples.notes == []


def test_the_nearest_animal_is_the_one_with_the_nearest_outline(make_set):
    tracks = (Track(0, 19, (Body(50, 60, axes=(30, 5)),)), Track(0, 19, (Body(12, 45, axes=(4, 4)),)), Track(0, 19, (Body(120, 60),)))
    examples = make_set(["m1,0,25,52,A", "m1,0,120,60,B"], tracks)
    assert named(examples) == {0: "A", 2: "B"}


def test_a_click_in_a_frame_without_animals_is_noted(make_set):
    examples = make_set([*GOOD, "m1,10,30,30,A"], (SCENE[0], Track(0, 9, (Body(120, 30),))))
    assert named(examples) == {0: "A", 1: "B"}
    assert examples.notes == ["line 4 (m1, frame 10, A): there is no blob at (30, 30)"]


def test_a_click_on_animals_that_touch_is_noted_and_not_used(make_set, capsys):
    examples = make_set([*GOOD, "m1,2,78,92,A"])
    assert named(examples) == {0: "A", 1: "B"}
    assert examples.notes == ["line 4 (m1, frame 2, A): the blob holds 2 animals, not one"]
    assert "line 4" in capsys.readouterr().out


def test_a_blob_of_several_animals_may_be_labelled_so(make_set):
    examples = make_set([*GOOD, "m1,2,78,92,several"], other=("several", "unreadable"))
    assert named(examples) == {0: "A", 1: "B", 2: "several"}
    assert examples.notes == []


def test_contradictory_labels_of_one_tracklet_are_noted_and_not_used(make_set):
    examples = make_set([*GOOD, "m1,15,30,30,A", "m1,18,30,30,B"])
    assert named(examples) == {0: "A", 1: "B"}
    (note,) = examples.notes
    assert "contradictory" in note
    assert "line 4 says A" in note
    assert "line 5 says B" in note


def test_the_same_label_twice_on_one_tracklet_is_no_contradiction(make_set):
    examples = make_set([*GOOD, "m1,7,30,30,A"])
    assert named(examples) == {0: "A", 1: "B"}
    assert examples.notes == []


def test_an_identity_without_a_label_is_noted(make_set):
    examples = make_set(GOOD, identities=("A", "B", "C"))
    assert examples.classes == ["A", "B", "C"]
    assert examples.notes == ["C: no usable label; this animal can only be found by elimination"]


def test_other_labels_are_classes_after_the_identities(make_set):
    examples = make_set([*GOOD, "m1,15,30,30,dirt"], other=("dirt",))
    assert examples.classes == ["A", "B", "dirt"]
    assert named(examples) == {0: "A", 1: "B", 3: "dirt"}


def test_labels_of_several_movies_stay_apart(make_set):
    examples = make_set([*GOOD, "m2,15,30,30,A"], movies=("m1", "m2"))
    assert examples.movies == ["m1", "m2"]
    assert list(zip(examples.group_movie.tolist(), examples.group_tracklet.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 3)]
    assert examples.coexisting.tolist() == [[0, 1]]


def test_tracklets_that_share_a_frame_coexist():
    movie = np.array([0, 0, 0, 1], np.int32)
    first, last = np.array([0, 5, 6, 0], np.int32), np.array([5, 9, 9, 9], np.int32)
    assert coexisting_pairs(movie, first, last).tolist() == [[0, 1], [1, 2]]
    assert coexisting_pairs(movie[:0], first[:0], last[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("m1,0,160,30,A", "line 4: (160, 30) is outside the frame of m1, which is 160 x 120 px"),
        ("m1,0,30,-2,A", "line 4: (30, -2) is outside the frame of m1"),
        ("m1,20,30,30,A", "line 4: m1 has frames 0 to 19, found frame 20"),
        ("m1,0,30,30,Z", "line 4: there is no label 'Z' among identities and other_labels"),
        ("m7,0,30,30,A", "line 4: there is no movie 'm7'"),
        ("m1,0,left,30,A", "line 4: x must be a number of px"),
    ],
)
def test_a_label_that_cannot_be_meant_is_refused_by_its_line(make_set, capsys, tmp_path, line, fault):
    with pytest.raises(SystemExit) as stop:
        make_set([*GOOD, line])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert fault in told
    assert "labels.csv" in told
    assert not (tmp_path / "trainset.h5").exists()


@pytest.mark.parametrize(
    ("labels", "identities", "fault"),
    [
        (["m1,0,30,30,A", "m1,12,30,30,A"], ["A", "B"], "at least 2 of the identities"),
        (["m1,0,60,90,A", "m1,0,75,30,B"], ["A", "B"], "line 2 (m1, frame 0, A): the blob holds 2 animals"),
        (["m1,0,75,30,A"], ["A"], "line 2 (m1, frame 0, A): there is no blob"),
    ],
    ids=["one identity", "none of two", "none of one"],
)
def test_too_few_usable_labels_are_an_error_that_tells_why(make_set, capsys, labels, identities, fault):
    with pytest.raises(SystemExit) as stop:
        make_set(labels, identities=identities)
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert "labels.csv: at least" in told
    assert fault in told


def test_one_animal_needs_labels_of_one_identity_only(make_set):
    assert named(make_set(GOOD[:1], SCENE[:1], identities=["A"])) == {0: "A"}
