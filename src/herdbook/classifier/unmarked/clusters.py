"""Tracklets without labels sorted into animals: what looks alike is one animal, and what is seen at the same time is not.

`together` (tracklets, tracklets) is a sparse symmetric matrix of ones where two tracklets share a frame.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from herdbook.arrays import Floats, Ints

# Nats for each unit of the cosine between a tracklet and an animal, for one image; images beyond MOST_IMAGES add nothing.
SHARPNESS, MOST_IMAGES = 20.0, 8.0
# Nobody is excluded beyond this probability, so that no wrong answer binds its neighbours for good.
SUREST = 0.999
EXCLUSION_ROUNDS, CLUSTER_ROUNDS, RESTARTS = 10, 25, 6
# Centres that move by less than this have been found.
STILL = 1e-3
# Of the labels of a person this share is wrong: a slip of the hand, a mark read wrongly.
WRONG_LABELS = 0.02


@dataclass(frozen=True)
class Clusters:
    """`posterior` float64 (tracklets, animals); `centres` float64 (animals, d), unit vectors; `fit`: mean cosine of tracklets to theirs,
    and of labels, in its unit, how well they are kept.
    """

    posterior: Floats
    centres: Floats
    fit: float


def together_matrix(pairs: NDArray[np.integer], count: int) -> csr_array:
    """The matrix of the pairs (p, 2) of `count` tracklets."""
    a, b = np.asarray(pairs, np.int64).reshape(-1, 2).T
    return csr_array((np.ones(2 * len(a)), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=(count, count))


def exclude_together(gain: Floats, together: csr_array, rounds: int = EXCLUSION_ROUNDS) -> Floats:
    """Posterior (tracklets, animals) from the gain (tracklets, animals) in nats, when no animal is in two tracklets at the same time.

    Mean field: each tracklet takes the others' present posterior for given, half a step at a time (Koller & Friedman 2009, 11.5).
    """
    posterior = normalised(gain)
    for _ in range(rounds):
        excluded = together @ np.log1p(-np.minimum(posterior, SUREST))
        posterior = (posterior + normalised(gain + excluded)) / 2
    return posterior


def normalised(gain: Floats) -> Floats:
    """Probabilities (n, animals) from log-likelihoods."""
    weight = np.exp(gain - gain.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def mean_looks(looks: NDArray[np.floating], group: NDArray[np.integer], count: int) -> Floats:
    """Unit mean (count, d) of the looks (n, d) of the images of each tracklet."""
    mean = np.zeros((count, looks.shape[1]))
    np.add.at(mean, group, looks)
    return unit(mean)


def unit(vectors: Floats) -> Floats:
    """Vectors (n, d) of length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def named_gain(animals: int) -> float:
    """Nats that a label adds to its animal, one of so many: the labelled one with 1 - WRONG_LABELS, else any of the others alike.

    A label beyond doubt would pull the centre of its animal to another one when it is wrong, and bind the tracklets around it.
    """
    return float(np.log((1 - WRONG_LABELS) / WRONG_LABELS * max(1, animals - 1)))


def find_clusters(
    looks: Floats, images: Floats, together: csr_array, number: int, named: Ints, rng: np.random.Generator, start: Floats | None = None
) -> Clusters:
    """Sort tracklets into `number` animals.

    `looks` (tracklets, d) unit vectors; `images` (tracklets,) number behind each; `named` (tracklets,) animal that a person named, -1 for
    none; `start` (animals, d): centres to begin with. A mixture of directions (Banerjee et al. 2005, JMLR 6:1345) under the constraint of
    `exclude_together`, begun from sets of tracklets that all share frames; the best fit of several beginnings counts.
    """
    weight = np.minimum(images, MOST_IMAGES) ** 0.5
    begins = [] if start is None else [start]
    begins += [_centres_of(looks, weight, clique, number) for clique in _cliques(together, images, number, rng)]
    scale = SHARPNESS * weight[:, None]
    known = named >= 0
    offset = np.zeros((len(looks), number))
    offset[np.flatnonzero(known), named[known]] = named_gain(number)
    best: Clusters | None = None
    for centres in begins:
        centres = _with_named(centres, looks, images, named)
        for _ in range(CLUSTER_ROUNDS):
            before = centres
            posterior = exclude_together(scale * (looks @ centres.T) + offset, together)
            moved = (posterior * images[:, None]).T @ looks
            centres = np.where(np.linalg.norm(moved, axis=1, keepdims=True) > 1e-6, unit(moved), before)
            if np.abs(centres - before).max() < STILL:
                break
        fit = float((posterior * (looks @ centres.T + offset / scale)).sum(axis=1) @ images / images.sum())
        if best is None or fit > best.fit:
            best = Clusters(posterior, centres, fit)
    assert best is not None
    return best


