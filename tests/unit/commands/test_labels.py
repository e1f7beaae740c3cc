"""The commands trainset, suggest and validate on a small recording of drawn animals."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import ASSUMED, LABELLED, Identities
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands import cli
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from herdbook.stages import trainset
from tests.support.classifier_cases import write_background
from tests.support.identity_cases import BLUE, FPS, GREEN, RED, YELLOW, Body, Track, arguments, paint, write_movie

FRAMES = 30
NAMES = ["A", "B", "C"]
# A and B all the time, C twice; where 2 ends and 3 begins it cannot be seen.
TRACKS = (
    Track(0, 29, (Body(30, 30, colours=(RED, BLUE)),), step=(0.3, 0.2)),
    Track(0, 29, (Body(120, 30, colours=(GREEN, GREEN)),), step=(0.2, 0.3)),
    Track(0, 9, (Body(60, 90, colours=(YELLOW, RED)),), step=(0.4, 0.1)),
    Track(20, 29, (Body(90, 95, colours=(YELLOW, RED)),), step=(0.4, 0.1)),
)
HOLDS = (0, 1, 2, 2)


def herdbook(*given: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, [str(argument) for argument in given])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """An experiment file with the results of a movie, as far as to a training set of two labels and trajectories."""
    movie = tmp_path / "m1.mp4"
    with av.open(str(movie), "w") as container:
        stream = container.add_stream("libx264", rate=int(FPS))
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for t in range(FRAMES):
            bodies = [body for track in TRACKS if track.first <= t <= track.last for body in track.at(t)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(bodies, (160, 120))[0], format="bgr24")))
        container.mux(stream.encode())
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\nm1,0,30,30,A\nm1,0,120,30,B\n")
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4"}],
        "animals": {"marking": "marked", "identities": NAMES, "labels": "labels.csv"},
    }
    file = tmp_path / "e.yaml"
    file.write_text(yaml.safe_dump(raw))
    experiment = load_experiment(file)
    folder = experiment.folder
    segment, tracklets = write_movie(folder, "m1", TRACKS, frames=FRAMES)
    background = write_background(folder, "m1")
    write_index(folder, movie)
    paths = {"labels": tmp_path / "labels.csv", "blobs": [segment], "tracklets": [tracklets], "background": [background]}
    section = json.loads(experiment.settings("trainset"))
    trainset.main(arguments({**paths, "out": folder / "trainset" / "trainset.h5"}, section))
    write_results(folder)
    return file


def write_index(folder: Path, movie: Path) -> None:
    from herdbook.movie.scanning import scan_movie

    scan = scan_movie(movie)
    facts = (scan.width, scan.height, scan.fps, scan.codec, scan.grey, scan.full_range, "print")
    Index(scan.pts, scan.time_s, scan.keyframe, *facts).save(folder / "index" / "m1.h5", Provenance("index", 1))


def write_results(folder: Path) -> None:
    """The true identities, with how each is known."""
    how = np.array([LABELLED, LABELLED, ASSUMED, ASSUMED], np.uint8)
    count = len(TRACKS)
    Identities(
        movies=["m1"],
        individuals=NAMES,
        movie=np.zeros(count, np.int32),
        tracklet=np.arange(count, dtype=np.int32),
        individual=np.array(HOLDS, np.int32),
        confidence=np.array([1, 1, 0.6, 0.6], np.float32),
        how=how,
        animals=np.ones(count, np.int16),
        animals_offsets=np.array([0, count]),
        gap=0.0,
    ).save(folder / "propagate" / "m1.h5", Provenance("propagate", 1))
    rows = [
        (t, HOLDS[k], b.x, b.y)
        for t in range(FRAMES)
        for k, track in enumerate(TRACKS)
        if track.first <= t <= track.last
        for b in track.at(t)
    ]
    frame, individual, x, y = np.array(rows).T
    nothing = np.zeros(len(rows), np.float32)
    Trajectories(
        individuals=NAMES,
        frames=FRAMES,
        frame=frame.astype(np.int32),
        individual=individual.astype(np.int32),
        x=x,
        y=y,
        x_raw=x,
        y_raw=y,
        heading=nothing,
        confidence=nothing + 1,
        source=np.zeros(len(rows), np.uint8),
        disagreement=nothing,
        jump=np.zeros(len(rows), bool),
    ).save(folder / "smooth" / "m1.h5", Provenance("smooth", 1))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- trainset


def test_a_training_set_is_cleaned_in_a_folder_and_trained_with(recording: Path, tmp_path: Path) -> None:
    out = herdbook("trainset", "export", recording, tmp_path / "images")
    assert out.exit_code == 0, out.output
    assert {path.name for path in (tmp_path / "images").iterdir()} == set(NAMES)
    for image in (tmp_path / "images" / "B").iterdir():
        image.rename(tmp_path / "images" / "C" / image.name)
    assert herdbook("trainset", "import", tmp_path / "images", "--into", tmp_path / "clean.h5").exit_code == 0
    found = TrainingSet.load(tmp_path / "clean.h5")
    before = TrainingSet.load(load_experiment(recording).folder / "trainset" / "trainset.h5")
    assert (found.label == 2).sum() == (before.label == 1).sum() > 5
    raw = yaml.safe_load(recording.read_text())
    recording.write_text(yaml.safe_dump(raw | {"trainset": {"use": "clean.h5"}}))
    assert load_experiment(recording).trainset.use == str(tmp_path / "clean.h5")
    assert json.loads(load_experiment(recording).settings("train"))["given"] is True
    checked = herdbook("check", recording)
    assert "the given training set has no images of B" in checked.stderr


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"trainset": {"use": "s.h5"}, "train": {"use": "c.keras"}}, "trainset.use is to train one: give one of them"),
        ({"trainset": {"use": "s.h5"}, "animals": {"marking": "unmarked", "number": 3}}, "trainset.use are for marked animals"),
        ({"animals": {"marking": "marked", "identities": NAMES}}, "or a training set, trainset.use"),
    ],
)
def test_a_given_training_set_replaces_labels_and_nothing_else(recording: Path, sections: dict[str, Any], fault: str) -> None:
    raw = yaml.safe_load(recording.read_text()) | sections
    recording.write_text(yaml.safe_dump(raw))
    with pytest.raises(HerdbookError, match=fault):
        load_experiment(recording)
    recording.write_text(
        yaml.safe_dump(raw | {"trainset": {"use": "s.h5"}, "train": {}, "animals": {"marking": "marked", "identities": NAMES}})
    )
    assert load_experiment(recording).animals.labels is None


def test_a_missing_training_set_is_reported_with_its_rule(recording: Path, tmp_path: Path) -> None:
    (load_experiment(recording).folder / "trainset" / "trainset.h5").unlink()
    out = herdbook("trainset", "export", recording, tmp_path / "images")
    assert out.exit_code == 2
    assert "the rule 'trainset' makes it" in out.stderr


def test_sets_with_other_labels_are_merged_only_if_it_is_wanted(recording: Path, tmp_path: Path) -> None:
    herdbook("trainset", "export", recording, tmp_path / "images")
    (tmp_path / "images" / "C").rename(tmp_path / "images" / "D")
    out = herdbook("trainset", "merge", recording, tmp_path / "images", "--into", tmp_path / "both.h5")
    assert out.exit_code == 2
    assert re.search(r"only in .*e.yaml: C\n.*only in .*images: D", out.stderr)
    assert not (tmp_path / "both.h5").exists()
    out = herdbook("trainset", "merge", recording, tmp_path / "images", "--into", tmp_path / "both.h5", "--add-classes")
    assert out.exit_code == 0, out.output
    assert TrainingSet.load(tmp_path / "both.h5").classes == ["A", "B", "C", "D"]
    assert "repeated images, kept once" in out.stdout


def test_contradictory_labels_stop_a_merge(recording: Path, tmp_path: Path) -> None:
    herdbook("trainset", "export", recording, tmp_path / "images")
    for image in sorted((tmp_path / "images" / "A").iterdir())[:2]:
        image.rename(tmp_path / "images" / "B" / image.name)
    both = tmp_path / "both.h5"
    out = herdbook("trainset", "merge", recording, tmp_path / "images", "--into", both)
    assert out.exit_code == 1
    assert "tracklet 0 of m1" in out.stdout
    assert "one image: A/m1.0." in out.stdout
    assert not both.exists()
    assert herdbook("trainset", "merge", recording, tmp_path / "images", "--into", both, "--leave-out").exit_code == 0
    assert TrainingSet.load(both).classes[1] == "B"
    assert set(TrainingSet.load(both).label) == {1}


def test_montages_are_drawn_of_labels_that_have_images(recording: Path, tmp_path: Path) -> None:
    assert herdbook("trainset", "montage", recording, tmp_path / "pictures").exit_code == 0
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"A.png", "B.png"}


# --- suggest


def test_the_animal_without_a_label_is_suggested_with_pictures(recording: Path) -> None:
    out = herdbook("suggest", recording, "-n", "2")
    assert out.exit_code == 0, out.output
    folder = load_experiment(recording).folder / "suggest"
    rows = table(folder / "suggested.csv")
    assert list(rows[0])[:5] == ["movie", "frame", "x", "y", "label"]
    assert {(int(row["frame"]) >= 20, row["label"]) for row in rows} == {(False, ""), (True, "")}
    for row in rows:
        track = TRACKS[3 if int(row["frame"]) >= 20 else 2]
        body = track.at(int(row["frame"]))[0]
        assert (float(row["x"]), float(row["y"])) == pytest.approx((body.x, body.y), abs=1)
        assert (folder / row["image"]).is_file()
    assert (folder / "sheet.png").is_file()


def test_filled_in_rows_are_labels(recording: Path) -> None:
    labels = recording.parent / "labels.csv"
    labels.write_text("movie,frame,x,y,label\n")
    herdbook("suggest", recording, "-n", "3")
    first = table(load_experiment(recording).folder / "suggest" / "suggested.csv")[0]
    assert first["guess"] == ""
    labels.write_text("movie,frame,x,y,label\n" + ",".join([first["movie"], first["frame"], first["x"], first["y"], "A"]) + "\n")
    herdbook("suggest", recording, "-n", "9")
    left = table(load_experiment(recording).folder / "suggest" / "suggested.csv")
    assert len(left) == 3
    assert all(abs(float(row["x"]) - float(first["x"])) > 20 or abs(float(row["y"]) - float(first["y"])) > 20 for row in left)


def write_evidence(recording: Path) -> None:
    """What a classifier says: C is seen twice, the second time less certainly."""
    share = np.full((4, 3), 0.05)
    share[[0, 1, 2, 3], [0, 1, 2, 2]] = 0.9
    share[3] = (0.3, 0.1, 0.6)
    evidence = np.log(3 * share).astype(np.float32)
    columns: dict[str, Any] = {"images": np.ones(4, np.int32), "labelled": np.array([0, 1, -1, -1], np.int16)}
    columns |= {"blob": np.zeros(0, np.int64), "blob_log_likelihood": np.zeros((0, 3), np.float32)}
    path = load_experiment(recording).folder / "classify" / "m1.h5"
    Evidence(classes=NAMES, log_likelihood=evidence, **columns).save(path, Provenance("classify", 1))


def test_what_the_classifier_guesses_is_reported(recording: Path) -> None:
    write_evidence(recording)
    herdbook("suggest", recording, "-n", "2")
    rows = table(load_experiment(recording).folder / "suggest" / "suggested.csv")
    assert [(row["guess"], float(row["probability"])) for row in rows] == [("C", 0.6), ("C", 0.9)]
    assert [row["words"] for row in rows] == ["likely C or A; short", "very likely C; short"]


def suggestions(recording: Path) -> Path:
    return load_experiment(recording).folder / "suggest" / "suggested.csv"


def fill_in(path: Path, *names: str) -> list[dict[str, str]]:
    """Write names into the first rows of a table of suggestions."""
    rows = table(path)
    for row, name in zip(rows, names, strict=False):
        row["label"] = name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_names_that_are_filled_in_are_kept_with_their_pictures_by_the_next_round(recording: Path) -> None:
    herdbook("suggest", recording, "-n", "2")
    rows = fill_in(suggestions(recording), "C")
    out = herdbook("suggest", recording, "-n", "1")
    assert "round1" in out.stdout
    kept = suggestions(recording).parent / "round1"
    assert table(kept / "suggested.csv") == rows
    assert all((kept / row["image"]).is_file() for row in rows)
    assert (kept / "sheet.png").is_file()
    assert len(table(suggestions(recording))) == 1
    # What nobody filled in is replaced.
    herdbook("suggest", recording, "-n", "2")
    assert not (kept.parent / "round2").exists()


def test_names_of_all_rounds_are_taken_once_and_a_guess_is_accepted(recording: Path) -> None:
    write_evidence(recording)
    herdbook("suggest", recording, "-n", "2")
    first = fill_in(suggestions(recording), "B")
    herdbook("suggest", recording, "-n", "2")
    second = fill_in(suggestions(recording), "", "ok")
    out = herdbook("suggest", recording, "--take")
    assert "Added 2 labels" in out.stdout
    added = table(recording.parent / "labels.csv")[2:]
    wanted = [(first[0], "B"), (second[1], second[1]["guess"])]
    assert [tuple(row.values()) for row in added] == [(*(row[name] for name in ("movie", "frame", "x", "y")), name) for row, name in wanted]
    assert "Added 0 labels" in herdbook("suggest", recording, "--take").stdout


def test_nothing_is_taken_if_a_name_is_unknown(recording: Path) -> None:
    before = (recording.parent / "labels.csv").read_bytes()
    herdbook("suggest", recording, "-n", "2")
    assert "no name is filled in" in herdbook("suggest", recording, "--take").stderr
    fill_in(suggestions(recording), "C", "D")
    out = herdbook("suggest", recording, "--take")
    assert out.exit_code == 1
    assert "there is no name 'D'" in out.stdout
    assert (recording.parent / "labels.csv").read_bytes() == before
    fill_in(suggestions(recording), "C", "ok")
    assert "there is no guess to accept" in herdbook("suggest", recording, "--take").stdout


def test_what_nobody_can_recognise_is_not_suggested_again(recording: Path) -> None:
    herdbook("suggest", recording, "-n", "2")
    first = table(suggestions(recording))[0]
    (recording.parent / "left_out.csv").write_text(f"movie,frame,x,y,what\nm1,{first['frame']},{first['x']},{first['y']},unreadable\n")
    raw = yaml.safe_load(recording.read_text()) | {"trainset": {"left_out": "left_out.csv"}}
    recording.write_text(yaml.safe_dump(raw))
    herdbook("suggest", recording, "-n", "2")
    assert [(row["frame"], row["x"]) for row in table(suggestions(recording))] != [(first["frame"], first["x"])]
    assert all(row["x"] != first["x"] for row in table(suggestions(recording)))


@pytest.mark.parametrize(
    ("options", "fault"),
    [(["--movies", "m2"], "there is no movie 'm2'"), (["--movies", ""], "no unlabelled tracklet of a single animal is left")],
)
def test_suggest_reports_faults(recording: Path, options: list[str], fault: str) -> None:
    out = herdbook("suggest", recording, *options)
    assert out.exit_code == 2
    assert fault in out.stderr


# --- validate


def test_every_assigned_point_is_on_the_sheet_and_none_other(recording: Path) -> None:
    out = herdbook("validate", recording, "-n", "90")
    assert out.exit_code == 0, out.output
    folder = load_experiment(recording).folder / "validate"
    rows = table(folder / "answers.csv")
    assert len(rows) == 90
    lost = [row for row in rows if row["known"] == "not assigned"]
    assert {(row["individual"], 10 <= int(row["frame"]) < 20) for row in lost} == {("C", True)}
    assert {row["known"] for row in rows if row["individual"] == "C"} == {"not assigned", "assumed"}
    page = (folder / "validate.html").read_text()
    assert page.count("<article") == 80
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_the_same_seed_draws_the_same_points(recording: Path, tmp_path: Path) -> None:
    drawn = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        herdbook("validate", recording, "-n", "10", "--seed", seed, "--out", tmp_path / name)
        drawn.append((tmp_path / name / "answers.csv").read_text())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.fixture
def answered(recording: Path, tmp_path: Path) -> Callable[[Callable[[dict[str, str]], str]], Path]:
    """Draw all points and answer each."""

    def answer(judge: Callable[[dict[str, str]], str]) -> Path:
        herdbook("validate", recording, "-n", "90", "--out", tmp_path)
        rows = table(tmp_path / "answers.csv")
        with (tmp_path / "mine.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row | {"answer": judge(row)} for row in rows)
        return tmp_path / "mine.csv"

    return answer


def test_answers_become_rates(recording: Path, answered: Callable[[Callable[[dict[str, str]], str]], Path]) -> None:
    out = herdbook("validate", recording, "--answers", answered(lambda row: "w" if row["individual"] == "C" else "r"))
    assert out.exit_code == 0, out.output
    assert "25.0% (16.0% to 35.9%; 20 of 80)" in out.stdout
    assert "88.9% (80.5% to 94.5%; 80 of 90)" in out.stdout
    assert re.search(r"assumed\W+100.0% \([\d.]+% to 100.0%; 20 of 20\)", out.stdout)
    assert "note" not in out.stdout


def test_answers_to_other_results_are_reported(recording: Path, answered: Callable[[Callable[[dict[str, str]], str]], Path]) -> None:
    path = answered(lambda row: "right")
    folder = load_experiment(recording).folder
    moved = Trajectories.load(folder / "smooth" / "m1.h5")
    moved.x[moved.individual == 0] += 5
    moved.save(folder / "smooth" / "m1.h5", Provenance("smooth", 1))
    assert "30 of 90 points have another position now" in herdbook("validate", recording, "--answers", path).stdout


def test_answers_are_not_overwritten_and_empty_ones_give_no_rates(
    recording: Path, answered: Callable[[Callable[[dict[str, str]], str]], Path]
) -> None:
    path = answered(lambda row: "right")
    path.replace(path.with_name("answers.csv"))
    out = herdbook("validate", recording, "--out", path.parent)
    assert out.exit_code == 2
    assert "contains answers, and is not overwritten" in out.stderr
    assert "there are no answers" in herdbook("validate", recording, "--answers", answered_nothing(recording)).stderr


def answered_nothing(recording: Path) -> Path:
    herdbook("validate", recording)
    return load_experiment(recording).folder / "validate" / "answers.csv"


def test_animals_without_names_have_none_to_be_judged(recording: Path) -> None:
    raw = yaml.safe_load(recording.read_text()) | {"animals": {"marking": "none"}}
    recording.write_text(yaml.safe_dump(raw))
    for command in ("validate", "suggest"):
        out = herdbook(command, recording)
        assert out.exit_code == 2
        assert "animals.marking is none" in out.stderr
