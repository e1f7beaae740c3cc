"""Bodies that walk about, touch and part, with points whose places are known: the truth for tests of body points. Points are (x, y) px."""

import numpy as np

from herdbook.arrays import Bools, Floats
from herdbook.bodypoints.repairing import Seen

NAMES = ("nose", "neck", "hip", "tail", "footL", "footR")
SHAPE = np.array([[24.0, 0], [10, 0], [-12, 0], [-26, 0], [6, -14], [6, 14]])
# How far each point moves in the frame of the body (sd, px): feet step, the trunk hardly bends.
LOOSE = np.array([1.0, 0.6, 0.6, 1.5, 4.0, 4.0])
BODY_PX = 60.0


def walk(rng: np.random.Generator, frames: int = 600, animals: int = 3) -> tuple[Floats, Floats, Floats]:
    """Points (frames, animals, 6, 2), places (frames, animals, 2) and headings (frames, animals) of animals on circles that meet: each two
    neighbours meet once in a round.
    """
    time = np.arange(frames)
    middle, heading = np.empty((frames, animals, 2)), np.empty((frames, animals))
    for a in range(animals):
        angle = 2 * np.pi * time / 240 * (1 if a % 2 else -1) + np.pi * (a % 2)
        middle[:, a] = np.stack([150 + 150 * a + 90 * np.cos(angle), 200 + 90 * np.sin(angle)], 1)
        heading[:, a] = angle + np.pi / 2 * (1 if a % 2 else -1)
    off = rng.normal(0, 1, (frames, animals, len(SHAPE), 2))
    for t in range(1, frames):
        off[t] = 0.8 * off[t - 1] + 0.6 * off[t]
    body = SHAPE + off * LOOSE[:, None]
    cos, sin = np.cos(heading)[..., None], np.sin(heading)[..., None]
    points = np.stack([cos * body[..., 0] - sin * body[..., 1], sin * body[..., 0] + cos * body[..., 1]], -1) + middle[:, :, None]
    return points + rng.normal(0, 0.4, points.shape), middle, np.angle(np.exp(1j * heading))


def in_contact(middle: Floats) -> Bools:
    """Whether each animal (frames, animals) is within a body's length of another one."""
    away = np.hypot(*np.moveaxis(middle[:, :, None] - middle[:, None], -1, 0))
    return ((away < BODY_PX) & ~np.eye(middle.shape[1], dtype=bool)).any(axis=2)


def seen_by(xy: Floats, middle: Floats, heading: Floats, outlines: bool = True) -> Seen:
    """What Herdbook knows of the animals: outlines are discs of half a body, one for animals that touch; some headings are turned."""
    single, turned = ~in_contact(middle), heading.copy()
    turned[::37] += np.pi
    animals = middle.shape[1]

    def distances(first: int, end: int) -> Floats:
        away = np.hypot(*np.moveaxis(xy[first:end, :, :, None] - middle[first:end, None, None], -1, 0))
        own = np.maximum(away - BODY_PX / 2, 0)
        found = own.copy()
        for one in range(animals):
            for other in range(animals):
                joined = np.hypot(*(middle[first:end, one] - middle[first:end, other]).T) < BODY_PX
                found[joined, ..., one] = np.minimum(found[joined, ..., one], own[joined, ..., other])
        return found if outlines else np.full_like(found, np.nan)

    return Seen(middle, turned, single, BODY_PX, distances)
