"""Do images say what positions say? Where an animal is followed from one movie into the next by its place, images name it on both sides."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from herdbook.arrays import Floats, Ints
from herdbook.identity.evidence import RecordingEvidence
from herdbook.identity.recording import RecordingGraph

# An answer counts if it has this probability: a doubtful one contradicts nothing.
SURE = 0.9
# One tracklet in 200 is misread for reasons that no calibration knew: half of the doubt that is assumed before anything is learned.
UNFORESEEN = 0.005
# An exchange of looks shows in two animals; what chance brings about once in so many seams is no contradiction.
LEAST_CONTRADICTED, CHANCE = 2, 0.01


@dataclass(frozen=True)
class Contradictions:
    """At the seam before each movie (movies,): `pairs` int64 of tracklets of one animal that images name on both sides, `contradicted`
    int64, those that are surely named differently, and how many are `expected` float64 to be named differently by how sure images are.
    """

    pairs: Ints
    contradicted: Ints
    expected: Floats


def find_contradictions(recording: RecordingGraph, read: RecordingEvidence) -> Contradictions:
    """Compare what images say of each animal that is followed across a seam alone: nothing else comes to its blob or goes from it."""
    graph, movies = recording.graph, len(recording.start_frame)
    before, after = graph.edges.T
    alone = (graph.animals == 1) & read.informed
    followed = (np.bincount(before, minlength=len(graph)) == 1)[before] & (np.bincount(after, minlength=len(graph)) == 1)[after]
    chosen = followed & (recording.movie[before] != recording.movie[after]) & alone[before] & alone[after]
    before, after = before[chosen], after[chosen]
    seam = recording.movie[after]
    one, other = _posterior(read.evidence[before]), _posterior(read.evidence[after])
    differ = (one.argmax(axis=1) != other.argmax(axis=1)) & (np.minimum(one.max(axis=1, initial=0), other.max(axis=1, initial=0)) >= SURE)
    return Contradictions(
        np.bincount(seam, minlength=movies),
        np.bincount(seam[differ], minlength=movies),
        np.bincount(seam, 1 - (one * other).sum(axis=1), minlength=movies).astype(np.float64),
    )


def contradicts(pairs: int, contradicted: int, expected: float) -> bool:
    """Whether at a seam more animals are named differently on both sides than images that are misread explain."""
    if contradicted < LEAST_CONTRADICTED:
        return False
    return bool(poisson.sf(contradicted - 1, expected + UNFORESEEN * pairs) < CHANCE)


def _posterior(evidence: NDArray[Any]) -> Floats:
    """Probabilities (n, columns) of evidence in nats."""
    values = evidence.astype(np.float64)
    weight = np.exp(values - values.max(axis=1, initial=-np.inf, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
