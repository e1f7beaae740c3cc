"""Pricing: what a programme could have gained by the candidates that it left out, and a bound that holds for all of them.

The relaxation of a programme gives each place in a tracklet a price (the dual variable of its row). At these prices no path of candidates
gains anything; a path through places that were left out gains at most what `Prices.gains` computes. The optimum of a block is at most the
value of its relaxation plus such gains.
"""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints, Singles
from herdbook.identity.blocks import IMPOSSIBLE_GAIN, Blocks, best_ways
from herdbook.identity.graph import Graph, PathCosts
from herdbook.identity.highs import Solved
from herdbook.identity.programme import BEGINNING, ENDING, THERE, Programme

# Gains below this (nats) are rounding errors.
ROUNDING = 0.01


class Prices:
    """Prices of the places in all tracklets, collected from the solutions of programmes."""

    def __init__(self, scores: NDArray[np.floating]) -> None:
        self._scores = scores
        self._worth = np.maximum(scores, IMPOSSIBLE_GAIN).astype(np.float32)
        self._ends = np.zeros((len(scores), 2))
        self._place = np.zeros((len(scores), 2))

    def take(self, programme: Programme, found: Solved) -> None:
        """Take over the prices of the tracklets in a programme."""
        rows = np.flatnonzero(programme.holder >= 0)
        self._worth[programme.holder[rows]] -= found.shadow[rows, None].astype(np.float32)
        there = programme.kind == THERE
        self._worth[programme.node[there], programme.identity[there]] = found.worth[there]
        for side, kind in enumerate((ENDING, BEGINNING)):
            mine = programme.kind == kind
            node = programme.node[mine]
            self._ends[node, side] = found.worth[mine]
            self._place[node, side] = self._scores[node, programme.identity[mine]] / 2 - found.worth[mine]

    def gains(self, sure: Ints, path_costs: PathCosts) -> tuple[Singles, Floats]:
        """Gain float32 (n, identities) of the best path of each identity through each tracklet, and float64 (n, 2) of the best one that
        ends, or begins, in a separator of another identity. In the first, rows of separators have no meaning; in the second, all others
        are -inf. `sure` (n,) is the identity of each separator or -1.
        """
        to, on = best_ways(self._worth, sure, self._ends, path_costs)
        certain = np.flatnonzero(sure >= 0)
        others = np.full((len(sure), 2), -np.inf)
        half = np.maximum(self._scores[certain] / 2, IMPOSSIBLE_GAIN)
        half[np.arange(len(certain)), sure[certain]] = -np.inf
        for side, way in enumerate((to, on)):
            others[certain, side] = (way[certain] + half).max(axis=1) - self._place[certain, side]
        to += on
        to += self._worth
        return to, others


def bound_blocks(graph: Graph, blocks: Blocks, free: Ints, missed: Floats, others: Floats, bound: Floats, linear: Floats) -> Floats:
    """Upper bound float64 (blocks,) on the value of any assignment, whoever the candidates are.

    `missed` (m,): gain of the best path that is no candidate's in each of the tracklets `free` (m,); `others` (n, 2) from `Prices.gains`;
    `bound`, `linear` (blocks,): bounds by the programme and by its relaxation, as in `Solved`.
    """
    certain = np.flatnonzero(blocks.sure >= 0)
    at = np.concatenate([blocks.block[free, 0], blocks.block[certain].ravel()])
    gain = np.concatenate([missed, others[certain].ravel()])
    places = np.concatenate([graph.animals[free], np.ones(2 * len(certain))])
    most = np.full(blocks.count, -np.inf)
    np.maximum.at(most, at, gain)
    # A path that gains passes one of these places, and no more paths than there are animals do.
    together = np.bincount(at, weights=places * np.maximum(gain, 0), minlength=blocks.count)
    return np.asarray(np.maximum(bound, linear + np.where(most > 0, together, most)))
