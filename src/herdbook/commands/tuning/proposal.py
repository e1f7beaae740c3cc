"""Proposal of segment.difference and segment.area from the blobs of sampled frames alone, without truth.

A ladder is a series of differences, each of which gives other blobs. A good difference is one whose neighbours find the same animals: it is
on a plateau. A view is one arena in one sampled frame; blobs are columns `view` (n,) and `area` (n,), px; `animals` (views,) is the number
of animals in each view, NaN if unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from herdbook.arrays import Floats, Ints

# Bins of the histogram of areas per octave, smoothed by 0.2 octaves: areas of single animals of one species span about one octave.
_BINS_PER_OCTAVE = 8
_SMOOTHING_BINS = 1.5
# A blob of one pixel is never an animal.
_LEAST_AREA = 2.0
# Cuts with at least this share of the best value are in the same gap.
_AS_GOOD = 0.95
# Areas of single animals of one species span about one octave, those of animals half hidden two. A smaller blob than this share of an
# animal's area is no animal: it neither fills the place of a missing one, nor need the smallest area be as small. Other frames may have
# larger specks than the sampled ones.
_LEAST_SHARE = 1 / 8
# A warning is given below this separation of specks and animals.
POOR_SEPARATION = 0.9
# One blob too many costs as much as this number too few: missing ones may be merged or hidden, but additional ones have no explanation.
_EXCESS_WEIGHT = 4.0
# With this many blobs for each animal, the agreement is 0 in any case.
_FAR_TOO_MANY = 2.0
# Scale of stability: relative change of the count from one step of the ladder to the next.
_STEADY = 0.1
# If the number of animals is unknown, a good difference finds at least this number of blobs per view.
_LEAST_COUNT = 0.5
# Steps with at least this share of the best score belong to a plateau.
_PLATEAU_SHARE = 0.8
# A plateau of this width (largest over smallest difference) or more has full quality.
_WIDE_PLATEAU = 4.0
# A blob of all animals of an arena has up to this many times their areas: it includes legs, shadows and gaps between the animals.
_MERGE_ROOM = 3.0


@dataclass(frozen=True)
class Split:
    """The cut between areas of specks and of animals at one difference.

    `gap`: smallest and largest possible cut, px; `smallest`: the cut, px; `counts` (views,): number of blobs with this area or more;
    `agreement` 0..1 of the counts with the number of animals; `separation` 0..1, 1 if the gap is empty; `one_area`: median area of the
    blobs above the cut, px; `kept_area`: sum of their areas over all views, px.
    """

    gap: tuple[float, float]
    smallest: float
    counts: Ints
    agreement: float
    separation: float
    one_area: float
    kept_area: float


@dataclass(frozen=True)
class Ladder:
    """Scores of the steps of a ladder: columns (k,), and `counts` (k, views); `first` and `last` step of the plateau.

    `score` is the product of `agreement` and `separation` (as in Split), `stability` of the counts and `constancy` of the total area over
    neighbouring steps, all 0..1. `quality` 0..1: mean score on the plateau, reduced if that is narrow.
    """

    difference: Floats
    smallest: Floats
    counts: Ints
    agreement: Floats
    separation: Floats
    stability: Floats
    constancy: Floats
    score: Floats
    first: int
    last: int
    quality: float

    @property
    def middle(self) -> float:
        """The geometric mean of both ends of the plateau, since signal and noise are compared by their ratio."""
        return float(np.sqrt(self.difference[self.first] * self.difference[self.last]))


def difference_ladder(lowest: float = 5, highest: float = 100, steps: int = 24) -> Floats:
    """At most `steps` whole grey levels (k,) with about equal ratios between them."""
    return np.unique(np.geomspace(lowest, highest, steps).round())


def split_areas(view: Ints, area: Ints, animals: Floats) -> Split | None:
    """The cut in the deepest gap of the areas that keeps about as many blobs as there are animals; None if there are no blobs to separate.

    The density of blobs over the logarithm of their area has specks on the left and animals, also merged ones, on the right. The value of a
    cut is the product of three: the drop from the highest density on its right to its own, in standard deviations of such counts (square
    roots); the share by which the density falls from the highest one on its left, if there is any; and the agreement of the blobs above
    the cut with the number of animals. The smallest area lies in the middle of the gap right below the animals, also if there are smaller
    gaps between specks, which then are too small to be animals.
    """
    if not len(area):
        return None
    cuts = 2.0 ** (np.arange(_BINS_PER_OCTAVE * (np.log2(area.max()) + 1)) / _BINS_PER_OCTAVE)
    density = gaussian_filter1d(_density(area, cuts), _SMOOTHING_BINS, mode="nearest")
    cuts, valley = cuts[1:-1], np.minimum(density[:-1], density[1:])
    specks, hill = np.maximum.accumulate(density)[:-1], np.maximum.accumulate(density[::-1])[::-1][1:]
    # At the smallest specks there is no gap, although the density rises from there.
    falls = 1 - np.divide(valley, specks, out=np.zeros_like(valley), where=specks > 0)
    counts = count_from(view, area, len(animals), cuts)
    # Blobs of several animals count as several, so that specks do not make up for animals that touch.
    agreement = np.maximum(agree(counts, animals), agree(_counts_by_area(view, area, animals, cuts), animals))
    enough = cuts >= max(_LEAST_AREA, _LEAST_SHARE * _area_of_one(view, area, animals))
    worth = np.where(enough, (np.sqrt(hill) - np.sqrt(valley)) * falls * agreement, 0.0)
    best = int(worth.argmax())
    if worth[best] <= 0:
        return None
    good = worth >= _AS_GOOD * worth[best]
    best = int(np.flatnonzero(good)[-1])
    low, high = cuts[[np.flatnonzero(~good[: best + 1]).max(initial=-1) + 1, best]].tolist()
    one_area = float(np.median(area[area >= cuts[best]]))
    smallest = float(np.sqrt(low * high))
    kept = area >= smallest
    return Split(
        gap=(low, high),
        smallest=smallest,
        counts=np.bincount(view[kept], minlength=len(animals)),
        agreement=float(agreement[best]),
        separation=float(1 - valley[best] / hill[best]),
        one_area=one_area,
        kept_area=float(area[kept].sum()),
    )


def _area_of_one(view: Ints, area: Ints, animals: Floats) -> float:
    """Area of one animal: the mean of the views' total area, each divided by its number of animals; without a number half of all area is in
    larger blobs.
    """
    if np.isfinite(animals).all():
        return float(np.median(np.bincount(view, area, minlength=len(animals)) / animals))
    ranked = np.sort(area)
    return float(ranked[np.searchsorted(np.cumsum(ranked), ranked.sum() / 2)])


def count_from(view: Ints, area: Ints, views: int, cuts: Floats) -> Ints:
    """Number of blobs of each view with at least the area of each cut: int64 (views, cuts); `cuts` are sorted."""
    counts = np.zeros((views, len(cuts) + 1), np.int64)
    np.add.at(counts, (view, np.searchsorted(cuts, area, side="right")), 1)
    return counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]


def _counts_by_area(view: Ints, area: Ints, animals: Floats, cuts: Floats) -> Ints:
    """Number of animals that the blobs of each view with at least the area of each cut hold, by their area: int64 (views, cuts).

    A blob holds as many animals as it has areas of the median blob, and at least one. Where there are far more blobs than animals, a blob
    counts as one.
    """
    counts = count_from(view, area, len(animals), cuts)
    most = _FAR_TOO_MANY * np.nansum(animals)
    for number, cut in enumerate(cuts):
        kept = area >= cut
        if 0 < kept.sum() <= most:
            held = np.maximum(1, np.rint(area[kept] / np.median(area[kept])))
            counts[:, number] = np.bincount(view[kept], held, minlength=len(animals)).astype(np.int64)
    return counts


def agree(counts: Ints, animals: Floats) -> Floats:
    """Agreement 0..1 of counts (views, cuts) with the number of animals (views,): float64 (cuts,), 1 if they are equal in all views.

    Missing blobs reduce it by their share, since animals touch and hide; additional ones count four times as much. If the number is
    unknown, 0.5 blobs per view are enough for full agreement.
    """
    known = np.isfinite(animals)
    if not known.all():
        return np.asarray(np.minimum(counts.mean(axis=0) / _LEAST_COUNT, 1.0))
    more = counts / animals[:, None] - 1
    return np.asarray(np.clip(1 - np.clip(-more, 0, None).mean(axis=0) - _EXCESS_WEIGHT * np.clip(more, 0, None).mean(axis=0), 0, 1))


def rate_ladder(difference: Floats, blobs: Sequence[tuple[Ints, Ints]], animals: Floats) -> Ladder | None:
    """Scores of all steps of a ladder (k,), from the blobs (view, area) at each; None if no step has blobs that can be separated.

    The plateau is the widest run of steps (by ratio of their differences) with at least 80 % of the best score.
    """
    splits = [split_areas(*found, animals) for found in blobs]
    counts = np.array([np.zeros(len(animals), np.int64) if split is None else split.counts for split in splits])
    agreement, separation, total, smallest = (
        np.array([0.0 if split is None else getattr(split, name) for split in splits])
        for name in ("agreement", "separation", "kept_area", "smallest")
    )
    change = np.abs(np.diff(counts, axis=0)).mean(axis=1) / np.maximum(np.maximum(counts[1:], counts[:-1]).mean(axis=1), 0.1)
    slope = np.diff(np.log(total + 1)) / np.diff(np.log(difference))
    stability = np.exp(-_of_neighbours(change) / _STEADY)
    # Blobs with soft outlines shrink with every step, so this factor has less weight than the others.
    constancy = 1 / np.sqrt(1 + _of_neighbours(slope) ** 2)
    score = agreement * separation * stability * constancy
    if not score.any():
        return None
    first, last = _widest_run(difference, score >= _PLATEAU_SHARE * score.max())
    width = np.log(difference[last] / difference[first]) / np.log(_WIDE_PLATEAU)
    quality = float(score[first : last + 1].mean() * min(1.0, width))
    return Ladder(difference, smallest, counts, agreement, separation, stability, constancy, score, first, last, quality)


def area_bounds(view: Ints, area: Ints, split: Split, animals: Floats) -> tuple[int, int]:
    """Smallest and largest area (px, two digits) from the blobs at the proposed difference: the cut, and enough for a merge of all animals.

    The area of one animal is taken from views with exactly as many blobs as animals, if there are any, and otherwise from the total area
    of a view. If the number of animals is unknown, the 95 % quantile of the counts is used.
    """
    kept = area >= split.smallest
    alone = kept & (split.counts == animals)[view]
    if alone.any() or not np.isfinite(animals).all():
        one = float(np.quantile(area[alone if alone.any() else kept], 0.95))
    else:
        one = _area_of_one(view[kept], area[kept], animals)
    number = float(np.max(animals)) if np.isfinite(animals).all() else max(1.0, float(np.quantile(split.counts, 0.95)))
    return int(two_digits(split.smallest)) or 1, int(two_digits(_MERGE_ROOM * number * one))


def two_digits(value: float) -> float:
    """The value rounded to two significant digits; below 100, to a whole number."""
    step = 10.0 ** max(0, np.floor(np.log10(max(value, 1))) - 1)
    return float(np.round(value / step) * step)


def _density(area: Ints, edges: Floats) -> Floats:
    """Blobs per bin of areas. A blob of n pixels is spread over areas n - 0.5 to n + 0.5, so that no bins between small areas are empty."""
    sizes, number = np.unique(area, return_counts=True)
    ends = np.cumsum(number)
    points = np.stack([sizes - 0.5, sizes + 0.5], 1).ravel()
    return np.diff(np.interp(edges, points, np.stack([ends - number, ends], 1).ravel()))


def _of_neighbours(between: Floats) -> Floats:
    """Mean (k,) of the values between each step and its two neighbours (k - 1,); the first and last step have one neighbour."""
    return np.asarray((np.r_[between[:1], between] + np.r_[between, between[-1:]]) / 2)


def _widest_run(difference: Floats, good: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last step of the run of good steps with the largest ratio of differences."""
    edges = np.flatnonzero(np.diff(np.r_[0, good.astype(np.int8), 0]))
    runs = edges.reshape(-1, 2) - (0, 1)
    first, last = runs[np.argmax(difference[runs[:, 1]] / difference[runs[:, 0]])]
    return int(first), int(last)
