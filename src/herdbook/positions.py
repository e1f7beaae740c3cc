"""From "who is in which blob" to positions: single blobs as they are, merged ones resolved animal by animal, short gaps filled.

Points are (x, y) px; angles in rad, image axes (x right, y down).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.lkrstc import rstc_weights
from herdbook.resolve import PIXELS_PER_ANIMAL, blob_pixels, fit_ellipses, spread_guess

Floats = NDArray[np.float64]
RunsOf = Callable[[int], NDArray[np.int32]]

# Confidence of a position inside a merge falls by half over this many frames from the nearer end.
HALVING_FRAMES = 50
# Passes that agree in one frame may only cross; they are compared over this many (odd).
AGREE_FRAMES = 5
# "Frames since it was alone" of an animal that nobody saw come in.
NEVER = 1_000_000


@dataclass
class Table:
    """Positions as columns, one row per individual and frame."""

    frame: NDArray[np.int64]
    individual: NDArray[np.int64]
    x: Floats
    y: Floats
    angle: Floats
    confidence: Floats
    source: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: NDArray[np.int64]) -> "Table":
        """The rows in the order given."""
        return Table(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Scene:
    """One movie's blobs as far as positions need them, in order of frame.

    `frame`, `x`, `y`, `angle` (blobs,); `tracklet` (blobs,); `animals` (tracklets,); `occupants`: individuals of each tracklet with their
    confidence; `parents`, `children`: neighbouring tracklets of each tracklet.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    angle: Floats
    tracklet: NDArray[np.int64]
    animals: NDArray[np.int64]
    occupants: dict[int, list[tuple[int, float]]]
    parents: dict[int, list[int]]
    children: dict[int, list[int]]
    variances: tuple[float, float]


@dataclass
class _State:
    """Where an individual was last seen on the way through the movie, and since how many frames only inside merges."""

    frame: int
    x: float
    y: float
    angle: float
    inside: int
    own: bool


# One pass through the merged blobs: (blob, individual) -> x, y, angle, frames since it was alone, whether it was followed from there.
Pass = dict[tuple[int, int], tuple[float, float, float, int, bool]]


def locate_animals(scene: Scene, runs_of: RunsOf) -> Table:
    """Positions of all individuals of a movie, before smoothing and filling."""
    merged = _merged_blobs(scene)
    forward = _follow(scene, runs_of, merged, range(len(scene.frame)), scene.parents, step=1)
    backward = _follow(scene, runs_of, merged, range(len(scene.frame) - 1, -1, -1), scene.children, step=-1)
    inside = _join_passes(forward, backward, width_px=4 * scene.variances[1] ** 0.5)
    rows: list[tuple[int, int, float, float, float, float, int]] = []
    for blob, tracklet in enumerate(scene.tracklet):
        frame = int(scene.frame[blob])
        for individual, confidence in scene.occupants.get(int(tracklet), ()):
            if blob in merged:
                x, y, angle, sure, source = inside[blob, individual]
                rows.append((frame, individual, x, y, angle, confidence * sure, source))
            else:
                rows.append((frame, individual, scene.x[blob], scene.y[blob], scene.angle[blob], confidence, FROM_SINGLE))
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    kinds = (np.int64, np.int64, np.float64, np.float64, np.float64, np.float64, np.uint8)
    table = Table(*(np.array(c, k) for c, k in zip(columns, kinds, strict=True)))
    return table.take(np.lexsort((table.individual, table.frame)))


def _merged_blobs(scene: Scene) -> dict[int, list[int]]:
    """Blobs that hold several animals, with whom; animals without a name get a negative number of their own."""
    members: dict[int, list[int]] = {}
    for tracklet, count in enumerate(scene.animals):
        named = [individual for individual, _ in scene.occupants.get(tracklet, ())]
        if count > 1 or len(named) > 1:
            members[tracklet] = named + [-(tracklet * 64 + k + 1) for k in range(max(0, int(count) - len(named)))]
    return {blob: members[int(t)] for blob, t in enumerate(scene.tracklet) if int(t) in members}


def _follow(scene: Scene, runs_of: RunsOf, merged: dict[int, list[int]], order: range, before: dict[int, list[int]], step: int) -> Pass:
    """Follow everybody through the movie in one direction of time; `before` are the neighbouring tracklets already passed."""
    states: dict[int, _State] = {}
    lately: dict[int, list[int]] = defaultdict(list)
    found: Pass = {}
    for blob in order:
        tracklet, frame = int(scene.tracklet[blob]), int(scene.frame[blob])
        if blob not in merged:
            members = [individual for individual, _ in scene.occupants.get(tracklet, ())] or [-(tracklet * 64 + 64)]
            for individual in members:
                states[individual] = _State(frame, scene.x[blob], scene.y[blob], scene.angle[blob], 0, True)
        else:
            members = merged[blob]
            pixels = blob_pixels(runs_of(blob), PIXELS_PER_ANIMAL * len(members))
            start = _starts(members, states, lately, before.get(tracklet, ()), pixels, frame, step, scene, blob)
            centres, angles = fit_ellipses(
                pixels, np.array([(s.x, s.y) for s in start]), np.array([s.angle for s in start]), scene.variances
            )
            for individual, s, (x, y), angle in zip(members, start, centres, angles, strict=True):
                found[blob, individual] = (x, y, angle, s.inside + 1, s.own)
                states[individual] = _State(frame, x, y, angle, s.inside + 1, s.own)
        lately[tracklet] = members
    return found


