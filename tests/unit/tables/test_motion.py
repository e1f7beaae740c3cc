"""Speed, body length, mm, clock and arena of the positions, and the tables that hold them."""

import numpy as np
import pandas as pd
import pytest

from herdbook.experiment.output import circle_radius
from herdbook.tables.dictionary import MOTION_CSV, PARQUET, names_of
from herdbook.tables.events import find_contacts
from herdbook.tables.motion import blobs_of_positions, body_axes, measure_speeds
from herdbook.tables.positions import recording_clocks
from herdbook.tables.tracks import full_table
from tests.support.table_cases import make_tracks, write_results


def test_speed_is_that_of_the_true_movement_and_unknown_for_a_lonely_position():
    time_s = np.array([0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7])
    frame = np.array([0, 1, 2, 3, 5, 0, 1, 2, 3], np.int32)
    who = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1], np.int32)
    x = np.where(who == 0, 50 * time_s[frame], 30 * time_s[frame])
    order = np.lexsort((who, frame))
    speed = measure_speeds(x[order], 0 * x, frame[order], who[order], time_s)
    expected = np.where(who == 0, 50.0, 30.0)
    expected[4] = np.nan
    np.testing.assert_allclose(speed, expected[order])


def test_speed_does_not_reach_over_a_gap_or_into_another_animal(rng):
    tracks = make_tracks(rng, frames=60, known=0.5)
    table = {(f, i): (x, y) for f, i, x, y in zip(tracks.frame, tracks.individual, tracks.x, tracks.y, strict=True)}
    for f, i, speed in zip(tracks.frame, tracks.individual, tracks.speed, strict=True):
        before, after = (f - 1 if (f - 1, i) in table else f), (f + 1 if (f + 1, i) in table else f)
        if before == after:
            assert np.isnan(speed)
        else:
            step = np.hypot(*np.subtract(table[after, i], table[before, i]))
            assert speed == pytest.approx(step / (tracks.time_s[after] - tracks.time_s[before]))


def test_each_position_finds_the_blob_of_its_animal(rng):
    blob_frame = np.sort(rng.integers(0, 9, 40)).astype(np.int32)
    blob_tracklet = np.arange(40, dtype=np.int32)
    tracklet, member = np.array([(k, int(w)) for k in range(40) for w in rng.permutation(6)[: rng.integers(0, 4)]], np.int32).T
    frame, individual = (a.ravel().astype(np.int32) for a in np.mgrid[0:9, 0:7])
    found = blobs_of_positions(frame, individual, blob_frame, blob_tracklet, tracklet, member)
    holds = {(int(k), int(w)) for k, w in zip(tracklet, member, strict=True)}
    for f, i, blob in zip(frame, individual, found, strict=True):
        fitting = [b for b in range(40) if blob_frame[b] == f and (b, i) in holds]
        assert blob == (fitting[0] if fitting else -1)


def test_axes_are_those_of_the_ellipse_with_these_moments():
    np.testing.assert_allclose(body_axes(np.array([[36, 0, 4], [20, 16, 20]], np.float32)), [[24, 8], [24, 8]], rtol=1e-6)


def test_the_radius_of_a_circle_is_found_from_points_on_its_rim(rng):
    angle = rng.uniform(0, 2 * np.pi, 7)
    points = [(200 + 88 * np.cos(a), -30 + 88 * np.sin(a)) for a in angle]
    assert circle_radius(points) == pytest.approx(88)
    assert np.isnan(circle_radius([(0, 0), (1, 2), (2, 4)]))


def test_the_clock_of_a_recording_goes_back_from_the_first_movie_that_has_one():
    clocks = recording_clocks({"r": ["a", "b"], "s": ["c"]}, {"b": "2026-05-17T14:03:20"}, {"a": 10.0, "b": 5.0, "c": 1.0})
    assert clocks == {"r": "2026-05-17T14:03:10", "s": ""}
    third = recording_clocks({"r": ["a", "b", "c"]}, {"c": "2026-05-17T14:03:20"}, {"a": 10.0, "b": 5.0, "c": 1.0})
    assert third == {"r": "2026-05-17T14:03:05"}


def test_the_tables_of_motion_are_those_of_the_drawn_animals(tmp_path):
    folder = write_results(tmp_path, formats=["motion", "parquet"], px_per_mm=4.0, starts={"b": "2026-05-17T14:03:20"})
    motion, positions = pd.read_csv(folder / "motion.csv"), pd.read_csv(folder / "trajectories.csv")
    assert motion.columns.tolist() == names_of(MOTION_CSV)
    assert motion[["movie", "frame", "time", "individual"]].equals(positions[["movie", "frame", "time", "individual"]])
    assert motion.x_mm.to_numpy() == pytest.approx(positions.x / 4)
    a, b = (motion[motion.individual == name] for name in "AB")
    assert a.speed.to_numpy() == pytest.approx(10.0)
    assert (a.speed_mm.iloc[0], b.speed.iloc[0]) == (2.5, 0.0)
    merged = motion.frame.between(10, 14) & (motion.movie == "a")
    assert motion.body_length[~merged].to_numpy() == pytest.approx(24.0)
    assert motion.body_length[merged].isna().all()
    assert set(motion.arena) == {"dish"}
    assert motion.clock.iloc[0] == "2026-05-17T14:03:18.000"
    assert motion.clock[(motion.movie == "b") & (motion.frame == 1)].iloc[0] == "2026-05-17T14:03:20.100"
    parquet = pd.read_parquet(folder / "trajectories.parquet")
    assert parquet.columns.tolist() == names_of(PARQUET)
    for table in (positions, motion):
        for name in table.columns:
            if table[name].dtype.kind in "if":
                np.testing.assert_allclose(parquet[name].to_numpy(float), table[name].to_numpy(float), atol=6e-3)
            else:
                assert parquet[name].tolist() == table[name].tolist()


def test_without_scale_and_date_columns_are_empty_and_not_gone(tmp_path):
    motion = pd.read_csv(write_results(tmp_path, formats=["motion"]) / "motion.csv")
    assert motion.columns.tolist() == names_of(MOTION_CSV)
    assert motion[["clock", "x_mm", "y_mm", "speed_mm", "body_length_mm"]].isna().all(axis=None)


def test_nobody_gives_empty_tables_with_all_columns(rng):
    table = full_table(make_tracks(rng, known=0.0), ["dish"])
    assert table.columns.tolist() == names_of(PARQUET)
    assert len(table) == 0


def test_contacts_of_no_tracklets_are_none(rng):
    from herdbook.tables.events import Spans

    nothing, no = np.zeros(0, np.int64), np.zeros(0, bool)
    assert find_contacts(Spans(nothing, nothing, nothing, [], no, no, no, no), np.zeros(1), 0.5) == []
