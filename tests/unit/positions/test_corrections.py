"""Corrections: read from both forms, put in their place, and every fault named."""

import json
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_CORRECTED, FROM_SINGLE
from herdbook.commands.check import check_experiment
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.formats.poses import Poses
from herdbook.positions.corrections import correct_points, correct_positions
from herdbook.positions.scene import Positions

NAMES = ["A", "B"]
LINES = "movie,frame,individual,point,x,y\nm,2,A,,10.5,20\nm,3,B,,,\nm,4,B,,7,8\nother,2,A,,1,1\nm,1,A,nose,3,4\n"
HERE = Path("corrections.csv")


def write(folder, text, name="corrections.csv"):
    (folder / name).write_text(text)
    return folder / name


@pytest.fixture
def table():
    """Two animals in four frames; B is not there in frame 2."""
    frame, individual = np.array([0, 0, 1, 1, 2, 3, 3]), np.array([0, 1, 0, 1, 0, 0, 1])
    n = len(frame)
    angle = 0.1 * (1 + individual)
    return Positions(frame, individual, 100.0 + frame, np.full(n, 50.0), angle, np.full(n, 0.5), np.full(n, FROM_SINGLE, np.uint8))


def own(path, movie="m"):
    return [c for c in read_corrections(path) if c.movie == movie]


def test_both_forms_say_the_same(tmp_path):
    found = read_corrections(write(tmp_path, LINES))
    entries = [{"movie": c.movie, "frame": c.frame, "individual": c.individual, "point": c.point, "x": c.x, "y": c.y} for c in found]
    entries[1] |= {"x": None, "y": None}
    again = read_corrections(write(tmp_path, json.dumps(entries), "corrections.json"))
    assert [(c.movie, c.frame, c.individual, c.point) for c in again] == [(c.movie, c.frame, c.individual, c.point) for c in found]
    np.testing.assert_array_equal([(c.x, c.y) for c in again], [(10.5, 20), (np.nan, np.nan), (7, 8), (1, 1), (3, 4)])


def test_places_are_replaced_added_and_taken_away(tmp_path, table):
    found = correct_positions(table, own(write(tmp_path, LINES)), NAMES, (0, 10), HERE)
    rows = list(zip(found.frame, found.individual, found.x, found.y, found.source, strict=True))
    assert rows[4] == (2, 0, 10.5, 20.0, FROM_CORRECTED)
    assert (3, 1) not in {(t, i) for t, i, *_ in rows}
    assert rows[-1] == (4, 1, 7.0, 8.0, FROM_CORRECTED)
    assert found.confidence[[4, -1]].tolist() == [1, 1]
    assert found.angle[-1] == pytest.approx(0.2)
    untouched = found.source == FROM_SINGLE
    assert untouched.sum() == len(table) - 2
    assert (np.diff(found.frame * 10 + found.individual) > 0).all()


def test_corrections_outside_of_the_interval_wait_for_theirs(tmp_path, table):
    corrections = own(write(tmp_path, LINES))
    first, rest = (correct_positions(table, corrections, NAMES, span, HERE) for span in ((0, 3), (3, 10)))
    assert (first.source == FROM_CORRECTED).sum() == 1
    assert (rest.source == FROM_CORRECTED).sum() == 1


def test_the_last_of_two_corrections_counts(tmp_path, table):
    path = write(tmp_path, LINES + "m,2,A,,99,98\n")
    found = correct_positions(table, own(path), NAMES, (0, 10), HERE)
    assert found.x[(found.frame == 2) & (found.individual == 0)].tolist() == [99]


def test_body_points_are_replaced(tmp_path):
    poses = Poses(("A",), ("tail", "nose"), np.zeros((3, 1, 2, 2)), np.ones((3, 1, 2)))
    found, corrected = correct_points(poses, own(write(tmp_path, LINES)), HERE)
    assert found.xy[1, 0, 1].tolist() == [3, 4]
    assert np.argwhere(corrected).tolist() == [[1, 0, 1]]
    assert not poses.xy.any()


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("movie,frame,x,y\nm,1,2,3\n", ["missing columns individual, point"]),
        ("movie,frame,individual,point,x,y\nm,one,A,,2,3\nm,1,A,,2,\nm,-1,A,,2,3\n", ["3 faults", "line 2", "line 3", "line 4"]),
    ],
)
def test_faulty_lines_are_reported_at_once(tmp_path, text, messages):
    with pytest.raises(HerdbookError) as fault:
        read_corrections(write(tmp_path, text))
    assert [m for m in [*messages, "corrections.csv"] if m not in str(fault.value)] == []


@pytest.mark.parametrize(
    ("text", "message"), [('{"movie": 1}', "expected a list"), ("[", "expected a list"), ('[{"movie": "m"}]', "entry 0: missing frame")]
)
def test_another_json_is_reported(tmp_path, text, message):
    with pytest.raises(HerdbookError, match=message):
        read_corrections(write(tmp_path, text, "c.json"))


def test_a_missing_file_is_reported(tmp_path):
    for name in ("c.json", "c.csv"):
        with pytest.raises(HerdbookError, match="there is no such file"):
            read_corrections(tmp_path / name)


def test_unknown_names_are_reported_with_their_line(tmp_path, table):
    path = write(tmp_path, "movie,frame,individual,point,x,y\nm,0,C,,1,1\nm,0,A,,1,1\n")
    with pytest.raises(HerdbookError, match="line 2: there is no animal 'C'"):
        correct_positions(table, own(path), NAMES, (0, 10), path)
    poses = Poses(("A",), ("nose",), np.zeros((3, 1, 1, 2)), np.ones((3, 1, 1)))
    path = write(tmp_path, "movie,frame,individual,point,x,y\nm,0,A,nos,1,1\nm,8,A,nose,1,1\n")
    with pytest.raises(HerdbookError, match=r"(?s)line 2: the body points have no 'nos'.*line 3: there is no frame 8"):
        correct_points(poses, own(path), path)


def test_the_check_looks_at_corrections_and_body_points(tmp_path, write_movie):
    write_movie("m1.mp4", [np.full((60, 80), 200, np.uint8)] * 10)
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4", "poses": ["poses.csv"]}],
        "animals": {"marking": "marked", "identities": ["A"], "labels": "labels.csv"},
        "smooth": {"corrections": "corrections.csv"},
    }
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\nm1,0,9,9,A\n", encoding="utf-8")
    body = "scorer,s,s,s\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n"
    (tmp_path / "poses.csv").write_text(body + "".join(f"{t},30,30,1\n" for t in range(10)), encoding="utf-8")
    experiment = parse_experiment(raw, tmp_path / "e.yaml")

    def faults(*corrections):
        (tmp_path / "corrections.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *corrections, ""]), encoding="utf-8")
        return "\n".join(check_experiment(experiment).faults)

    assert not faults("m1,3,A,,9,9", "m1,3,animal,nose,9,9")
    assert "line 2: there is no movie 'm2'" in faults("m2,3,A,,9,9")
    assert "line 2: there is no animal 'a'" in faults("m1,3,a,,9,9")
    assert "line 2: m1 has frames 0 to 9, found frame 10" in faults("m1,10,A,,9,9")
    assert "the body points have no 'tail'" in faults("m1,3,animal,tail,9,9")
    assert "line 2: frame must be a whole number" in faults("m1,x,A,,9,9")
    (tmp_path / "poses.csv").write_text(body + "0,3000,30,1\n", encoding="utf-8")
    assert "nose of animal in frame 0 is at (3000.0, 30.0), outside the frame of 80x60 px" in faults()
    (tmp_path / "poses.csv").unlink()
    assert "poses.csv" in faults()
