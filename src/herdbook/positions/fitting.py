"""Fitting templates to the pixels of a blob: compiled loops. Poses are x, y (px) and angle (rad); points are x, y (px), and 1
inside or 0 outside.

Each pose in turn goes down a ladder of steps along, across and around the body while the explanation of the pixels improves; where a
part of the blob is explained by nobody, each animal is tried there.
"""

import numpy as np
from numba import njit

from herdbook.arrays import Bools, Floats, Ints, Singles

# Steps along and across (cells) and turns (rad), tried in this order; RUNGS of them in a sweep, each up to MOST_REPEATS times.
STEPS = np.array([[3.0, 3.0, 0.35], [1.5, 1.5, 0.17], [0.7, 0.7, 0.08], [0.35, 0.35, 0.04]])
RUNGS, SWEEPS, MOST_REPEATS = 3, 2, 3
# A pixel is inside although nobody covers it, or outside although somebody does, with this chance; it has a colour that none of its animals
# has with this weight.
LEAST_CHANCE, OTHER_COLOUR = 0.01, 0.02
# A pose that is pulled to where it was pays at most this (nats); one that turns around gains at least this.
MOST_PULL, TURNED = 12.0, 2.0
# Pixels are looked at this far (cells) beyond a template, for it moves while it is fitted.
REACH = 6
# A part of the blob of this share of an animal which nobody explains is a place to look for one; a pixel is such with this chance.
UNEXPLAINED, FREE = 0.35, 0.7
TRIED_ANGLES = 8


@njit(cache=True, nogil=True)
def fit_templates(
    points: Floats,
    colours: Singles,
    poses: Floats,
    near: Bools,
    scale: float,
    cells: Singles,
    precision: Singles,
    nats: float,
    per_animal: float,
    step: float,
    turn: float,
) -> Floats:
    """Poses (k, 3) that explain the points (p, 3) best, from `poses` (k, 3), to which those that are `near` (k,) are pulled.

    `colours` (p, 3) or (0, 3) B, G, R; `scale` cells for each px; `cells` (k, SIDE, SIDE, 4) and `precision` (k, SIDE, SIDE, 3) as in
    `Template`. All points of an animal count for `nats`, of which it has `per_animal`; the pull has deviations of `step` px and `turn` rad.
    """
    count = len(points)
    weight = nats / per_animal
    poses, start = poses.copy(), poses.copy()
    share, fit = np.zeros((len(poses), count)), np.zeros((len(poses), count))
    work, rest = np.zeros((2, count)), _nobody(count)
    rows, every = np.empty(count, np.int64), np.arange(count)
    reach = (cells.shape[1] / 2 + REACH) / scale
    for j in range(len(poses)):
        _explain(points, colours, every, poses[j], scale, cells[j], precision[j], rest, share[j], fit[j])
    for sweep in range(SWEEPS):
        for j in range(len(poses)):
            close = rows[: _select_near(points, poses[j], reach, rows)]
            _sum_others(share, fit, j, close, rest)
            if sweep == 0:
                here = _explain(points, colours, close, poses[j], scale, cells[j], precision[j], rest, share[j], fit[j])
                poses[j, 2] += np.pi
                there = _explain(points, colours, close, poses[j], scale, cells[j], precision[j], rest, work[0], work[1])
                if weight * (there - here) < TURNED:
                    poses[j, 2] -= np.pi
            pull = (start[j], near[j], step, turn)
            first = sweep * (len(STEPS) - RUNGS + 1)
            _descend(points, colours, close, poses[j], pull, scale, cells[j], precision[j], rest, weight, share[j], fit[j], first, work)
    _look_elsewhere(points, colours, poses, start, near, (step, turn), scale, cells, precision, weight, per_animal, share, fit, rest, work)
    return poses


@njit(cache=True, nogil=True)
def share_pixels(points: Floats, colours: Singles, poses: Floats, scale: float, cells: Singles, precision: Singles) -> Floats:
    """Share (k, p) that each animal has in each point inside a blob; points that nobody covers have no shares. See `fit_templates`."""
    count = len(points)
    shares, fits, rest = np.zeros((len(poses), count)), np.zeros((len(poses), count)), _nobody(count)
    for j in range(len(poses)):
        _explain(points, colours, np.arange(count), poses[j], scale, cells[j], precision[j], rest, shares[j], fits[j])
    if len(colours):
        shares = shares * OTHER_COLOUR + fits
    divided: Floats = shares / np.maximum(shares.sum(axis=0), 1e-9)
    return divided


