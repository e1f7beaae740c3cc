import numpy as np
import pytest

from herdbook.geometry.heads import head_directions


def walk(headings, speed, length=20.0, width=8.0):
    """Rows, offsets, frames, places and moments of one animal whose head points along `headings` (n,) and moves `speed` px a frame."""
    headings, n = np.asarray(headings, float), len(headings)
    step = np.stack([np.cos(headings), np.sin(headings)], 1) * np.broadcast_to(speed, n)[:, None]
    places = np.cumsum(step, axis=0)
    c, s = np.cos(headings), np.sin(headings)
    a, b = (length / 4) ** 2, (width / 4) ** 2
    moments = np.stack([a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c], 1).astype(np.float32)
    return np.arange(n), np.array([0, n]), np.arange(n, dtype=np.int32), places[:, 0], places[:, 1], moments


def away(found, true):
    return np.abs(np.angle(np.exp(1j * (found - true))))


@pytest.mark.parametrize("turn", [0.0, 0.8, 1.57, 2.5, 3.1, -2.0])
def test_an_animal_that_walks_has_its_head_in_front(turn):
    headings = turn + np.linspace(0, 2.5, 60)
    direction, sure = head_directions(*walk(headings, 3.0), body_length_px=20.0)
    assert away(direction, headings).max() < 0.05
    assert sure.min() > 0.99
    assert direction.dtype == sure.dtype == np.float32


def test_the_head_is_remembered_while_the_animal_rests_and_walks_a_little_backwards():
    headings = np.concatenate([np.full(30, 1.0), np.full(200, 1.0), np.full(10, 1.0)])
    speed = np.concatenate([np.full(30, 3.0), np.zeros(200), np.full(10, -0.5)])
    direction, sure = head_directions(*walk(headings, speed), body_length_px=20.0)
    assert away(direction, headings).max() < 0.05
    assert sure.min() > 0.85


def test_an_animal_that_never_moves_has_an_unknown_head():
    _, sure = head_directions(*walk(np.full(50, 0.4), 0.0), body_length_px=20.0)
    np.testing.assert_allclose(sure, 0.5, atol=1e-6)


def test_a_round_animal_may_turn_unseen():
    headings = np.concatenate([np.full(40, 0.1), np.full(40, 0.1 + np.pi)])
    direction, _ = head_directions(*walk(headings, 2.0, width=18.0), body_length_px=20.0)
    assert np.median(away(direction[:35], headings[:35])) < 0.1
    assert np.median(away(direction[-35:], headings[-35:])) < 0.1


def test_tracklets_do_not_mix_and_blobs_of_none_keep_their_axis():
    rows, _, frame, x, y, moments = walk(np.full(40, 0.3), np.repeat([3.0, -3.0], 20))
    direction, sure = head_directions(rows[:39], np.array([0, 20, 20, 39]), frame, x, y, moments, 20.0)
    assert away(direction[1:19], 0.3).max() < 0.05
    assert away(direction[21:38], 0.3 + np.pi).max() < 0.05
    assert sure[39] == 0.5
