"""Two passes through the merges of a movie, one with time and one against it, become one position of each animal in each frame.

Animals that lie on each other may come out swapped, in either pass. Where both passes agree they are believed; where they do not, each
animal's track goes over from one pass to the other, and back if need be, where they agree, such that what images say of its looks is
explained best.

How often a pass goes astray is learned from the movie: near an animal's exit the backward pass is right, and tells whether the forward pass
still is after so many frames; and the other way round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.smoothing.rstc import rstc_weights

# Nats (members, places) that an image of a blob gives for members at places (p, 3) x, y, angle; None where it says nothing.
Evidence = Callable[[int, Sequence[int], Floats], Floats | None]

# "Frames since it was alone" of an animal that nobody saw come in.
NEVER_ALONE_FRAMES = 1_000_000
# A pass is believed this many frames (at most) from its own end when it judges the other one.
SURE_FRAMES = 5
# A pass that is this many widths of an animal off follows another one: nearer, with animals on each other, it may be inexact only.
STRAYED = 2.0
# What is believed of passes before the movie tells more: they go astray once in ... frames, as if seen once.
PRIOR_FRAMES = 1000.0
# Confidence where both passes agree, for to be wrong both must go astray at the same moment; and where nobody knows.
AGREED, GUESSED = 0.9995, 0.25
# A change of passes costs this much (nats), and more with the square of their distance in widths of an animal.
CHANGE_COST, CHANGE_COST_PER_WIDTH = 1.0, 2.0


class Members(NamedTuple):
    """Who is in which merged blob, one row for each animal in each of them, in order of the blobs: `blob` and `individual` (rows,)."""

    blob: Ints
    individual: Ints

    def of(self, blob: int) -> slice:
        """The rows of a blob."""
        first, end = np.searchsorted(self.blob, (blob, blob + 1)).tolist()
        return slice(first, end)


class Pass(NamedTuple):
    """What one pass found of each row of the members: `place` (rows, 3) x, y, angle; the frames (rows,) since the animal was alone; whether
    it was `followed` (rows,) from there.
    """

    place: Floats
    inside: Ints
    followed: NDArray[np.bool_]


class Joined(NamedTuple):
    """One position for each row of the members: `place` (rows, 3) x, y, angle; `confidence` (rows,); `source` (rows,) uint8."""

    place: Floats
    confidence: Floats
    source: NDArray[np.uint8]


def join_passes(members: Members, forward: Pass, backward: Pass, width_px: float, evidence: Evidence) -> Joined:
    """One position of each member from both passes; `width_px` of an animal."""
    stays = [_stay(rows, forward, backward, width_px) for rows in visits(members, forward)]
    straying = learn_straying(stays) if stays else 0.0
    joined = Joined(np.empty_like(forward.place), np.empty(len(forward.place)), np.empty(len(forward.place), np.uint8))
    for stay in stays:
        f, b, source = stay.forward, stay.backward, FROM_RESOLVED
        astray = stray_chance(stay.since, straying), stray_chance(stay.until, straying)
        if stay.entered and stay.left:
            gains = np.zeros((len(f), 2))
            for k in np.flatnonzero(stay.distance > 1):
                row = int(stay.rows[k])
                blob = int(members.blob[row])
                all_of_blob = members.of(blob)
                nats = evidence(blob, members.individual[all_of_blob].tolist(), np.stack([f[k], b[k]]))
                if nats is not None:
                    gains[k] = nats[row - all_of_blob.start]
            weight, sure = choose_passes(stay.distance, gains, straying)
            place = weight[:, None] * f + (1 - weight)[:, None] * b
            sure = np.where(stay.distance > STRAYED, sure, AGREED)
        elif stay.left:
            place, sure = b, 1 - astray[1]
        elif stay.since[0] < NEVER_ALONE_FRAMES:
            place, sure = f, 1 - astray[0]
        else:
            place, sure, source = f, np.full(len(f), GUESSED), FROM_MERGED
        joined.place[stay.rows], joined.confidence[stay.rows], joined.source[stay.rows] = place, sure, source
    return joined


@dataclass(frozen=True)
class Stay:
    """One individual's stay inside merges: its rows of the members, the places (n, 3) of both passes, their distance (n,) in widths of an
    animal, the frames (n,) `since` it was alone and `until` it is again, and whether it was followed from its entry and from its exit.
    """

    rows: Ints
    forward: Floats
    backward: Floats
    distance: Floats
    since: Floats
    until: Floats
    entered: bool
    left: bool


def _stay(rows: Ints, forward: Pass, backward: Pass, width_px: float) -> Stay:
    f, b = forward.place[rows], backward.place[rows]
    # Axes have no head: turn the second by half turns until it is nearest to the first.
    b[:, 2] += np.pi * np.round((f[:, 2] - b[:, 2]) / np.pi)
    since, until = forward.inside[rows].astype(float), backward.inside[rows].astype(float)
    distance = np.hypot(*(f - b)[:, :2].T) / width_px
    return Stay(rows, f, b, distance, since, until, bool(forward.followed[rows[0]]), bool(backward.followed[rows[-1]]))


def learn_straying(stays: Sequence[Stay]) -> float:
    """How often a pass exchanges an animal with another one, per frame, from stays with both ends known.

    Judged over the last frames before the end of the other pass: exchanges that come at random in time leave an animal wrong after t frames
    with the chance of `stray_chance`; the rate is the one that explains the stays that came out wrong.
    """
    # A third of a second to import, which a movie without merges need not pay.
    from scipy.optimize import minimize_scalar

    frames, wrong = [], []
    for stay in stays:
        if not (stay.entered and stay.left):
            continue
        last = min(SURE_FRAMES, len(stay.distance) // 2)
        for side, length in ((stay.distance[len(stay.distance) - last :], stay.since[-1]), (stay.distance[:last], stay.until[0])):
            if last:
                frames.append(float(length))
                wrong.append(bool(np.median(side) > STRAYED))
    lengths, wrongs = np.array(frames), np.array(wrong, bool)

    def loss(log_rate: float) -> float:
        chance = np.clip(stray_chance(lengths, np.exp(log_rate)), 1e-9, 1 - 1e-9)
        seen = float(np.log(np.where(wrongs, chance, 1 - chance)).sum())
        # One exchange in PRIOR_FRAMES frames, as if it had been seen.
        return -(seen + log_rate - PRIOR_FRAMES * float(np.exp(log_rate)))

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(1e-7), np.log(0.2)), method="bounded").x))


def stray_chance(frames: Floats, rate: float) -> Floats:
    """The chance that a pass is wrong after so many frames, when exchanges there and back come at this rate per frame."""
    return np.asarray((1 - np.exp(-2 * rate * np.minimum(frames, NEVER_ALONE_FRAMES))) / 2)


def visits(members: Members, forward: Pass) -> list[Ints]:
    """The rows of the members cut into stays of one individual among others, each in order of time; in order of their beginnings."""
    order = np.lexsort((members.blob, members.individual))
    individual, inside = members.individual[order], forward.inside[order]
    breaks = np.flatnonzero((np.diff(individual) != 0) | (np.diff(inside) != 1)) + 1
    found = np.split(order, breaks) if len(order) else []
    return sorted(found, key=lambda rows: (members.blob[rows[0]], members.individual[rows[0]]))


def choose_passes(distance: Floats, gains: Floats, straying: float) -> tuple[Floats, Floats]:
    """Weight (n,) of the forward pass in each frame of a stay, and the confidence (n,) of the position.

    `distance` (n,) of both passes in widths of an animal; `gains` (n, 2) nats that images give for the place of the forward and the
    backward pass; `straying`: how often a pass goes astray, per frame. A chain of two states: the stay begins with the forward pass and
    ends with the backward one; the best path is taken, its posterior is the confidence. A change is blended by RSTC's sigmoid over the
    frames in which the passes agree.
    """
    n = len(distance)
    # A pass loses credit on its way, so that without images it counts where it is nearer to where it began.
    run = np.arange(n, dtype=np.float64)
    gain = gains + np.log(np.stack([1 - stray_chance(run + 1.0, straying), 1 - stray_chance(n - run, straying)], 1))
    change = CHANGE_COST + CHANGE_COST_PER_WIDTH * np.minimum(distance[1:], distance[:-1]) ** 2
    best, total, back = np.full((n, 2), -np.inf), np.full((n, 2), -np.inf), np.zeros((n, 2), int)
    # A stay of one frame belongs to both.
    best[0] = total[0] = (gain[0, 0], gain[0, 1] - (change[0] if n > 1 else 0.0))
    for t in range(1, n):
        for state in (0, 1):
            ways = np.array([best[t - 1, state], best[t - 1, 1 - state] - change[t - 1]])
            back[t, state] = state if ways[0] >= ways[1] else 1 - state
            best[t, state] = ways.max() + gain[t, state]
            total[t, state] = np.logaddexp(total[t - 1, state], total[t - 1, 1 - state] - change[t - 1]) + gain[t, state]
    rest = np.zeros((n, 2))
    rest[-1] = (-(change[-1] if n > 1 else 0.0), 0.0)
    for t in range(n - 2, -1, -1):
        after = rest[t + 1] + gain[t + 1]
        rest[t] = (np.logaddexp(after[0], after[1] - change[t]), np.logaddexp(after[1], after[0] - change[t]))
    path = np.zeros(n, int)
    path[-1] = int(np.argmax(best[-1] + rest[-1]))
    for t in range(n - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    both = total + rest
    posterior = np.exp(both - np.logaddexp(both[:, 0], both[:, 1])[:, None])[np.arange(n), path]
    return _blended(path, distance <= 1), posterior


def _blended(state: NDArray[np.int_], agree: NDArray[np.bool_]) -> Floats:
    """Weight (n,) of pass 0 for a path of states (n,), with a sigmoid around each change as wide as both passes agree."""
    n = len(state)
    weight = 1.0 - state
    changes = np.flatnonzero(np.diff(state))
    for number, change in enumerate(changes.tolist()):
        first = changes[number - 1] + 1 if number else 0
        last = changes[number + 1] if number + 1 < len(changes) else n - 1
        apart = np.flatnonzero(~agree[first : last + 1]) + first
        low = int(max(first, apart[apart <= change].max(initial=-1) + 1))
        high = int(min(last, apart[apart > change].min(initial=n) - 1))
        reach = min(change - low, high - change - 1)
        if reach < 1:
            continue
        sigmoid = rstc_weights(2 * reach + 2)[0]
        weight[change - reach : change + reach + 2] = sigmoid if state[change] == 0 else 1 - sigmoid
    return np.asarray(weight, np.float64)