def _cliques(together: csr_array, images: Floats, number: int, rng: np.random.Generator) -> list[list[int]]:
    """Sets of tracklets that are all seen at the same time, the largest first, then those with the most images of their shortest one."""
    order = np.argsort(-images, kind="stable")
    firsts = np.unique(np.concatenate([order[:RESTARTS], rng.choice(order, min(2 * RESTARTS, len(order)), replace=False)]))
    found = []
    for first in firsts.tolist():
        clique, others = [first], _neighbours(together, first)
        while len(others) and len(clique) < number:
            clique.append(int(others[images[others].argmax()]))
            others = np.intersect1d(others, _neighbours(together, clique[-1]))
        found.append(clique)
    found.sort(key=lambda clique: (-len(clique), -images[clique].min()))
    return found[:RESTARTS]


def _neighbours(together: csr_array, row: int) -> Ints:
    return np.asarray(together.indices[together.indptr[row] : together.indptr[row + 1]], np.int64)


def _centres_of(looks: Floats, weight: Floats, clique: list[int], number: int) -> Floats:
    """Centres at the tracklets of a clique; those that lack, at the tracklet farthest from all (Gonzalez 1985)."""
    chosen = list(clique[:number])
    while len(chosen) < number:
        chosen.append(int(((1 - (looks @ looks[chosen].T).max(axis=1)) * weight).argmax()))
    return looks[chosen].copy()


def _with_named(centres: Floats, looks: Floats, images: Floats, named: Ints) -> Floats:
    """The centres (animals, d) with those of named animals in their places, instead of those that resemble them most."""
    animals = np.unique(named[named >= 0])
    labelled = unit(np.array([images[named == k] @ looks[named == k] for k in animals]).reshape(-1, looks.shape[1]))
    _, alike = linear_sum_assignment(-labelled @ centres.T)
    placed = np.zeros_like(centres)
    placed[animals] = labelled
    placed[np.setdiff1d(np.arange(len(centres)), animals)] = np.delete(centres, alike, axis=0)
    return placed


def collisions(posterior: Floats, pairs: NDArray[np.integer]) -> tuple[float, float]:
    """Share of `pairs` (p, 2) of tracklets, seen at the same time, whose answers by themselves are the same animal; and the share that
    their posteriors (tracklets, animals) lead to expect. NaN without pairs.
    """
    if not len(pairs):
        return float("nan"), float("nan")
    a, b = np.asarray(pairs).T
    answer = posterior.argmax(axis=1)
    return float((answer[a] == answer[b]).mean()), float((posterior[a] * posterior[b]).sum(axis=1).mean())


def error_of_collisions(share: float, number: int) -> float:
    """Share of wrong answers behind a share of collisions, when a wrong answer is any of the other animals with equal probability.

    Two independent answers for different animals collide with probability 2 e (1 - e) / (n - 1) + e^2 (n - 2) / (n - 1)^2.
    """
    if number < 2 or not share > 0:
        return 0.0
    error = np.linspace(0, 1 - 1 / number, 500)
    expected = 2 * error * (1 - error) / (number - 1) + error**2 * (number - 2) / (number - 1) ** 2
    return float(error[np.searchsorted(np.maximum.accumulate(expected), min(share, float(expected.max())))])


def never_together(posterior: Floats, together: csr_array, least: float = 0.35) -> list[tuple[int, int]]:
    """Pairs of animals that are never in two tracklets that share a frame: they may be one animal, each tracklet half the one, half the
    other. Tracklets count in which an animal has at least the probability `least`.
    """
    sure = (posterior >= least).astype(np.float64)
    met = np.asarray(sure.T @ (together @ sure))
    there = np.flatnonzero(sure.sum(axis=0))
    return [(int(a), int(b)) for a in there for b in there if a < b and met[a, b] == 0]


def order_of_first(posterior: Floats, begin: Iterable[float]) -> Ints:
    """Animals in the order in which they are first seen, by the beginning of the tracklets where they are likeliest."""
    answer, times = posterior.argmax(axis=1), np.asarray(list(begin), np.float64)
    first = [times[answer == k].min(initial=np.inf) for k in range(posterior.shape[1])]
    return np.argsort(first, kind="stable")
