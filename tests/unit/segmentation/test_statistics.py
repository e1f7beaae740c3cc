import tracemalloc

import cv2
import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.segmentation.statistics import background, drop_outlier_frames, robust_background

PLAIN = {
    "mean": lambda frames: np.rint(frames.mean(axis=0)),
    "min": lambda frames: frames.min(axis=0),
    "max": lambda frames: frames.max(axis=0),
    "median": lambda frames: np.sort(frames, axis=0)[(len(frames) - 1) // 2],
    "mode": lambda frames: np.array([[np.bincount(p).argmax() for p in row] for row in frames.transpose(1, 2, 0)]),
}


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def empty_arena(shape=(120, 160), low=130, high=190):
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]]
    ramp = rows / shape[0] + cols / shape[1]
    return low + (high - low) * ramp / 2


def resting_movie(rng, arena, animal_levels, resting_share, frames=50, noise=2.0):
    """Each animal rests (with jitter) at its own place for a share of the frames and is anywhere else in the others."""
    homes = [(30, 30), (110, 40), (70, 90), (130, 95)]
    shuffled = [rng.permutation(frames) < resting_share * frames for _ in homes]
    movie = []
    for frame in range(frames):
        image = arena.copy()
        for home, rests, level in zip(homes, shuffled, animal_levels, strict=True):
            centre, angle = (np.array(home) + rng.integers(-1, 2, 2), 20) if rests[frame] else (rng.integers(5, 115, 2), rng.integers(180))
            cv2.ellipse(image, tuple(int(c) for c in centre), (12, 6), int(angle), 0, 360, level, -1)
        movie.append(np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8))
    return movie


@pytest.mark.parametrize("statistic", PLAIN)
@pytest.mark.parametrize("count", [1, 2, 9, 30, 301])
def test_statistics_are_those_of_numpy(rng, statistic, count):
    frames = rng.integers(100, 116, (count, 13, 19), dtype=np.uint8)
    result = background(iter(frames), statistic)
    assert result.dtype == np.uint8
    assert np.array_equal(result, PLAIN[statistic](frames))


def test_full_range_of_levels_is_counted(rng):
    frames = np.stack([rng.permutation(256).astype(np.uint8).reshape(16, 16) for _ in range(21)])
    assert np.array_equal(background(frames), np.median(frames, axis=0))


def test_channels_of_colour_frames_are_independent(rng):
    frames = rng.integers(90, 110, (15, 40, 70, 3), dtype=np.uint8)
    result = background(frames, "median")
    assert result.shape == (40, 70, 3)
    for channel in range(3):
        assert np.array_equal(result[..., channel], background(frames[..., channel]))


def test_frames_larger_than_one_block_are_complete(rng):
    frames = rng.integers(0, 256, (5, 300, 401), dtype=np.uint8)
    assert np.array_equal(background(frames), np.median(frames, axis=0))


def test_frames_that_share_memory_are_counted_separately():
    buffer = np.empty((4, 5), np.uint8)

    def decoder():
        for level in (100, 101, 104):
            buffer[:] = level
            yield buffer

    assert (background(decoder()) == 101).all()


def test_histograms_never_exist_for_the_whole_frame(rng):
    frames = [rng.integers(0, 256, (600, 800), dtype=np.uint8) for _ in range(4)]
    background(frames)
    tracemalloc.start()
    background(frames)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.1 * 600 * 800 * 512


def test_black_frames_are_left_out(rng):
    arena = empty_arena()
    good = [np.rint(arena + rng.normal(0, 2, arena.shape)).astype(np.uint8) for _ in range(12)]
    black = [np.zeros(arena.shape, np.uint8)] * 5
    for statistic in ("min", "mean"):
        assert np.array_equal(background(black + good, statistic), background(good, statistic))


def test_only_frames_far_from_the_others_are_dropped():
    means = np.array([150.0, 150.2, 149.9, 0.0, 150.1, 151.5, 255.0, 150.0, 148.9])
    assert drop_outlier_frames(means).tolist() == [True, True, True, False, True, True, False, True, True]
    assert drop_outlier_frames(np.array([20.0])).all()
    flicker = 100 + 20 * np.sin(np.arange(60))
    assert drop_outlier_frames(flicker).all()
    day_and_night = np.array([150.0] * 5 + [40.0] * 5)
    assert drop_outlier_frames(day_and_night).all()


