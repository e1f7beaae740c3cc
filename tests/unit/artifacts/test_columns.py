"""What artifacts tell from their columns."""

import numpy as np
import pytest

from herdbook.artifacts.index import Index
from herdbook.artifacts.outlines import pack_runs, unpack_runs
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.tracklets import Tracklets


@pytest.mark.parametrize(("times", "lasts"), [([0.0], 0.04), ([0.0, 0.1], 0.2), ([0.0, 0.1, 0.5, 0.6, 0.7], 0.8)])
def test_a_movie_lasts_until_its_last_frame_ends(times, lasts):
    n = len(times)
    index = Index(np.arange(n), np.array(times), np.ones(n, bool), 4, 4, 25.0, "h264", False, False, "x")
    assert index.duration_s == pytest.approx(lasts)


def test_each_movie_has_the_numbers_of_its_own_tracklets():
    nobody = np.zeros(0, np.int32)
    counts, offsets = np.array([1, 2, 0, 3, 1], np.int16), np.array([0, 2, 2, 5])
    found = Identities(["a", "b", "c"], ["A"], *[nobody] * 3, np.zeros(0, np.float32), np.zeros(0, np.uint8), counts, offsets, 0.0)
    assert [found.animals_of(name).tolist() for name in "abc"] == [[1, 2], [], [0, 3, 1]]


def test_the_blobs_of_each_tracklet_are_in_order_and_those_of_none_are_left_out():
    of_blob, each = np.array([1, 0, -1, 1, 0, 1, -1, 2], np.int32), np.zeros(4, np.int32)
    none = np.zeros((0, 2), np.int32)
    tracklets = Tracklets(8, of_blob, each, each, each, each, each, each, each, none, np.zeros(0, np.float32), none)
    rows, offsets = tracklets.blob_rows()
    assert rows.tolist() == [1, 4, 0, 3, 5, 7]
    assert offsets.tolist() == [0, 2, 5, 6, 6]


def test_outlines_come_back_also_those_of_a_part_and_of_blobs_without_any():
    runs = np.array([[3, 10, 14], [4, 9, 15], [700, 0, 2], [5, 1, 1], [6, 1, 2]], np.int32)
    offsets = np.array([0, 2, 2, 3, 5])
    packed = pack_runs(runs, offsets)
    assert all(column.dtype == np.int16 for column in packed)
    assert unpack_runs(packed, offsets).tolist() == runs.tolist()
    last = [column[2:] for column in packed]
    assert unpack_runs(last, offsets[2:] - 2).tolist() == runs[2:].tolist()
