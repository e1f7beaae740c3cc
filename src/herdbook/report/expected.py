"""How many positions are expected to be wrong, as a whole, of animals alone and in contact, each with an interval."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.report.summaries import Recording, RecordingTracks

# Confidences may be wrong by this factor either way: that far they were from the truth on recordings with one.
FACTOR = 2.0
# Standard deviations of what is expected by chance that the interval covers on either side: nine of ten.
DEVIATIONS = 1.64


class Expected(NamedTuple):
    """Of `positions` positions the `share` is expected to be wrong, between `low` and `high` of them nine times of ten; NaN for none."""

    positions: int
    share: float
    low: float
    high: float


class ExpectedError(NamedTuple):
    """What is expected of all positions, of those of animals alone, and of those in contact."""

    whole: Expected
    alone: Expected
    contact: Expected


def expect_error(recordings: Sequence[Recording], disagreement: float = 0.0) -> ExpectedError:
    """The expected errors of all recordings together; `disagreement` is the share of frames on which two ways of learning do not agree."""
    stretches = [_stretches(recording.tracks) for recording in recordings] or [(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, bool))]
    doubt, frames, merged = (np.concatenate(column) for column in zip(*stretches, strict=True))
    return ExpectedError(
        *(_expect(doubt[chosen], frames[chosen], disagreement) for chosen in (np.ones(len(merged), bool), ~merged, merged))
    )


def _stretches(tracks: RecordingTracks) -> tuple[Floats, Ints, Bools]:
    """Stretches of positions that are wrong together or not at all: mean doubt (s,), frames (s,) and whether they are in contact (s,).

    An animal alone has one confidence as long as its tracklet lasts. In contact the confidence changes from frame to frame, and the whole
    stay is one stretch.
    """
    order = np.lexsort((tracks.frame, tracks.individual))
    individual, confidence = tracks.individual[order], tracks.confidence[order].astype(np.float64)
    merged = np.isin(tracks.source[order], (FROM_RESOLVED, FROM_MERGED))
    new = (np.diff(individual) != 0) | (np.diff(merged) != 0) | (~merged[1:] & (np.diff(confidence) != 0))
    first = np.flatnonzero(np.concatenate([[True], new])) if len(order) else np.zeros(0, np.int64)
    frames = np.diff(np.append(first, len(order)))
    doubt = np.add.reduceat(1 - confidence, first) / frames if len(first) else np.zeros(0)
    return doubt, frames, merged[first]


def _expect(doubt: Floats, frames: Ints, disagreement: float) -> Expected:
    positions = int(frames.sum())
    if not positions:
        return Expected(0, np.nan, np.nan, np.nan)
    wrong = float((1 - (1 - doubt) * (1 - disagreement)) @ frames)
    chance = DEVIATIONS * float(np.sqrt((frames.astype(np.float64) ** 2) @ (doubt * (1 - doubt))))
    low, high = max(0.0, wrong / FACTOR - chance), min(float(positions), FACTOR * wrong + chance)
    return Expected(positions, *(value / positions for value in (wrong, low, high)))
