"""The length of the smoothing window, chosen from the movie."""

from itertools import pairwise

import numpy as np
import pytest

from herdbook.smoothing.frames import FrameSource
from herdbook.smoothing.window import SAMPLES, choose_window, sample_stretches, windows_to_try

SHAPE = (120, 160)
WINDOWS = (3, 5, 8, 12)


@pytest.fixture
def still(rng):
    """A movie in which nothing moves."""
    picture = np.clip(rng.normal(128, 40, SHAPE), 0, 255).astype(np.uint8)
    return FrameSource(90, SHAPE, (0,), lambda first, end: (picture for _ in range(first, end)))


@pytest.fixture
def flashing(rng):
    """A movie of unrelated frames, for which the flow is meaningless."""
    pictures = np.clip(rng.normal(128, 60, (90, *SHAPE)), 0, 255).astype(np.uint8)
    return FrameSource(90, SHAPE, (0,), lambda first, end: iter(pictures[first:end]))


def seen(rng, jitter_px):
    places = np.array([[40.0, 40.0], [100.0, 70.0]])
    return places + rng.normal(0, jitter_px, (90, 2, 2))


def test_with_exact_flow_a_long_window_removes_the_jitter_of_the_detector(still, rng):
    assert choose_window(still, seen(rng, 1.0), WINDOWS) == WINDOWS[-1]


def test_with_wrong_flow_the_shortest_window_is_chosen(flashing, rng):
    assert choose_window(flashing, seen(rng, 0.1), WINDOWS) == WINDOWS[0]


def test_of_equally_good_windows_the_shortest_is_chosen(still):
    assert choose_window(still, np.tile([[[40.0, 40.0]]], (90, 1, 1)), WINDOWS) == WINDOWS[0]


def test_without_points_the_longest_is_chosen(still):
    assert choose_window(still, np.full((90, 2, 2), np.nan), WINDOWS) == WINDOWS[-1]


@pytest.mark.parametrize(
    ("fps", "frames", "expected"),
    [(30, 1000, [3, 4, 6, 8, 11, 15]), (10, 1000, [3, 4, 5]), (2, 1000, [3]), (30, 5, [3, 4, 5]), (30, 2, [2]), (10, 3, [3])],
)
def test_windows_from_three_frames_to_half_a_second_fit_into_the_movie(fps, frames, expected):
    assert windows_to_try(fps, frames) == expected


@pytest.mark.parametrize("frames", [2, 60, 239, 361, 100_000])
def test_samples_lie_apart_and_inside(frames):
    stretches = sample_stretches(frames, 60)
    assert stretches[0][0] >= 0
    assert stretches[-1][1] <= frames
    assert all(a[1] <= b[0] for a, b in pairwise(stretches))
    assert sum(end - first for first, end in stretches) == min(frames, SAMPLES * 60)
