"""Detected points handed to the animals they belong to, frame by frame, over a whole movie. Points are (x, y) px, NaN where missing.

Colour at the point and optical flow are not asked. On painted flies colour changed the share of wrong points by no more than a hundredth
of a per cent, and kept up to a twentieth of a per cent fewer of the right ones: the paint is on the trunk, which geometry knows already,
and bare parts have none. Both would need the movie, which is decoded nowhere here.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints, Singles
from herdbook.bodypoints.choosing import DOUBLE_BODY, DOUBLED, FOREIGN, STRAY, chances, choose
from herdbook.bodypoints.expected import expect
from herdbook.bodypoints.kinds import tell_kinds
from herdbook.bodypoints.shapes import SCALES, Shape, fit_poses, learn_shape, sure_frames, to_body
from herdbook.bodypoints.slots import hold_slots, name_slots, position_costs, step_costs

# Two detections nearer than this share of a body are one place: the distance within which a point counts as right (see `scoring`).
SAME_BODY = 0.08
# The first pass believes in the shape alone, the others in the places that the pass before was sure of. A third one changes nothing more.
PASSES = 2
# Frames that are repaired together, and how many more are read on both sides for what is expected of the outer ones: points of a body keep
# their displacement for a second or two at most.
BLOCK, MARGIN = 5000, 100
# Frames from which the shape, and how far points stick out of outlines, are learned at most, in stretches of so many.
MOST_LEARNED, STRETCH = 20_000, 200
# What an outline tells decides by at most so many nats: outlines can be torn.
MOST_OUTLINE = 6.0

# Distances (t, S, J, A) px of the detections of frames first .. end - 1 from the outline of each animal, NaN without one.
OutlinesOf = Callable[[int, int], Floats]


class Seen(NamedTuple):
    """What Herdbook knows of the animals: their `place` (T, A, 2) px and `heading` (T, A) rad, NaN where unknown; whether they are `single`
    (T, A), alone in their outline; the usual length of a body (px); and how far detections are from outlines.
    """

    place: Floats
    heading: Floats
    single: Bools
    body_px: float
    outlines: OutlinesOf


class HandedPoints(NamedTuple):
    """`slot` (T, A, J) whose detection each animal's point is, -1 for unknown, and how likely that is, `sure` (T, A, J); the slot that
    `held` each animal (T, A), -1 for none; the animal that each slot is named after, `stands` (S,), -1 for none; and the `kind` (T, S, J)
    of each detection, an index into MISTAKES.
    """

    slot: NDArray[np.int16]
    sure: Singles
    held: NDArray[np.int16]
    stands: Ints
    kind: NDArray[np.uint8]


def hand_points(xy: Floats, seen: Seen, names: Ints, least: float, believe_names: bool = False) -> HandedPoints:
    """Hand the detections `xy` (T, S, J, 2) of slots to animals; points less likely than `least` stay unknown.

    `names` (S,): the animal whose name each slot has in its file, -1 for none. With `believe_names` it holds that animal in all frames, and
    only single points are handed on. Raises ValueError if no animal has a heading, or no frame in which it is sure whose its points are.
    """
    alone = sure_frames(seen.single & ~np.isnan(seen.heading), seen.place, seen.body_px)
    chosen = learned_frames(np.any(alone, axis=1))
    shape = _learned_shape(xy[chosen], seen.place[chosen], seen.heading[chosen], alone[chosen], seen.body_px)
    slot_poses = _slot_poses(xy, shape)
    if believe_names:
        held = _named(slot_poses, names, seen.place.shape[1])
    else:
        held = hold_slots(position_costs(slot_poses, seen.place, alone, seen.body_px), step_costs(slot_poses, seen.body_px))
    edge = _learned_edge(seen.outlines, held, alone, chosen)
    stands = name_slots(held, names, xy.shape[1])
    size = (len(xy), held.shape[1], xy.shape[2])
    kinds = np.empty(xy.shape[:3], np.uint8)
    handed = HandedPoints(np.empty(size, np.int16), np.empty(size, np.float32), held.astype(np.int16), stands, kinds)
    for first in range(0, len(xy), BLOCK):
        start, end, stop = max(first - MARGIN, 0), min(first + BLOCK, len(xy)), min(first + BLOCK + MARGIN, len(xy))
        looks = compare_outlines(seen.outlines(start, stop), edge, seen.body_px)
        slot, sure, place = _hand_block(xy[start:stop], held[start:stop], looks, shape, seen.body_px, least)
        kind = tell_kinds(xy[start:stop], slot, held[start:stop], stands, place, SAME_BODY * seen.body_px, seen.body_px)
        inner = slice(first - start, end - start)
        handed.slot[first:end], handed.sure[first:end], handed.kind[first:end] = slot[inner], sure[inner], kind[inner]
    return handed


def points_of(xy: Floats, slot: NDArray[np.integer]) -> Floats:
    """The detections (T, A, J, 2) of the slots (T, A, J), NaN where they are -1."""
    frames, points = np.arange(len(xy))[:, None, None], np.arange(xy.shape[2])
    return np.where((slot >= 0)[..., None], xy[frames, slot, points], np.nan)


def own_points(xy: Floats, place: Floats, alone: Bools, reach_px: float) -> Floats:
    """Points (T, A, J, 2) of animals where they are `alone` (T, A): of the detections of all slots the only one within reach."""
    away = np.hypot(*np.moveaxis(xy[:, :, None] - place[:, None, :, None], -1, 0))
    near = (away < reach_px) & alone[:, None, :, None]
    slot = np.where(near.sum(axis=1) == 1, near.argmax(axis=1), -1)
    return points_of(xy, slot)


def learned_frames(usable: Bools) -> Ints:
    """Frames to learn from, in stretches spread over those (T,) that are usable."""
    frames = np.flatnonzero(usable)
    stretches = [frames[k : k + STRETCH] for k in range(0, len(frames), STRETCH)]
    most = MOST_LEARNED // STRETCH
    if len(stretches) > most:
        stretches = [stretches[k] for k in np.linspace(0, len(stretches) - 1, most).astype(int)]
    return np.concatenate(stretches) if stretches else frames


def compare_outlines(outline: Floats, edge: Floats, body_px: float) -> Floats:
    """Log odds (T, S, J, A), at most 0, of detections being each animal's, by their distance (T, S, J, A) px from its outline.

    `edge` (J,): how far (px) nearly all points stick out of an outline. Every third of it beyond costs a nat.
    """
    beyond = np.maximum(outline - edge[:, None], 0) / (edge[:, None] / 3 + 0.02 * body_px)
    return np.asarray(-np.nan_to_num(np.minimum(beyond, MOST_OUTLINE)))


def _learned_shape(xy: Floats, place: Floats, heading: Floats, alone: Bools, body_px: float) -> Shape:
    if not len(xy):
        raise ValueError("no animal has a heading in a frame in which it is alone")
    own = own_points(xy, place, alone, body_px)
    if np.isnan(own[..., 0]).all():
        raise ValueError("no point lies within a body's length of an animal that is alone")
    return learn_shape(own, np.concatenate([place, heading[..., None]], -1))


def _slot_poses(xy: Floats, shape: Shape) -> Floats:
    """Poses (T, S, 3) of the bodies in the slots, by the mean shape of all animals."""
    typical = np.broadcast_to(shape.mean.mean(axis=0), (xy.shape[1], *shape.mean.shape[1:]))
    poses: Floats = fit_poses(xy, np.ascontiguousarray(typical), shape.fit, np.array(SCALES))
    return poses


def _named(slot_poses: Floats, names: Ints, animals: int) -> Ints:
    """The slot (T, A) that has each animal's name, -1 where it is empty or there is none."""
    held = np.full((len(slot_poses), animals), -1)
    for slot in np.flatnonzero(names >= 0).tolist():
        held[:, names[slot]] = np.where(np.isnan(slot_poses[:, slot, 0]), -1, slot)
    return held