@njit(cache=True, nogil=True)
def _nobody(count: int) -> Floats:
    """What other animals explain (4, p) if there are none; see `_sum_others`."""
    rest = np.ones((4, count))
    rest[1:3] = 0.0
    return rest


@njit(cache=True, nogil=True)
def _select_near(points: Floats, pose: Floats, reach: float, rows: Ints) -> int:
    """Write the rows of the points within `reach` px of a pose and return their number."""
    count = 0
    for p in range(len(points)):
        if (points[p, 0] - pose[0]) ** 2 + (points[p, 1] - pose[1]) ** 2 < reach * reach:
            rows[count] = p
            count += 1
    return count


@njit(cache=True, nogil=True)
def _sum_others(share: Floats, fit: Floats, j: int, close: Ints, rest: Floats) -> None:
    """Write for each close point what all animals but j explain.

    `rest` (4, p): the chance that none of them covers it, the sum of how well their colours fit, that of their shares, and the explanation
    of the colour by them alone.
    """
    for q in range(len(close)):
        p = close[q]
        empty, explained, shared = 1.0, 0.0, 0.0
        for i in range(len(share)):
            if i != j:
                empty *= 1 - share[i, p]
                explained += fit[i, p]
                shared += share[i, p]
        rest[0, p], rest[1, p], rest[2, p] = empty, explained, shared
        rest[3, p] = (explained + OTHER_COLOUR) / (shared + OTHER_COLOUR)


@njit(cache=True, nogil=True)
def _explain(
    points: Floats,
    colours: Singles,
    close: Ints,
    pose: Floats,
    scale: float,
    cells: Singles,
    precision: Singles,
    rest: Floats,
    share: Floats,
    fit: Floats,
) -> float:
    """Logarithm of how much better the close points are explained with an animal in a pose than by the `rest` alone.

    Writes the chance `share` (p,) that it covers each, and that times how well its colour fits, `fit` (p,).
    """
    side = cells.shape[0]
    half = (side - 1) / 2
    cosine, sine = scale * np.cos(pose[2]), scale * np.sin(pose[2])
    total, product, terms = 0.0, 1.0, 0
    for q in range(len(close)):
        p = close[q]
        dx, dy = points[p, 0] - pose[0], points[p, 1] - pose[1]
        u, v = cosine * dx + sine * dy + half, cosine * dy - sine * dx + half
        chance, like = 0.0, 0.0
        if 0 <= u < side - 1 and 0 <= v < side - 1:
            i, j = int(v), int(u)
            a, b = v - i, u - j
            above = cells[i, j, 3] * (1 - b) + cells[i, j + 1, 3] * b
            below = cells[i + 1, j, 3] * (1 - b) + cells[i + 1, j + 1, 3] * b
            chance = above * (1 - a) + below * a
        if chance <= 0.0:
            share[p], fit[p] = 0.0, 0.0
            continue
        inside = points[p, 2] > 0
        if inside and len(colours) and chance > OTHER_COLOUR:
            i, j = int(v + 0.5), int(u + 0.5)
            away = 0.0
            for channel in range(3):
                away += (colours[p, channel] - cells[i, j, channel]) ** 2 * precision[i, j, channel]
            like = chance * np.exp(-away / 6)  # the channels say the same: their mean counts
        share[p], fit[p] = chance, like
        empty = rest[0, p] * (1 - chance)
        if inside:
            product *= max(1 - empty, LEAST_CHANCE) / max(1 - rest[0, p], LEAST_CHANCE)
            if len(colours):
                product *= (rest[1, p] + like + OTHER_COLOUR) / (rest[2, p] + chance + OTHER_COLOUR) / rest[3, p]
        else:
            product *= max(empty, LEAST_CHANCE) / max(rest[0, p], LEAST_CHANCE)
        terms += 1
        if terms == 16:  # logarithms are dear, and products of so many factors within the range of numbers
            total += np.log(product)
            product, terms = 1.0, 0
    return float(total + np.log(product))


