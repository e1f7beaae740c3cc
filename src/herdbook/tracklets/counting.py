"""How many animals each tracklet holds: an integer min-cost flow over the graph of merges and splits.

Animals flow from parents to children and are conserved; they may appear and vanish at a cost (less where a blob touches the border), to be
away costs a little, and never are more in view than there are. `count_flow` solves it. The evidence is the area in units of
one animal's area; its cost is convex in the number, which keeps the flow exact. How the area grows with the number, and how far it
spreads, is learned from the movie itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.tracklets.count_flow import CountProblem, solve_counts

# A tracklet that lasts is no speck; more frames than this add nothing to that. A speck's area spreads by this share of an animal's.
MOST_FRAMES = 25
SPECK_SPREAD = 0.3
# How area grows with number is learned from at least this many tracklets of one animal, and as many of several.
ENOUGH_TRACKLETS = 20
# The spread of areas is taken as at least this, as a share of the area.
LEAST_SPREAD = 0.08
# Tracklets shorter than this count less: where merges and splits follow each other, many of them are of the same animals.
WHOLE_FRAMES = 50
# Cost (nats) for each animal that appears or vanishes, inside of the view and at its border.
APPEAR_COST = 12.0
APPEAR_AT_BORDER_COST = 3.0
# Being out of view costs a little (nats), so that no animal is without a reason.
AWAY_COST_PER_FRAME = 0.002


def area_of_one(frame: NDArray[np.int32], area: NDArray[np.int32], number: int | None) -> float:
    """Typical area of one animal, px, from the blobs of a movie.

    With a known number: the median area in frames with exactly that many blobs, or, where they are fewer than 20, the median over frames of
    the total area divided by the number, whichever of both is known better. Otherwise the median of all blobs.
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
    """The median area of a tracklet of n animals, in units of one animal's: n to the power of `growth`, since animals that touch overlap;
    it spreads by `spread`, as a share of itself.
    """

    growth: float = 0.9
    spread: float = 0.3


def learn_sizes(ratio: Floats, animals: NDArray[np.integer[Any]]) -> SizeModel:
    """The model of a movie from the area ratio (n,) of its tracklets and a first guess at their numbers (n,).

    Medians and median deviations, so that wrong guesses here and there do no harm; with too few tracklets the default.
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

    What is larger than one animal is one observation at most, however long it lasts: animals that lie on each other may do so for a long
    time. Whether what is smaller is an animal at all becomes clearer with its length.
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

    `ratio` (n,) area over the area of one animal; `first`, `last` (n,) frames; `edges` (e, 2) parent, child; `border` (n, 2) whether the
    first and the last blob touch the border; `number` of animals, if known; `intervals` (k, 2) first frames and ends (exclusive) of what
    is tracked, where animals come into view and leave it for free; `sizes` how area grows with number.
    Returns int16 (n,) and float32 (n,): the cost (nats) by which the area counts against the next best number, the flow left aside.
    """
    n = len(ratio)
    if n == 0:
        return np.zeros(0, np.int16), np.zeros(0, np.float32)
    most = number if number is not None else max(2, int(np.ceil(ratio.max())) + 1)
    costs = count_costs(ratio, last - first + 1, most, sizes)
    # An animal that is not in view is away; being in view saves that cost.
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
        # A number far above what the area allows is not worth an arc.
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
    """Animals in each tracklet and their margins, as `count_animals`, where the animals of each arena are a closed group.

    `arena` (n,) of each tracklet; `numbers` of animals in each arena, where they are known. How area grows with number is learned in each
    arena from a first count.
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
