"""How many animals a movie shows at once, where it shows each by itself: a number of animals that is too large shows in that."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Bools, Floats, Ints
from herdbook.tracklets.excess import LASTING_S, LEAST_SIZE

# Two animals in one blob have at least so many times the area of one, unless one hides the other nearly.
LEAST_PAIR = 1.5
# An animal may be hidden in one quiet moment; that the same one hides or touches another in all of so many moments apart is unlikely.
LEAST_SPELLS = 3
# All blobs together have the area of the animals in sight, even if two that touch, of which one covers a third of the other, are taken for
# one.
AREA_MARGIN = 2 / 3


class Shown(NamedTuple):
    """What an arena shows where no blob is as large as two animals: how many `spells` of a second or longer there are, the `most` blobs
    as large as an animal in one of their frames, and the largest mean `area` of all of them in a spell, in units of the median one.
    """

    spells: int
    most: int
    area: float


def animals_shown(first: Ints, last: Ints, arena: Ints, size: Floats, *, arenas: int, frames: int, fps: float) -> list[Shown]:
    """What each arena of a movie shows.

    first, last: frames of each tracklet, (n,); arena of each; size: its area in units of the area of one animal.
    """
    found = []
    for k in range(arenas):
        mine = (arena == k) & (size >= LEAST_SIZE)
        pairs = _sums(first, last, mine & (size >= LEAST_PAIR), np.ones(len(size)), frames)
        counts = np.rint(_sums(first, last, mine, np.ones(len(size)), frames)).astype(np.int64)
        area = _sums(first, last, mine, size, frames)
        ends = np.flatnonzero(np.diff(np.concatenate([[0], (pairs < LEAST_SIZE) & (counts > 0), [0]]).astype(np.int8))).reshape(-1, 2)
        # The unit of the areas follows from the number of animals that is in question, so it is measured anew.
        spells = [(a, b) for a, b in ends.tolist() if b - a >= max(2.0, LASTING_S * fps)]
        most = max((int(counts[a:b].max()) for a, b in spells), default=0)
        largest = max((float(area[a:b].mean()) for a, b in spells), default=0.0)
        found.append(Shown(len(spells), most, largest / _median_size(first, last, size, mine, spells)))
    return found


def join_shown(movies: Sequence[Sequence[Shown]]) -> list[Shown]:
    """What each arena shows in several movies."""
    return [
        Shown(sum(one.spells for one in arena), max(one.most for one in arena), max(one.area for one in arena))
        for arena in zip(*movies, strict=True)
    ]


def too_large(shown: Shown, number: int) -> bool | None:
    """Whether a number of animals is larger than what an arena ever shows; None if there are too few spells to tell."""
    if shown.most >= number:
        return False
    if shown.spells < LEAST_SPELLS:
        return None
    return shown.area < number - AREA_MARGIN


def _median_size(first: Ints, last: Ints, size: Floats, mine: Bools, spells: Sequence[tuple[int, int]]) -> float:
    """Median size of the blobs in the spells, each counting as often as it is seen there; 1 without any."""
    weight = sum((np.clip(np.minimum(last + 1, b) - np.maximum(first, a), 0, None) for a, b in spells), np.zeros(len(size), np.int64))
    rows = np.flatnonzero(mine & (weight > 0))
    rows = rows[np.argsort(size[rows])]
    if not len(rows):
        return 1.0
    total = np.cumsum(weight[rows])
    return float(size[rows[np.searchsorted(total, total[-1] / 2)]])


def _sums(first: Ints, last: Ints, chosen: Bools, weight: Floats, frames: int) -> Floats:
    """Sum (frames,) of the weights of the chosen tracklets that are there."""
    change = np.bincount(first[chosen], weight[chosen], minlength=frames + 1)
    change -= np.bincount(last[chosen] + 1, weight[chosen], minlength=frames + 1)
    return np.asarray(np.cumsum(change)[:frames], np.float64)