@njit(cache=True, nogil=True)
def _pulled(pose: Floats, pull: tuple[Floats, bool, float, float]) -> float:
    """What a pose pays (nats) for being away from where it started."""
    start, near, step, turn = pull
    if not near:
        return 0.0
    angle = pose[2] - start[2]
    angle -= np.pi * np.round(angle / np.pi)
    away = (pose[0] - start[0]) ** 2 + (pose[1] - start[1]) ** 2
    return float(min(MOST_PULL, away / (2 * step * step) + angle * angle / (2 * turn * turn)))


@njit(cache=True, nogil=True)
def _descend(
    points: Floats,
    colours: Singles,
    close: Ints,
    pose: Floats,
    pull: tuple[Floats, bool, float, float],
    scale: float,
    cells: Singles,
    precision: Singles,
    rest: Floats,
    weight: float,
    share: Floats,
    fit: Floats,
    first: int,
    work: Floats,
) -> float:
    """Move a pose to where it explains most nearby, with its share and fit; the ladder begins at rung `first`. Returns the gain (nats)."""
    best = weight * _explain(points, colours, close, pose, scale, cells, precision, rest, share, fit) - _pulled(pose, pull)
    trial = pose.copy()
    for rung in range(first, min(len(STEPS), first + RUNGS)):
        for way in range(3):
            for sign in (-1.0, 1.0):
                repeats = 0
                while repeats < MOST_REPEATS:
                    trial[:] = pose
                    if way == 2:
                        trial[2] += sign * STEPS[rung, 2]
                    else:
                        along = pose[2] + way * np.pi / 2
                        trial[0] += sign * STEPS[rung, way] / scale * np.cos(along)
                        trial[1] += sign * STEPS[rung, way] / scale * np.sin(along)
                    value = weight * _explain(points, colours, close, trial, scale, cells, precision, rest, work[0], work[1])
                    value -= _pulled(trial, pull)
                    if value <= best:
                        break
                    best = value
                    pose[:] = trial
                    for q in range(len(close)):
                        share[close[q]], fit[close[q]] = work[0, close[q]], work[1, close[q]]
                    repeats += 1
                if repeats:
                    break
    return float(best)


@njit(cache=True, nogil=True)
def _unexplained(points: Floats, share: Floats, free: Ints) -> int:
    """Write the rows of the points inside the blob that nobody covers and return their number."""
    count = 0
    for p in range(len(points)):
        empty = points[p, 2]
        for j in range(len(share)):
            empty *= 1 - share[j, p]
        if empty > FREE:
            free[count] = p
            count += 1
    return count


@njit(cache=True, nogil=True)
def _look_elsewhere(
    points: Floats,
    colours: Singles,
    poses: Floats,
    start: Floats,
    near: Bools,
    deviations: tuple[float, float],
    scale: float,
    cells: Singles,
    precision: Singles,
    weight: float,
    per_animal: float,
    share: Floats,
    fit: Floats,
    rest: Floats,
    work: Floats,
) -> None:
    """Where a good part of a blob is explained by nobody, move the animal there that explains it best, if that is better as a whole."""
    free, every = np.empty(len(points), np.int64), np.arange(len(points))
    count = _unexplained(points, share, free)
    if count < UNEXPLAINED * per_animal:
        return
    # The free point nearest to the middle of all of them, which may lie where somebody is.
    x, y = points[free[:count], 0].mean(), points[free[:count], 1].mean()
    centre = free[np.argmin((points[free[:count], 0] - x) ** 2 + (points[free[:count], 1] - y) ** 2)]
    most, chosen, found = 0.0, -1, np.zeros(3)
    pose, own = np.zeros(3), np.zeros((2, len(points)))
    for j in range(len(poses)):
        pull = (start[j], near[j], deviations[0], deviations[1])
        _sum_others(share, fit, j, every, rest)
        here = weight * _explain(points, colours, every, poses[j], scale, cells[j], precision[j], rest, own[0], own[1]) - _pulled(
            poses[j], pull
        )
        for turn in range(TRIED_ANGLES):
            pose[0], pose[1], pose[2] = points[centre, 0], points[centre, 1], poses[j, 2] + turn * 2 * np.pi / TRIED_ANGLES
            gain = _descend(points, colours, every, pose, pull, scale, cells[j], precision[j], rest, weight, own[0], own[1], 1, work) - here
            if gain > most:
                most, chosen = gain, j
                found[:] = pose
    if chosen >= 0:
        poses[chosen] = found
