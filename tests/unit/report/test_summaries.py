"""What the report counts of positions: categories over time, shares, ways of knowing, paths."""

import numpy as np
import pytest

from herdbook.artifacts.propagate import ASSUMED, LABELLED
from herdbook.artifacts.smooth import FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.report.summaries import (
    ABSENT,
    HIDDEN,
    UNKNOWN,
    UNTRACKED,
    RecordingTracks,
    bin_ranges,
    count_how_known,
    count_sources,
    expected_error,
    frame_bins,
    mean_confidence,
    timeline_matrix,
    track_lines,
)


def tracks_of(names, rows):
    """Tracks from rows (frame, individual, source)."""
    frame, individual, source = np.array(sorted(rows), np.int64).reshape(-1, 3).T
    x = 10 * frame.astype(np.float32)
    return RecordingTracks(names, frame, individual, x, x + 1, source.astype(np.uint8), np.full(len(frame), 0.5, np.float32))


def lacking(frames, category=HIDDEN):
    return np.full(frames, category, np.uint8)


def test_the_expected_error_is_the_mean_doubt_of_the_positions_in_each_bin():
    tracks = tracks_of(["a", "b"], [(0, 0, 0), (0, 1, 0), (1, 0, 0), (5, 1, 0)])
    tracks.confidence[:] = [1.0, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(expected_error(tracks, np.array([0, 2, 4, 6])), [0.25, np.nan, 0.1], rtol=1e-6)


def test_timeline_shows_each_category_where_it_is():
    rows = [(f, 0, FROM_SINGLE) for f in range(4)] + [(f, 0, FROM_RESOLVED) for f in range(4, 8)]
    rows += [(0, 1, FROM_INTERPOLATED), (1, 1, FROM_INTERPOLATED), (6, 1, FROM_MERGED), (7, 1, FROM_MERGED)]
    tracks = tracks_of(["a", "b", "c"], rows)
    matrix = timeline_matrix(tracks, np.array([0, 1, 2]), np.arange(0, 9, 2), lacking(8))
    single, resolved, interpolated, merged = range(4)
    expected = [[single, single, resolved, resolved], [interpolated, HIDDEN, HIDDEN, merged], [HIDDEN] * 4]
    assert matrix.tolist() == expected
    assert timeline_matrix(tracks, np.array([1]), np.arange(0, 9, 2), lacking(8)).tolist() == expected[1:2]


def test_timeline_tells_unknown_from_hidden_from_not_tracked():
    tracks = tracks_of(["a", "b"], [(f, 0, FROM_SINGLE) for f in range(6)])
    without = np.array([UNKNOWN, UNKNOWN, HIDDEN, HIDDEN, UNKNOWN, HIDDEN, UNTRACKED, UNTRACKED], np.uint8)
    matrix = timeline_matrix(tracks, np.array([0, 1]), np.arange(0, 9, 2), without)
    assert matrix.tolist() == [[FROM_SINGLE] * 3 + [UNTRACKED], [UNKNOWN, HIDDEN, HIDDEN, UNTRACKED]]


def test_timeline_of_a_long_table_is_counted_in_parts(monkeypatch):
    rows = [(f, k, (f * k) % 4) for f in range(50) for k in range(3) if (f + k) % 3]
    tracks = tracks_of(["a", "b", "c"], rows)
    whole = timeline_matrix(tracks, np.arange(3), np.arange(0, 51, 5), lacking(50, ABSENT))
    monkeypatch.setattr("herdbook.report.summaries.ROWS_AT_ONCE", 7)
    assert (timeline_matrix(tracks, np.arange(3), np.arange(0, 51, 5), lacking(50, ABSENT)) == whole).all()


def test_timeline_bin_takes_its_most_frequent_category_and_in_doubt_the_less_certain():
    tracks = tracks_of(["a"], [(0, 0, 0), (1, 0, 0), (2, 0, 3), (3, 0, 0), (4, 0, 3), (6, 0, 0)])
    assert timeline_matrix(tracks, np.array([0]), np.array([0, 3, 5, 7]), lacking(7)).tolist() == [[0, 3, HIDDEN]]


@pytest.mark.parametrize(("frames", "most"), [(1, 900), (7, 3), (900, 900), (100_000, 900)])
def test_bins_hold_all_frames_and_none_is_empty(frames, most):
    edges = frame_bins(frames, most)
    assert edges[0] == 0
    assert edges[-1] == frames
    sizes = np.diff(edges)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1
    assert len(sizes) <= most


def test_counts_per_bin():
    assert bin_ranges(np.array([1, 3, 5, 0]), np.array([0, 3, 4])).tolist() == [[1, 0], [3, 0], [5, 0]]


def test_sources_confidence_and_ways_of_knowing_are_counted_per_individual():
    tracks = tracks_of(["a", "b"], [(0, 0, 0), (1, 0, 3), (2, 0, 3)])
    assert count_sources(tracks).tolist() == [[1, 0, 0, 2, 0], [0, 0, 0, 0, 0]]
    assert mean_confidence(tracks)[0] == 0.5
    assert np.isnan(mean_confidence(tracks)[1])
    counts = count_how_known(np.array([0, 1, 0]), np.array([LABELLED, ASSUMED, LABELLED], np.uint8), np.array([10, 5, 2]), 2)
    assert counts.tolist() == [[12, 0, 0, 0, 0], [0, 0, 0, 0, 5]]


def test_path_is_broken_at_gaps_and_thinned():
    tracks = tracks_of(["a", "b"], [(f, 0, 0) for f in range(100) if not 40 <= f < 60] + [(5, 1, 0)])
    line = track_lines(tracks, 1000)[0]
    assert np.flatnonzero(np.isnan(line[:, 0])).tolist() == [40]
    thin, single = track_lines(tracks, 20)
    assert len(thin) < 30
    assert np.isnan(thin).any(axis=1).sum() == 1
    assert np.nanmax(thin[:, 0]) == 990
    assert single.tolist() == [[50, 51]]
    assert track_lines(tracks_of([], []), 20) == []


def test_longest_fragments_are_kept_in_their_order():
    tracks = tracks_of(["a", "b", "c"], [(0, 0, 0)] + [(f, 1, 0) for f in range(3)] + [(f, 2, 0) for f in range(5)])
    assert tracks.longest(2).tolist() == [1, 2]
