"""Close-ups: the animal is in the middle of its movie, and points found there lead back to where they are in the whole frame."""

import cv2
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from herdbook.artifacts.smooth import FROM_SINGLE, Trajectories
from herdbook.commands.cli import app
from herdbook.drawing.closeup_files import file_stems, read_closeup_table
from herdbook.drawing.views import cut_view, plan_views, points_to_movie
from herdbook.formats.deeplabcut_hdf5 import KEY
from herdbook.formats.pose_files import read_poses
from herdbook.movie.writing import MovieWriter
from herdbook.stages import closeups
from tests.support.tracked_movie_files import BODY_PX, GREY, read_movie, run_movie_stage, write_tracked_movie

SIDE = 32


def tracks_of(places, heading=0.0):
    """Trajectories of places (frames, animals, 2), NaN where there is none."""
    frame, who = np.nonzero(~np.isnan(places[..., 0]))
    x, y = places[frame, who].T
    ones = np.ones(len(frame), np.float32)
    rows = (frame.astype(np.int32), who.astype(np.int32), x, y, x, y, (heading * ones).astype(np.float32), ones)
    rest = (np.full(len(frame), FROM_SINGLE, np.uint8), 0 * ones, ones < 0)
    return Trajectories([f"a{k}" for k in range(places.shape[1])], len(places), *rows, *rest)


