"""Labelled body points from files of all kinds, given to the animals they belong to; and what is wrong with them is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.smooth import Trajectories
from herdbook.bodypoints.learned.labels import LabelledAnimal, give_to_animals, partners, point_names, read_point_labels
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.point_labels import labelled_movies

HEAD = "movie,frame,individual,point,x,y\n"
NAMES = ["red", "blue"]


def table(folder: Path, *rows: str) -> Path:
    path = folder / "points.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def trajectories(frames: int = 10) -> Trajectories:
    """Red at (50, 50), blue at (150, 50), in all frames but the last, in which only red has a place."""
    frame, who = np.repeat(np.arange(frames), 2)[:-1], np.tile([0, 1], frames)[:-1]
    nothing = np.zeros(len(frame))
    x = np.where(who == 0, 50.0, 150.0)
    y = np.full(len(frame), 50.0)
    single = np.zeros(len(frame), np.uint8)
    return Trajectories(
        NAMES, frames, frame.astype(np.int32), who.astype(np.int32), x, y, x, y, nothing.astype(np.float32), nothing.astype(np.float32),
        single, nothing.astype(np.float32), np.zeros(len(frame), bool),
    )  # fmt: skip


def places(frames: np.ndarray) -> np.ndarray:
    found = np.tile(np.array([[50.0, 50.0], [150.0, 50.0]]), (len(frames), 1, 1))
    found[np.asarray(frames) == 9, 1] = np.nan
    return found


def test_a_table_of_corrections_is_a_table_of_labels(tmp_path: Path) -> None:
    path = table(tmp_path, "m,3,red,nose,10,20", "m,3,red,tail,,", "m,3,red,,1,1", "m,4,blue,nose,5,6")
    red, blue = read_point_labels([path], ["m"], NAMES)
    assert (red.individual, red.frame, red.points["nose"]) == ("red", 3, (10, 20))
    assert np.isnan(red.points["tail"]).all()
    assert blue.points == {"nose": (5, 6)}


def test_a_later_file_counts(tmp_path: Path) -> None:
    first = table(tmp_path, "m,3,red,nose,10,20", "m,3,red,tail,1,2")
    second = tmp_path / "later.csv"
    second.write_text(HEAD + "m,3,red,nose,11,21\n", encoding="utf-8")
    (red,) = read_point_labels([first, second], ["m"], NAMES)
    assert red.points == {"nose": (11, 21), "tail": (1, 2)}


def test_labelled_frames_of_deeplabcut_and_layers_of_dustrack(tmp_path: Path) -> None:
    folder = tmp_path / "labeled-data" / "movie02"
    folder.mkdir(parents=True)
    collected = folder / "CollectedData_me.csv"
    collected.write_text(
        "scorer,me,me,me,me\nindividuals,red,red,mouse2,mouse2\nbodyparts,nose,nose,nose,nose\ncoords,x,y,x,y\n"
        "labeled-data/movie02/img007.png,1,2,3,4\nlabeled-data/movie02/img009.png,5,6,,\n",
        encoding="utf-8",
    )
    layer = tmp_path / "movie01.json"
    layer.write_text(json.dumps({"nose": {"4": [7, 8]}}), encoding="utf-8")
    labels = read_point_labels([collected, layer], ["movie01", "movie02"], NAMES)
    told = [(one.movie, one.frame, one.individual, one.points["nose"]) for one in labels]
    assert told == [
        ("movie01", 4, "", (7, 8)),
        ("movie02", 7, "", (3, 4)),
        ("movie02", 7, "red", (1, 2)),
        ("movie02", 9, "red", (5, 6)),
    ]
    assert labelled_movies([str(collected), str(layer)], ["movie01", "movie02", "movie03"]) == ["movie01", "movie02"]


def test_a_file_of_no_movie_is_refused(tmp_path: Path) -> None:
    layer = tmp_path / "layer.json"
    layer.write_text("{}", encoding="utf-8")
    with pytest.raises(HerdbookError, match=r"layer.json: expected the name of a movie .* e.g. to 'a'"):
        labelled_movies([str(layer)], ["a", "b"])


def test_labels_of_nobody_are_refused_with_their_lines(tmp_path: Path) -> None:
    path = table(tmp_path, "m,3,red,nose,10,20", "m,3,read,nose,1,2", "m,4,bleu,nose,1,2")
    with pytest.raises(
        HerdbookError, match=r"2 faults.*\n  line 3: there is no animal 'read'.*'red'.*\n  line 4: there is no animal 'bleu'"
    ):
        read_point_labels([path], ["m"], NAMES)


def test_points_that_are_named_otherwise_are_refused() -> None:
    def labels(*names: str) -> list[LabelledAnimal]:
        return [LabelledAnimal("m", 0, "red", dict.fromkeys(names, (1.0, 1.0)), Path("p.csv"), "line 2")]

    assert point_names(labels("nose", "tail"), None, "p.csv") == ["nose", "tail"]
    assert point_names(labels("nose", "tail"), ["tail", "nose"], "p.csv") == ["tail", "nose"]
    with pytest.raises(HerdbookError, match="'nose' and 'Nose' are one point in two spellings"):
        point_names(labels("nose", "Nose"), None, "p.csv")
    with pytest.raises(HerdbookError, match=r"the point 'snout', pose.points has nose, tail"):
        point_names(labels("nose", "snout"), ["nose", "tail"], "p.csv")
    with pytest.raises(HerdbookError, match=r"no label is of 'tail'.*the labels have nose"):
        point_names(labels("nose"), ["nose", "tail"], "p.csv")
    with pytest.raises(HerdbookError, match="found none"):
        point_names([], None, "p.csv")


def test_partners_are_points_whose_names_differ_by_their_side() -> None:
    points = ["nose", "earL", "earR", "left_foot", "right_foot", "eye_l", "eye_r", "tail", "L4", "R4"]
    found = partners(points, None)
    assert [points[k] for k in found] == ["nose", "earR", "earL", "right_foot", "left_foot", "eye_r", "eye_l", "tail", "R4", "L4"]
    assert partners(["a", "b", "c"], {"a": "c"}) == [2, 1, 0]


def test_pairs_of_one_side_are_refused() -> None:
    with pytest.raises(HerdbookError, match=r"pose\.mirror: there is no point 'earR'"):
        partners(["nose", "earL"], {"earL": "earR"})
    with pytest.raises(HerdbookError, match="'b' is there twice"):
        partners(["a", "b", "c"], {"a": "b", "c": "b"})


def labelled(frame: int, individual: str, *points: tuple[float, float]) -> LabelledAnimal:
    names = dict(zip(("nose", "tail"), points, strict=True))
    return LabelledAnimal("m", frame, individual, names, Path("p.csv"), f"frame {frame}")


def test_labels_without_names_go_to_the_animals_that_they_lie_on() -> None:
    labels = [labelled(2, "", (160, 50), (140, 50)), labelled(2, "", (60, 50), (40, 50)), labelled(5, "blue", (160, 52), (140, 52))]
    frame, who, xy = give_to_animals(labels, trajectories(), ["nose", "tail"], 40.0, places)
    assert frame.tolist() == [2, 2, 5]
    assert who.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(xy[1], [[60, 50], [40, 50]])


def test_an_animal_whose_points_are_all_unseen_is_no_label() -> None:
    hidden = labelled(2, "red", (np.nan, np.nan), (np.nan, np.nan))
    frame, *_ = give_to_animals([hidden], trajectories(), ["nose", "tail"], 40.0, places)
    assert len(frame) == 0


@pytest.mark.parametrize("individual", ["", "red"])
def test_labels_far_from_every_animal_or_from_theirs_are_refused(individual: str) -> None:
    far = labelled(2, individual, (110, 100), (90, 100))
    with pytest.raises(HerdbookError, match=r"p.csv: one fault in the table:\n  frame 2: .*71 px from the nearest animal"):
        give_to_animals([far], trajectories(), ["nose", "tail"], 40.0, places)


def test_an_animal_without_a_position_is_left_for_the_training_set_to_note() -> None:
    # Blue is hidden in frame 9: that is no fault of the label.
    _, who, _ = give_to_animals([labelled(9, "blue", (160, 50), (140, 50))], trajectories(), ["nose", "tail"], 40.0, places)
    assert who.tolist() == [1]


def test_frames_beyond_the_movie_are_refused() -> None:
    with pytest.raises(HerdbookError, match="there is no frame 10, the movie has 10"):
        give_to_animals([labelled(10, "red", (50, 50), (50, 50))], trajectories(), ["nose", "tail"], 40.0, places)
