"""Which frames a written movie shows, and when."""

import numpy as np
import pytest

from herdbook.drawing.shown_frames import choose_frames

EVEN = np.arange(100) / 20


def test_without_wishes_every_frame_is_shown_when_it_was_filmed():
    shown = choose_frames(EVEN, 20.0)
    assert shown.frame.tolist() == list(range(100))
    assert shown.shown_s == pytest.approx(EVEN)
    assert shown.fps == 20


@pytest.mark.parametrize(("speed", "step", "fps"), [(1.0, 1, 20), (4.0, 4, 20), (0.5, 1, 10), (1.4, 1, 28), (2.6, 3, 20 * 2.6 / 3)])
def test_speed_leaves_out_frames_so_that_the_rate_stays_near_the_movies(speed, step, fps):
    shown = choose_frames(EVEN, 20.0, speed=speed)
    assert np.unique(np.diff(shown.frame)).tolist() == [step]
    assert shown.shown_s == pytest.approx(EVEN[::step] / speed)
    assert shown.fps == pytest.approx(fps)


def test_frames_left_out_can_be_chosen_apart_from_speed():
    shown = choose_frames(EVEN, 20.0, every=10, speed=2.0)
    assert shown.frame.tolist() == list(range(0, 100, 10))
    assert (shown.shown_s[1], shown.fps) == (pytest.approx(0.25), pytest.approx(4))


@pytest.mark.parametrize("frames", ["frames", "s"])
def test_each_interval_begins_with_its_first_frame(frames):
    intervals = [(3, 8), (50, 53)] if frames == "frames" else [(0.15, 0.4), (2.5, 2.65)]
    shown = choose_frames(EVEN, 20.0, every=2, intervals=intervals, intervals_in=frames)
    assert shown.frame.tolist() == [3, 5, 7, 50, 52]
    assert shown.shown_s == pytest.approx(np.arange(5) / 10)


def test_uneven_times_are_kept_within_an_interval():
    time_s = np.cumsum(np.r_[0, np.tile([0.05, 0.15], 20)])
    shown = choose_frames(time_s, 10.0, intervals=[(0, 5), (10, 13)])
    assert np.diff(shown.shown_s) == pytest.approx([0.05, 0.15, 0.05, 0.15, 0.1, 0.05, 0.15])


def test_an_interval_may_reach_beyond_the_end():
    assert choose_frames(EVEN, 20.0, intervals=[(98, 500)]).frame.tolist() == [98, 99]


@pytest.mark.parametrize(
    ("interval", "unit", "said"), [((100, 120), "frames", r"\[100, 120\] holds"), ((5.0, 9.0), "s", r"\[5, 9\] s holds")]
)
def test_an_interval_without_frames_is_refused(interval, unit, said):
    with pytest.raises(ValueError, match=said):
        choose_frames(EVEN, 20.0, intervals=[(0, 2), interval], intervals_in=unit)


def test_one_frame_is_a_movie():
    shown = choose_frames(np.zeros(1), 25.0, speed=8)
    assert (shown.frame.tolist(), shown.shown_s.tolist()) == ([0], [0.0])
