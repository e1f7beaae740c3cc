"""Two passes through the merges of a movie, one with time and one against it, become one position of each animal in each frame.

Animals that lie on each other may come out swapped, in either pass. Where both passes agree they are believed; where they do not, each
animal's track goes over from one pass to the other, and back if need be, where they agree, such that what images say of its looks is
explained best.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import FROM_MERGED, FROM_RESOLVED
from herdbook.lkrstc import rstc_weights

Floats = NDArray[np.float64]
Key = tuple[int, int]  # blob, individual
# (blob, individual) -> x, y, angle, frames since it was alone, whether it was followed from there.
Pass = dict[Key, tuple[float, float, float, int, bool]]
# Nats (members, places) that an image of a blob gives for members at places (p, 3) x, y, angle; None where it says nothing.
Evidence = Callable[[int, Sequence[int], Floats], Floats | None]

# "Frames since it was alone" of an animal that nobody saw come in.
NEVER = 1_000_000
# Confidence of a position that is known from one end only falls by half over this many frames.
HALVING_FRAMES = 50
# Confidence where both passes agree, and where nobody knows.
AGREED, GUESSED = 0.995, 0.25
# A change of passes costs this much (nats), and more with the square of their distance in widths of an animal.
CHANGE_COST, CHANGE_COST_PER_WIDTH = 1.0, 2.0
# A pass loses a little of its credit (nats per frame) on the way through a merge, so that without images it counts where it is nearer to
# where it began.
FADING = 0.02


def join_passes(forward: Pass, backward: Pass, width_px: float, evidence: Evidence) -> dict[Key, tuple[float, float, float, float, int]]:
    """One position from both passes for each (blob, individual): x, y, angle, confidence, source; `width_px` of an animal."""
    members: dict[int, list[int]] = {}
    for blob, individual in forward:
        members.setdefault(blob, []).append(individual)
    joined = {}
    for visit in visits(forward):
        f = np.array([forward[key][:3] for key in visit])
        b = np.array([backward[key][:3] for key in visit])
        since = np.array([forward[key][3] for key in visit])
        until = np.array([backward[key][3] for key in visit])
        # Axes have no head: turn the second by half turns until it is nearest to the first.
        b[:, 2] += np.pi * np.round((f[:, 2] - b[:, 2]) / np.pi)
        source = FROM_RESOLVED
        if forward[visit[0]][4] and backward[visit[-1]][4]:
            distance = np.hypot(*(f - b)[:, :2].T)
            gains = np.zeros((len(visit), 2))
            for k in np.flatnonzero(distance > width_px):
                blob, individual = visit[k]
                told = evidence(blob, members[blob], np.stack([f[k], b[k]]))
                if told is not None:
                    gains[k] = told[members[blob].index(individual)]
            weight, sure = choose_passes(distance / width_px, gains)
            place = weight[:, None] * f + (1 - weight)[:, None] * b
        elif backward[visit[-1]][4]:
            place, sure = b, 0.5 ** (np.minimum(until, NEVER) / HALVING_FRAMES)
        elif since[0] < NEVER:
            place, sure = f, 0.5 ** (np.minimum(since, NEVER) / HALVING_FRAMES)
        else:
            place, sure, source = f, np.full(len(f), GUESSED), FROM_MERGED
        for key, (x, y, angle), confidence in zip(visit, place, sure, strict=True):
            joined[key] = (float(x), float(y), float(angle), float(confidence), source)
    return joined


def visits(forward: Pass) -> list[list[Key]]:
    """The keys of a pass cut into stays of one individual among others, each in order of time."""
    last: dict[int, list[Key]] = {}
    found = []
    for key in sorted(forward):
        before = last.get(key[1])
        if before is None or forward[key][3] != forward[before[-1]][3] + 1:
            before = last[key[1]] = []
            found.append(before)
        before.append(key)
    return found


def choose_passes(distance: Floats, gains: Floats) -> tuple[Floats, Floats]:
    """Weight (n,) of the forward pass in each frame of a stay, and the confidence (n,) of the position.

    `distance` (n,) of both passes in widths of an animal; `gains` (n, 2) nats that images give for the place of the forward and the
    backward pass. A chain of two states: the stay begins with the forward pass and ends with the backward one; the best path is taken,
    its posterior is the confidence where the passes part. A change is blended by RSTC's sigmoid over the frames in which they agree.
    """
    n = len(distance)
    share = (np.arange(n) + 0.5) / n
    gain = gains - FADING * np.stack([share, 1 - share], 1)
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
    state = np.zeros(n, int)
    state[-1] = int(np.argmax(best[-1] + rest[-1]))
    for t in range(n - 1, 0, -1):
        state[t - 1] = back[t, state[t]]
    both = total + rest
    posterior = np.exp(both - np.logaddexp(both[:, 0], both[:, 1])[:, None])[np.arange(n), state]
    confidence = AGREED * np.where(distance > 1, posterior, 1.0)
    return _blended(state, distance <= 1), confidence


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
    return weight
