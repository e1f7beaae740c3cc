"""The public tables: columns, times over a recording, names, empty movies."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.index import Index
from herdbook.artifacts.smooth import SOURCES, Trajectories
from herdbook.artifacts.store import Provenance, open_artifact, read_attributes
from herdbook.formats.pose_files import read_poses
from herdbook.identity.doubts import Doubt, read_doubts, write_doubts
from herdbook.positions.body_points import body_points
from herdbook.positions.smoothed import unsmoothed_points
from herdbook.stages import export
from herdbook.tables.positions import COLUMNS, recording_starts
from herdbook.tables.scoring import load_trajectories
from tests.support.table_cases import write_results

ORIGIN = Provenance("test", 1)
NAMES = ["Ä1", "b, c", "d"]


def make_index(frames, fps=20.0, jitter=0.0):
    time_s = np.arange(frames) / fps
    time_s[1:-1] += jitter
    keyframe = np.zeros(frames, bool)
    return Index(np.arange(frames, dtype=np.int64), time_s, keyframe, 640, 480, fps, "h264", False, False, "f")


def make_trajectories(rng, frames, *, individuals=NAMES, rows=None):
    """Each individual in each frame, or the first rows of them."""
    frame, who = np.divmod(np.arange(frames * len(individuals))[:rows], max(1, len(individuals)))
    n = len(frame)
    x, y, x_raw, y_raw = rng.uniform(0, 500, (4, n))
    heading, confidence = rng.uniform(-3, 3, n).astype(np.float32), rng.random(n).astype(np.float32)
    source = rng.integers(0, len(SOURCES), n).astype(np.uint8)
    numbers = (frame.astype(np.int32), who.astype(np.int32))
    flow = rng.exponential(1, n).astype(np.float32), rng.random(n) < 0.1
    return Trajectories(list(individuals), frames, *numbers, x, y, x_raw, y_raw, heading, confidence, source, *flow)


def save(folder, movies):
    """Write the inputs {movie: (index, trajectories)}."""
    for name, (index, trajectories) in movies.items():
        index.save(folder / "index" / f"{name}.h5", ORIGIN)
        trajectories.save(folder / "smooth" / f"{name}.h5", ORIGIN)


def run(folder, recordings, *, hdf5=True):
    # The order of the files says nothing.
    inputs = {"trajectories": sorted(folder.glob("smooth/*")), "index": sorted(folder.glob("index/*"), reverse=True)}
    files = [part for name, paths in inputs.items() for part in (f"--{name}", *map(str, paths))]
    extra = ["--hdf5", str(folder / "t.h5")] if hdf5 else []
    export.main([*files, "--out", str(folder / "t.csv"), *extra, "--settings", json.dumps({"recordings": recordings})])
    return pd.read_csv(folder / "t.csv", dtype={"movie": str, "individual": str, "source": str})


def test_the_review_lists_of_all_recordings_are_one_best_first(tmp_path, rng):
    save(tmp_path, {"m": (make_index(2), make_trajectories(rng, 2))})
    for name, gains in (("day1", [9.0, 2.0]), ("day2", [30.0, 5.5]), ("day3", [])):
        doubts = [Doubt(name, 1, 2.0, 3.0, "is", "d", "", "d", 0.5, "", name, 0, name, 9, 10, gain) for gain in gains]
        write_doubts(tmp_path / f"{name}.csv", doubts)
    lists = [str(tmp_path / f"day{k}.csv") for k in (1, 2, 3)]
    places = {"trajectories": "smooth/m.h5", "index": "index/m.h5", "out": "t.csv", "review": "doubtful.csv"}
    files = [part for name, place in places.items() for part in (f"--{name}", str(tmp_path / place))]
    export.main([*files, "--doubtful", *lists, "--settings", json.dumps({"recordings": {"day": ["m"]}})])
    found = read_doubts(tmp_path / "doubtful.csv", "export")
    assert [(doubt.movie, doubt.gain) for doubt in found] == [("day2", 30.0), ("day1", 9.0), ("day2", 5.5), ("day1", 2.0)]


def test_the_table_has_the_promised_columns_and_values(tmp_path, rng):
    made = make_trajectories(rng, 4)
    save(tmp_path, {"m": (make_index(4), made)})
    table = run(tmp_path, {"day": ["m"]})
    assert tuple(table.columns) == COLUMNS
    assert COLUMNS == ("movie", "frame", "time", "individual", "x", "y", "heading", "confidence", "source")
    assert table.movie.tolist() == ["m"] * 12
    assert table.frame.tolist() == made.frame.tolist()
    assert table.individual.tolist() == NAMES * 4
    assert table.source.tolist() == [SOURCES[s] for s in made.source]
    for name, half_a_digit in {"x": 0.0005, "y": 0.0005, "heading": 0.0005, "confidence": 0.0005}.items():
        assert table[name].to_numpy() == pytest.approx(getattr(made, name), abs=half_a_digit * 1.01)


def test_the_arena_of_each_animal_is_the_last_column_where_there_are_arenas(tmp_path):
    folder = write_results(tmp_path, formats=["hdf5", "motion"])
    table = pd.read_csv(folder / "trajectories.csv")
    assert tuple(table.columns) == (*COLUMNS, "arena")
    assert set(table.arena) == {"dish"}
    assert pd.read_csv(folder / "motion.csv").arena.tolist() == table.arena.tolist()
    with open_artifact(folder / "trajectories.h5", "export") as file:
        assert list(read_attributes(file)["arenas"]) == ["dish"]
        assert set(file["arena"][...].tolist()) == {0}
    # Who reads the table for a comparison with the truth does not mind the column.
    assert len(load_trajectories(folder / "trajectories.csv")) == len(table)


def test_numbers_are_written_with_few_digits(tmp_path, rng):
    save(tmp_path, {"m": (make_index(40, fps=29.97), make_trajectories(rng, 40, individuals=["a"]))})
    run(tmp_path, {"m": ["m"]})
    for line in (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()[1:]:
        _, _, time, _, x, y, heading, confidence, _ = line.split(",")
        for text, most in ((time, 4), (x, 3), (y, 3), (heading, 3), (confidence, 3)):
            assert len(text.partition(".")[2]) <= most


def test_times_run_over_the_movies_of_a_recording_and_start_anew_in_the_next(tmp_path, rng):
    lengths = {"b": 5, "a": 3, "c": 4}
    movies = {name: (make_index(n, 10.0), make_trajectories(rng, n, individuals=["x"])) for name, n in lengths.items()}
    save(tmp_path, movies)
    table = run(tmp_path, {"day1": ["b", "a"], "day2": ["c"]})
    assert table.movie.tolist() == ["b"] * 5 + ["a"] * 3 + ["c"] * 4
    assert table.frame.tolist() == [*range(5), *range(3), *range(4)]
    assert table.time.tolist() == pytest.approx([*np.arange(8) / 10, *np.arange(4) / 10])


def test_times_are_those_of_the_frames_where_the_rate_varies(tmp_path, rng):
    index = make_index(4, 10.0, jitter=0.03)
    save(tmp_path, {"m": (index, make_trajectories(rng, 4, individuals=["x"]))})
    table = run(tmp_path, {"m": ["m"]})
    assert table.time.tolist() == pytest.approx([0, 0.13, 0.23, 0.3])


def test_a_movie_begins_when_all_before_it_have_ended_and_one_of_one_frame_lasts_one_frame():
    indices = {"a": make_index(1), "b": make_index(5), "c": make_index(2), "d": make_index(2)}
    starts = recording_starts({"r": ["a", "b", "c"], "s": ["d"]}, indices)
    assert starts == pytest.approx({"a": 0.0, "b": 0.05, "c": 0.3, "d": 0.0})


def test_hdf5_holds_the_same_in_full_precision(tmp_path, rng):
    movies = {
        "b": (make_index(3), make_trajectories(rng, 3, individuals=["x", "y"])),
        "a": (make_index(2), make_trajectories(rng, 2, individuals=["y", "z", "x"])),
    }
    save(tmp_path, movies)
    table = run(tmp_path, {"r": ["b", "a"]})
    with open_artifact(tmp_path / "t.h5", "export") as file:
        columns, attributes = {name: file[name][...] for name in file}, read_attributes(file)
    assert set(columns) == {*COLUMNS, "x_raw", "y_raw", "disagreement", "jump"}
    assert list(attributes["movies"]) == ["b", "a"]
    assert list(attributes["individuals"]) == ["x", "y", "z"]
    assert list(attributes["sources"]) == list(SOURCES)
    for name in ("movie", "individual", "source"):
        numbers = columns.pop(name)
        assert [attributes[f"{name}s"][k] for k in numbers] == table[name].tolist()
    for name in ("x", "y", "x_raw", "y_raw", "heading", "confidence"):
        assert np.array_equal(columns[name], np.concatenate([getattr(made, name) for _, made in movies.values()]))
    assert columns["time"] == pytest.approx(table.time)
    assert np.array_equal(columns["frame"], table.frame)


def test_hdf5_is_written_only_when_asked_for(tmp_path, rng):
    save(tmp_path, {"m": (make_index(2), make_trajectories(rng, 2))})
    table = run(tmp_path, {"m": ["m"]}, hdf5=False)
    assert len(table) == 6
    assert not (tmp_path / "t.h5").exists()


@pytest.mark.parametrize("individuals", [NAMES, []], ids=["named", "nameless"])
def test_nobody_found_gives_empty_tables_with_all_columns(tmp_path, rng, individuals):
    save(tmp_path, {"m": (make_index(2), make_trajectories(rng, 2, individuals=individuals, rows=0))})
    table = run(tmp_path, {"m": ["m"]})
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 0
    with h5py.File(tmp_path / "t.h5") as file:
        assert {name: len(file[name]) for name in file} == dict.fromkeys((*COLUMNS, "x_raw", "y_raw", "disagreement", "jump"), 0)
        assert list(read_attributes(file)["individuals"]) == individuals


def test_a_movie_with_nobody_does_not_disturb_the_others(tmp_path, rng):
    movies = {
        "a": (make_index(2), make_trajectories(rng, 2, individuals=[], rows=0)),
        "b": (make_index(2), make_trajectories(rng, 2)),
    }
    save(tmp_path, movies)
    table = run(tmp_path, {"r": ["a", "b"]})
    assert table.movie.tolist() == ["b"] * 6
    assert table.individual.tolist() == NAMES * 2
    assert table.time.min() == pytest.approx(0.1)
    with h5py.File(tmp_path / "t.h5") as file:
        assert [read_attributes(file)["individuals"][k] for k in file["individual"]] == NAMES * 2
        assert file["x"].dtype == np.float64


def test_a_broken_input_leaves_no_table(tmp_path, rng, capsys):
    save(tmp_path, {name: (make_index(2), make_trajectories(rng, 2)) for name in ("a", "b")})
    with h5py.File(tmp_path / "smooth" / "b.h5", "r+") as file:
        del file["heading"]
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, {"r": ["a", "b"]})
    assert stopped.value.code == 2
    assert "smooth/b.h5" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "smooth"]


def test_body_points_go_into_one_table_and_files_like_those_they_came_from(tmp_path, rng):
    layers = {name: {"nose": {str(t): [t + 0.5, 2.0] for t in range(frames)}} for name, frames in (("m", 4), ("n", 3))}
    for name, layer in layers.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(layer))
        index, poses = make_index(5), read_poses([tmp_path / f"{name}.json"])
        save(tmp_path, {name: (index, make_trajectories(rng, 5))})
        whole = poses.lasting(5)
        smoothed = unsmoothed_points(whole.columns)._replace(smoothed=whole.columns + 1)
        corrected = np.zeros(whole.likelihood.shape, bool)
        body_points(whole, smoothed, corrected, len(poses)).save(tmp_path / "points" / f"{name}.h5", ORIGIN)
    inputs = {
        "trajectories": sorted(tmp_path.glob("smooth/*")),
        "index": sorted(tmp_path.glob("index/*")),
        "points": sorted(tmp_path.glob("points/*"), reverse=True),
        "poses": [tmp_path / "m.json", tmp_path / "n.json"],
        "pose_tables": [tmp_path / "body_points.csv", tmp_path / "poses" / "m.json", tmp_path / "poses" / "n.json"],
    }
    options = [part for name, paths in inputs.items() for part in (f"--{name}", *map(str, paths))]
    export.main([*options, "--out", str(tmp_path / "t.csv"), "--settings", json.dumps({"recordings": {"r": ["m", "n"]}})])
    rows = pd.read_csv(tmp_path / "body_points.csv")
    assert rows.movie.tolist() == ["m"] * 4 + ["n"] * 3
    assert rows.time.tolist() == pytest.approx([0, 0.05, 0.1, 0.15, 0.25, 0.3, 0.35])
    assert (rows.x - rows.x_raw).tolist() == [1.0] * 7
    assert json.loads((tmp_path / "poses" / "n.json").read_text()) == {"nose": {str(t): [t + 1.5, 3.0] for t in range(3)}}
