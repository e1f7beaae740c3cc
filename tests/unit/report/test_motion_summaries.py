"""Speeds, neighbours, distances and occupancy, against plain computations; of long recordings every n-th frame."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from herdbook.report import motion_summaries
from herdbook.report.motion_summaries import (
    SHARES,
    Measure,
    arenas_of,
    group_quantiles,
    measure_neighbours,
    measure_speed,
    occupancy,
    pair_distances,
    spread_of,
)
from herdbook.report.summaries import RecordingTracks
from herdbook.tables.motion import measure_speeds

FRAMES, ANIMALS = 60, 5


@pytest.fixture
def tracks(rng):
    """Positions at random; one in five is missing, and the last animal has none."""
    frame, individual = np.nonzero(rng.random((FRAMES, ANIMALS)) < [0.8] * (ANIMALS - 1) + [0.0])
    x, y = rng.uniform(0, 100, (2, len(frame))).astype(np.float32)
    return RecordingTracks(list("abcde"), frame, individual, x, y, np.zeros(len(frame), np.uint8), np.ones(len(frame), np.float32))


def nearest_by_hand(tracks, arena):
    """Distance to the nearest other position of the frame and arena, and whose it is."""
    found = []
    for k in range(len(tracks.frame)):
        others = [
            (float(np.hypot(tracks.x[k] - tracks.x[j], tracks.y[k] - tracks.y[j])), int(tracks.individual[j]))
            for j in np.flatnonzero((tracks.frame == tracks.frame[k]) & (arena == arena[k]))
            if j != k
        ]
        found.append(min(others, default=(np.nan, -1)))
    return found


def test_speeds_are_those_of_the_table_of_motion(tracks):
    time_s = np.cumsum(np.full(FRAMES + 1, 0.1))
    places = tracks.x.astype(float), tracks.y.astype(float), tracks.frame.astype(np.int32), tracks.individual.astype(np.int32)
    np.testing.assert_array_equal(measure_speed(tracks, time_s).value, measure_speeds(*places, time_s))


def test_speeds_in_every_nth_frame_are_as_exact_as_in_all(tracks, monkeypatch):
    time_s = np.cumsum(np.full(FRAMES + 1, 0.1))
    whole = measure_speed(tracks, time_s)
    monkeypatch.setattr(motion_summaries, "MOST_VALUES", 50)
    some = measure_speed(tracks, time_s)
    step = -(-len(tracks.frame) // 50)
    kept = whole.frame % step == 0
    assert step >= 3
    np.testing.assert_array_equal(some.value, whole.value[kept])
    np.testing.assert_array_equal(some.individual, whole.individual[kept])


@pytest.mark.parametrize("cells", [4_000_000, 60])
def test_the_nearest_animal_is_the_nearest_of_the_same_arena(tracks, rng, monkeypatch, cells):
    monkeypatch.setattr(motion_summaries, "CELLS_AT_ONCE", cells)
    arena = rng.integers(0, 2, len(tracks.frame)).astype(np.int16)
    measure, counts = measure_neighbours(tracks, arena)
    expected = nearest_by_hand(tracks, arena)
    np.testing.assert_allclose(measure.value, [distance for distance, _ in expected], rtol=1e-5)
    by_hand = np.zeros((ANIMALS, ANIMALS), np.int64)
    for who, (_, other) in zip(tracks.individual, expected, strict=True):
        if other >= 0:
            by_hand[who, other] += 1
    assert counts.tolist() == by_hand.tolist()


def test_one_animal_has_no_neighbour():
    alone = RecordingTracks(
        ["a"], np.arange(3), np.zeros(3, np.int64), *np.zeros((2, 3), np.float32), np.zeros(3, np.uint8), np.ones(3, np.float32)
    )
    measure, counts = measure_neighbours(alone, np.zeros(3, np.int16))
    assert np.isnan(measure.value).all()
    assert counts.tolist() == [[0]]
    assert np.isnan(pair_distances(alone, np.array([0]), np.zeros(3, np.int16))).all()


def test_the_distance_of_a_pair_is_the_median_over_the_frames_with_both(tracks):
    arena = np.zeros(len(tracks.frame), np.int16)
    place = np.full((2, FRAMES, ANIMALS), np.nan)
    place[:, tracks.frame, tracks.individual] = tracks.x, tracks.y
    shown = np.array([0, 2, 4])
    distances = pair_distances(tracks, shown, arena)
    apart = np.hypot(*(place[:, :, 0] - place[:, :, 2]))
    assert distances[0, 1] == distances[1, 0] == pytest.approx(np.nanmedian(apart), rel=1e-5)
    assert np.isnan(np.diag(distances)).all()
    assert np.isnan(distances[2]).all()


def test_animals_in_different_arenas_have_no_distance(tracks):
    arena = (tracks.individual % 2).astype(np.int16)
    distances = pair_distances(tracks, np.arange(4), arena)
    known = np.isfinite(distances)
    assert known[0, 2]
    assert known[1, 3]
    assert not known[0, [1, 3]].any()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-1e6, 1e6)), max_size=30),
)
def test_quantiles_of_groups_are_those_of_numpy(pairs):
    group = np.array([g for g, _ in pairs], np.int64)
    values = np.array([v for _, v in pairs], np.float64)
    found = group_quantiles(values, group, 4, SHARES)
    for k in range(4):
        mine = values[group == k]
        expected = np.quantile(mine, SHARES) if len(mine) else np.full(len(SHARES), np.nan)
        np.testing.assert_allclose(found[:, k], expected, atol=1e-6)


def test_the_spread_tells_each_animal_and_bin_apart():
    frame, individual = np.repeat(np.arange(4), 2), np.tile([0, 1], 4)
    value = np.array([1, 10, 3, 20, 5, np.nan, 7, 40.0])
    spread = spread_of(Measure(frame, individual, value), 2, np.array([0, 2, 4]))
    assert spread.medians.tolist() == [[2, 6], [15, 40]]
    assert spread.over_time[1].tolist() == [6.5, 7]
    assert spread.of_each[2].tolist() == [4, 20]
    assert spread.shares.sum() == pytest.approx(6 / 7)  # the highest one lies beyond the scale
    assert spread.only(np.array([1])).medians.tolist() == [[15, 40]]
    whole = spread_of(Measure(frame, individual, value), 0, np.array([0, 2, 4]))
    assert whole.medians.shape == (0, 2)
    assert whole.over_time.tolist() == spread.over_time.tolist()


def test_every_position_in_the_box_is_in_the_cell_where_it_lies(tracks, monkeypatch):
    monkeypatch.setattr(motion_summaries, "ROWS_AT_ONCE", 17)
    panel_of = np.array([0, 1, -1, 0, 1])
    counts = occupancy(tracks, panel_of, (10, 20, 90, 100), 16.0)
    assert counts.shape == (2, 5, 5)
    panel = panel_of[tracks.individual]
    inside = (tracks.x >= 9.5) & (tracks.x < 89.5) & (tracks.y >= 19.5) & (tracks.y < 99.5)
    assert counts.sum(axis=(1, 2)).tolist() == [int((inside & (panel == k)).sum()) for k in (0, 1)]
    cell = inside & (panel == 1) & (tracks.x >= 25.5) & (tracks.x < 41.5) & (tracks.y >= 19.5) & (tracks.y < 35.5)
    assert counts[1, 0, 1] == cell.sum()


def test_a_position_outside_of_the_frame_has_the_arena_of_the_nearest_pixel():
    arenas = np.array([[0, 0, 1], [-1, -1, 1]], np.int16)
    x, y = np.array([[-5, 1.2, 9], [0.1, 0.9, 4]], np.float32)
    tracks = RecordingTracks(["a"], np.arange(3), np.zeros(3, np.int64), x, y, np.zeros(3, np.uint8), np.ones(3, np.float32))
    assert arenas_of(tracks, arenas).tolist() == [0, -1, 1]
