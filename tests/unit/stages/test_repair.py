"""The stages repair and smooth_points, on a drawn recording: points get their names back, and files that do not belong are refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.repair import JUMPED, REFUSED, SWITCHED, RepairedPoints
from herdbook.artifacts.smooth import POINT_SOURCES, BodyPoints
from herdbook.stages import export, repair, smooth_points
from tests.support.golden_inputs import FRAMES, NAMES, draw_recording

SETTINGS = {"names": "herdbook", "least": 0.9, "likelihood": 0.0}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_recording(folder)
    # What stage repair made is made here.
    shutil.move(folder / "repair", folder / "true")
    return folder


def run(drawn, out, poses="poses.csv", **settings):
    files = {"index": "index/m.h5", "blobs": "segment/m.h5", "tracklets": "tracklets/m.h5", "identities": "propagate/m.h5"}
    files |= {"trajectories": "smooth/m.h5", "poses": poses}
    words = [part for name, file in files.items() for part in (f"--{name}", str(drawn / file))]
    repair.main([*words, "--out", str(out), "--settings", json.dumps(SETTINGS | settings)])
    return RepairedPoints.load(out)


def changed(drawn, tmp_path, change):
    table = pd.read_csv(drawn / "poses.csv", header=[0, 1, 2, 3], index_col=0)
    path = tmp_path / "changed.csv"
    change(table).to_csv(path)
    return path


def test_exchanged_animals_and_points_get_their_names_back(drawn, tmp_path):
    points, true = run(drawn, tmp_path / "m.h5"), RepairedPoints.load(drawn / "true" / "m.h5")
    away = np.hypot(points.x - true.x, points.y - true.y)
    assert np.nanmax(away) == 0
    assert np.isnan(away[~np.isnan(true.x)]).mean() < 0.03
    assert (points.mistake[5:10, 2:] == SWITCHED).all()
    assert np.isin(points.mistake[20, :2, 4], (JUMPED, REFUSED)).all()
    assert points.by_hour[:, 0, SWITCHED].tolist() == [0, 0, 25, 25]
    assert points.moved[7, 2].all()
    assert not points.moved[3].any()
    assert (points.individuals, points.slots, points.given_frames) == (NAMES, NAMES, FRAMES)
    assert points.moments[0, 0] in (2, 3)


def test_names_of_the_file_can_be_believed(drawn, tmp_path):
    points = run(drawn, tmp_path / "m.h5", names="file")
    assert not (points.mistake == SWITCHED).any()
    assert np.isin(points.mistake[20, :2, 4], (JUMPED, REFUSED)).all()


def test_repaired_points_are_smoothed_and_written_under_their_names(drawn, tmp_path):
    run(drawn, tmp_path / "repair" / "m.h5")
    settings = {"method": "none", "window_s": None, "engine": "numba", "fill": None, "jumps": "flag", "likelihood": 0.0}
    words = ["--movie", str(drawn / "m.mkv"), "--index", str(drawn / "index/m.h5"), "--blobs", str(drawn / "segment/m.h5")]
    words += ["--settings", json.dumps(settings)]
    smooth_points.main([*words, "--repaired", str(tmp_path / "repair" / "m.h5"), "--out", str(tmp_path / "points" / "m.h5")])
    points = BodyPoints.load(tmp_path / "points" / "m.h5")
    assert points.frames == FRAMES
    moved = (points.frame >= 5) & (points.frame < 10) & (points.individual >= 2)
    assert set(np.array(POINT_SOURCES)[points.source[moved]]) == {"repaired"}
    files = {
        **{name: drawn / f"{folder}/m.h5" for name, folder in (("trajectories", "smooth"), ("index", "index"), ("points", "."))},
        **{"points": tmp_path / "points" / "m.h5", "poses": drawn / "poses.csv", "repaired": tmp_path / "repair" / "m.h5"},
        "out": tmp_path / "t.csv",
    }
    words = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    words += ["--pose_tables", str(tmp_path / "body_points.csv"), str(tmp_path / "poses" / "m.csv")]
    words += ["--mistakes", str(tmp_path / "point_mistakes.csv"), str(tmp_path / "point_moments.csv")]
    export.main([*words, "--settings", json.dumps({"recordings": {"m": ["m"]}, "repaired": True})])
    counts = pd.read_csv(tmp_path / "point_mistakes.csv").set_index("individual")
    assert counts["switched"].to_dict() == {"R": 0, "G": 0, "B": 25, "Y": 25}
    assert pd.read_csv(tmp_path / "point_moments.csv").iloc[0].individual in ("B", "Y")
    written = pd.read_csv(tmp_path / "poses" / "m.csv", header=[0, 1, 2, 3], index_col=0)
    assert list(written.columns.levels[1]) == sorted(NAMES)
    true = RepairedPoints.load(drawn / "true" / "m.h5")
    assert written["net"]["B"]["nose"]["x"][7] == pytest.approx(true.x[7, 2, 0], abs=1e-6)


def test_a_movie_without_body_points_has_none_after_smoothing(drawn, tmp_path):
    settings = {"method": "lkrstc", "window_s": None, "engine": "numba", "fill": None, "jumps": "flag", "likelihood": 0.0}
    words = ["--movie", str(drawn / "m.mkv"), "--index", str(drawn / "index/m.h5"), "--blobs", str(drawn / "segment/m.h5")]
    smooth_points.main([*words, "--out", str(tmp_path / "m.h5"), "--settings", json.dumps(settings)])
    assert len(BodyPoints.load(tmp_path / "m.h5").frame) == 0


def without_likelihood(table):
    return table.loc[:, table.columns.get_level_values(3) != "likelihood"]


@pytest.mark.parametrize("change", [without_likelihood, lambda t: t.iloc[:30], lambda t: t.drop(columns="G", level=1)])
def test_likelihoods_frames_and_animals_may_be_missing(drawn, tmp_path, change):
    points = run(drawn, tmp_path / "m.h5", changed(drawn, tmp_path, change))
    true = RepairedPoints.load(drawn / "true" / "m.h5")
    assert np.nanmax(np.hypot(points.x - true.x, points.y - true.y)) == 0


def placed(table, change):
    """The table with other places; likelihoods stay."""
    table, xy = table.copy(), table.columns.get_level_values(3) != "likelihood"
    table.loc[:, xy] = change(table.loc[:, xy])
    return table


@pytest.mark.parametrize(
    ("change", "settings", "expected"),
    [
        (lambda t: t.mask(t == 0.875, 87.5), {}, "expected likelihoods from 0 to 1, found 87.5"),
        (lambda t: placed(t, lambda xy: xy * np.nan), {}, "has no body point with a place"),
        (lambda t: pd.concat([t] * 2, ignore_index=True), {}, "are of 80 frames, the movie has 40"),
        (lambda t: placed(t, lambda xy: xy + 500), {}, "outside the frame of 160x120 px"),
        (lambda t: placed(t, lambda xy: xy * 0 + 119), {}, "Are they the body points of this movie?"),
        (lambda t: t.rename(columns={"R": "r"}, level=1), {"names": "file"}, "'r' is no animal of the experiment"),
    ],
)
def test_files_that_do_not_belong_are_refused(drawn, tmp_path, capsys, change, settings, expected):
    with pytest.raises(SystemExit):
        run(drawn, tmp_path / "m.h5", changed(drawn, tmp_path, change), **settings)
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "m.h5").exists()
