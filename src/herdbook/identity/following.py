"""Where a contact leaves open who is in which blob: what was seen of the animals on their way through it becomes evidence.

Names follow from who comes in, who goes out, and what images of animals alone say. In a pile that comes apart into two piles, none of these
tells who is in which. Where animals were followed through the contact by their places, they tell.
"""

from collections.abc import Iterable

import numpy as np

from herdbook.arrays import Bools, Singles
from herdbook.identity.assignment import Solution
from herdbook.identity.graph import Graph, contacts

# A contact is looked at if somebody in it is less sure than this, or has no place.
SURE = 0.99
# The animal of a single tracklet is known from this confidence on.
KNOWN = 0.9
# What following says of one animal counts for at most this (nats), less than a good image: it may have been exchanged on the way.
MOST_NATS = 4.0
# An animal is exchanged on any way with at least this chance, however sure following is: of three recordings of ants about one of twenty
# followed ways was wrong. Half and twice as much change nothing there (docs/sensitivity.md).
LEAST_EXCHANGED = 0.05


def open_contacts(graph: Graph, solution: Solution) -> Bools:
    """The tracklets (n,) of several animals that are in a contact in which it is not sure who is where."""
    merged = graph.animals > 1
    sure = np.where(solution.held > 0, solution.confidence, 1.0).min(axis=1, initial=1.0) >= SURE
    open_ones = merged & ~(sure & (solution.held.sum(axis=1) >= graph.animals))
    contact = contacts(graph)
    return np.asarray(merged & np.isin(contact, contact[open_ones]))


def followed_gains(graph: Graph, scores: Singles, solution: Solution, followed: Iterable[tuple[int, int, float]]) -> Singles:
    """The scores (n, columns) with what was seen of animals on their way through contacts.

    `followed`: row of the single tracklet of an animal, row of a tracklet within the contact or after it, and how surely it is there. Only
    merged tracklets gain by it: who is in a tracklet alone is seen there. Who comes out as somebody else than he went in as was not
    followed rightly, and nothing of his way counts. Who comes out as himself was most probably there all the way.
    """
    followed = list(followed)
    name = np.where((solution.held > 0).sum(axis=1) == 1, solution.held.argmax(axis=1), -1)
    known = (solution.confidence.max(axis=1) >= KNOWN) & (name >= 0)
    merged = graph.animals > 1
    out = {before: (after, sure) for before, after, sure in followed if not merged[after] and known[after]}
    gains = scores.copy()
    for before, after, sure in followed:
        column = int(name[before])
        if not (merged[after] and known[before] and np.isfinite(scores[after, column])):
            continue
        end, end_sure = out.get(before, (before, 0.0))
        if name[end] == column:
            chance = solution.confidence[before, column] * (sure if end == before else _there_before(sure, end_sure))
            chance = float(np.clip(chance, 1e-6, 1 - 1e-6))
            gains[after, column] += np.float32(np.clip(np.log(chance / (1 - chance)), 0.0, MOST_NATS))
    return gains


def _there_before(sure: float, end_sure: float) -> float:
    """How surely an animal was where it was followed to with the chance `sure`, if it came out, followed with `end_sure`, as himself.

    Had it been exchanged before, it would have to be exchanged back afterwards: that is no likelier than that it is exchanged afterwards.
    """
    afterwards = max(1 - end_sure / max(sure, 1e-6), LEAST_EXCHANGED)
    return end_sure / (end_sure + (1 - sure) * afterwards)
