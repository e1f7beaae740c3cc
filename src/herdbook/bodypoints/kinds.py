"""What was wrong with each detected point: kept, switched, drifted, jumped or refused; counted by animal and hour, and where it was worst.

switched: the whole body is under another animal's name; drifted: a part is marked at the same part of another animal, which has it too;
jumped: a single point is another animal's; refused: it cannot be known whose it is, or it is nobody's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.repair import DRIFTED, JUMPED, KEPT, MISSING, MISTAKES, REFUSED, SWITCHED

# What is counted as a mistake.
WRONG = (SWITCHED, DRIFTED, JUMPED, REFUSED)


class Moment(NamedTuple):
    """A stretch of frames first..last (inclusive) in which points of a slot are wrong: how many of each of WRONG, the worst frame."""

    first: int
    last: int
    slot: int
    counts: tuple[int, ...]
    worst: int

    @property
    def points(self) -> int:
        """How many points are wrong."""
        return sum(self.counts)


def tell_kinds(xy: Floats, slot: Ints, held: Ints, stands: Ints, place: Floats, same_px: float, contact_px: float) -> NDArray[np.uint8]:
    """The kind (T, S, J) of each detection `xy` (T, S, J, 2), an index into MISTAKES.

    `slot` (T, A, J): whose detection each animal's point is; `held` (T, A): the slot that held each animal; `stands` (S,): the animal that
    each slot is named after, -1 for none; `place` (T, A, J, 2): where points are expected. Detections within `same_px` of each other are
    doubles. A single point on another animal is a double too if that animal's slot has none, and its own expected place is within
    `contact_px`: then the tool found the part of one of the two and marked it on both, or on the wrong one.
    """
    frames, slots, joints = xy.shape[:3]
    owner, inside = np.full((frames, slots, joints), -1), np.full((frames, slots), -1)
    for a in range(held.shape[1]):
        at = np.nonzero(slot[:, a] >= 0)
        owner[at[0], slot[:, a][at], at[1]] = a
        there = np.flatnonzero(held[:, a] >= 0)
        inside[there, held[there, a]] = a
    missing = np.isnan(xy[..., 0])
    named = np.where(stands[:, None] < 0, inside[..., None] == owner, owner == stands[:, None]) & (owner >= 0)
    whole = (owner >= 0) & (owner == inside[..., None])
    doubled = _doubles(xy, owner, same_px)
    doubled[_lonely(xy, owner, inside, held, place, contact_px)] = True
    kind = np.select([missing, named, whole, doubled, owner >= 0], [MISSING, KEPT, SWITCHED, DRIFTED, JUMPED], REFUSED)
    return kind.astype(np.uint8)


def _doubles(xy: Floats, owner: Ints, same_px: float) -> Bools:
    """Which detections (T, S, J) have a double in another slot that is an animal's, or are themselves the double that is."""
    found = np.zeros(owner.shape, bool)
    for one in range(xy.shape[1]):
        for other in range(xy.shape[1]):
            if one != other:
                near = np.hypot(*np.moveaxis(xy[:, one] - xy[:, other], -1, 0)) <= same_px
                found[:, one] |= near & ((owner[:, one] >= 0) | (owner[:, other] >= 0))
    return found


def _lonely(xy: Floats, owner: Ints, inside: Ints, held: Ints, place: Floats, contact_px: float) -> tuple[Ints, ...]:
    """Frame, slot and point of detections of another animal than that in the slot, whose own slot has none, while the two touch."""
    at = np.nonzero((owner >= 0) & (inside[..., None] >= 0) & (owner != inside[..., None]))
    frame, slot, joint = at
    its_slot = held[frame, owner[at]]
    none = (its_slot < 0) | np.isnan(xy[frame, its_slot, joint, 0])
    near = np.hypot(*(place[frame, inside[frame, slot], joint] - xy[at]).T) < contact_px
    return tuple(part[none & near] for part in at)


def counts_by_hour(kind: NDArray[np.uint8], time_s: Floats) -> Ints:
    """Points of each kind (S, hours, MISTAKES) of each slot in each hour of `time_s` (T,), the time of the frames."""
    hour = (time_s // 3600).astype(np.int64)
    hours = int(hour.max(initial=0)) + 1
    slots = kind.shape[1]
    place = (np.arange(slots)[None, :, None] * hours + hour[:, None, None]) * len(MISTAKES) + kind
    return np.bincount(place.ravel(), minlength=slots * hours * len(MISTAKES)).reshape(slots, hours, len(MISTAKES))


def worst_moments(kind: NDArray[np.uint8], pause_frames: int, longest_frames: int, most: int) -> list[Moment]:
    """The stretches with most wrong points, at most so many, most first; a stretch ends with a pause of so many frames without any, or
    after `longest_frames`: one of minutes is no place to look at.
    """
    moments = []
    for slot in range(kind.shape[1]):
        wrong = np.isin(kind[:, slot], WRONG)
        count = wrong.sum(axis=1)
        frames = np.flatnonzero(count)
        if not len(frames):
            continue
        begin = frames[np.flatnonzero(np.diff(frames, prepend=-pause_frames - 1) > pause_frames)]
        within = (frames - begin[np.searchsorted(begin, frames, side="right") - 1]) // longest_frames
        ends = (np.diff(frames) > pause_frames) | (np.diff(within) != 0)
        for part in np.split(frames, np.flatnonzero(ends) + 1):
            first, last = int(part[0]), int(part[-1])
            inside = kind[first : last + 1, slot]
            counts = tuple(int((inside == mistake).sum()) for mistake in WRONG)
            moments.append(Moment(first, last, slot, counts, int(part[count[part].argmax()])))
    return sorted(moments, key=lambda moment: (-moment.points, moment.first, moment.slot))[:most]
