"""What of the positions is expected to be wrong, with its interval, against errors drawn with these chances."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_RESOLVED, FROM_SINGLE
from herdbook.report.expected import FACTOR, expect_error
from herdbook.report.gist import expected_wrong
from herdbook.report.summaries import RecordingTracks


def recording_of(rows):
    """A recording from rows (frame, individual, source, confidence)."""
    frame, individual, source, confidence = np.array(sorted(rows), float).reshape(-1, 4).T
    places = np.zeros(len(frame), np.float32)
    columns = frame.astype(np.int64), individual.astype(np.int64), places, places, source.astype(np.uint8), confidence.astype(np.float32)
    return SimpleNamespace(tracks=RecordingTracks(["a", "b"], *columns))


def stretch(first, frames, individual, source, confidence):
    return [(first + k, individual, source, confidence) for k in range(frames)]


def test_positions_alone_and_in_contact_are_expected_apart():
    rows = stretch(0, 90, 0, FROM_SINGLE, 0.99) + stretch(90, 10, 0, FROM_RESOLVED, 0.9)
    error = expect_error([recording_of(rows), recording_of(stretch(0, 100, 1, FROM_SINGLE, 1.0))])
    assert (error.whole.positions, error.alone.positions, error.contact.positions) == (200, 190, 10)
    assert error.contact.share == pytest.approx(0.1)
    assert error.alone.share == pytest.approx(0.9 / 190)
    assert error.whole.share == pytest.approx(1.9 / 200)
    for one in error:
        assert one.low <= one.share / FACTOR
        assert one.high >= min(1, FACTOR * one.share)


def test_a_long_stretch_makes_the_interval_wide_and_many_short_ones_do_not():
    long = expect_error([recording_of(stretch(0, 1000, 0, FROM_SINGLE, 0.9))]).whole
    confidences = [0.9 + 0.0001 * (k % 2) for k in range(1000)]
    short = expect_error([recording_of([(k, 0, FROM_SINGLE, c) for k, c in enumerate(confidences)])]).whole
    assert long.share == pytest.approx(short.share, abs=1e-4)
    assert long.low == 0
    assert short.low > 0.03
    assert short.high < 0.22 < 0.65 < long.high


def test_nine_of_ten_recordings_lie_within_the_interval(rng):
    inside = []
    for _ in range(200):
        doubt, frames = rng.beta(0.3, 6, 60), rng.integers(5, 60, 60)
        rows, first, wrong = [], 0, 0
        for k in range(60):
            rows += stretch(first, int(frames[k]), 0, FROM_RESOLVED if k % 2 else FROM_SINGLE, 1 - doubt[k])
            first += int(frames[k])
            wrong += int(frames[k]) * (rng.random() < doubt[k])
        whole = expect_error([recording_of(rows)]).whole
        inside.append(whole.low <= wrong / frames.sum() <= whole.high)
    assert np.mean(inside) > 0.9


def test_two_ways_of_learning_that_disagree_are_an_error_more():
    recordings = [recording_of(stretch(0, 100, 0, FROM_SINGLE, 0.98))]
    assert expected_wrong({"architecture": "embedding", "disagreement": 0.1}, recordings).whole.share == pytest.approx(1 - 0.98 * 0.9)
    assert expected_wrong({"architecture": "small"}, recordings).whole.share == pytest.approx(0.02)


def test_no_positions_have_no_error():
    for recordings in ([], [recording_of([])]):
        error = expect_error(recordings)
        assert error.whole.positions == 0
        assert np.isnan(error.whole.share)
