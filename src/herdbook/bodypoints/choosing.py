"""Whose each detected point is: for each frame and point of the body, the odds of all ways of giving detections to animals.

A detection of a point is the animal's own, that of another animal, a double of one that another animal has (a part marked at the same part
of the neighbour), or nothing. Only animals that could have a detection are compared: bodies apart cost one comparison. Points are (x, y)
px, NaN where missing.
"""

import numpy as np
from numba import njit

from herdbook.arrays import Floats, Ints

# What is believed before a point is looked at. A tool's point is off from everything that the body does (a stray) in about one of a hundred
# and still marked on the right animal; on another animal it is in some per cent, where several are within reach.
STRAY, FOREIGN, DOUBLED = 0.02, 0.02, 0.1
# A double is marked about this share of a body beside its original: detectors of parts put both on the same peak.
DOUBLE_BODY = 0.03
# Ways that are compared at most for a group of animals in reach of each other; of larger groups each detection keeps its best animals.
MOST_WAYS = 6000
_TAU = 2 * np.pi


@njit(cache=True, nogil=True)
def _own_density(dx: float, dy: float, covariance: Floats, reach: float, stray: float) -> float:
    """Density (1/px²) of an animal's point at (dx, dy) from where it is expected."""
    xx, xy, yy = covariance[0], covariance[1], covariance[2]
    det = xx * yy - xy * xy
    off = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det
    density = (1 - stray) * np.exp(-off / 2) / (_TAU * np.sqrt(det))
    if dx * dx + dy * dy <= reach * reach:
        density += stray / (np.pi * reach * reach)
    return float(density)


@njit(cache=True, nogil=True)
def _group(score: Floats, slots: int, animals: int, group: Ints) -> int:
    """Number the slots' groups into `group` (S,): slots that share an animal that could have either (score above -inf)."""
    group[:slots] = -1
    count = 0
    queue = np.empty(slots, np.int64)
    for first in range(slots):
        if group[first] >= 0:
            continue
        group[first] = count
        queue[0] = first
        size, at = 1, 0
        while at < size:
            s = queue[at]
            at += 1
            for a in range(animals):
                if score[s, a] == -np.inf:
                    continue
                for other in range(slots):
                    if group[other] < 0 and score[other, a] > -np.inf:
                        group[other] = count
                        queue[size] = other
                        size += 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def _odds(score: Floats, spare: Floats, double: Floats, members: Ints, animals: int, chance: Floats, doubled: Floats) -> None:
    """Chances of all ways of a group of slots `members` (n,): adds to `chance` (S, A) and `doubled` (S,).

    `score` (S, A) log density of a slot's detection as an animal's, `spare` (S,) as nothing, `double` (S, S) as a double of another slot's.
    """
    n = len(members)
    most = 1
    while most < animals and float(most + 2) ** n <= MOST_WAYS:
        most += 1
    options = np.full((n, most + 1), -1)
    count = np.ones(n, np.int64)
    for k in range(n):
        left = score[members[k]].copy()
        for _ in range(most):
            a = np.argmax(left)
            if left[a] == -np.inf:
                break
            options[k, count[k]] = a
            count[k] += 1
            left[a] = -np.inf
    # Option 0 is nobody's. All ways are counted through like the digits of a number, twice: for the largest, and for the sum.
    best = -np.inf
    total = 0.0
    taken = np.zeros(animals, np.bool_)
    for sweep in range(2):
        digit = np.zeros(n, np.int64)
        while True:
            taken[:] = False
            valid, value = True, 0.0
            for k in range(n):
                a = options[k, digit[k]]
                if digit[k] > 0:
                    if taken[a]:
                        valid = False
                        break
                    taken[a] = True
                    value += score[members[k], a]
            if valid:
                for k in range(n):
                    if digit[k] == 0:
                        nothing = spare[members[k]]
                        for other in range(n):
                            if digit[other] > 0:
                                nothing = max(nothing, double[members[k], members[other]])
                        value += nothing
                if sweep == 0:
                    best = max(best, value)
                elif value > best - 30:
                    weight = np.exp(value - best)
                    total += weight
                    for k in range(n):
                        if digit[k] > 0:
                            chance[members[k], options[k, digit[k]]] += weight
                        else:
                            doubled[members[k]] += weight
            k = 0
            while k < n:
                digit[k] += 1
                if digit[k] < count[k]:
                    break
                digit[k] = 0
                k += 1
            if k == n:
                break
    for k in range(n):
        doubled[members[k]] /= total
        chance[members[k]] /= total


