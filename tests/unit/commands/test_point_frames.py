"""Frames whose body points are worth labelling: `herdbook suggest --points`."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.store import Provenance
from herdbook.commands import cli
from herdbook.commands.labelling.point_frames import TABLE, suggest_frames
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from tests.support.tracked_movie_files import write_tracked_movie

FRAMES, MEETING = 200, range(100, 121)
# At 20 frames a second, half a second.
APART = 10


@pytest.fixture
def experiment_file(tmp_path: Path) -> Path:
    """Two animals that meet once; one is not seen in the first frames."""
    places = np.zeros((FRAMES, 2, 2))
    places[:, 0] = 50, 50
    places[:, 1] = 150, 150
    places[MEETING.start : MEETING.stop, 1] = 53, 50
    places[:5, 1] = np.nan
    write_tracked_movie(tmp_path, places, names=["red", "blue"])
    file = tmp_path / "e.yaml"
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}]}
    file.write_text(yaml.safe_dump(raw | {"animals": {"marking": "marked", "identities": ["red", "blue"], "labels": "labels.csv"}}))
    folder = load_experiment(file).folder
    for stage, made in {"index": "index.h5", "segment": "blobs.h5", "smooth": "tracks.h5"}.items():
        (folder / stage).mkdir(parents=True)
        shutil.copy(tmp_path / made, folder / stage / "m.h5")
    return file


def write_found(folder: Path, error: np.ndarray) -> None:
    """Body points with these expected errors (frames,)."""
    shape = FRAMES, 2, 3
    told = np.broadcast_to(error[:, None, None], shape).astype(np.float32)
    nothing = np.zeros(shape)
    FoundPoints(
        ["red", "blue"], ["a", "b", "c"], nothing, nothing, told, told, nothing > 0, np.zeros((FRAMES, 2), np.float32), nothing[..., 0] > 0
    ).save(folder / "pose" / "m.h5", Provenance("pose", 1))


def test_before_points_were_found_half_of_the_frames_are_spread_and_half_in_contact(experiment_file: Path) -> None:
    found = suggest_frames(load_experiment(experiment_file), 4, ["m"])
    assert [one.reason for one in found] == ["spread over the movies", "animals touch", "spread over the movies", "animals touch"]
    frames = [one.frame for one in found]
    assert all(one.frame in MEETING for one in found if one.reason == "animals touch")
    assert min(abs(a - b) for k, a in enumerate(frames) for b in frames[:k]) > APART
    # Frames in which an animal is not seen show less.
    assert min(frames) >= 5


def test_when_the_contacts_are_used_up_the_rest_is_spread(experiment_file: Path) -> None:
    found = suggest_frames(load_experiment(experiment_file), 12, ["m"])
    assert len(found) == 12
    assert sum(one.reason == "animals touch" for one in found) <= 2
    assert np.ptp([one.frame for one in found]) > 150


def test_after_points_were_found_those_that_were_read_worst_come(experiment_file: Path) -> None:
    experiment = load_experiment(experiment_file)
    error = np.ones(FRAMES)
    error[30:60] = 9.0
    write_found(experiment.folder, error)
    worst = [one for one in suggest_frames(experiment, 6, ["m"]) if one.reason == "read worst"]
    assert len(worst) == 3
    assert {one.expected_error for one in worst[:2]} == {9.0}
    assert all(30 <= one.frame < 60 for one in worst[:2])


def test_frames_near_labelled_ones_are_not_suggested(experiment_file: Path) -> None:
    raw = yaml.safe_load(experiment_file.read_text())
    rows = [f"m,{t},red,nose,50,50" for t in range(0, FRAMES, 2 * APART + 1) if t != 105]
    (experiment_file.parent / "points.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *rows, ""]))
    experiment_file.write_text(yaml.safe_dump(raw | {"pose": {"labels": ["points.csv"]}}))
    found = suggest_frames(load_experiment(experiment_file), 3, ["m"])
    assert found
    assert all(95 <= one.frame < 116 for one in found)
    (experiment_file.parent / "points.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *rows, "m,105,red,nose,50,50", ""]))
    with pytest.raises(HerdbookError, match="No frame is left"):
        suggest_frames(load_experiment(experiment_file), 3, ["m"])


def test_the_command_writes_a_table_and_pictures_in_folders_of_movies(experiment_file: Path) -> None:
    out = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["suggest", str(experiment_file), "--points", "-n", "3"])
    assert out.exit_code == 0, out.output
    folder = load_experiment(experiment_file).folder / "suggest_points"
    with (folder / TABLE).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["movie", "frame", "reason", "expected_error"]
    pictures = sorted(path.name for path in (folder / "labeled-data" / "m").iterdir())
    assert pictures == sorted(f"img{int(row['frame']):04d}.png" for row in rows)
