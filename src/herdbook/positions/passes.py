"""Two passes through the merges of a movie, one with time and one against it, become one position of each animal in each frame.

`arrangements` says at which of the places that the passes found each animal is; here a position becomes the mean of both passes where they
agree, weighted by how long ago the animal was alone, and gets its confidence and source.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.geometry.ellipses import wrap_angle

# Nats (members, places) that an image of a blob gives for members at places (p, 3) x, y, angle; None where it says nothing.
Evidence = Callable[[int, Sequence[int], Floats], Floats | None]

# "Frames since it was alone" of an animal that nobody saw come in.
NEVER_ALONE_FRAMES = 1_000_000
# Nobody inside a merge is surer than this: places may be fitted wrongly. And where nobody knows:
SUREST, GUESSED = 0.9995, 0.25


class Members(NamedTuple):
    """Who is in which merged blob, one row for each animal in each of them, in order of the blobs: `blob` and `individual` (rows,)."""

    blob: Ints
    individual: Ints

    def of(self, blob: int) -> slice:
        """The rows of a blob."""
        first, end = np.searchsorted(self.blob, (blob, blob + 1)).tolist()
        return slice(first, end)


class Pass(NamedTuple):
    """What one pass found of each row of the members: `place` (rows, 3) x, y, angle; the frames (rows,) since the animal was alone; whether
    it was `followed` (rows,) from there.
    """

    place: Floats
    inside: Ints
    followed: NDArray[np.bool_]


class Joined(NamedTuple):
    """One position for each row of the members: `place` (rows, 3) x, y, angle; `confidence` (rows,); `source` (rows,) uint8."""

    place: Floats
    confidence: Floats
    source: NDArray[np.uint8]


def join_passes(
    members: Members,
    forward: Pass,
    backward: Pass,
    width_px: float,
    place: Floats,
    probability: Floats,
    stray: float,
    answered: NDArray[np.bool_] | None = None,
) -> Joined:
    """One position of each member, which is at `place` (rows, 3) x, y, angle with this `probability` (rows,); `width_px` of an animal.

    `answered` (rows,): where a person said where the member is.
    """
    joined = Joined(place.copy(), np.minimum(probability, SUREST), np.full(len(place), FROM_RESOLVED, np.uint8))
    for blob in np.unique(members.blob).tolist():
        rows = members.of(blob)
        joined.place[rows] = _blend(place[rows], forward, backward, rows, width_px)
    for stay in visits(members, forward):
        since, until = forward.inside[stay], backward.inside[stay]
        entered, left = bool(forward.followed[stay[0]]), bool(backward.followed[stay[-1]])
        if not (entered or left) and since[0] >= NEVER_ALONE_FRAMES:
            joined.confidence[stay], joined.source[stay] = GUESSED, FROM_MERGED
        elif not (entered and left):
            frames = until if left else since
            sure = np.flatnonzero(answered[stay]) if answered is not None else np.zeros(0, np.int64)
            if len(sure):
                frames = np.minimum(frames, np.abs(np.arange(len(stay))[:, None] - sure).min(axis=1))
            joined.confidence[stay] *= 1 - stray_chance(frames, stray)
    return joined


def stray_chance(frames: NDArray[np.integer], rate: float) -> Floats:
    """The chance that an animal with one known end is another one after so many frames, when exchanges there and back come at random."""
    return np.asarray((1 - np.exp(-2 * rate * np.minimum(frames, NEVER_ALONE_FRAMES))) / 2)


def _blend(place: Floats, forward: Pass, backward: Pass, rows: slice, width_px: float) -> Floats:
    """The places (k, 3) of a blob's members, each the mean of the nearest place of either pass where both are within a width of it."""
    blended = place.copy()
    near = []
    for found in (forward, backward):
        distance = np.hypot(*(place[:, None, :2] - found.place[rows][None, :, :2]).transpose(2, 0, 1))
        near.append((distance.argmin(axis=1), distance.min(axis=1)))
    (first, first_px), (second, second_px) = near
    agree = np.flatnonzero((first_px < width_px) & (second_px < width_px))
    since, until = forward.inside[rows][first], backward.inside[rows][second]
    weight = (until / (since + until))[agree, None]
    a, b = forward.place[rows][first[agree]], backward.place[rows][second[agree]]
    # Axes have no head: the difference of two of them is less than a quarter turn.
    step = np.concatenate([b[:, :2] - a[:, :2], wrap_angle(b[:, 2:] - a[:, 2:], np.pi)], axis=1)
    blended[agree] = a + (1 - weight) * step
    return blended


def visits(members: Members, forward: Pass) -> list[Ints]:
    """The rows of the members cut into stays of one individual among others, each in order of time; in order of their beginnings."""
    order = np.lexsort((members.blob, members.individual))
    individual, inside = members.individual[order], forward.inside[order]
    breaks = np.flatnonzero((np.diff(individual) != 0) | (np.diff(inside) != 1)) + 1
    found = np.split(order, breaks) if len(order) else []
    return sorted(found, key=lambda rows: (members.blob[rows[0]], members.individual[rows[0]]))
