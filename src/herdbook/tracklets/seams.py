"""Does a movie go on where the one before it ended? Animals must be where animals get to in a moment. Points are (x, y) in px."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.segment import Blobs

# Cameras that begin a new file may lose some frames; within this time animals are still followed by where they are.
MOST_LOST_S = 0.2
# So many moments of each movie tell how far animals move in that time; fewer than the second number in all tell too little.
SAMPLED, LEAST_SAMPLED = 200, 50
# A seam fits if its movement is among the smallest of this share of those moments: one in 200 seams that fit is called broken, if files are
# cut without a loss fewer. Distances count up to so many body lengths: where one of two blobs merges, its partner is anywhere.
USUAL_SHARE, MOST_BODY_LENGTHS = 0.995, 2.0
# Where one animal comes, it may have walked from anywhere; two tell whether the picture as a whole fits.
LEAST_ANIMALS = 2


class Seam(NamedTuple):
    """The seam to the movie before: `animals`, blobs that were compared, 0 where nothing can be told; by how much they `moved` on average,
    and below which movement almost all moments of both movies stay (`usual`), body lengths.
    """

    animals: int = 0
    moved: float = 0.0
    usual: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether the movie does not go on where the one before ended."""
        return self.animals >= LEAST_ANIMALS and self.moved > self.usual


def compare_seam(before: Blobs, after: Blobs, body_length_px: float) -> Seam:
    """Compare the last frame of a movie with the first frame of the next one."""
    moved = mean_movement(*_frame(before, before.frames - 1), *_frame(after, 0), body_length_px)
    samples = [value for movie in (before, after) for value in _usual_movements(movie, body_length_px)]
    if moved is None or len(samples) < LEAST_SAMPLED:
        return Seam()
    return Seam(moved[0], moved[1], float(np.quantile(samples, USUAL_SHARE)))


def mean_movement(
    before_xy: Floats, before_arena: Ints, after_xy: Floats, after_arena: Ints, body_length_px: float
) -> tuple[int, float] | None:
    """How many blobs of a frame have a partner in another one, and their mean distance in body lengths; None without any.

    Points (n, 2) and (m, 2), numbers of their arenas (n,) and (m,). Partners are those with the smallest sum of distances.
    """
    found: list[Floats] = []
    for arena in np.intersect1d(before_arena, after_arena):
        one, other = before_xy[before_arena == arena], after_xy[after_arena == arena]
        distance = np.hypot(*(one[:, None] - other).transpose(2, 0, 1)) / body_length_px
        distance = np.minimum(distance, MOST_BODY_LENGTHS)
        found.append(distance[linear_sum_assignment(distance)])
    if not found:
        return None
    every = np.concatenate(found)
    return len(every), float(every.mean())


def _usual_movements(blobs: Blobs, body_length_px: float) -> list[float]:
    """Mean movements of animals within MOST_LOST_S, at moments spread over a movie."""
    later = max(1, round(MOST_LOST_S * blobs.fps))
    moments = np.concatenate([np.arange(first, end - later) for first, end in blobs.intervals.tolist()] or [np.zeros(0, np.int64)])
    picks = moments[np.unique(np.linspace(0, len(moments) - 1, min(SAMPLED, len(moments))).astype(np.int64))] if len(moments) else moments
    found = [mean_movement(*_frame(blobs, frame), *_frame(blobs, frame + later), body_length_px) for frame in picks.tolist()]
    return [moved for animals, moved in filter(None, found) if animals >= LEAST_ANIMALS]


def _frame(blobs: Blobs, frame: int) -> tuple[Floats, Ints]:
    """Points (n, 2) and arenas (n,) of the blobs of a frame."""
    rows = slice(*np.searchsorted(blobs.frame, (frame, frame + 1)))
    return np.stack([blobs.x[rows], blobs.y[rows]], 1).astype(np.float64), blobs.arena[rows].astype(np.int64)


def seam_sentence(before: str, after: str, seam: Seam) -> str:
    """What a broken seam shows, in words; `before` and `after` are the names of the movies."""
    return (
        f"the end of {before} does not fit the beginning of {after}: {seam.animals} blobs are {seam.moved:.1f} body lengths apart on "
        f"average, but within {MOST_LOST_S:g} s animals hardly ever move more than {seam.usual:.1f}. Animals are not followed from one "
        "into the other by where they are. Are the movies in the right order, and is none missing between them?"
    )
