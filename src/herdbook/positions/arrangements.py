"""Who is at which place inside merged blobs, decided for all members of a blob together and over the whole stay.

Each pass through the movie (`locating`) leaves a set of places in each merged blob, one for each member. The places themselves are mostly
right; which animal is at which of them is not, for animals that lie on each other may come out exchanged. An arrangement gives each member
a place of its own among those of one pass. Arrangements of a tracklet form a chain in time: from frame to frame an animal is likely to be
where it was, in the direction that it had; images, where there are some, say who looks like whom. What went into the tracklet and what came
out of it ties both ends. The chain is summed exactly forward and backward (Rabiner 1989, Proceedings of the IEEE 77:257); tracklets that
follow each other pass on what they know of each member.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, pairwise, permutations
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from herdbook.arrays import Floats, Ints
from herdbook.geometry.ellipses import wrap_angle
from herdbook.positions.passes import Evidence, Members, Pass
from herdbook.positions.scene import Scene

# All arrangements are weighed up to so many members; beyond it those that differ from a pass by at most two exchanges.
MOST_PERMUTED = 5
# Of many arrangements only so many are followed from one frame to the next.
MOST_FOLLOWED = 150
# Steps inside a merge have a standard deviation of so many times the root mean square step of an animal alone, and at least this share of
# a body length: places are fitted, and fits jump more than animals walk. Turns of the axis have this one (rad).
STEP_FACTOR, LEAST_STEP, TURN = 4.0, 0.04, 0.5
# Fits of places are drawn to where they were with a deviation of so many of these steps.
FITTED_STEP = 2.0
# A step or turn counts for at most this much (nats), for a place may be fitted wrongly.
MOST_STEP_NATS, MOST_TURN_NATS = 20.0, 3.0
# Going over from the places of one pass to those of the other costs this much (nats).
OTHER_PASS_NATS = 2.0
# Nothing that one neighbour says of a member counts for more than this (nats).
MOST_END_NATS = 15.0
# Exchanges per frame that are expected before anything is known, and how many frames this knowledge is worth.
PRIOR_STRAY, PRIOR_FRAMES = 1e-3, 500
# Places this near, in widths of an animal, are the same place.
SAME_PLACE = 1.5


class Arranged(NamedTuple):
    """Of each row of the members: `place` (rows, 3) x, y, angle, and the probability (rows,) that the member is at that place.

    `stray` is the chance per frame that a member is exchanged with another one where nothing checks it at the other end.
    """

    place: Floats
    probability: Floats
    stray: float


class _Known(NamedTuple):
    """Where a member may be in a frame: places (p, 3) and the logarithm of the probability (p,) of each."""

    places: Floats
    log_probability: Floats
    frame: int


class _Run(NamedTuple):
    """The merged blobs of one tracklet in order of time, and the individuals in it."""

    tracklet: int
    blobs: list[int]
    individuals: list[int]


def arrange(scene: Scene, members: Members, forward: Pass, backward: Pass, step_px: float, evidence: Evidence) -> Arranged:
    """Where each member is: at a place of the forward or of the backward pass, no two of a blob at the same one.

    `step_px` is the root mean square step of an animal alone, per axis and frame; `evidence` as in `passes`.
    """
    return _Arranger(scene, members, forward, backward, step_px, evidence).run()


def usual_step(scene: Scene) -> float:
    """Root mean square step (px) of animals alone, per axis, from one frame to the next; 0 where none is seen."""
    order = np.lexsort((scene.frame, scene.tracklet))
    tracklet, frame = scene.tracklet[order], scene.frame[order]
    alone = (np.diff(tracklet) == 0) & (np.diff(frame) == 1) & (tracklet[1:] >= 0) & (scene.animals[tracklet[1:]] == 1)
    squares = np.diff(scene.x[order])[alone] ** 2 + np.diff(scene.y[order])[alone] ** 2
    return float(np.sqrt(squares.mean() / 2)) if len(squares) else 0.0


def fitted_step(scene: Scene) -> float:
    """Deviation (px), per axis, that a fit of places expects of an animal's step from one frame to the next."""
    return float(FITTED_STEP * max(usual_step(scene), LEAST_STEP * 4 * scene.variances[0] ** 0.5))


@cache
def arrangements_of(count: int) -> Ints:
    """Arrangements (a, count) of so many members: which place each of them takes."""
    if count <= MOST_PERMUTED:
        return np.array(list(permutations(range(count))), np.int64)
    exchanges = [np.arange(count)]
    for a, b in combinations(range(count), 2):
        exchanged = np.arange(count)
        exchanged[[a, b]] = b, a
        exchanges.append(exchanged)
    return np.unique([first[second] for first in exchanges for second in exchanges], axis=0)


class _Checks:
    """How often members were exchanged, of those that are seen at both ends and followed from one, and how often this was expected."""

    def __init__(self) -> None:
        self.frames: int = 0
        self.mistakes: int = 0
        self.expected: float = 0.0

    @property
    def rate(self) -> float:
        """Exchanges per frame beyond those that the arrangements' own probabilities expect; of few frames about PRIOR_STRAY."""
        return float((max(0.0, self.mistakes - self.expected) + PRIOR_STRAY * PRIOR_FRAMES) / (self.frames + PRIOR_FRAMES))