def _starts(
    members: Sequence[int],
    states: dict[int, _State],
    lately: dict[int, list[int]],
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
            start[individual] = _State(frame, x, y, scene.angle[blob], NEVER, False)
    return [start[m] for m in members]


def _join_passes(forward: Pass, backward: Pass, width_px: float) -> dict[tuple[int, int], tuple[float, float, float, float, int]]:
    """One position from both passes for each (blob, individual): x, y, angle, confidence, source.

    Where an individual was followed from both ends, the passes change over where they agree best: two animals that lie on each other may
    come out swapped, in either pass, and there the passes meet. Elsewhere the one that knows more counts.
    """
    joined = {}
    for visit in _visits(forward):
        f = np.array([forward[key][:3] for key in visit])
        b = np.array([backward[key][:3] for key in visit])
        since = np.array([forward[key][3] for key in visit])
        until = np.array([backward[key][3] for key in visit])
        from_entry, from_exit = forward[visit[0]][4], backward[visit[-1]][4]
        # Axes have no head: turn the second by half turns until it is nearest to the first.
        b[:, 2] += np.pi * np.round((f[:, 2] - b[:, 2]) / np.pi)
        known, source = np.minimum(since, until), FROM_RESOLVED
        if from_entry and from_exit:
            weight = _changeover(np.hypot(*(f - b)[:, :2].T), width_px)[:, None]
            place = weight * f + (1 - weight) * b
        elif from_exit:
            place, known = b, until
        else:
            place, known = f, since
            source = FROM_RESOLVED if since[0] < NEVER else FROM_MERGED
        sure = 0.5 ** (np.minimum(known, NEVER) / HALVING_FRAMES) if source == FROM_RESOLVED else np.full(len(f), 0.25)
        for key, (x, y, angle), confidence in zip(visit, place, sure, strict=True):
            joined[key] = (float(x), float(y), float(angle), float(confidence), source)
    return joined


def _visits(forward: Pass) -> list[list[tuple[int, int]]]:
    """The keys of a pass cut into stays of one individual among others, each in order of time."""
    last: dict[int, list[tuple[int, int]]] = {}
    visits = []
    for key in sorted(forward):
        before = last.get(key[1])
        if before is None or forward[key][3] != forward[before[-1]][3] + 1:
            before = last[key[1]] = []
            visits.append(before)
        before.append(key)
    return visits


def _changeover(distance: Floats, width_px: float) -> Floats:
    """Weight (n,) of the forward pass, from the distance (n,) px of the passes and the width of an animal.

    An RSTC sigmoid over the stretch in which the passes agree within that width, around the frame where they agree best and longest.
    """
    n = len(distance)
    off_centre = np.abs(np.arange(n) - (n - 1) / 2) / n
    around = np.convolve(distance, np.ones(AGREE_FRAMES), "same") / np.convolve(np.ones(n), np.ones(AGREE_FRAMES), "same")
    meeting = int(np.argmin(around[:n] + width_px * off_centre))
    apart = np.flatnonzero(distance > width_px)
    first = int(apart[apart < meeting].max(initial=-1))
    last = int(apart[apart > meeting].min(initial=n))
    reach = min(meeting - first, last - meeting)
    weight = np.repeat([1.0, 0.0], [meeting, n - meeting])
    sigmoid = rstc_weights(2 * reach + 1)[0]
    weight[meeting - reach + 1 : meeting + reach] = sigmoid[1:-1]
    return weight


def fill_gaps(table: Table, most_frames: int) -> Table:
    """Add straight lines over gaps of at most `most_frames` missing frames within an individual's positions; source interpolated."""
    order = np.lexsort((table.frame, table.individual))
    t = table.take(order)
    gap = np.diff(t.frame)
    here = np.flatnonzero((np.diff(t.individual) == 0) & (gap > 1) & (gap <= most_frames + 1))
    if not len(here):
        return table
    missing = (gap[here] - 1).astype(np.int64)
    left = np.repeat(here, missing)
    nth = np.arange(len(left)) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    share = nth / gap[left]

    def between(values: Floats) -> Floats:
        return values[left] * (1 - share) + values[left + 1] * share

    filled = Table(
        frame=t.frame[left] + nth,
        individual=t.individual[left],
        x=between(t.x),
        y=between(t.y),
        angle=t.angle[left],
        confidence=np.minimum(t.confidence[left], t.confidence[left + 1]),
        source=np.full(len(left), FROM_INTERPOLATED, np.uint8),
    )
    both = Table(*(np.concatenate([getattr(t, n), getattr(filled, n)]) for n in t.__dataclass_fields__))
    return both.take(np.lexsort((both.individual, both.frame)))


def head_directions(table: Table) -> NDArray[np.float32]:
    """Heading (n,) rad from body axes: continuous along each individual's track, and pointing on the whole where it moves."""
    heading = np.zeros(len(table), np.float32)
    order = np.lexsort((table.frame, table.individual))
    t = table.take(order)
    breaks = np.flatnonzero((np.diff(t.individual) != 0) | (np.diff(t.frame) > 1)) + 1
    for rows in np.split(np.arange(len(t)), breaks):
        if not len(rows):
            continue
        axis = np.unwrap(t.angle[rows], period=np.pi)
        if len(rows) > 1:
            ahead = np.cos(axis) * np.gradient(t.x[rows]) + np.sin(axis) * np.gradient(t.y[rows])
            if ahead.sum() < 0:
                axis = axis + np.pi
        heading[order[rows]] = np.angle(np.exp(1j * axis))
    return heading
