"""More animals than there are: blobs that last, are as large as an animal, and are more than the animals of their arena."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Floats, Ints

# Parts of animals, reflections and specks come and go within a second; what stays longer and is as large as an animal is probably one.
LASTING_S = 1.0
# Smaller than this share of the area of one animal is dirt or a part of an animal.
LEAST_SIZE = 0.5


class Excess(NamedTuple):
    """An arena (its number) with more lasting blobs than animals: `frames` (k,) with too many, animals, and the most blobs in a frame."""

    arena: int
    frames: Ints
    animals: int
    most: int


def lasting_excess(
    first: Ints, last: Ints, arena: Ints, size: Floats, *, numbers: Sequence[int | None], frames: int, fps: float
) -> list[Excess]:
    """The arenas with more lasting blobs than animals, in at least a second of the movie.

    first, last: frames of each tracklet, (n,); arena of each; size: its area in units of the area of one animal. A tracklet counts if it
    lasts a second, in the frames from its first to its last. numbers: number of animals in each arena, None if unknown.
    """
    least = max(2.0, LASTING_S * fps)
    lasting = (last - first + 1 >= least) & (size >= LEAST_SIZE)
    found = []
    for k, number in enumerate(numbers):
        mine = lasting & (arena == k)
        if number is None or mine.sum() <= number:
            continue
        change = np.bincount(first[mine], minlength=frames + 1) - np.bincount(last[mine] + 1, minlength=frames + 1)
        counts = np.cumsum(change)[:frames]
        many = np.flatnonzero(counts > number)
        if len(many) >= least:
            found.append(Excess(k, many, number, int(counts.max())))
    return found


def excess_sentence(excess: Excess, name: str, tracked: int) -> str:
    """The excess in words; `name` of the arena, "" for the whole frame; `tracked`: number of tracked frames of the movie."""
    place = f"arena {name}: " if name else ""
    return (
        f"{place}in {len(excess.frames):,} of {tracked:,} frames there are up to {excess.most} blobs that last and are as large as an "
        f"animal, but {excess.animals} animals, first in frame {excess.frames[0]}: those too many are left out. Correct animals.number, or "
        "keep what is no animal out by the arenas or by segment.area."
    )