class _Arranger:
    def __init__(self, scene: Scene, members: Members, forward: Pass, backward: Pass, step_px: float, evidence: Evidence) -> None:
        self._scene, self._members, self._evidence = scene, members, evidence
        self._passes = forward.place, backward.place
        self._passes_since = forward, backward
        length, self._width = (4 * variance**0.5 for variance in scene.variances)
        self._step = STEP_FACTOR * max(step_px, LEAST_STEP * length)
        self._runs = list(_runs(scene, members))
        self._merged = {run.tracklet for run in self._runs}
        self._first, self._last = _ends(scene)
        self._seen: dict[int, Floats | None] = {}

    def run(self) -> Arranged:
        """Messages with time, messages against it, and both together."""
        entered: dict[tuple[int, int], _Known] = {}
        left: dict[tuple[int, int], _Known] = {}
        checks = _Checks()
        for run in self._runs:
            *_, last = self._forward(run, self._start(run, entered))
            self._check(run, last, run.blobs[-1], self._passes_since[0], self._scene.children, self._first, checks)
            self._pass_on(run, last, run.blobs[-1], entered)
        for run in reversed(self._runs):
            *_, first = self._backward(run, self._end(run, left))
            first = first + self._looks(run, run.blobs[0])
            self._check(run, first, run.blobs[0], self._passes_since[1], self._scene.parents, self._last, checks)
            self._pass_on(run, first, run.blobs[0], left)
        total = len(self._members.blob)
        found = Arranged(np.empty((total, 3)), np.empty(total), checks.rate)
        for run in self._runs:
            forward = list(self._forward(run, self._start(run, entered)))
            backward = list(self._backward(run, self._end(run, left), forward))[::-1]
            for blob, before, after in zip(run.blobs, forward, backward, strict=True):
                rows = self._members.of(blob)
                found.place[rows], found.probability[rows] = self._choose(run, blob, before + after)
        return found

    def _places(self, blob: int) -> Floats:
        """The places of both passes in a blob, (2 k, 3) x, y, angle."""
        rows = self._members.of(blob)
        return np.concatenate([places[rows] for places in self._passes])

    def _states(self, run: _Run) -> Ints:
        """All arrangements (s, k) among the places of the forward and then of the backward pass."""
        count = len(run.individuals)
        return np.concatenate([arrangements_of(count), arrangements_of(count) + count])

    def _looks(self, run: _Run, blob: int) -> Floats:
        """What images say (nats) for each arrangement."""
        if blob not in self._seen:
            self._seen[blob] = self._evidence(blob, run.individuals, self._places(blob))
        gain, states = self._seen[blob], self._states(run)
        return np.zeros(len(states)) if gain is None else _sum_of(gain, states)

    def _moves(self, before: Floats, after: Floats, frames: int) -> Floats:
        """Cost (a, b) in nats of going from each place to each other within so many frames."""
        away = ((before[:, None, :2] - after[None, :, :2]) ** 2).sum(axis=-1)
        turn = wrap_angle(before[:, None, 2] - after[None, :, 2], np.pi)
        steps = np.minimum(away / (2 * self._step**2 * max(1, frames)), MOST_STEP_NATS)
        return np.asarray(steps + np.minimum(turn**2 / (2 * TURN**2), MOST_TURN_NATS))

    def _follow(self, run: _Run, values: Floats, here: int, there: int, beside: Floats | None = None) -> Floats:
        """Sum (s,) over what leads from arrangements of blob `here`, of these values, to each arrangement of blob `there`.

        Of many arrangements the best ones are followed, by their values and what else is known `beside` (s,).
        """
        frames = abs(int(self._scene.frame[there] - self._scene.frame[here]))
        cost, states = self._moves(self._places(here), self._places(there), frames), self._states(run)
        kept = np.arange(len(states))
        if len(states) > 2 * MOST_FOLLOWED:
            kept = np.argsort(-(values if beside is None else values + beside), kind="stable")[:MOST_FOLLOWED]
        total = np.zeros((len(kept), len(states)))
        for k in range(states.shape[1]):
            total -= cost[states[kept, k][:, None], states[:, k]]
        half = len(states) // 2
        total -= OTHER_PASS_NATS * ((kept < half)[:, None] != (np.arange(len(states)) < half))
        return np.asarray(logsumexp(values[kept][:, None] + total, axis=0))

    def _forward(self, run: _Run, start: Floats) -> Iterator[Floats]:
        """For each blob the logarithm (s,) of what leads to each arrangement, the blob's own image included."""
        values = start + self._looks(run, run.blobs[0])
        yield values
        for here, there in pairwise(run.blobs):
            values = self._follow(run, values, here, there) + self._looks(run, there)
            yield values

    def _backward(self, run: _Run, end: Floats, forward: Sequence[Floats] = ()) -> Iterator[Floats]:
        """For each blob, the last one first, the logarithm (s,) of what follows each arrangement.

        `forward` is what `_forward` gives, where it is known.
        """
        yield end
        for number in range(len(run.blobs) - 1, 0, -1):
            there, here = run.blobs[number], run.blobs[number - 1]
            looks = self._looks(run, there)
            # What leads there includes its image.
            beside = forward[number] - looks if forward else None
            end = self._follow(run, end + looks, there, here, beside)
            yield end

    def _start(self, run: _Run, known: dict[tuple[int, int], _Known]) -> Floats:
        return self._tie(run, run.blobs[0], self._scene.parents.get(run.tracklet, []), self._last, known)

    def _end(self, run: _Run, known: dict[tuple[int, int], _Known]) -> Floats:
        return self._tie(run, run.blobs[-1], self._scene.children.get(run.tracklet, []), self._first, known)

    def _tie(self, run: _Run, blob: int, neighbours: list[int], beside: Ints, known: dict[tuple[int, int], _Known]) -> Floats:
        """What the neighbouring tracklets say (nats) for each arrangement of a run's first or last blob."""
        places, scene = self._places(blob), self._scene
        gain = np.zeros((len(run.individuals), len(places)))
        for k, individual in enumerate(run.individuals):
            for other in neighbours:
                if other in self._merged:
                    found = known.get((other, individual))
                elif [who for who, _ in scene.occupants.get(other, ())] == [individual]:
                    row = beside[other]
                    found = _Known(np.array([[scene.x[row], scene.y[row], scene.angle[row]]]), np.zeros(1), int(scene.frame[row]))
                else:
                    found = None
                if found is not None:
                    cost = self._moves(found.places, places, abs(int(scene.frame[blob]) - found.frame))
                    gain[k] = np.maximum(logsumexp(found.log_probability[:, None] - cost, axis=0), -MOST_END_NATS)
        return _sum_of(gain, self._states(run))

    def _check(
        self, run: _Run, values: Floats, blob: int, since: Pass, beyond: dict[int, list[int]], beside: Ints, checks: "_Checks"
    ) -> None:
        """Compare where members are expected at one end, from what is known of the other end alone, with where they are seen beyond it."""
        scene, rows = self._scene, self._members.of(blob)
        places, probability = self._choose(run, blob, values)
        for k, individual in enumerate(run.individuals):
            if individual < 0 or not since.followed[rows][k]:
                continue
            for other in beyond.get(run.tracklet, ()):
                if other not in self._merged and [who for who, _ in scene.occupants.get(other, ())] == [individual]:
                    row = beside[other]
                    away = np.hypot(places[:, 0] - scene.x[row], places[:, 1] - scene.y[row])
                    checks.frames += int(since.inside[rows][k])
                    checks.mistakes += int(away[k] > away.min() and away[k] > SAME_PLACE * self._width)
                    checks.expected += 1.0 - float(probability[k])

    def _pass_on(self, run: _Run, values: Floats, blob: int, known: dict[tuple[int, int], _Known]) -> None:
        """Leave for the neighbours where each member may be in the first or last blob of a run."""
        states, places = self._states(run), self._places(blob)
        share = np.exp(values - logsumexp(values))
        for k, individual in enumerate(run.individuals):
            probability = np.bincount(states[:, k], share, len(places))
            known[run.tracklet, individual] = _Known(places, np.log(probability + 1e-6), int(self._scene.frame[blob]))

    def _choose(self, run: _Run, blob: int, values: Floats) -> tuple[Floats, Floats]:
        """The best arrangement's places (k, 3), and the probability (k,) that each member is there."""
        states, places = self._states(run), self._places(blob)
        share = np.exp(values - logsumexp(values))
        best = states[int(values.argmax())]
        near = np.hypot(*(places[:, None, :2] - places[None, :, :2]).transpose(2, 0, 1)) < SAME_PLACE * self._width
        sure = [np.bincount(states[:, k], share, len(places)) @ near[place] for k, place in enumerate(best)]
        return places[best], np.minimum(sure, 1.0)


def _runs(scene: Scene, members: Members) -> list[_Run]:
    """The merged tracklets in the order in which they begin."""
    blobs: dict[int, list[int]] = defaultdict(list)
    for blob in np.unique(members.blob).tolist():
        blobs[int(scene.tracklet[blob])].append(blob)
    return [_Run(tracklet, mine, members.individual[members.of(mine[0])].tolist()) for tracklet, mine in blobs.items()]


def _ends(scene: Scene) -> tuple[Ints, Ints]:
    """First and last blob of each tracklet."""
    first, last = (np.full(len(scene.animals), -1, np.int64) for _ in range(2))
    rows = np.flatnonzero(scene.tracklet >= 0)
    first[scene.tracklet[rows[::-1]]] = rows[::-1]
    last[scene.tracklet[rows]] = rows
    return first, last


def _sum_of(gain: Floats, states: Ints) -> Floats:
    """Sum (s,) over the members of the evidence (members, places) for the place that each takes in an arrangement (s, members)."""
    return np.asarray(gain[np.arange(states.shape[1]), states].sum(axis=1))
