"""Do images say what places say? Where animals are followed from one movie into the next by their place, images name them on both sides."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from herdbook.arrays import Floats, Ints
from herdbook.identity.evidence import RecordingEvidence
from herdbook.identity.graph import loose_ends
from herdbook.identity.recording import RecordingGraph

# An answer counts if it has this probability: a doubtful one contradicts nothing.
SURE = 0.9
# One pair in 200 is misread for reasons that no calibration knew: half of the doubt that is assumed before anything is learned.
UNFORESEEN = 0.005
# What chance brings about once in so many seams is no contradiction.
CHANCE = 0.01
# Moments within the movies that tell how often names jump where nothing changes.
MOMENTS = 100


@dataclass(frozen=True)
class Contradictions:
    """At the seam before each movie (movies,): how many are compared (`pairs` int64), how many of them are `contradicted` int64, and how
    many are `expected` float64 to be, by how sure the names are.
    """

    pairs: Ints
    contradicted: Ints
    expected: Floats


def image_contradictions(recording: RecordingGraph, read: RecordingEvidence) -> Contradictions:
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
        np.bincount(seam, UNFORESEEN + 1 - (one * other).sum(axis=1), minlength=movies).astype(np.float64),
    )


def jumping_names(recording: RecordingGraph, held: Ints, confidence: Floats) -> Contradictions:
    """Which names jump at a seam, from one animal to another one, because images say something else than places.

    held, confidence: how often each name is in each tracklet (n, names), and how surely. Compared is each name that is sure of an animal
    alone before and after the seam. It jumps if the last such tracklet before it does not lead to the first one after it, through whatever
    contacts, and if in between the name leaves a blob, or comes into one, although all animals of the blob go on. `expected`
    is how often names jump at moments within the movies; half a jump is added, for that none was seen does not mean that there is none.
    """
    paths, starts = _Paths(recording, held, confidence), recording.start_frame[1:].tolist()
    found = [(0, []), *(paths.jumps_at(start) for start in starts)]
    pairs, jumped = np.array([compared for compared, _ in found], np.int64), np.array([len(spans) for _, spans in found], np.int64)
    moments = np.linspace(0, int(recording.graph.last.max(initial=0)), MOMENTS + 2).astype(np.int64)[1:-1].tolist() if starts else []
    compared, elsewhere = 0, 0.5
    for moment in moments:
        names, spans = paths.jumps_at(moment)
        compared += names
        elsewhere += sum(not any(begin < start <= end for start in starts) for begin, end in spans)
    return Contradictions(pairs, jumped, pairs.astype(np.float64) * (elsewhere / max(1, compared)))


class _Paths:
    """The paths of names through the graph of a recording."""

    def __init__(self, recording: RecordingGraph, held: Ints, confidence: Floats) -> None:
        graph = self._graph = recording.graph
        sure = (held == 1) & (confidence >= SURE) & (graph.animals == 1)[:, None]
        before, after = graph.edges.T
        goes_on, comes = np.zeros(held.shape, bool), np.zeros(held.shape, bool)
        np.logical_or.at(goes_on, before, held[after] > 0)
        np.logical_or.at(comes, after, held[before] > 0)
        inside = ~(loose_ends(graph) | graph.free)
        leaves, enters = ((held > 0) & ~stays & inside[:, side, None] for stays, side in ((goes_on, 1), (comes, 0)))
        # By name, in order of time: tracklets in which it is surely alone, and frames in which it leaves a blob, or enters one.
        self._sure = [np.flatnonzero(column) for column in sure.T]
        self._leaves = [np.sort(graph.last[column]) for column in leaves.T]
        self._enters = [np.sort(graph.first[column]) for column in enters.T]
        order = np.argsort(before, kind="stable")
        self._children, self._offsets = after[order], np.searchsorted(before[order], np.arange(len(graph) + 1))

    def jumps_at(self, frame: int) -> tuple[int, list[tuple[int, int]]]:
        """How many names are compared at a frame, and between which frames each of those that jump there is sure of no animal alone."""
        graph, compared = self._graph, 0
        spans = []
        for rows, *frames in zip(self._sure, self._leaves, self._enters, strict=True):
            place = int(np.searchsorted(graph.first[rows], frame))
            if not 0 < place < len(rows):
                continue
            compared += 1
            one, other = int(rows[place - 1]), int(rows[place])
            begin, end = int(graph.last[one]), int(graph.first[other])
            happens = any(np.diff(np.searchsorted(moments, (begin, end + 1)))[0] for moments in frames)
            if happens and not self._leads(one, other):
                spans.append((begin, end))
        return compared, spans

    def _leads(self, one: int, other: int) -> bool:
        """Whether a tracklet leads to another one along the edges."""
        until, seen, stack = self._graph.first[other], {one}, [one]
        while stack:
            row = stack.pop()
            if row == other:
                return True
            children = self._children[self._offsets[row] : self._offsets[row + 1]].tolist()
            fresh = [child for child in children if child not in seen and self._graph.first[child] <= until]
            seen.update(fresh)
            stack += fresh
        return False


def contradicts(contradicted: int, expected: float) -> bool:
    """Whether more contradictions were found at a seam than chance explains."""
    return contradicted > 0 and bool(poisson.sf(contradicted - 1, expected) < CHANCE)


def _posterior(evidence: NDArray[Any]) -> Floats:
    """Probabilities (n, columns) of evidence in nats."""
    values = evidence.astype(np.float64)
    weight = np.exp(values - values.max(axis=1, initial=-np.inf, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
