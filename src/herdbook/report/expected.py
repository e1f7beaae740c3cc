"""How many positions are expected to be wrong, as a whole, of animals alone and in contact, each with an interval.

Answers of a person to random positions correct what is expected, and where they contradict it they replace it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, betaincinv, betaln, gammaln

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED, SOURCES
from herdbook.experiment.sheets.answers import RIGHT, WRONG, Point, farthest_px
from herdbook.report.summaries import Recording, RecordingTracks

# Confidences may be wrong by this factor either way: that far they were from the truth on recordings with one.
FACTOR = 2.0
# Standard deviations of what is expected by chance that the interval covers on either side: nine of ten.
DEVIATIONS = 1.64

# How surely the share is what is expected: a beta distribution of this shape, which lies between a fifth and the 2.4-fold nine times of
# ten. With a shape of 5.6, which is between a half and the double, intervals hold only half of the shares that are twice the expected.
SHAPE = 2.0
# So probably the expected share means nothing, and only the answers count (Jeffreys' prior). From .1 to .5 it makes no difference for
# shares that are up to twice the expected; of those ten times as large a tenth more are in the interval.
UNSUPPORTED = 0.25
LEAST_SHARE = 1e-6
TAIL = 0.05
IN_CONTACT = (SOURCES[FROM_RESOLVED], SOURCES[FROM_MERGED])


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


def still_valid(points: Sequence[Point], recordings: Sequence[Recording]) -> list[Point]:
    """The points whose animal is still at the same place as when they were drawn; answers about others are about older results.

    Other settings of the segmentation may have moved its centre a little.
    """
    valid = []
    for recording in recordings:
        starts = dict(zip((m.name for m in recording.movies), np.cumsum([0, *(m.frames for m in recording.movies)]).tolist(), strict=False))
        farthest = farthest_px(recording.body_length_px)
        numbers, tracks = {name: k for k, name in enumerate(recording.tracks.names)}, recording.tracks
        for point in points:
            if point.movie not in starts or point.individual not in numbers:
                continue
            first, end = np.searchsorted(tracks.frame, starts[point.movie] + point.frame + np.arange(2)).tolist()
            rows = first + np.flatnonzero(tracks.individual[first:end] == numbers[point.individual])
            if len(rows) and np.hypot(tracks.x[rows[0]] - point.x, tracks.y[rows[0]] - point.y) <= farthest:
                valid.append(point)
    return valid


def sentence_of(points: Sequence[Point], valid: Sequence[Point]) -> str:
    """What a reader should know of the answers: how many there are, and of which of them the results have changed since."""
    judged = [point for point in points if point.assigned and point.answer in (RIGHT, WRONG)]
    mine = [point for point in valid if point.answer in (RIGHT, WRONG)]
    wrong = sum(point.answer == WRONG for point in mine)
    text = f"Of {len(mine):,} random positions that a person judged {wrong:,} have the wrong name; the expected error allows for that."
    older = len(judged) - len(mine)
    return text + (f" {older:,} more answers are about older results and do not count: run herdbook validate again." if older else "")


def correct_error(error: ExpectedError, points: Sequence[Point]) -> ExpectedError:
    """The expected error after the answers to random points, of all, of animals alone and of those in contact.

    Each is the mean of what was expected and of what the answers say, weighted by how well both agree.
    """
    judged = [point for point in points if point.assigned and point.answer in (RIGHT, WRONG)]
    groups = (judged, [p for p in judged if p.source not in IN_CONTACT], [p for p in judged if p.source in IN_CONTACT])
    return ExpectedError(*(_corrected(one, group) for one, group in zip(error, groups, strict=True)))


def _corrected(expected: Expected, points: Sequence[Point]) -> Expected:
    trials, wrong = len(points), sum(point.answer == WRONG for point in points)
    if not trials or not expected.positions:
        return expected
    share = min(max(expected.share, LEAST_SHARE), 0.5)
    priors = ((SHAPE, SHAPE / share - SHAPE), (0.5, 0.5))
    weight = np.log([1 - UNSUPPORTED, UNSUPPORTED]) + [_log_evidence(wrong, trials, *prior) for prior in priors]
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    after = [(a + wrong, b + trials - wrong) for a, b in priors]
    mean = float(weight @ [a / (a + b) for a, b in after])
    # Shares between the least and the greatest that either allows, dense where they are small.
    values = np.geomspace(min(betaincinv(a, b, 1e-4) for a, b in after) + 1e-12, max(betaincinv(a, b, 1 - 1e-6) for a, b in after), 2000)
    below = weight @ np.array([betainc(a, b, values) for a, b in after])
    low, high = (float(np.interp(tail, below, values)) for tail in (TAIL, 1 - TAIL))
    return expected._replace(share=mean, low=low, high=high)


def _log_evidence(wrong: int, trials: int, a: float, b: float) -> float:
    """Logarithm of the chance of so many wrong answers where the share of wrong ones has a beta distribution."""
    ways = gammaln(trials + 1) - gammaln(wrong + 1) - gammaln(trials - wrong + 1)
    return float(ways + betaln(a + wrong, b + trials - wrong) - betaln(a, b))