@njit(cache=True, nogil=True)
def chances(
    xy: Floats,
    held: Ints,
    place: Floats,
    covariance: Floats,
    reach: Floats,
    looks: Floats,
    beliefs: tuple[float, float, float, float],
) -> Floats:
    """Chance (T, S, J, A) of each detection `xy` (T, S, J, 2) being each animal's point; what is missing to 1 is the chance that it is
    nobody's.

    `held` (T, A): the slot that holds each animal, -1 for none; `place` (T, A, J, 2) and `covariance` (T, A, J, 3): where points are
    expected; `reach` (J,) px how far from there they can be; `looks` (T, S, J, A): log odds of what is seen at the detection; `beliefs`:
    the shares STRAY, FOREIGN and DOUBLED, and how far (px) a double is from its original, as a standard deviation along each axis.
    """
    frames, slots, joints = xy.shape[:3]
    animals = held.shape[1]
    stray, foreign, doubled_share, double_px = beliefs
    found = np.zeros((frames, slots, joints, animals))
    score, spare, double = np.empty((slots, animals)), np.empty(slots), np.empty((slots, slots))
    chance, doubled = np.empty((slots, animals)), np.empty(slots)
    group, slot_of = np.empty(slots, np.int64), np.empty(slots, np.int64)
    log_own, log_foreign = np.log(1 - foreign), np.log(foreign / max(animals - 1, 1))
    peak = np.log(doubled_share) - np.log(_TAU * 2 * double_px**2)
    for t in range(frames):
        slot_of[:] = -1
        for a in range(animals):
            if held[t, a] >= 0:
                slot_of[held[t, a]] = a
        for j in range(joints):
            far = 2 * reach[j]
            for s in range(slots):
                spare[s] = -np.inf
                for a in range(animals):
                    score[s, a] = -np.inf
                if np.isnan(xy[t, s, j, 0]):
                    continue
                # Nothing: less likely than the poorest stray of the animal itself, so that only what is beyond all reach is nobody's.
                spare[s] = -np.log(np.pi * reach[j] ** 2) + np.log(stray) - 12
                for a in range(animals):
                    own = slot_of[s] == a
                    if np.isnan(place[t, a, j, 0]) or np.isnan(reach[j]):
                        if own:
                            score[s, a] = spare[s] + 1
                        continue
                    dx, dy = xy[t, s, j, 0] - place[t, a, j, 0], xy[t, s, j, 1] - place[t, a, j, 1]
                    if dx * dx + dy * dy > far * far:
                        continue
                    density = _own_density(dx, dy, covariance[t, a, j], far, stray)
                    score[s, a] = np.log(density) + (log_own if own else log_foreign) + looks[t, s, j, a]
            for s in range(slots):
                for other in range(slots):
                    dx, dy = xy[t, s, j, 0] - xy[t, other, j, 0], xy[t, s, j, 1] - xy[t, other, j, 1]
                    # NaN compares as False, so that a missing detection has no double.
                    near = s != other and dx * dx + dy * dy < 100 * double_px**2
                    double[s, other] = peak - (dx * dx + dy * dy) / (4 * double_px**2) if near else -np.inf
            groups = _group(score, slots, animals, group)
            chance[:], doubled[:] = 0.0, 0.0
            for g in range(groups):
                members = np.flatnonzero(group == g)
                only = members[0]
                if len(members) == 1:
                    if np.isnan(xy[t, only, j, 0]):
                        continue
                    top = max(np.max(score[only]), spare[only])
                    total = np.exp(spare[only] - top)
                    for a in range(animals):
                        chance[only, a] = np.exp(score[only, a] - top)
                        total += chance[only, a]
                    chance[only] /= total
                else:
                    _odds(score, spare, double, members, animals, chance, doubled)
            for s in range(slots):
                for a in range(animals):
                    found[t, s, j, a] = chance[s, a]
    return found


@njit(cache=True, nogil=True)
def choose(xy: Floats, held: Ints, chance: Floats, least: float, same_px: float) -> tuple[Ints, Floats]:
    """The slot (T, A, J) whose detection is each animal's point, -1 where none is likely enough, and how likely it is there, (T, A, J).

    Detections within `same_px` of each other are one place: their chances add up, and that of the slot that `held` (T, A) the animal is
    taken.
    """
    frames, slots, joints, animals = chance.shape
    chosen, sure = np.full((frames, animals, joints), -1), np.zeros((frames, animals, joints))
    for t in range(frames):
        for j in range(joints):
            for a in range(animals):
                best = -1
                for s in range(slots):
                    if chance[t, s, j, a] > 0 and (best < 0 or chance[t, s, j, a] > chance[t, best, j, a]):
                        best = s
                if best < 0:
                    continue
                total = 0.0
                for s in range(slots):
                    dx, dy = xy[t, s, j, 0] - xy[t, best, j, 0], xy[t, s, j, 1] - xy[t, best, j, 1]
                    if dx * dx + dy * dy <= same_px * same_px:
                        total += chance[t, s, j, a]
                sure[t, a, j] = total
                if total < least:
                    continue
                own = held[t, a]
                if own >= 0 and own != best:
                    dx, dy = xy[t, own, j, 0] - xy[t, best, j, 0], xy[t, own, j, 1] - xy[t, best, j, 1]
                    if dx * dx + dy * dy <= same_px * same_px:
                        best = own
                chosen[t, a, j] = best
            # Two animals cannot have one detection: the one that it suits better has it.
            for a in range(animals):
                for b in range(a):
                    if chosen[t, a, j] >= 0 and chosen[t, a, j] == chosen[t, b, j]:
                        chosen[t, a if sure[t, a, j] < sure[t, b, j] else b, j] = -1
    return chosen, sure
