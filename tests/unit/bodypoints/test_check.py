"""`herdbook check` tells beforehand whether body points can be repaired; the page tells what was wrong with them."""

from types import SimpleNamespace

import numpy as np

from herdbook.artifacts.repair import DRIFTED, KEPT, RepairedPoints
from herdbook.commands.check import check_experiment
from herdbook.experiment.file import parse_experiment
from herdbook.report.page import Cell
from herdbook.report.points.section import bodypoints_section
from herdbook.report.points.summaries import PointCounts
from herdbook.tables.mistakes import mistake_table, moment_table

HEAD = "scorer,s,s,s\nindividuals,t1,t1,t1\nbodyparts,nose,nose,nose\ncoords,x,y,likelihood\n"


def test_check_finds_what_would_stop_a_repair(tmp_path, write_movie):
    write_movie("m1.mp4", [np.full((60, 80), 200, np.uint8)] * 10)
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\nm1,0,9,9,A\n")
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4", "poses": ["poses.csv"]}],
        "animals": {"marking": "marked", "identities": ["A"], "labels": "labels.csv"},
        "smooth": {"corrections": "corrections.csv"},
    }

    def faults(rows, correction="m1,3,A,nose,9,9", names="herdbook"):
        (tmp_path / "poses.csv").write_text(HEAD + rows)
        (tmp_path / "corrections.csv").write_text(f"movie,frame,individual,point,x,y\n{correction}\n")
        return "\n".join(check_experiment(parse_experiment(raw | {"repair": {"names": names}}, tmp_path / "e.yaml")).faults)

    right = "".join(f"{t},30,30,1\n" for t in range(10))
    assert faults(right) == ""
    assert "'t1' is no animal of the experiment" in faults(right, names="file")
    assert "expected likelihoods from 0 to 1, found 95" in faults("0,30,30,95\n")
    assert "outside the frame of 80x60 px" in faults("0,3000,30,1\n")
    # After the repair points have the names of Herdbook.
    assert "t1" in faults(right, "m1,3,t1,nose,9,9")
    assert "tail" in faults(right, "m1,3,A,tail,9,9")


def test_check_finds_what_would_stop_learning_from_labelled_points(tmp_path, write_movie):
    write_movie("m1.mp4", [np.full((60, 80), 200, np.uint8)] * 10)
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\nm1,0,9,9,A\n")
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4"}],
        "animals": {"marking": "marked", "identities": ["A"], "labels": "labels.csv"},
    }

    def checked(rows, **keys):
        (tmp_path / "points.csv").write_text(f"movie,frame,individual,point,x,y\n{rows}\n")
        return check_experiment(parse_experiment(raw | {"pose": {"labels": ["points.csv"]} | keys}, tmp_path / "e.yaml"))

    right = "\n".join(f"m1,{t},A,nose,9,9" for t in range(10))
    assert checked(right).faults == []
    assert "pose: 10 labelled animals in 10 frames" in checked(right).notes
    assert any("of fewer than 10 labelled frames none is kept back" in note for note in checked("m1,3,A,nose,9,9").notes)
    assert "there is no animal 'B'" in "\n".join(checked("m1,3,B,nose,9,9").faults)
    assert "m1 has frames 0 to 9, found frame 10" in "\n".join(checked("m1,10,A,nose,9,9").faults)
    assert "pose.points has snout" in "\n".join(checked(right, points=["snout"]).faults)
    assert "there is no point 'earR'" in "\n".join(checked(right, mirror={"nose": "earR"}).faults)
    (tmp_path / "pose.keras").touch()
    (tmp_path / "pose.json").write_text("{}")
    assert "not the card of a network for body points" in "\n".join(checked(right, labels=[], model="pose.keras").faults)


def repaired():
    """Two slots that stand for the same animal, and one for nobody."""
    shape, counts = (4, 1, 2), np.zeros((3, 2, 6), np.int64)
    counts[0, 0, KEPT], counts[1, 0, DRIFTED], counts[1, 1, KEPT] = 5, 2, 7
    moments = np.array([[1, 0, 2, 1, 0, 2, 0, 0], [2, 3, 3, 3, 0, 0, 0, 1]], np.int32)
    return RepairedPoints(
        *(["A"], ["p", "q"], ["t1", "t2", "t3"], 4, np.zeros(shape), np.zeros(shape), np.ones(shape, np.float32)),
        *(np.zeros(shape, np.int16), np.ones(shape, np.float32), np.zeros((4, 1), np.int16), np.array([0, 0, -1], np.int32)),
        *(np.ones((4, 3, 2), np.uint8), counts, moments),
    )


def test_mistakes_are_counted_by_animal_and_hour():
    counts = mistake_table("m", repaired())
    assert counts.to_dict("list") == {
        **{"movie": ["m", "m"], "hour": [0, 1], "individual": ["A", "A"], "kept": [5, 7]},
        **{"switched": [0, 0], "drifted": [2, 0], "jumped": [0, 0], "refused": [0, 0]},
    }
    moments = moment_table("m", repaired(), np.arange(4) / 2)
    assert moments["time"].tolist() == [0.5, 1.5]
    assert moments["individual"].tolist() == ["A", ""]


def test_the_page_tells_what_was_wrong():
    links = SimpleNamespace(times_s={"m": np.arange(4.0)}, moment=lambda movie, frame: Cell(f"{movie} {frame}"))
    section = bodypoints_section({"m": repaired()}, links, PointCounts().summary())
    assert section.sentences[0].startswith("Of 14 points that the pose tool found, 85.7 % kept, 0 % switched, 14.3 % drifted")
    counts, moments = section.tables
    assert [cell.text for cell in counts.rows[0]] == ["m", "0", "A", "5", "0", "2", "0", "0"]
    assert [cell.text for cell in moments.rows[0]] == ["m 1", "m", "0 to 2", "A", "0", "2", "0", "0"]
