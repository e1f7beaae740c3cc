"""Whether a movie goes on where the one before it ended, on animals that walk on."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.tracklets.seams import Seam, compare_seam, mean_movement

BODY_PX = 20.0


def walking(frames, number=5, seed=1, fps=20.0):
    """Places (frames, number, 2) of animals that walk about at two body lengths per second, and now and then rest."""
    rng = np.random.default_rng(seed)
    angle = np.cumsum(rng.normal(0, 0.2, (frames, number)), axis=0) + rng.uniform(0, 6, number)
    speed = 2 * BODY_PX / fps * (rng.random((frames // 20 + 1, number)) > 0.3).repeat(20, axis=0)[:frames]
    steps = speed[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return rng.uniform(0, 300, (1, number, 2)) + np.cumsum(steps, axis=0)


def blobs_of(places, fps=20.0):
    frames, number, _ = places.shape
    x, y = places.reshape(-1, 2).T
    frame = np.repeat(np.arange(frames, dtype=np.int32), number)
    arena = np.zeros(len(frame), np.int16)
    return SimpleNamespace(frame=frame, x=x, y=y, arena=arena, frames=frames, fps=fps, intervals=np.array([[0, frames]]))


def cut(places, *, lost=0):
    """Two movies of a recording, of which some frames between them are lost."""
    half = len(places) // 2
    return blobs_of(places[:half]), blobs_of(places[half + lost :])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lost", [0, 3])
def test_movies_in_order_fit_even_if_a_few_frames_are_lost(seed, lost):
    seam = compare_seam(*cut(walking(400, seed=seed), lost=lost), BODY_PX)
    assert seam.animals == 5
    assert not seam.broken


@pytest.mark.parametrize("seed", range(5))
def test_movies_in_the_wrong_order_do_not_fit(seed):
    before, after = cut(walking(400, seed=seed))
    assert compare_seam(after, before, BODY_PX).broken


def test_a_missing_movie_breaks_the_seam():
    assert compare_seam(*cut(walking(600), lost=200), BODY_PX).broken


def test_animals_that_all_rest_fit_and_movies_too_short_tell_nothing():
    still = np.tile(walking(1), (200, 1, 1))
    seam = compare_seam(*cut(still), BODY_PX)
    assert (seam.animals, seam.broken) == (5, False)
    assert compare_seam(*cut(walking(20)), BODY_PX) == Seam()
    assert compare_seam(*cut(walking(400, number=1)), BODY_PX).broken is False


def test_partners_are_of_one_arena_and_far_ones_count_two_body_lengths():
    one, other = np.array([[0.0, 0], [100, 0]]), np.array([[10.0, 0], [300, 0]])
    assert mean_movement(one, np.array([0, 1]), other, np.array([0, 1]), BODY_PX) == (2, pytest.approx((0.5 + 2) / 2))
    assert mean_movement(one, np.array([0, 0]), other, np.array([1, 1]), BODY_PX) is None
