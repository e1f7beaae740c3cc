"""Which animal each slot of a pose file holds, frame by frame: whole bodies, before single points are looked at.

A slot is what the file calls an animal: a named one, or a track. Who is in it is a path over time: bodies do not leap, and the positions of
animals say where each is when they are apart. The path is found by the algorithm of Viterbi (Forney 1973). Points are (x, y) px, NaN where
missing; -1 stands for no slot.
"""

from itertools import permutations

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Bools, Floats, Ints

# More ways of giving slots to animals than these are not all compared: each frame then takes the best way after the one before.
MOST_WAYS = 150
# A frame's cost of an animal in a place, and of a step, is at most this (nats): a wrong position must not outweigh all other frames.
MOST_COST = 12.0
# Exchanging slots costs so much (nats), that noise exchanges none.
CHANGE = 3.0


def hold_slots(at: Floats, step: Floats, fixed: Ints | None = None) -> Ints:
    """Slot (T, A) of each animal in each frame, -1 for none, with the least sum of costs.

    `at` (T, S, A): cost (nats) of an animal being in a slot, by where its position is, inf where the slot is empty; `step`
    (T, S, S): cost of a body moving from a slot in the frame before to a slot in this one, 0 where that cannot be told.
    """
    frames, slots, animals = at.shape
    held = np.full((frames, animals), -1)
    if not frames or not slots or not animals:
        return held
    ways = _ways(slots, animals)
    costs = np.where(np.isfinite(at), np.minimum(at, MOST_COST), MOST_COST)
    if ways is not None:
        held = _best_path(costs, step, ways)
    else:
        for t in range(frames):
            cost = costs[t].copy()
            if t:
                for a in np.flatnonzero(held[t - 1] >= 0):
                    cost[:, a] += step[t, held[t - 1, a]] + CHANGE * (np.arange(slots) != held[t - 1, a])
            rows, columns = linear_sum_assignment(cost)
            held[t, columns] = rows
    empty = ~np.isfinite(np.take_along_axis(at.min(axis=2), np.maximum(held, 0), axis=1))
    return np.where(empty, -1, held)


def name_slots(held: Ints, names: Ints, slots: int) -> Ints:
    """The animal (S,) that each slot stands for: that of its name in the file, `names` (S,), or, where that is nobody's (-1), the one that
    it held (T, A) in most frames; -1 for a slot that held nobody.
    """
    count = np.array([(held == slot).sum(axis=0) for slot in range(slots)]).reshape(slots, held.shape[1])
    most = np.where(count.max(axis=1, initial=0) > 0, count.argmax(axis=1), -1) if held.shape[1] else np.full(slots, -1)
    return np.where(names >= 0, names, most)


def _ways(slots: int, animals: int) -> Ints | None:
    """All ways (n, animals) of giving a slot to each animal, -1 to those without one if there are fewer slots; None for too many."""
    count = 1
    for k in range(min(slots, animals)):
        count *= max(slots, animals) - k
        if count > MOST_WAYS:
            return None
    if slots >= animals:
        return np.array(list(permutations(range(slots), animals)))
    ways = np.full((count, animals), -1)
    for row, chosen in enumerate(permutations(range(animals), slots)):
        ways[row, list(chosen)] = np.arange(slots)
    return ways


@njit(cache=True, nogil=True)
def _best_path(costs: Floats, step: Floats, ways: Ints) -> Ints:
    frames = len(costs)
    count, animals = ways.shape
    come = np.zeros((frames, count), np.int16)
    best, now = np.zeros(count), np.zeros(count)
    for t in range(frames):
        for w in range(count):
            own = 0.0
            for a in range(animals):
                if ways[w, a] >= 0:
                    own += costs[t, ways[w, a], a]
            if t == 0:
                now[w] = own
                continue
            least, at = np.inf, 0
            for v in range(count):
                total = best[v]
                if total >= least:
                    continue
                for a in range(animals):
                    one, two = ways[v, a], ways[w, a]
                    if one >= 0 and two >= 0:
                        total += step[t, one, two]
                    if one != two:
                        total += CHANGE
                    if total >= least:
                        break
                if total < least:
                    least, at = total, v
            now[w], come[t, w] = least + own, at
        best[:] = now - now.min()
    held = np.empty((frames, animals), np.int64)
    way = np.argmin(best)
    for t in range(frames - 1, -1, -1):
        held[t] = ways[way]
        way = come[t, way]
    return held


def position_costs(poses: Floats, place: Floats, sure: Bools, body_px: float) -> Floats:
    """Costs (T, S, A) in nats of animals at `place` (T, A, 2) being in slots with these poses (T, S, 3); inf for slots without a pose.

    The usual distance of position and pose is learned where positions are `sure` (T, A); elsewhere a position counts as within a quarter of
    a body.
    """
    away = np.hypot(*np.moveaxis(poses[:, :, None, :2] - place[:, None], -1, 0))
    nearest = np.where(np.isnan(away), np.inf, away).min(axis=1) if away.shape[1] else np.full(place.shape[:2], np.inf)
    usual = nearest[sure & (nearest < body_px / 2)]
    fine = float(np.quantile(usual, 0.9)) if len(usual) else body_px / 8
    scale = np.where(sure, max(fine, 0.02 * body_px), max(fine, body_px / 4))
    cost = away**2 / (2 * scale[:, None] ** 2)
    missing = np.isnan(poses[..., 0])
    return np.where(missing[..., None], np.inf, np.where(np.isnan(cost), 0.0, cost))


def step_costs(poses: Floats, body_px: float) -> Floats:
    """Costs (T, S, S) in nats of bodies moving between the poses (T, S, 3) of slots, from the frame before; 0 where a pose is missing.

    The usual step, and turn, is that of nine in ten moves from a slot to the one that is nearest in the next frame.
    """
    frames, slots = poses.shape[:2]
    cost = np.zeros((frames, slots, slots))
    if frames < 2 or not slots:
        return cost
    away = np.hypot(*np.moveaxis(poses[1:, None, :, :2] - poses[:-1, :, None, :2], -1, 0))
    turn = np.abs(np.angle(np.exp(1j * (poses[1:, None, :, 2] - poses[:-1, :, None, 2]))))
    missing = np.isnan(away)
    nearest = np.where(missing, np.inf, away).min(axis=2)
    known = np.isfinite(nearest)
    if not known.any():
        return cost
    which = np.where(missing, np.inf, away).argmin(axis=2)
    turned = np.take_along_axis(turn, which[..., None], 2)[..., 0]
    step = max(float(np.quantile(nearest[known], 0.9)), 0.02 * body_px)
    bend = max(float(np.quantile(turned[known], 0.9)), 0.05)
    cost[1:] = np.where(missing, 0.0, np.minimum(away**2 / (2 * step**2) + turn**2 / (2 * bend**2), MOST_COST))
    return cost
