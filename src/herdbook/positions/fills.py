"""Which gaps of an animal's positions may be filled: short ones, and none in which it may be somebody else or nobody knows."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.smooth import FROM_INTERPOLATED
from herdbook.positions.scene import Positions, Scene


def fill_own_gaps(table: Positions, scene: Scene, most_frames: int) -> Positions:
    """Add straight lines over gaps of at most `most_frames` missing frames, source interpolated, but for those that may not be filled.

    A gap stays one if the blob in which the animal was last seen goes on within it as another animal's or as nobody's, and so does one
    that ends in a blob which comes from another: there the identity changes or is unknown.
    """
    filled = fill_gaps(table, most_frames)
    if len(filled) == len(table):
        return table
    strangers = _Strangers(scene)
    order = np.lexsort((filled.frame, filled.individual))
    between = filled.source[order] == FROM_INTERPOLATED
    # Rows before and after each run of interpolated ones; a table never begins nor ends with one.
    before = np.flatnonzero(~between[:-1] & between[1:])
    after = np.flatnonzero(between[:-1] & ~between[1:]) + 1
    dropped = np.zeros(len(filled), bool)
    for a, b in zip(before, after, strict=True):
        individual, start, end = (int(v) for v in (filled.individual[order[a]], filled.frame[order[a]], filled.frame[order[b]]))
        if strangers.follow(individual, start, end) or strangers.precede(individual, start, end):
            dropped[order[a + 1 : b]] = True
    return filled.take(np.flatnonzero(~dropped))


class _Strangers:
    """Blobs into which an animal's blob goes on, or from which it comes, without the animal."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        known = scene.tracklet >= 0
        tracklets, frames = scene.tracklet[known], scene.frame[known]
        n = int(tracklets.max(initial=-1)) + 1
        self._first: NDArray[np.int64] = np.full(n, np.iinfo(np.int64).max)
        self._last: NDArray[np.int64] = np.full(n, -1)
        np.minimum.at(self._first, tracklets, frames)
        np.maximum.at(self._last, tracklets, frames)
        self._at_first, self._at_last = defaultdict(list), defaultdict(list)
        for tracklet, occupants in scene.occupants.items():
            for individual, _ in occupants if tracklet < n else ():
                self._at_first[individual, int(self._first[tracklet])].append(tracklet)
                self._at_last[individual, int(self._last[tracklet])].append(tracklet)

    def follow(self, individual: int, start: int, end: int) -> bool:
        """Whether the blob that held the animal in frame `start` goes on before `end` without it."""
        children = [c for t in self._at_last.get((individual, start), ()) for c in self._scene.children.get(t, ())]
        return any(c < len(self._first) and self._first[c] <= end and not self._holds(c, individual) for c in children)

    def precede(self, individual: int, start: int, end: int) -> bool:
        """Whether the blob that holds the animal in frame `end` comes from one after `start` without it."""
        parents = [p for t in self._at_first.get((individual, end), ()) for p in self._scene.parents.get(t, ())]
        return any(p < len(self._last) and self._last[p] >= start and not self._holds(p, individual) for p in parents)

    def _holds(self, tracklet: int, individual: int) -> bool:
        return any(occupant == individual for occupant, _ in self._scene.occupants.get(tracklet, ()))


def fill_gaps(table: Positions, most_frames: int) -> Positions:
    """Add straight lines over gaps of at most `most_frames` missing frames within an individual's positions; source interpolated."""
    order = np.lexsort((table.frame, table.individual))
    t = table.take(order)
    gap = np.diff(t.frame)
    here = np.flatnonzero((np.diff(t.individual) == 0) & (gap > 1) & (gap <= most_frames + 1))
    if not len(here):
        return table
    missing = (gap[here] - 1).astype(np.int64)
    left = np.repeat(here, missing)
    nth = np.arange(len(left)) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    share = nth / gap[left]

    def between(values: Floats) -> Floats:
        return values[left] * (1 - share) + values[left + 1] * share

    filled = Positions(
        frame=t.frame[left] + nth,
        individual=t.individual[left],
        x=between(t.x),
        y=between(t.y),
        angle=t.angle[left],
        confidence=np.minimum(t.confidence[left], t.confidence[left + 1]),
        source=np.full(len(left), FROM_INTERPOLATED, np.uint8),
    )
    both = Positions(*(np.concatenate([getattr(t, n), getattr(filled, n)]) for n in t.__dataclass_fields__))
    return both.take(np.lexsort((both.individual, both.frame)))