@pytest.mark.parametrize(
    ("foreground", "levels"),
    [
        ("dark", (40, 60, 30, 50)),
        ("bright", (240, 250, 235, 245)),
        ("either", (40, 60, 30, 50)),
        ("either", (240, 40, 245, 50)),
    ],
)
def test_animals_that_rest_for_most_of_the_time_do_not_become_background(rng, foreground, levels):
    arena = empty_arena()
    movie = resting_movie(rng, arena, levels, resting_share=0.6)
    plain_error = np.abs(background(movie) - arena)
    assert (plain_error > 30).sum() > 400
    error = np.abs(robust_background(movie, "median", foreground) - arena)
    assert (error > 10).sum() == 0


@pytest.mark.parametrize("foreground", ["dark", "either"])
def test_soft_outlines_of_resting_animals_leave_no_ghost(rng, foreground):
    arena = empty_arena()
    movie = [cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in resting_movie(rng, arena, (40, 60, 30, 50), 0.7)]
    assert (np.abs(background(movie) - arena) > 20).sum() > 700
    assert (np.abs(robust_background(movie, "median", foreground) - arena) > 20).sum() < 10


def test_resting_animals_in_colour_do_not_become_background(rng):
    arena = empty_arena()
    grey = np.stack(resting_movie(rng, arena, (40, 60, 30, 50), 0.6))
    movie = np.stack([grey, grey // 2 + 20, np.full_like(grey, 77)], axis=3)
    result = robust_background(movie, "median", "dark")
    assert (np.abs(result[..., 0] - arena) > 10).sum() == 0
    assert (np.abs(result[..., 1] - (arena // 2 + 20)) > 5).sum() == 0
    assert (result[..., 2] == 77).all()


def flicker(kind, frames):
    steps = np.arange(frames)
    gains = {"sine": 1 + 0.25 * np.sin(1.7 * steps), "mains": 1 + 0.2 * (-1.0) ** steps, "none": np.ones(frames)}
    return gains[kind]


@pytest.mark.parametrize("foreground", ["dark", "bright", "either"])
@pytest.mark.parametrize("kind", ["none", "sine", "mains"])
@pytest.mark.parametrize("noise", [0.0, 3.0, 20.0])
def test_noise_and_flicker_alone_give_the_plain_median(rng, foreground, kind, noise):
    arena = empty_arena(low=100, high=150)
    movie = [gain * arena + rng.normal(0, noise, arena.shape) for gain in flicker(kind, 60)]
    movie = [np.clip(frame, 0, 255).astype(np.uint8) for frame in movie]
    assert np.array_equal(robust_background(movie, "median", foreground), background(movie))


def test_evenly_spread_values_are_not_two_levels(rng):
    movie = rng.integers(80, 180, (100, 100, 120), dtype=np.uint8)
    assert np.array_equal(robust_background(movie), background(movie))


def test_a_rare_lighter_level_is_no_arena():
    movie = [np.full((20, 30), 150, np.uint8) for _ in range(40)]
    for frame in movie[:3]:
        frame[5:10, 5:10] = 220
    assert np.array_equal(robust_background(movie), background(movie))


def test_no_side_is_taken_when_nothing_around_is_steady():
    rows, cols = np.mgrid[0:20, 0:30]
    pattern = np.where((rows + cols) % 2 == 0, 80, 160).astype(np.uint8)
    movie = [pattern] * 12 + [240 - pattern] * 9
    assert np.array_equal(robust_background(movie, "median", "either"), pattern)


def test_the_plain_statistic_is_used_where_nothing_rests(rng):
    movie = rng.integers(100, 110, (21, 30, 40), dtype=np.uint8)
    for statistic in ("mean", "mode", "max"):
        assert np.array_equal(robust_background(movie, statistic), background(movie, statistic))


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "0 frames"),
        ([np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8)], r"frame 1 is \(5, 4\) uint8, expected \(4, 5\) uint8"),
        ([np.zeros((4, 5), np.float32)], "float32"),
    ],
)
def test_samples_that_make_no_background_are_refused(frames, message):
    with pytest.raises(HerdbookError, match=message):
        background(frames)


def test_unknown_names_are_refused_with_the_known_ones():
    frames = [np.zeros((4, 5), np.uint8)]
    with pytest.raises(HerdbookError, match="'average': choose one of median, mean"):
        background(frames, "average")
    with pytest.raises(HerdbookError, match="'black': choose one of dark, bright, either"):
        robust_background(frames, "median", "black")
