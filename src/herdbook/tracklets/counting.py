"""Number of animals in each tracklet: an integer min-cost flow over the graph of merges and splits.

Animals flow from parents to children and are conserved. They may appear and disappear at a cost (lower if a blob touches the border), being
out of view has a small cost, and never are more animals in view than exist. `count_flow` solves this. The evidence is the area, in units of
one animal's area; its cost is convex in the number, so that the flow is exact. Growth of the area with the number, and spread of the area,
are learned from the movie.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.tracklets.count_flow import CountProblem, solve_counts

# A longer tracklet is less probably a speck, up to this number of frames. Standard deviation of a speck's area, in units of an animal's
# area.
MOST_FRAMES = 25
SPECK_SPREAD = 0.3
# The growth of the area is learned from at least this many tracklets of one animal, and as many of several.
ENOUGH_TRACKLETS = 20
# Smallest spread of areas, as a share of the area.
LEAST_SPREAD = 0.08
# Shorter tracklets have less weight: where merges and splits follow each other, many tracklets are of the same animals.
WHOLE_FRAMES = 50
# Cost (nats) of each animal that appears or disappears, inside of the view and at its border.
APPEAR_COST = 12.0
APPEAR_AT_BORDER_COST = 3.0
# Small cost (nats) of being out of view, so that no animal is out of view without evidence for it.
AWAY_COST_PER_FRAME = 0.002


def area_of_one(frame: NDArray[np.int32], area: NDArray[np.int32], number: int | None) -> float:
    """Typical area of one animal, px, from the blobs of a movie.

    With a known number: the median area in frames with exactly that many blobs; if there are fewer than 20 such frames, the median over
    frames (with at most that many blobs) of the total area divided by the number. Otherwise the median of all blobs.
    """
    if not len(area):
        return 1.0
    if number is None:
        return float(np.median(area))
    _, inverse, blobs = np.unique(frame, return_inverse=True, return_counts=True)
    exact = (blobs == number)[inverse]
    if (blobs == number).sum() >= 20:
        return float(np.median(area[exact]))
    totals = np.bincount(inverse, weights=area)
    return float(np.median(totals[blobs <= number] / number)) if (blobs <= number).any() else float(np.median(area))


@dataclass(frozen=True)
class SizeModel:
    """The area of a tracklet of n animals, in units of one animal's area: its median is n to the power of `growth`, since touching animals
    overlap, and its standard deviation is the share `spread` of it.
    """

    growth: float = 0.9
    spread: float = 0.3


def learn_sizes(ratio: Floats, animals: NDArray[np.integer[Any]]) -> SizeModel:
    """The model of a movie from the area ratio (n,) of its tracklets and a first estimate of their numbers (n,).

    Medians and median deviations are used, so that single wrong estimates have no effect; with too few tracklets, the default model.
    """
    several = animals > 1
    if min(several.sum(), (animals == 1).sum()) < ENOUGH_TRACKLETS:
        return SizeModel()
    growth = float(np.clip(np.median(np.log(ratio[several]) / np.log(animals[several])), 0.6, 1.0))
    # 1.4826 median deviations are a standard deviation.
    spread = max(1.4826 * float(np.median(np.abs(ratio[of] / animals[of] ** growth - 1))) for of in (animals == 1, several))
    return SizeModel(growth, max(LEAST_SPREAD, spread))


def count_costs(ratio: Floats, frames: Ints, most: int, sizes: SizeModel) -> Floats:
    """Cost in nats of each number of animals 0..most, (tracklets, most + 1), given the area ratio and the length of each tracklet.

    A tracklet larger than one animal counts as at most one observation, however long it is, since animals may overlap for a long time. For
    a smaller one, the evidence on whether it is an animal grows with its length.
    """
    lasting = np.minimum(frames, MOST_FRAMES) ** 0.5
    none = lasting * (ratio / SPECK_SPREAD) ** 2 / 2
    small = lasting * (np.maximum(0, 1 - ratio) / SPECK_SPREAD) ** 2 / 2
    size = np.clip(ratio, 1, max(1, most))[:, None]
    away = (size - np.arange(1, most + 1) ** sizes.growth) / (sizes.spread * size)
    some = small[:, None] + np.minimum(1, frames / WHOLE_FRAMES)[:, None] * away**2 / 2
    # The flow needs costs that are convex in the number.
    steps = np.maximum.accumulate(np.diff(np.column_stack([none, some]), axis=1), axis=1)
    return np.column_stack([none, none[:, None] + np.cumsum(steps, axis=1)])


def count_animals(
    ratio: Floats,
    first: Ints,
    last: Ints,
    edges: Ints,
    border: NDArray[np.bool_],
    *,
    number: int | None,
    intervals: Ints,
    sizes: SizeModel,
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Number of animals in each tracklet and its margin.

    `ratio` (n,) area divided by the area of one animal; `first`, `last` (n,) frames; `edges` (e, 2) parent, child; `border` (n, 2) whether
    the first and the last blob touch the border; `number` of animals, None if unknown; `intervals` (k, 2) first frame and end (exclusive)
    of each tracked interval, where animals appear and disappear without cost; `sizes`: area as a function of the number. Returns int16 (n,)
    and float32 (n,): the additional cost (nats) of the next best number, from the area alone, without the flow.
    """
    n = len(ratio)
    if n == 0:
        return np.zeros(0, np.int16), np.zeros(0, np.float32)
    most = number if number is not None else max(2, int(np.ceil(ratio.max())) + 1)
    costs = count_costs(ratio, last - first + 1, most, sizes)
    # The cost of being out of view is subtracted for animals in view.
    away = AWAY_COST_PER_FRAME * (last - first + 1) if number is not None else np.zeros(n)
    cheap = np.where(border, APPEAR_AT_BORDER_COST, APPEAR_COST)
    problem = CountProblem(
        costs=costs - away[:, None] * np.arange(most + 1),
        first=first,
        last=last,
        edges=edges,
        come=np.where(np.isin(first, intervals[:, 0]), 0.0, cheap[:, 0]),
        go=np.where(np.isin(last + 1, intervals[:, 1]), 0.0, cheap[:, 1]),
        number=number,
        # Numbers far above what the area allows get no arc.
        reach=np.minimum(most, np.ceil(ratio).astype(np.int64) + 4),
    )
    animals = solve_counts(problem)
    rows = np.arange(n)
    above = costs[rows, np.minimum(animals + 1, most)]
    below = costs[rows, np.maximum(animals - 1, 0)]
    other = np.minimum(np.where(animals < most, above, np.inf), np.where(animals > 0, below, np.inf))
    return animals.astype(np.int16), (other - costs[rows, animals]).astype(np.float32)


def count_in_arenas(
    ratio: Floats,
    first: Ints,
    last: Ints,
    edges: Ints,
    border: NDArray[np.bool_],
    arena: NDArray[np.int16],
    *,
    numbers: Sequence[int | None],
    intervals: Ints,
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Number of animals in each tracklet and its margin, as `count_animals`, for arenas whose animals are closed groups.

    `arena` (n,) of each tracklet; `numbers`: number of animals in each arena, None if unknown. The growth of the area is learned in each
    arena, from a first count.
    """
    animals, margin = np.zeros(len(ratio), np.int16), np.zeros(len(ratio), np.float32)
    place = np.zeros(len(ratio), np.int64)
    for k, number in enumerate(numbers):
        mine = np.flatnonzero(arena == k)
        place[mine] = np.arange(len(mine))
        count = partial(
            count_animals,
            ratio[mine],
            first[mine],
            last[mine],
            place[edges[arena[edges[:, 0]] == k]],
            border[mine],
            number=number,
            intervals=intervals,
        )
        guess, _ = count(sizes=SizeModel())
        animals[mine], margin[mine] = count(sizes=learn_sizes(ratio[mine], guess))
    return animals, margin
