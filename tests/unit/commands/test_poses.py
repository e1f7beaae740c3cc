"""The commands smooth-points and interpolate, as a user calls them."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from herdbook.commands.cli import app
from herdbook.formats.pose_files import read_poses
from tests.support.drifting import drifting

FRAMES, SMALL_PX = 40, 0.3  # the movie is coded: its texture moves a little less exactly than that of the arrays


@pytest.fixture
def movie(rng, write_movie):
    """A movie whose points are known: (path, truth)."""
    frames, truth = drifting(FRAMES, rng)
    return write_movie("m.mp4", frames, pixel_format="gray"), truth


def herdbook(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_layer(path, places, frames):
    layer = {f"p{k}": {str(t): places[t, k].tolist() for t in frames} for k in range(places.shape[1])}
    path.write_text(json.dumps(layer))
    return path


def test_smoothed_points_are_nearer_to_the_truth(tmp_path, movie, rng):
    path, truth = movie
    noisy = truth + rng.normal(0, 1, truth.shape)
    poses = write_layer(tmp_path / "points.json", noisy, [t for t in range(FRAMES) if t not in (20, 21)])
    out, table, plot = tmp_path / "out.json", tmp_path / "points.csv", tmp_path / "points.png"
    done = herdbook("smooth-points", path, poses, "--out", out, "--table", table, "--plot", plot)
    assert done.exit_code == 0, done.output
    assert "6 points filled, 0 jumped" in done.output
    found = read_poses([out]).xy[:, 0]
    assert np.abs(found - truth).mean() < 0.6 * np.abs(noisy - truth).mean()
    rows = pd.read_csv(table)
    assert len(rows) == 3 * FRAMES
    assert (rows.source == "interpolated").sum() == 6
    assert rows.disagreement.between(0, 20).all()
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_how_the_movie_is_read_can_be_given(tmp_path, movie):
    path, truth = movie
    poses = write_layer(tmp_path / "points.json", truth, range(FRAMES))
    table = tmp_path / "points.csv"
    assert herdbook("smooth-points", path, poses, "--out", tmp_path / "out.json", "--table", table, "--fps", 10).exit_code == 0
    assert pd.read_csv(table).time.max() == pytest.approx((FRAMES - 1) / 10)
    assert "must be at least 2" in herdbook("smooth-points", path, poses, "--out", tmp_path / "out.json", "--fps", 2).output
    # Near enough to the stored frame of 180 x 160 px, and too far outside of the turned one.
    poses = write_layer(tmp_path / "points.json", np.full((FRAMES, 1, 2), [199.0, 5]), range(0, FRAMES, 3))
    assert herdbook("smooth-points", path, poses, "--out", tmp_path / "out.json").exit_code == 0
    for command in ("smooth-points", "interpolate"):
        assert "outside" in herdbook(command, path, poses, "--out", tmp_path / "out.json", "--rotate", "90").output
        assert "no video stream 1" in herdbook(command, path, poses, "--out", tmp_path / "out.json", "--stream", "1").output


def test_gaps_longer_than_fill_stay(tmp_path, movie):
    path, truth = movie
    poses = write_layer(tmp_path / "points.json", truth, [t for t in range(FRAMES) if t not in (20, 21)])
    assert herdbook("smooth-points", path, poses, "--out", tmp_path / "out.json", "--fill", 1).exit_code == 0
    assert np.flatnonzero(~read_poses([tmp_path / "out.json"]).known[:, 0, 0]).tolist() == [20, 21]


def test_corrections_of_points_count(tmp_path, movie):
    path, truth = movie
    wrong = truth.copy()
    wrong[10:13, 0] += 15
    poses = write_layer(tmp_path / "points.json", wrong, range(FRAMES))
    lines = [f"m,{t},animal,p0,{truth[t, 0, 0]},{truth[t, 0, 1]}" for t in range(10, 13)]
    (tmp_path / "corrections.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *lines]))
    done = herdbook("smooth-points", path, poses, "--out", tmp_path / "out.json", "--corrections", tmp_path / "corrections.csv")
    assert done.exit_code == 0, done.output
    assert np.abs(read_poses([tmp_path / "out.json"]).xy[:, 0] - truth).max() < SMALL_PX


def test_points_between_labels_follow_the_motion(tmp_path, movie):
    path, truth = movie
    labels = write_layer(tmp_path / "labels.json", truth, [3, 17, 30])
    done = herdbook("interpolate", path, labels, "--out", tmp_path / "out.json")
    assert done.exit_code == 0, done.output
    assert "75 points interpolated between labels" in done.output
    found = read_poses([tmp_path / "out.json"])
    assert len(found) == 31
    assert not found.known[:3].any()
    assert np.abs(found.xy[3:, 0] - truth[3:31]).max() < SMALL_PX


@pytest.mark.parametrize(
    ("command", "frames", "options", "message"),
    [
        ("interpolate", [4], [], "Label each point in at least two frames"),
        ("smooth-points", range(FRAMES), ["--window", "0.05"], "must be at least 2"),
        ("smooth-points", range(FRAMES), ["--window", "3"], "at most the 40 frames"),
        ("smooth-points", [4, 99], [], "the body points are of 100 frames, the movie has 40"),
    ],
)
def test_what_does_not_fit_is_reported(tmp_path, movie, command, frames, options, message):
    path, truth = movie
    long = np.concatenate([truth, np.ones((100, 3, 2))])
    labels = write_layer(tmp_path / "labels.json", long, frames)
    done = herdbook(command, path, labels, "--out", tmp_path / "out.json", *options)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not (tmp_path / "out.json").exists()
