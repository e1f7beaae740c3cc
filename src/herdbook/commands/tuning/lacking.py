"""Arenas in which fewer blobs are found than animals live, counted in sampled frames."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Animals that touch are one blob: an arena is reported if it holds fewer blobs than animals in more than this share of the frames.
MANY_FRAMES = 0.1
MOST_NAMED = 5


class FewBlobs(NamedTuple):
    """An arena ("" for the whole frame): number of animals, median number of blobs, share of the frames with fewer blobs than animals."""

    arena: str
    animals: int
    blobs: float
    share: float


def lacking_arenas(counts: NDArray[np.int64], numbers: Sequence[int | None], names: Sequence[str]) -> list[FewBlobs]:
    """The arenas with fewer blobs than animals in more than 10 % of the frames, the worst first.

    counts: blobs by frame and arena, (frames, arenas); numbers of animals, None where unknown; names of the arenas, [] for the whole frame.
    """
    found = [
        FewBlobs(names[k] if names else "", number, float(np.median(counts[:, k])), float((counts[:, k] < number).mean()))
        for k, number in enumerate(numbers)
        if number is not None and len(counts)
    ]
    return sorted((one for one in found if one.share > MANY_FRAMES), key=lambda one: -one.share)


def few_words(few: Sequence[FewBlobs]) -> str:
    """The arenas in a sentence."""
    parts = [
        (f"arena {one.arena} in " if one.arena else "") + f"{one.share:.0%} of the frames ({one.blobs:g} of {one.animals} in the median)"
        for one in few[:MOST_NAMED]
    ]
    more = f", and {len(few) - MOST_NAMED} more arenas" if len(few) > MOST_NAMED else ""
    return f"There are fewer blobs than animals in {', '.join(parts)}{more}."
