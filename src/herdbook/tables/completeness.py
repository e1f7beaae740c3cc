"""How many of the places that a recording has for animals hold a position: in each frame and arena, one place for each animal in it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.artifacts.propagate import Identities

# Counts by frame and arena in memory at a time.
CELLS_AT_ONCE = 2_000_000


def arenas_of_individuals(identities: Identities, arenas: Mapping[str, NDArray[np.int16]]) -> NDArray[np.int16]:
    """The arena of each of the individuals, int16 (individuals,), -1 for those that are in no tracklet; no animal leaves its arena.

    arenas: arena of each tracklet, int16 (tracklets,), by movie.
    """
    found = np.full(len(identities.individuals), -1, np.int16)
    for number, movie in enumerate(identities.movies):
        mine = identities.movie == number
        found[identities.individual[mine]] = arenas[movie][identities.tracklet[mine]]
    return found


def filled_places(frame: Ints, arena: NDArray[np.int16], numbers: Sequence[int], frames: int) -> Ints:
    """How many places of animals hold a position, int64 (frames,): in each arena at most as many as animals live in it.

    frame, arena: those of each position, (n,), sorted by frame; an arena of -1 is unknown. numbers: number of animals in each arena. So a
    position too many in one arena does not stand for one that is lacking in another.
    """
    arenas = len(numbers)
    most = np.array([*numbers, sum(numbers)])
    filled = np.zeros(frames, np.int64)
    step = max(1, CELLS_AT_ONCE // (arenas + 1))
    for first in range(0, frames, step):
        end = min(first + step, frames)
        rows = slice(*np.searchsorted(frame, (first, end)).tolist())
        cell = (frame[rows] - first) * (arenas + 1) + np.where(arena[rows] < 0, arenas, arena[rows])
        counts = np.bincount(cell, minlength=(end - first) * (arenas + 1)).reshape(-1, arenas + 1)
        filled[first:end] = np.minimum(counts, most).sum(axis=1)
    return np.minimum(filled, sum(numbers))
