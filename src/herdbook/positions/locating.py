"""From "who is in which blob" to positions: single blobs as they are, merged ones resolved animal by animal, short gaps filled.

Points are (x, y) px; angles in rad, image axes (x right, y down).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import FROM_SINGLE
from herdbook.geometry.ellipses import wrap_angle
from herdbook.geometry.heads import directions_along
from herdbook.positions.arrangements import arrange, usual_step
from herdbook.positions.fits import Fit, no_fit
from herdbook.positions.merged import PIXELS_PER_ANIMAL, blob_pixels, fit_ellipses, spread_guess
from herdbook.positions.passes import NEVER_ALONE_FRAMES, Evidence, Members, Pass, join_passes
from herdbook.positions.scene import Positions, RunsOf, Scene


@dataclass
class _State:
    """Where an individual was last seen on the way through the movie, and since how many frames only inside merges."""

    frame: int
    x: float
    y: float
    angle: float
    inside: int
    own: bool


def no_evidence(blob: int, members: Sequence[int], places: Floats) -> None:
    """What images say of who is where, when there are none."""


def locate_animals(
    scene: Scene, runs_of: RunsOf, evidence: Evidence = no_evidence, fit: Fit = no_fit, answered: Collection[tuple[int, int]] = ()
) -> Positions:
    """Positions of all individuals of a movie, before smoothing and filling.

    Inside merges `fit` finds places, and `evidence` of looks says whose they are; `answered` are the frames and individuals for which it
    includes what a person said.
    """
    names = _names_of_merges(scene)
    individuals = _Lists(names, len(scene.animals))
    members = Members(*individuals.spread(scene.tracklet)[:2])
    forward = _follow(scene, runs_of, fit, members, names, range(len(scene.frame)), scene.parents, step=1)
    backward = _follow(scene, runs_of, fit, members, names, range(len(scene.frame) - 1, -1, -1), scene.children, step=-1)
    arranged = arrange(scene, members, forward, backward, usual_step(scene), evidence)
    said = np.array([pair in answered for pair in zip(scene.frame[members.blob].tolist(), members.individual.tolist(), strict=True)], bool)
    inside = join_passes(members, forward, backward, 4 * scene.variances[1] ** 0.5, *arranged, said)

    known = _Lists({t: [individual for individual, _ in pairs] for t, pairs in scene.occupants.items()}, len(scene.animals))
    sure = np.array([confidence for t in known.listed for _, confidence in scene.occupants[t]], np.float64)
    blob, individual, place = known.spread(scene.tracklet)
    table = Positions(
        frame=scene.frame[blob],
        individual=individual,
        x=scene.x[blob],
        y=scene.y[blob],
        angle=scene.angle[blob],
        confidence=sure[place],
        source=np.full(len(blob), FROM_SINGLE, np.uint8),
    )
    # In a merged blob those with a name come first, in the order of the occupants.
    merged = individuals.count[scene.tracklet[blob]] > 0
    nth = place[merged] - known.first[scene.tracklet[blob[merged]]]
    row = np.searchsorted(members.blob, blob[merged]) + nth
    table.x[merged], table.y[merged], table.angle[merged] = inside.place[row].T
    table.confidence[merged] *= inside.confidence[row]
    table.source[merged] = inside.source[row]
    order = np.lexsort((table.individual, table.frame))
    return table if (np.diff(order) == 1).all() else table.take(order)


class _Lists:
    """A list of individuals for some of the tracklets, in one array: `first` and `count` (tracklets,) tell where each is."""

    def __init__(self, lists: Mapping[int, Sequence[int]], tracklets: int) -> None:
        self.listed = sorted(lists)
        self.count = np.zeros(max([tracklets - 1, *lists]) + 1, np.int64)
        for tracklet, individuals in lists.items():
            self.count[tracklet] = len(individuals)
        self.first = np.cumsum(self.count) - self.count
        self._individuals = np.array([individual for t in self.listed for individual in lists[t]], np.int64)

    def spread(self, tracklet: Ints) -> tuple[Ints, Ints, Ints]:
        """For blobs of these tracklets (blobs,) one row for each individual of each: the blob, the individual, its place in the lists."""
        count = np.where(tracklet >= 0, self.count[tracklet], 0)
        blob = np.repeat(np.arange(len(tracklet)), count)
        place = np.arange(len(blob)) - np.repeat(np.cumsum(count) - count, count) + self.first[tracklet[blob]]
        return blob, self._individuals[place], place


def _names_of_merges(scene: Scene) -> dict[int, list[int]]:
    """Tracklets that hold several animals, with whom; animals without a name get a negative number of their own."""
    members: dict[int, list[int]] = {}
    for tracklet, count in enumerate(scene.animals.tolist()):
        named = [individual for individual, _ in scene.occupants.get(tracklet, ())]
        if count > 1 or len(named) > 1:
            members[tracklet] = named + [-(tracklet * 64 + k + 1) for k in range(max(0, count - len(named)))]
    return members


def _follow(
    scene: Scene,
    runs_of: RunsOf,
    fit: Fit,
    members: Members,
    names: Mapping[int, Sequence[int]],
    order: range,
    before: dict[int, list[int]],
    step: int,
) -> Pass:
    """Follow everybody through the movie in one direction of time; `before` are the neighbouring tracklets already passed."""
    states: dict[int, _State] = {}
    lately: dict[int, Sequence[int]] = defaultdict(list)
    rows = len(members.blob)
    found = Pass(np.empty((rows, 3)), np.empty(rows, np.int64), np.empty(rows, bool))
    for blob in order:
        tracklet, frame = int(scene.tracklet[blob]), int(scene.frame[blob])
        own = names.get(tracklet)
        if own is None:
            alone = [individual for individual, _ in scene.occupants.get(tracklet, ())] or [-(tracklet * 64 + 64)]
            for individual in alone:
                states[individual] = _State(frame, scene.x[blob], scene.y[blob], scene.angle[blob], 0, True)
            lately[tracklet] = alone
            continue
        runs = runs_of(blob)
        pixels = blob_pixels(runs, PIXELS_PER_ANIMAL * len(own))
        start = _starts(own, states, lately, before.get(tracklet, ()), pixels, frame, step, scene, blob)
        poses, near = np.array([(s.x, s.y, s.angle) for s in start]), np.array([s.frame != frame for s in start])
        fitted = fit(runs, blob, frame, own, poses, near)
        if fitted is None:
            centres, angles = fit_ellipses(pixels, poses[:, :2], poses[:, 2], scene.variances)
        else:
            centres, angles = fitted[:, :2], fitted[:, 2]
        mine = members.of(blob)
        found.place[mine, :2], found.place[mine, 2] = centres, angles
        found.inside[mine] = [s.inside + 1 for s in start]
        found.followed[mine] = [s.own for s in start]
        for individual, s, (x, y), angle in zip(own, start, centres.tolist(), angles.tolist(), strict=True):
            states[individual] = _State(frame, x, y, angle, s.inside + 1, s.own)
        lately[tracklet] = own
    return found


def _starts(
    members: Sequence[int],
    states: dict[int, _State],
    lately: Mapping[int, Sequence[int]],
    before: Sequence[int],
    pixels: Floats,
    frame: int,
    step: int,
    scene: Scene,
    blob: int,
) -> list[_State]:
    """Where to look for each member: where it was a frame ago; else where somebody was who came from a neighbour; else spread out."""
    start: dict[int, _State] = {}
    for individual in members:
        state = states.get(individual)
        if state is not None and 0 < (frame - state.frame) * step <= 5:
            start[individual] = state
    missing = [m for m in members if m not in start]
    if missing:
        known = set(members)
        spare = [states[i] for t in before for i in lately.get(t, ()) if i not in known and i in states]
        spare = [s for s in spare if 0 < (frame - s.frame) * step <= 5]
        for individual, s in zip(list(missing), spare, strict=False):
            start[individual] = _State(s.frame, s.x, s.y, s.angle, s.inside, False)
            missing.remove(individual)
    if missing:
        taken = np.array([(s.x, s.y) for s in start.values()]).reshape(-1, 2)
        for individual, (x, y) in zip(missing, spread_guess(pixels, taken, len(missing)), strict=True):
            start[individual] = _State(frame, x, y, scene.angle[blob], NEVER_ALONE_FRAMES, False)
    return [start[m] for m in members]


def head_directions(table: Positions, variances: tuple[float, float]) -> NDArray[np.float32]:
    """Heading (n,) rad in (-pi, pi] from body axes: which end is the head follows from where each individual goes over its whole track.

    `variances` along and across the body (px²) tell its length and how clear its axis is. See `heads.directions_along`.
    """
    major, minor = variances
    order = np.lexsort((table.frame, table.individual)).astype(np.int64)
    breaks = np.flatnonzero(np.diff(table.individual[order])) + 1
    offsets = np.concatenate([[0], breaks, [len(table)]] if len(table) else [[0]]).astype(np.int64)
    long = np.full(len(table), 1 - np.sqrt(minor / major))
    direction, _ = directions_along(order, offsets, table.frame, table.x, table.y, table.angle, long, 4 * np.sqrt(major))
    return np.asarray(wrap_angle(direction), np.float32)
