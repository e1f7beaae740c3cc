"""LK-RSTC: equal to the reference, and along a known motion."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.smoothing.rstc import WindowTracks, iterate_windows, rstc_weights, smooth_points, window_frames
from tests.conftest import ROOT
from tests.support.drifting import FLOW_ERROR_PX, START, drifting

DATA = ROOT.parent / "shared" / "data" / "lk"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the LK-RSTC reference data is not here")

Frames = list[NDArray[np.uint8]]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def texture(rng: np.random.Generator) -> NDArray[np.uint8]:
    return drifting(1, rng)[0][0]


def grey_frames(clip: str) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(DATA / "clips" / f"{clip}.mp4")) as movie:
        for frame in movie.decode(video=0):
            yield np.asarray(cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY), np.uint8)


def reference_points(clip: str) -> NDArray[np.float64]:
    labels = json.loads((DATA / "inputs" / f"{clip}.json").read_text())
    tracks = [[track[str(t)] for t in range(len(track))] for track in labels.values()]
    return np.array(tracks, np.float64).transpose(1, 0, 2)


def one_by_one(found: Iterable[WindowTracks]) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.float32]]]:
    """First frame, forward and backward track of every window."""
    for first, forward, backward in found:
        for k in range(len(forward)):
            yield first + k, forward[k], backward[k]


def blend_by_definition(forward: NDArray[np.float32], backward: NDArray[np.float32]) -> NDArray[np.float64]:
    sf, sr = rstc_weights(len(forward))
    return np.asarray(sf[:, None, None] * forward + sr[:, None, None] * backward)


@needs_data
@pytest.mark.parametrize("clip", ["pair384_400", "flies1024_500"])
def test_smoothed_points_equal_the_reference(clip: str) -> None:
    reference = np.load(DATA / "oracles" / f"{clip}_w0.5.npz")
    window = window_frames(float(reference["window_s"]), float(reference["fps"]))
    assert window == reference["window_frames"]
    result = smooth_points(grey_frames(clip), reference_points(clip), window, "opencv")
    np.testing.assert_allclose(result.smoothed, reference["smoothed"], rtol=0, atol=1e-9)


@needs_data
@pytest.mark.parametrize("clip", ["pair384_400", "flies1024_500"])
def test_engine_numba_stays_near_the_reference(clip: str) -> None:
    reference = np.load(DATA / "oracles" / f"{clip}_w0.5.npz")
    result = smooth_points(grey_frames(clip), reference_points(clip), int(reference["window_frames"]), "numba")
    distance = np.linalg.norm(result.smoothed - reference["smoothed"], axis=2)
    assert distance.max() < 0.05
    assert np.percentile(distance, 99.9) < 0.02


@needs_data
def test_every_window_equals_the_reference() -> None:
    raw = np.load(DATA / "oracles" / "pair384_400_w0.5_raw.npz")["rawlk"]
    ours = np.full_like(raw, np.nan)
    for start, forward, backward in one_by_one(iterate_windows(grey_frames("pair384_400"), reference_points("pair384_400"), 8, "opencv")):
        ours[start % 8, start : start + 8] = blend_by_definition(forward, backward)
    np.testing.assert_allclose(ours, raw, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("window_s", "fps", "expected"), [(0.5, 25, 12), (0.5, 15, 8), (0.5, 29.97, 15), (1.0, 25, 25), (0.1, 25, 2)])
def test_half_a_frame_rounds_to_the_even_window(window_s: float, fps: float, expected: int) -> None:
    assert window_frames(window_s, fps) == expected


@pytest.mark.parametrize("n", [2, 3, 8, 25])
def test_weights_run_from_one_track_to_the_other_and_sum_to_one(n: int) -> None:
    forward, backward = rstc_weights(n)
    np.testing.assert_allclose(forward + backward, 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(forward[[0, -1]], [1, 0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(forward, backward[::-1], rtol=0, atol=1e-15)
    assert (np.diff(forward) < 0).all()


@pytest.mark.parametrize(("n", "epsilon"), [(1, 0.01), (8, 0.0), (8, 0.5)])
def test_weights_without_a_meaning_are_refused(n: int, epsilon: float) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        rstc_weights(n, epsilon)


def test_jitter_is_smoothed_towards_the_true_motion(rng: np.random.Generator) -> None:
    frames, truth = drifting(50, rng)
    noisy = truth + rng.normal(0, 1.0, truth.shape)
    smoothed, disagreement, expected, _ = smooth_points(frames, noisy, window=15)
    before = np.sqrt(((noisy - truth)[10:-10] ** 2).mean())
    after = np.sqrt(((smoothed - truth)[10:-10] ** 2).mean())
    assert after < 0.5 * before
    assert 0.5 < disagreement.mean() < 4.0
    assert np.sqrt(((expected - truth)[10:-10] ** 2).mean()) < before


@pytest.mark.parametrize("engine", ["opencv", "numba"])
def test_true_points_stay_on_a_subpixel_motion(rng: np.random.Generator, engine: str) -> None:
    frames, truth = drifting(30, rng)
    smoothed, disagreement, *_ = smooth_points(frames, truth, 10, engine)
    assert np.abs(smoothed - truth).max() < FLOW_ERROR_PX
    assert disagreement.max() < FLOW_ERROR_PX


@pytest.mark.parametrize("engine", ["opencv", "numba"])
def test_zero_motion_gives_the_identical_points(texture: NDArray[np.uint8], engine: str) -> None:
    points = np.broadcast_to(START, (20, 3, 2)).copy()
    for _, forward, backward in one_by_one(iterate_windows([texture] * 20, points, 7, engine)):
        np.testing.assert_array_equal(forward, points[:7])
        np.testing.assert_array_equal(backward, points[:7])
    smoothed, disagreement, *_ = smooth_points([texture] * 20, points, 7, engine)
    np.testing.assert_allclose(smoothed, points, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(disagreement, 0)


def test_result_is_the_mean_of_windows_tracked_one_pair_and_one_point_at_a_time(rng: np.random.Generator) -> None:
    frames, truth = drifting(14, rng)
    points = truth + rng.normal(0, 1.0, truth.shape)
    points[4, 0] = points[9:12, 1] = np.nan
    window, total, count = 5, np.zeros(points.shape), np.zeros(points.shape)
    arriving: list[list[list[NDArray[np.float32]]]] = [[[] for _ in range(3)] for _ in range(14)]
    for s in range(len(points) - window + 1):
        for label in range(points.shape[1]):
            ends = points[[s, s + window - 1], label]
            if np.isnan(ends).any():
                continue
            forward = chain(frames[s : s + window], ends[0])
            backward = chain(frames[s : s + window][::-1], ends[1])[::-1]
            total[s : s + window, label] += blend_by_definition(forward, backward)[:, 0]
            count[s : s + window, label] += 1
            for k in range(window):
                arriving[s + k][label] += [forward[k, 0]] * (k > 0) + [backward[k, 0]] * (k < window - 1)
    expected = np.where(count > 0, total / np.maximum(count, 1), points)
    found = smooth_points(frames, points, window, "opencv")
    np.testing.assert_allclose(found.smoothed, expected, rtol=0, atol=1e-9)
    medians = [[np.median(own, axis=0) if own else [np.nan, np.nan] for own in labels] for labels in arriving]
    np.testing.assert_allclose(found.expected, medians, rtol=0, atol=1e-4)


def chain(frames: list[NDArray[np.uint8]], point: NDArray[np.float64]) -> NDArray[np.float32]:
    track = [point[None].astype(np.float32)]
    for before, after in pairwise(frames):
        moved, _, _ = cv2.calcOpticalFlowPyrLK(before, after, track[-1], None, winSize=(45, 45), maxLevel=2, criteria=(3, 10, 0.03))
        track.append(moved)
    return np.array(track)


def test_only_windows_with_both_ends_known_count(rng: np.random.Generator) -> None:
    frames, points = drifting(12, rng)
    points[6:, 1, 0] = np.nan
    points[:, 2] = np.nan
    smoothed, disagreement, *_ = smooth_points(frames, points, window=4)
    np.testing.assert_array_equal(np.isnan(disagreement[:, 1]), np.arange(12) >= 6)
    np.testing.assert_array_equal(smoothed[6:, 1], points[6:, 1])
    assert np.isnan(smoothed[:, 2]).all()
    assert np.isfinite(smoothed[:, 0]).all()


def test_a_short_gap_is_filled_along_the_motion(rng: np.random.Generator) -> None:
    frames, truth = drifting(20, rng)
    points = truth.copy()
    points[8:11, 0] = np.nan
    smoothed = smooth_points(frames, points, window=6).smoothed
    assert np.abs(smoothed[8:11, 0] - truth[8:11, 0]).max() < FLOW_ERROR_PX


def test_a_lonely_point_that_no_window_covers_stays_as_it_was(texture: NDArray[np.uint8]) -> None:
    points = np.full((9, 1, 2), np.nan)
    points[4, 0] = [60.3, 70.7]
    smoothed, disagreement, _, agreeing = smooth_points([texture] * 9, points, window=3)
    np.testing.assert_array_equal(smoothed, points)
    assert np.isnan(disagreement).all()
    assert np.isnan(agreeing).all()


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_chunk_and_threads_do_not_change_a_bit(rng: np.random.Generator, chunk: int) -> None:
    frames, points = drifting(20, rng)
    points[5:9, 1] = np.nan
    expected = list(one_by_one(iterate_windows(frames, points, 6, "opencv")))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = list(one_by_one(iterate_windows(iter(frames), points, 6, "opencv", chunk)))
    finally:
        cv2.setNumThreads(threads)
    assert [start for start, _, _ in found] == list(range(15))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours[1], theirs[1])
        np.testing.assert_array_equal(ours[2], theirs[2])


def test_no_more_than_a_window_and_a_chunk_of_frames_are_read_ahead(texture: NDArray[np.uint8]) -> None:
    read = 0

    def counted() -> Iterator[NDArray[np.uint8]]:
        nonlocal read
        for _ in range(60):
            read += 1
            yield texture

    points = np.broadcast_to(START, (60, 3, 2))
    for tracks in iterate_windows(counted(), points, window=5, chunk=4):
        assert read <= tracks.start + 4 + 5 - 1


def test_a_movie_with_no_point_gives_empty_results(texture: NDArray[np.uint8]) -> None:
    smoothed, disagreement, *_ = smooth_points([texture] * 4, np.empty((4, 0, 2)), window=3)
    assert smoothed.shape == (4, 0, 2)
    assert disagreement.shape == (4, 0)


@pytest.mark.parametrize(
    ("window", "spoil", "message"),
    [
        (1, lambda frames: frames, "window of 1 frames"),
        (11, lambda frames: frames, "expected 2 to 10"),
        (4, lambda frames: frames[:7], "after 7 of 10 frames"),
        (4, lambda frames: frames[:9], "after 9 of 10 frames"),
        (4, lambda frames: [], "after 0 of 10 frames"),
        (4, lambda frames: [*frames, frames[0]], "more than the 10 frames"),
        (4, lambda frames: [*frames[:5], frames[5][:-2], *frames[6:]], "frame 5 is"),
    ],
)
def test_a_movie_or_window_that_does_not_fit_is_named(
    rng: np.random.Generator, window: int, spoil: Callable[[Frames], Frames], message: str
) -> None:
    frames, points = drifting(10, rng)
    with pytest.raises(HerdbookError, match=message):
        smooth_points(spoil(frames), points, window)


@pytest.mark.parametrize("far", [(-22.5, 50.0), (202.0, 50.0), (50.0, 182.0), (50.0, -np.inf)])
def test_a_point_off_the_frame_is_named(rng: np.random.Generator, far: tuple[float, float]) -> None:
    frames, points = drifting(10, rng)
    points[3, 2] = far
    with pytest.raises(HerdbookError, match="frame 3, point 2"):
        smooth_points(frames, points, 4)


def test_a_point_that_jitters_over_the_border_is_smoothed(texture: NDArray[np.uint8]) -> None:
    points = np.broadcast_to(START, (10, 3, 2)).copy()
    points[:, 0] = [-1.5, 81.0]
    smoothed = smooth_points([texture] * 10, points, 4).smoothed
    np.testing.assert_allclose(smoothed, points, rtol=0, atol=1e-5)


def test_arrays_of_another_shape_or_type_are_refused(rng: np.random.Generator) -> None:
    frames, points = drifting(6, rng)
    with pytest.raises(ValueError, match=r"\(frames, points, 2\)"):
        smooth_points(frames, points[:, 0], 3)
    with pytest.raises(ValueError, match="frame 0 must be grey"):
        smooth_points([frame.astype(np.float32) for frame in frames], points, 3)
    with pytest.raises(ValueError, match="frame 0 must be grey"):
        smooth_points([np.dstack([frame] * 3) for frame in frames], points, 3)
    with pytest.raises(ValueError, match="one of opencv, numba, got 'cuda'"):
        smooth_points(frames, points, 3, "cuda")