def dotted(size, x, y, sigma=2.5):
    """A grey frame with a dark dot around a point."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(GREY - 180 * dot)[..., None], 3, axis=2).astype(np.uint8)


def dot_of(image):
    """Place of the dark dot on a frame."""
    weight = np.clip(GREY - 15.0 - image.astype(float).mean(axis=-1), 0, None)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def within(place, reach):
    """Whether a square around a place is inside of a frame of 160x140."""
    return ((place > reach) & (place < (160 - reach, 140 - reach))).all(axis=-1)


def walk(frames, animals=1):
    """Animals that walk in circles through the frame and partly out of it."""
    turn = np.linspace(0, 3, frames)[:, None] + np.arange(animals) / animals * 2 * np.pi
    return np.stack([70 + 60 * np.cos(turn), 60 + 50 * np.sin(1.3 * turn)], axis=-1)


@pytest.mark.parametrize("head_up", [False, True])
def test_a_point_of_a_closeup_leads_back_to_the_movie(rng, head_up):
    places = walk(40)
    heading = rng.uniform(-np.pi, np.pi)
    (view,) = plan_views(tracks_of(places, heading), np.arange(40), SIDE, head_up=head_up)
    for row in range(40):
        if not within(places[row, 0], SIDE):
            continue
        dot = places[row, 0] + rng.uniform(-6, 6, 2)
        picture = cut_view(dotted((160, 140), *dot), view.x0[row], view.y0[row], view.angle[row], SIDE)
        found = points_to_movie(dot_of(picture)[None, None], view.x0[[row]], view.y0[[row]], view.angle[[row]])[0, 0]
        assert np.hypot(*(found - dot)) < 0.15


def test_an_animal_is_in_the_middle_and_its_head_up(rng):
    place, heading = np.array([70.3, 61.8]), 0.7
    (view,) = plan_views(tracks_of(place[None, None], heading), np.arange(1), SIDE, head_up=True)
    head = place + 8 * np.array([np.cos(heading), np.sin(heading)])
    for dot, expected in ((place, (15.5, 15.5)), (head, (15.5, 7.5))):
        found = dot_of(cut_view(dotted((160, 140), *dot), view.x0[0], view.y0[0], view.angle[0], SIDE))
        assert found == pytest.approx(expected, abs=0.1)


def test_an_upright_closeup_has_the_pixels_of_the_movie_and_black_beyond_it(rng):
    image = rng.integers(1, 256, (40, 50, 3), dtype=np.uint8)
    wide = np.pad(image, ((200, 200), (200, 200), (0, 0)))
    for x, y in ((25.2, 20.7), (0, 0), (49.4, 39), (-30, 20), (500, 5), (3, -500)):
        (view,) = plan_views(tracks_of(np.array([[[x, y]]])), np.arange(1), 16, head_up=False)
        picture = cut_view(image, view.x0[0], view.y0[0], view.angle[0], 16)
        left, top = np.clip([int(view.x0[0]) + 200, int(view.y0[0]) + 200], 0, [wide.shape[1] - 16, wide.shape[0] - 16])
        assert np.array_equal(picture, wide[top : top + 16, left : left + 16])
        assert abs(view.x0[0] + 7.5 - x) <= 0.5 >= abs(view.y0[0] + 7.5 - y)


@pytest.mark.parametrize("out_px", [8, 16, 48])
def test_a_view_can_be_shown_larger_or_smaller(out_px):
    picture = cut_view(dotted((60, 50), 26.5, 22.5), 19.0, 15.0, 0.0, 16, out_px)
    assert picture.shape == (out_px, out_px, 3)
    assert dot_of(picture) == pytest.approx([(out_px - 1) / 2] * 2, abs=0.2)


def test_a_view_lasts_from_the_first_place_to_the_last_of_those_that_are_shown():
    places = np.full((12, 3, 2), np.nan)
    places[3:9, 0] = 20
    places[5, 0] = np.nan
    places[11, 1] = 30
    views = plan_views(tracks_of(places), np.array([2, 4, 5, 6, 8, 10]), 16, head_up=False)
    assert [(view.individual, view.first, view.end) for view in views] == [(0, 1, 5)]
    assert np.flatnonzero(np.isnan(views[0].x0)).tolist() == [1]
    assert plan_views(tracks_of(places), np.array([2, 4, 5, 6, 8]), 16, head_up=True, least_frames=4) == []


def test_a_turned_view_keeps_the_last_known_heading_where_none_is_known():
    tracks = tracks_of(np.full((4, 1, 2), 30.0))
    tracks.heading[:] = [np.nan, 0.5, np.nan, np.nan]
    (view,) = plan_views(tracks, np.arange(4), 16, head_up=True)
    assert view.angle == pytest.approx(0.5 + np.pi / 2, abs=1e-5)


def test_each_animal_has_a_movie_of_the_asked_size_and_a_table(tmp_path):
    places = walk(30, 2)
    places[:6, 1] = places[20:, 1] = places[10:13, 1] = np.nan
    write_tracked_movie(tmp_path, places, size=(160, 140), names=("A/1", "b"), images=[dotted((160, 140), *p[0]) for p in places], crf=10)
    out = run_movie_stage(closeups, tmp_path, "out", size=SIDE, shortest_s=0.5, crf=10)
    assert sorted(path.name for path in out.iterdir()) == ["A_1.csv", "A_1.mp4", "b.csv", "b.mp4"]
    movie, rate, _ = read_movie(out / "A_1.mp4")
    assert (movie.shape, rate) == ((30, SIDE, SIDE, 3), pytest.approx(20))
    table = read_closeup_table(out / "A_1.csv")
    assert table.individual == "A/1"
    inside = np.flatnonzero(within(places[:, 0], SIDE / 2))
    back = points_to_movie(np.array([[dot_of(movie[k])] for k in inside]), *(a[inside] for a in (table.x0, table.y0, table.angle)))
    assert np.abs(back[:, 0] - places[inside, 0]).max() < 0.5
    other, _, _ = read_movie(out / "b.mp4")
    table = read_closeup_table(out / "b.csv")
    assert table.movie_frame.tolist() == list(range(6, 20))
    assert table.time_s == pytest.approx(np.arange(6, 20) / 20)
    assert np.flatnonzero(np.isnan(table.x0)).tolist() == [4, 5, 6]
    assert other[4:7].max() < 30 < other[3].mean()


def test_animals_are_measured_where_their_length_is_not_given(tmp_path):
    write_tracked_movie(tmp_path, walk(3), size=(160, 140))
    assert read_movie(run_movie_stage(closeups, tmp_path, "out", size_body=3, shortest_s=0) / "a0.mp4")[0].shape[1] == 3 * BODY_PX


@pytest.mark.parametrize(("frames", "animals"), [(1, 1), (2, 0), (2, 100)])
def test_closeups_of_any_number_of_animals(tmp_path, frames, animals):
    write_tracked_movie(tmp_path, walk(frames, max(1, animals))[:, :animals], size=(161, 141), pixel_format="gray")
    out = run_movie_stage(closeups, tmp_path, "out", size=16, shortest_s=0, threads=2)
    assert len(list(out.glob("*.mp4"))) == len(list(out.glob("*.csv"))) == animals
    assert all(read_movie(path)[0].shape == (frames, 16, 16, 3) for path in list(out.glob("*.mp4"))[:3])


def test_animals_that_are_seen_for_a_moment_get_no_movie(tmp_path):
    places = walk(30, 2)
    places[19:, 1] = np.nan
    write_tracked_movie(tmp_path, places, size=(160, 140))
    assert sorted(path.name for path in run_movie_stage(closeups, tmp_path, "out", size=16).iterdir()) == ["a0.csv", "a0.mp4"]


def test_threads_and_rounds_make_the_same_closeups(tmp_path):
    write_tracked_movie(tmp_path, walk(6, 3), size=(160, 140))
    one, two = (run_movie_stage(closeups, tmp_path, f"out{n}", threads=n, size=16, shortest_s=0) for n in (1, 2))
    assert all(path.read_bytes() == (two / path.name).read_bytes() for path in one.iterdir())


def test_a_stage_that_fails_leaves_no_folder(tmp_path, monkeypatch):
    write_tracked_movie(tmp_path, walk(6, 2), size=(160, 140))
    wrote = MovieWriter.write

    def fail(writer, frame, time_s=None):
        wrote(writer, frame, time_s)
        if writer._path.stem == "a1":
            raise RuntimeError("disk full")

    monkeypatch.setattr(MovieWriter, "write", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        run_movie_stage(closeups, tmp_path, "out", size=16, shortest_s=0)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a/b", "a\\b", "A_B"], ["a_b", "a_b_2", "A_B_3"]),
        (["..", ".hidden", "-x", "ok.1 ", "ä ö"], ["_", "_hidden", "_x", "ok.1", "ä ö"]),
        (["x", "X", "x_2"], ["x", "X_2", "x_2_2"]),
    ],
)
def test_names_of_files_differ_and_are_allowed(names, stems):
    assert file_stems(names) == stems


# Points brought back


def write_deeplabcut(path, xy, points):
    columns = pd.MultiIndex.from_product([["net"], points, ["x", "y", "likelihood"]], names=["scorer", "bodyparts", "coords"])
    values = np.concatenate([xy, np.full((*xy.shape[:2], 1), 0.75)], axis=2).reshape(len(xy), -1)
    pd.DataFrame(values, columns=columns).to_hdf(path, key=KEY)


@pytest.fixture
def placed(tmp_path):
    """Close-ups of two animals, files of points found in them, and where these are in the movie (frames, animals, points, 2)."""
    places = walk(20, 2)
    places[:5, 1] = np.nan
    write_tracked_movie(tmp_path, places, size=(160, 140), names=("B", "BB"), heading=0.4)
    folder = run_movie_stage(closeups, tmp_path, "closeups", size=SIDE, shortest_s=0, head_up=True, every=2)
    truth = np.stack([places + 3, places - (4, 1)], axis=2)
    files = []
    for animal, name in enumerate(("B", "BB")):
        table = read_closeup_table(folder / f"{name}.csv")
        moved = truth[table.movie_frame, animal] - np.stack([table.x0, table.y0], axis=1)[:, None]
        cos, sin = np.cos(table.angle)[:, None], np.sin(table.angle)[:, None]
        u, v = cos * moved[..., 0] + sin * moved[..., 1], cos * moved[..., 1] - sin * moved[..., 0]
        files.append(tmp_path / f"{name}DLC_net.h5")
        write_deeplabcut(files[-1], np.stack([u, v], axis=-1), ["nose", "tail"])
    return folder, files, truth


def herdbook(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_points_found_in_closeups_are_those_of_the_movie(placed, tmp_path):
    folder, files, truth = placed
    done = herdbook("place-points", folder, *files, "--out", tmp_path / "points.nc")
    assert done.exit_code == 0, done.output
    assert "2 points of 2 animals in 19 frames" in done.output
    poses = read_poses([tmp_path / "points.nc"])
    assert (poses.individuals, poses.points) == (("B", "BB"), ("nose", "tail"))
    shown = np.arange(0, 19, 2)
    assert np.nanmax(np.abs(poses.xy[shown] - truth[shown])) < 1e-6
    assert np.isnan(poses.xy[1::2]).all()
    assert np.array_equal(poses.known[shown, 1, 0], shown >= 5)
    assert np.nanmax(np.abs(poses.likelihood - 0.75)) < 1e-6
    with xr.open_dataset(tmp_path / "points.nc") as dataset:
        assert dataset.time.to_numpy() == pytest.approx(np.arange(19) / 20)
        assert dataset.attrs["fps"] == pytest.approx(20)


def test_points_that_belong_to_no_closeup_are_refused(placed, tmp_path):
    folder, files, _ = placed
    out = tmp_path / "points.nc"
    write_deeplabcut(tmp_path / "BBshort.h5", np.zeros((99, 2, 2)), ["nose", "tail"])
    write_deeplabcut(tmp_path / "BBother.h5", np.zeros((7, 1, 2)), ["ear"])
    for arguments, said in (
        ((files[1].rename(tmp_path / "CCDLC.h5"),), "its name begins with that of no close-up"),
        ((files[0], tmp_path / "BBshort.h5"), "has 99 frames, but the close-up of BB has"),
        ((files[0], tmp_path / "BBother.h5"), "has the points ear, but"),
        ((files[0], files[0]), "another file belongs to the same close-up"),
    ):
        done = herdbook("place-points", folder, *arguments, "--out", out)
        assert done.exit_code == 2
        assert said in " ".join(done.output.split())
    assert herdbook("place-points", folder, files[0], "--out", tmp_path / "points.csv").exit_code == 2
    assert not out.exists()


def test_a_table_that_is_none_of_a_closeup_is_refused(placed, tmp_path):
    folder, files, _ = placed
    (folder / "B.csv").write_text("frame,x\n0,1\n")
    done = herdbook("place-points", folder, files[0], "--out", tmp_path / "points.nc")
    assert done.exit_code == 2
    assert "not a table of a close-up" in done.output


def test_turned_pictures_are_not_mirrored():
    image = np.zeros((60, 60, 3), np.uint8)
    cv2.putText(image, "F", (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
    quarter = cut_view(image, 10 + 39.0, 10.0, np.pi / 2, 40)
    assert np.abs(quarter.astype(int) - np.rot90(image[10:50, 10:50])).max() <= 2