def _learned_edge(outlines: OutlinesOf, held: Ints, alone: Bools, chosen: Ints) -> Floats:
    """How far (J,) px all but five of a hundred points stick out of the outline of their animal, by those that are alone."""
    found = []
    for k in range(0, len(chosen), STRETCH):
        first, end = int(chosen[k]), min(int(chosen[k]) + STRETCH, len(held))
        outline = outlines(first, end)
        frames, animals = np.nonzero(alone[first:end] & (held[first:end] >= 0))
        found.append(outline[frames, held[first:end][frames, animals], :, animals])
    everything = np.concatenate(found)
    return np.asarray(np.nanquantile(np.vstack([everything, np.zeros_like(everything[:1])]), 0.95, axis=0))


def _hand_block(xy: Floats, held: Ints, looks: Floats, shape: Shape, body_px: float, least: float) -> tuple[Ints, Floats, Floats]:
    """Slots and their chances, as in `HandedPoints`, and the expected places (T, A, J, 2)."""
    points = _taken(xy, held)
    points[_doubled(xy, held, 3 * DOUBLE_BODY * body_px)] = np.nan
    for _ in range(PASSES):
        poses = fit_poses(points, shape.mean, shape.fit, np.array(SCALES))
        body = to_body(points, poses)
        place, covariance = expect(body, ~np.isnan(body[..., 0]), poses, *shape[:5])
        beliefs = (STRAY, FOREIGN, DOUBLED, DOUBLE_BODY * body_px)
        chance = chances(xy, held, place, covariance, shape.reach, looks, beliefs)
        slot, sure = choose(xy, held, chance, least, SAME_BODY * body_px)
        points = points_of(xy, slot)
    return slot, sure, place


def _taken(values: Floats, held: Ints) -> Floats:
    """The values (T, A, ...) of the slots that hold each animal, out of (T, S, ...); NaN where none does."""
    found = values[np.arange(len(values))[:, None], held]
    return np.where((held >= 0).reshape(*held.shape, *[1] * (values.ndim - 2)), found, np.nan)


def _doubled(xy: Floats, held: Ints, within_px: float) -> Bools:
    """Which points (T, A, J) have another slot's same point within so many px."""
    points = _taken(xy, held)
    found = np.zeros(points.shape[:3], bool)
    for s in range(xy.shape[1]):
        away = np.hypot(*np.moveaxis(points - xy[:, s, None], -1, 0))
        found |= (away < within_px) & (held != s)[..., None]
    return found
