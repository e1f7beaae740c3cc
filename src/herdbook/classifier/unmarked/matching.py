"""Animals found anew matched with those that an earlier classifier knows: the same animals on another day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats
from herdbook.classifier.unmarked.clusters import exclude_together, normalised, together_matrix

# Another day is another light: an earlier classifier may misread a tracklet with this probability, however sure it is.
DAY_DOUBT = 0.1


@dataclass(frozen=True)
class Match:
    """`share` float64 (animals, names): mean probability of each earlier name in the tracklets of each animal; `name` int64 (animals,) that
    it gets, -1 where there are too few; `certainty` float64 (animals,): probability that this is right.
    """

    share: Floats
    name: NDArray[np.int64]
    certainty: Floats


def match_animals(evidence: Floats, posterior: Floats, possible: NDArray[np.bool_]) -> Match:
    """Match animals one to one with earlier names.

    `evidence` (tracklets, names) nats of the earlier classifier; `posterior` (tracklets, animals) of who is in each tracklet now;
    `possible` bool (animals, names). Tracklets of one animal are alike in what misleads the classifier, so that they count as the square
    root of their number.
    """
    probability = normalised(evidence)
    names = probability.shape[1]
    weight = posterior.sum(axis=0)
    share = posterior.T @ probability / np.maximum(weight, 1e-9)[:, None]
    doubted = np.log((1 - DAY_DOUBT) * probability + DAY_DOUBT / names)
    gain = posterior.T @ doubted / np.maximum(weight, 1e-9)[:, None] * np.sqrt(weight)[:, None]
    gain = np.where(possible, gain, gain.min(initial=0.0) - 1e3)
    row, column = linear_sum_assignment(-gain)
    name = np.full(len(gain), -1, np.int64)
    name[row] = column
    everyone = np.argwhere(np.triu(np.ones((len(gain), len(gain))), 1))
    chance = exclude_together(gain, together_matrix(everyone, len(gain)))
    certainty = np.where(name >= 0, chance[np.arange(len(gain)), name], 0.0)
    return Match(share, name, certainty)
