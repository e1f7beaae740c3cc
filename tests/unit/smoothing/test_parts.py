"""LK-RSTC over a whole movie in several processes: the same result as in one."""

import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.smoothing import parts as lkparts
from herdbook.smoothing.parts import chunk_windows, smooth_movie
from herdbook.smoothing.rstc import smooth_points
from tests.support.drifting import Source, drifting


@pytest.mark.parametrize("starts", [(0,), (0, 7, 31, 44)])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads_gives_the_same_bits(rng, monkeypatch, threads, starts):
    monkeypatch.setattr(lkparts, "CHUNK_WINDOWS", 2)
    monkeypatch.setattr(lkparts, "STRETCH_WINDOWS", 20)
    frames, truth = drifting(50, rng)
    points = truth + rng.normal(0, 1, truth.shape)
    points[20:30, 1] = np.nan
    found = smooth_movie(Source(frames, starts).source, points, 6, threads=threads, stage="test")
    for ours, theirs in zip(found, smooth_points(frames, points, 6), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_one_thread_reads_every_frame_once(rng):
    frames, truth = drifting(30, rng)
    movie = Source(frames)
    smooth_movie(movie.source, truth, 5, stage="test")
    assert movie.read_frames == list(range(30))


@pytest.mark.parametrize("starts", [(0,), (0, 250, 500, 750), tuple(range(0, 1000, 7))])
@pytest.mark.parametrize("parts", [1, 2, 6, 40])
def test_stretches_hold_every_window_once_and_begin_at_keyframes_where_they_can(starts, parts):
    stretches = lkparts._stretches(1000, parts, starts)
    assert [k for first, end in stretches for k in range(first, end)] == list(range(1000))
    assert len(stretches) <= parts
    assert max(end - first for first, end in stretches) <= 2 * 1000 / parts
    if len(starts) > 4:
        assert {first for first, _ in stretches} <= set(starts)


def test_each_process_has_as_many_stretches(rng, monkeypatch):
    asked = []
    monkeypatch.setattr(lkparts, "STRETCH_WINDOWS", 20)
    monkeypatch.setattr(lkparts, "_stretches", lambda count, parts, starts: asked.append(parts) or [lkparts._Stretch(0, count)])
    frames, truth = drifting(70, rng)
    for threads, parts in ((2, 4), (3, 6)):
        smooth_movie(Source(frames).source, truth, 5, threads=threads, stage="test")
        assert asked.pop() == parts


def test_frames_held_stay_within_the_memory_for_them():
    for shape, window in [((480, 640), 12), ((1080, 1920), 15), ((2304, 2304), 25)]:
        chunk = chunk_windows(shape, window)
        assert chunk == 8 or (chunk + window - 1) * shape[0] * shape[1] * 4 / 3 <= lkparts.HELD_BYTES
    assert chunk_windows((480, 640), 12) == lkparts.CHUNK_WINDOWS


def test_errors_of_another_process_are_raised(rng, monkeypatch):
    monkeypatch.setattr(lkparts, "CHUNK_WINDOWS", 8)
    frames, truth = drifting(40, rng)
    truth[33, 2] = -300
    with pytest.raises(HerdbookError, match="frame 33, point 2"):
        smooth_movie(Source(frames).source, truth, 4, threads=2, stage="test")
    with pytest.raises(HerdbookError, match="window of 41 frames"):
        smooth_movie(Source(frames).source, truth, 41, stage="test")
