"""Gaps filled by flow: equal to the reference, along a known motion, with each frame read once."""

import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.movie.scanning import scan_movie
from herdbook.smoothing import gaps as lkgaps
from herdbook.smoothing.frames import movie_source
from herdbook.smoothing.gaps import Gaps, fill_gaps_by_flow, find_gaps
from tests.conftest import ROOT
from tests.support.drifting import FLOW_ERROR_PX, Source, drifting

DATA = ROOT.parent / "shared" / "data" / "lk"
FRAME_BYTES = 160 * 180 * 4 // 3


@pytest.mark.skipif(not DATA.is_dir(), reason="the LK-RSTC reference data is not here")
def test_interpolation_equals_the_reference():
    reference = np.load(DATA / "oracles" / "pair384_400_interp_10_40.npz")
    movie = DATA / "clips" / "pair384_400.mp4"
    source = movie_source(movie, scan_movie(movie))
    points = np.full((source.n_frames, *reference["start"].shape), np.nan)
    points[10], points[40] = reference["start"], reference["end"]
    filled, _ = fill_gaps_by_flow(source, points, find_gaps(~np.isnan(points[..., 0])), "opencv")
    np.testing.assert_allclose(filled[11:40], reference["rstc"][1:-1], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(filled[[10, 40]], points[[10, 40]])
    assert np.isnan(filled[[9, 41]]).all()


def punched(truth, gaps):
    points = truth.copy()
    for label, start, end in gaps:
        points[start + 1 : end, label] = np.nan
    return points


SCATTERED = [(0, 2, 5), (1, 3, 9), (2, 8, 10), (0, 14, 30), (1, 20, 22), (2, 29, 35), (1, 35, 39)]
LONG = [(0, 0, 39), (1, 3, 37), (2, 10, 12), (2, 20, 39)]


@pytest.mark.parametrize("gaps", [SCATTERED, LONG, SCATTERED[:1]], ids=["scattered", "long", "one"])
@pytest.mark.parametrize("held", [4, 9, 100])
def test_gaps_are_filled_along_the_motion_however_few_frames_are_held(rng, monkeypatch, gaps, held):
    frames, truth = drifting(40, rng)
    points = punched(truth, gaps)
    found = find_gaps(~np.isnan(points[..., 0]))
    assert sorted(zip(*(column.tolist() for column in found), strict=True)) == sorted(gaps)
    monkeypatch.setattr(lkgaps, "HELD_BYTES", held * FRAME_BYTES)
    filled, disagreement = fill_gaps_by_flow(Source(frames, (0, 11, 25)).source, points, found)
    assert np.abs(filled - truth).max() < 3 * FLOW_ERROR_PX
    between = np.isnan(points[..., 0])
    assert disagreement[between].max() < 3 * FLOW_ERROR_PX
    assert np.isnan(disagreement[~between]).all()


def test_the_result_does_not_depend_on_the_frames_held(rng, monkeypatch):
    frames, truth = drifting(40, rng)
    points = punched(truth + rng.normal(0, 1, truth.shape), SCATTERED)
    results = []
    for held in (3, 7, 1000):
        monkeypatch.setattr(lkgaps, "HELD_BYTES", held * FRAME_BYTES)
        results.append(fill_gaps_by_flow(Source(frames).source, points, find_gaps(~np.isnan(points[..., 0])))[0])
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[1], results[2])


def test_only_frames_of_gaps_are_read_and_none_twice(rng):
    frames, truth = drifting(40, rng)
    movie = Source(frames, (0, 12, 24, 36))
    gaps = [(0, 2, 5), (1, 3, 8), (2, 26, 30), (0, 31, 33)]
    fill_gaps_by_flow(movie.source, punched(truth, gaps), Gaps(*np.array(gaps).T))
    assert movie.read_frames == [*range(2, 9), *range(26, 34)]


def test_without_gaps_nothing_is_read(rng):
    frames, truth = drifting(10, rng)
    movie = Source(frames)
    filled, disagreement = fill_gaps_by_flow(movie.source, truth, find_gaps(np.ones((10, 3), bool)))
    np.testing.assert_array_equal(filled, truth)
    assert np.isnan(disagreement).all()
    assert movie.read_frames == []


@pytest.mark.parametrize(
    ("most", "expected"), [(0, []), (1, [(0, 3, 5)]), (3, [(0, 3, 5), (1, 1, 5)]), (None, [(0, 3, 5), (1, 1, 5), (1, 5, 11)])]
)
def test_gaps_longer_than_the_limit_are_left(most, expected):
    known = np.zeros((12, 3), bool)
    known[[2, 3, 5, 6], 0] = known[[0, 1, 5, 11], 1] = True
    found = find_gaps(known, most)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_a_point_off_the_frame_is_named(rng):
    frames, truth = drifting(10, rng)
    points = punched(truth, [(0, 2, 5)])
    points[5, 0] = [900, 10]
    with pytest.raises(HerdbookError, match="frame 5, point 0"):
        fill_gaps_by_flow(Source(frames).source, points, find_gaps(~np.isnan(points[..., 0])))


def test_a_movie_that_is_too_short_is_reported(rng):
    frames, truth = drifting(10, rng)
    source = Source(frames).source
    short = source._replace(read=lambda first, end: iter(frames[first:6]))
    with pytest.raises(HerdbookError, match="ended before frame 6"):
        fill_gaps_by_flow(short, punched(truth, [(0, 2, 8)]), Gaps(*np.array([[0], [2], [8]])))
