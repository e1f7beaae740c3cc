"""Choice of the tracklets that a person should label next: those from which the classifier learns most, about most frames."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints, Pixels

# Appearances are compared at this size (width, height); colour has more weight than brightness, which changes with light and posture.
SMALL = (6, 9)
COLOUR_WEIGHT = 2.0
# Longer tracklets than this (frames) have no further advantage.
ENOUGH_FRAMES = 400
# Smallest weights: the classifier may learn even from a tracklet of which it is certain, and the graph may be wrong even if it is certain.
LEAST_UNSURE, LEAST_DOUBT = 0.05, 0.05


@dataclass(frozen=True)
class Candidates:
    """Tracklets of single animals that are labelled or can be.

    `first`, `last` int64 (n,) frame, counted over all movies, so that tracklets coexist exactly if they have a frame in common; `frames`
    int64 (n,); `arena` int64 (n,), since animals of two arenas are never the same; `looks` float64 (n, d), see `describe_looks`; `label`
    int64 (n,), class given by a person, or -1; `open` bool (n,), may be suggested; `posterior` float64 (n, classes) of the classifier, None
    without one; `doubt` float64 (n,), probability that the identity is wrong or unknown after propagation, 1 before it. `animals`: number
    of animals.
    """

    first: Ints
    last: Ints
    frames: Ints
    arena: Ints
    looks: Floats
    label: Ints
    open: NDArray[np.bool_]
    posterior: Floats | None
    doubt: Floats
    animals: int


@dataclass(frozen=True)
class Suggestion:
    """A suggested tracklet: its `row` in Candidates, and the reasons: `length`, `unsure` and `doubt`, all 0..1, and `labels`, the expected
    number of labels that its animal already has.
    """

    row: int
    length: float
    unsure: float
    doubt: float
    labels: float


def describe_looks(images: Pixels) -> Floats:
    """The appearance float64 (d,) of a tracklet: the reduced mean of some images (n, height, width, 3), as brightness and colour."""
    small = cv2.resize(images.mean(axis=0).astype(np.float32), SMALL, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    grey = small.mean(axis=1, keepdims=True)
    return np.concatenate([grey, COLOUR_WEIGHT * (small - grey)], axis=1).ravel()


def suggest_labels(found: Candidates, count: int) -> list[Suggestion]:
    """The `count` candidates whose labels help most, best first; fewer if there are not enough.

    They are chosen one by one. The value of a candidate is the square root of its length (neighbouring frames are similar), times the
    uncertainty of the classifier, times the doubt of the graph, divided by (1 + n)^2, where n is the expected number of labels that its
    animal already has. The probability that two tracklets show the same animal comes from the classifier or, before there is one, from the
    similarity of their appearance; it is 0 if they coexist.
    """
    length = _length(found)
    unsure = np.ones(len(length)) if found.posterior is None else LEAST_UNSURE + (1 - LEAST_UNSURE) * uncertainty(found.posterior)
    doubt = LEAST_DOUBT + (1 - LEAST_DOUBT) * found.doubt
    same = Resemblance(found)
    labels = np.zeros(len(length))
    for row in np.flatnonzero(found.label >= 0).tolist():
        labels += same.with_row(row)
    free = found.open & (found.label < 0)
    chosen = []
    for _ in range(min(count, int(free.sum()))):
        worth = np.where(free, length * unsure * doubt / (1 + labels) ** 2, -1.0)
        row = int(worth.argmax())
        chosen.append(Suggestion(row, float(length[row]), float(unsure[row]), float(doubt[row]), float(labels[row])))
        free[row] = False
        labels += same.with_row(row)
    return chosen


def suggest_together(found: Candidates) -> list[int]:
    """Candidates that are seen in one and the same frame, best first: before anything is learned, they are certain to be as many animals.

    Of all frames the one in which the lengths of those that can be labelled, or are, have the largest sum.
    """
    free = np.flatnonzero(found.open | (found.label >= 0))
    if not len(free):
        return []
    length = _length(found)[free]
    # The sum is largest where one of them begins.
    frames = np.unique(found.first[free])
    gained = np.zeros(len(frames) + 1)
    np.add.at(gained, np.searchsorted(frames, found.first[free]), length)
    np.subtract.at(gained, np.searchsorted(frames, found.last[free], side="right"), length)
    best = frames[int(np.cumsum(gained)[:-1].argmax())]
    there = free[(found.first[free] <= best) & (found.last[free] >= best)]
    there = there[np.argsort(-found.frames[there], kind="stable")]
    return [int(row) for row in there if found.open[row] and found.label[row] < 0]


def _length(found: Candidates) -> Floats:
    """The worth (n,) of the length of each candidate, 0..1."""
    return np.asarray(np.sqrt(np.minimum(found.frames, ENOUGH_FRAMES) / ENOUGH_FRAMES))


def uncertainty(posterior: Floats) -> Floats:
    """Entropy (n,) of probabilities (n, classes), divided by the largest possible one."""
    if posterior.shape[1] < 2:
        return np.zeros(len(posterior))
    return np.asarray(-(posterior * np.log(np.maximum(posterior, 1e-12))).sum(axis=1) / np.log(posterior.shape[1]))


class Resemblance:
    """The probability that a tracklet shows the same animal as another."""

    def __init__(self, found: Candidates) -> None:
        self._found = found
        # Tracklets that coexist show how similar two different animals are.
        distances = []
        for row in np.linspace(0, len(found.first) - 1, min(len(found.first), 60)).astype(int).tolist():
            distances.append(self._distances(row)[self._together(row)])
        others = np.concatenate(distances) if distances else np.zeros(0)
        others = others[others > 0]
        self._width = 0.5 * float(np.median(others)) if len(others) else 1.0
        self._chance = float(np.exp(-((others / self._width) ** 2) / 2).mean()) if len(others) else 1.0

    def with_row(self, row: int) -> Floats:
        """The probability (n,) that each tracklet shows the same animal as tracklet `row`."""
        found = self._found
        if found.posterior is None:
            alike = np.exp(-((self._distances(row) / self._width) ** 2) / 2)
            same = alike / (alike + (found.animals - 1) * self._chance)
        elif found.label[row] >= 0:
            same = found.posterior[:, found.label[row]].copy()
        else:
            same = found.posterior @ found.posterior[row]
        same[self._together(row)] = 0.0
        return np.asarray(same)

    def _distances(self, row: int) -> Floats:
        return np.asarray(np.sqrt(((self._found.looks - self._found.looks[row]) ** 2).mean(axis=1)))

    def _together(self, row: int) -> NDArray[np.bool_]:
        found = self._found
        together = (found.first <= found.last[row]) & (found.last >= found.first[row]) | (found.arena != found.arena[row])
        together[row] = False
        return np.asarray(together)
