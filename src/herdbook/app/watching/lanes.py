"""The line of time of each animal: in each frame alone, resolved, and so on, unknown or hidden."""

import numpy as np
from numpy.typing import NDArray

from herdbook.app.watching.positions import FramePlaces, Unknown
from herdbook.arrays import Ints
from herdbook.artifacts.smooth import SOURCES

# States are the sources of positions, and then: some animal in the frame has no name, and may be this one; it is nowhere to be seen; the
# frame is not tracked.
UNKNOWN, HIDDEN, UNTRACKED = (len(SOURCES) + k for k in range(3))
# More lanes than that cannot be told apart.
MOST_LANES = 64


def states_of(places: FramePlaces, unknown: Unknown, names: int, frames: int, intervals: Ints) -> NDArray[np.uint8]:
    """The state of each animal in each frame, uint8 (names, frames)."""
    states = np.full((names, frames), HIDDEN, np.uint8)
    states[:, np.diff(unknown.offsets) > 0] = UNKNOWN
    tracked = np.zeros(frames, bool)
    for first, end in intervals.tolist():
        tracked[first:end] = True
    states[:, ~tracked] = UNTRACKED
    states[places.individual, places.frame] = places.source
    return states


def lane_states(states: NDArray[np.uint8], first: int, end: int, width: int) -> tuple[Ints, list[str]]:
    """Who is shown (k,), and for each of them a digit for each of at most `width` equal parts of the frames: its most frequent state.

    Of more animals than `MOST_LANES`, those with the most positions there.
    """
    part = states[:, first:end]
    shown = np.arange(len(states))
    if len(shown) > MOST_LANES:
        shown = np.sort(np.argsort(-(part < UNKNOWN).sum(axis=1), kind="stable")[:MOST_LANES])
    part = part[shown]
    count = min(width, end - first)
    edges = np.arange(count) * (end - first) // count
    best, most = np.zeros((len(shown), count), np.uint8), np.full((len(shown), count), -1)
    for state in range(UNTRACKED + 1):
        many = np.add.reduceat(part == state, edges, axis=1, dtype=np.int64)
        best[many > most] = state
        most = np.maximum(most, many)
    return shown, ["".join(map(str, row)) for row in best.tolist()]
