"""Bodies of simulated ants: their parts (tapered capsules), the appearance of each individual, and the positions of its parts in movement.

Points are (x, y) in px. Body coordinates are (along, across) in body lengths: the tip of the head at (0.5, 0), the tip of the abdomen at
(-0.5, 0), across positive to the ant's clockwise side.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Singles

DOT_COLOURS = {  # BGR under full light
    "B": (195.0, 105.0, 58.0),
    "G": (88.0, 165.0, 78.0),
    "O": (60.0, 122.0, 226.0),
    "P": (182.0, 90.0, 218.0),
    "Y": (75.0, 208.0, 228.0),
    "W": (236.0, 236.0, 236.0),
}
# Strength with which an individual's pattern modulates its brightness.
PATTERN_CONTRAST = {"colour": 0.12, "none": 0.12, "texture": 0.35}

_SKIN = (40.0, 50.0, 70.0)
_LIMB = (62.0, 78.0, 102.0)

_THORAX, _HEAD, _ABDOMEN, _LIMBS, _SHADE = 0, 1, 2, 3, 4
_NECK, _WAIST = (0.21, 0.0), (-0.06, 0.0)  # joints of head and abdomen
_HIPS = ((0.15, 0.05), (0.09, 0.06), (0.02, 0.055))
_KNEES = ((0.27, 0.19), (0.11, 0.22), (-0.06, 0.20))
_FEET = ((0.36, 0.28), (0.02, 0.36), (-0.30, 0.31))
_SWING = 0.09  # amplitude of a foot's step, forwards and backwards

# Group, start, end, radius at both: parts of the body from the lowest to the highest.
_BODY = (
    (_HEAD, (0.43, 0.05), (0.50, 0.015), 0.018, 0.012),
    (_HEAD, (0.43, -0.05), (0.50, -0.015), 0.018, 0.012),
    (_ABDOMEN, (-0.12, 0.0), (-0.03, 0.0), 0.042, 0.035),
    (_ABDOMEN, (-0.29, 0.0), (-0.19, 0.0), 0.135, 0.095),
    (_ABDOMEN, (-0.41, 0.0), (-0.29, 0.0), 0.090, 0.135),
    (_THORAX, (-0.01, 0.0), (0.07, 0.0), 0.058, 0.080),
    (_THORAX, (0.07, 0.0), (0.14, 0.0), 0.080, 0.058),
    (_HEAD, (0.16, 0.0), (0.22, 0.0), 0.030, 0.030),
    (_HEAD, (0.31, 0.0), (0.38, 0.0), 0.098, 0.085),
)
_DOTS = ((_THORAX, (0.07, 0.0), 0.076), (_ABDOMEN, (-0.32, 0.0), 0.102))
_FIRST_LEG, _FIRST_ANTENNA, _FIRST_BODY, _FIRST_DOT = 1, 13, 17, 17 + len(_BODY)
_PARTS = _FIRST_DOT + len(_DOTS)


class Bodies(NamedTuple):
    """The appearance of A animals with P parts each, in the order in which the parts are drawn.

    Attributes:
        length: float64 (A,), px.
        ends: float64 (P, 2, 2), both ends of each part in a standing ant, body coordinates.
        group: int64 (P,), the part of the body with which it moves.
        radii: float32 (A, P, 2), px, at both ends.
        paint: float32 (A, P, 3), BGR under full light.
        finish: float32 (A, P, 4): softness of the edge in px, opacity, darkening of the rounded flanks, pattern.
        pattern: float32 (A, 64, 24), brightness pattern over the body, along and across, zero mean.
        weight: float64 (3,), share of thorax, head and abdomen in the area of the body.
        middle: float64 (3, 2), their centroids, body coordinates.
        rhythm: float64 (A, 2), frequency (rad/s) and phase of the antennae.

    """

    length: Floats
    ends: Floats
    group: NDArray[np.int64]
    radii: Singles
    paint: Singles
    finish: Singles
    pattern: Singles
    weight: Floats
    middle: Floats
    rhythm: Floats


def make_bodies(identities: list[str], body_length_px: float, marking: str, rng: np.random.Generator) -> Bodies:
    """Make an individual body for every identity.

    `marking`: "colour" (two dots on thorax and abdomen, whose colours are the letters of the identity); "none", unmarked animals that
    differ slightly in size (+-8 %), proportions, brightness and pattern; or "texture", unmarked animals that differ only in their pattern,
    which is clearly visible.
    """
    number, alike = len(identities), marking == "texture"
    ends, group, widths = _standing_parts()
    length = np.full(number, body_length_px) if alike else body_length_px * rng.uniform(0.92, 1.08, number)
    plump = np.ones((number, _PARTS, 1))
    if not alike:
        plump[:, group == _ABDOMEN] = rng.uniform(0.92, 1.08, (number, 1, 1))
        plump[:, group == _HEAD] = rng.uniform(0.94, 1.06, (number, 1, 1))
        plump[:, _FIRST_DOT:] = rng.uniform(0.92, 1.05, (number, len(_DOTS), 1))
    paint, finish = _colours(identities, marking, rng)
    pattern = _patterns(number, rng)
    weight, middle = _measure_groups(ends, group, widths)
    return Bodies(
        length=length,
        ends=ends,
        group=group,
        radii=(widths * plump * length[:, None, None]).astype(np.float32),
        paint=paint.astype(np.float32),
        finish=finish.astype(np.float32),
        pattern=pattern,
        weight=weight,
        middle=middle,
        rhythm=np.column_stack((rng.uniform(3.0, 7.0, number), rng.uniform(0, 2 * np.pi, number))),
    )


def _standing_parts() -> tuple[Floats, NDArray[np.int64], Floats]:
    """Ends (P, 2, 2), group (P,) and radii (P, 2) of the parts of a standing ant, in body lengths; ends of limbs are not set yet."""
    ends, group = np.zeros((_PARTS, 2, 2)), np.full(_PARTS, _LIMBS)
    widths = np.zeros((_PARTS, 2))
    group[0], ends[0], widths[0] = _SHADE, ((-0.3, 0.0), (0.3, 0.0)), 0.12
    for part, (members, start, end, width, end_width) in enumerate(_BODY, start=_FIRST_BODY):
        group[part], ends[part], widths[part] = members, (start, end), (width, end_width)
    for part, (members, place, width) in enumerate(_DOTS, start=_FIRST_DOT):
        group[part], ends[part], widths[part] = members, (place, place), width
    widths[_FIRST_LEG:_FIRST_ANTENNA] = np.tile(((0.020, 0.016), (0.016, 0.010)), (6, 1))
    widths[_FIRST_ANTENNA:_FIRST_BODY] = np.tile(((0.015, 0.015), (0.015, 0.015)), (2, 1))
    return ends, group, widths


def _colours(identities: list[str], marking: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """`paint` (A, P, 3) and `finish` (A, P, 4), see `Bodies`."""
    number = len(identities)
    paint = np.empty((number, _PARTS, 3))
    paint[:] = _SKIN
    paint[:, _FIRST_LEG:_FIRST_BODY] = _LIMB
    if marking != "texture":
        paint *= rng.uniform(0.8, 1.2, (number, 1, 1)) * rng.uniform(0.94, 1.06, (number, 1, 3))
    paint[:, 0] = 0.0
    finish = np.empty((number, _PARTS, 4))
    finish[:] = (1.5, 1.0, 0.35, PATTERN_CONTRAST[marking])
    finish[:, 0] = (9.0, 0.14, 0.0, 0.0)
    finish[:, _FIRST_LEG:_FIRST_ANTENNA] = (1.4, 0.75, 0.0, 0.0)
    finish[:, _FIRST_ANTENNA:_FIRST_BODY] = (1.4, 0.9, 0.0, 0.0)
    finish[:, _FIRST_DOT:] = (1.9, 0.0, 0.3, 0.12)
    if marking == "colour":
        finish[:, _FIRST_DOT:, 1] = rng.uniform(0.75, 0.92, (number, len(_DOTS)))
        for ant, name in enumerate(identities):
            paint[ant, _FIRST_DOT:] = [DOT_COLOURS[letter] for letter in name]
        paint[:, _FIRST_DOT:] *= rng.uniform(0.9, 1.05, (number, len(_DOTS), 3))
    return paint, finish


def _patterns(number: int, rng: np.random.Generator) -> Singles:
    """Brightness patterns (A, 64, 24) over the bodies, zero mean."""
    coarse = rng.standard_normal((number, 16, 7)).astype(np.float32)
    coarse = 0.5 * (coarse + coarse[:, :, ::-1])  # bodies are nearly symmetric
    coarse += 0.4 * rng.standard_normal(coarse.shape).astype(np.float32)
    pattern = np.stack([cv2.resize(grid, (24, 64), interpolation=cv2.INTER_CUBIC) for grid in coarse])
    return np.asarray(pattern - pattern.mean(axis=(1, 2), keepdims=True))


def _measure_groups(ends: Floats, group: NDArray[np.int64], widths: Floats) -> tuple[Floats, Floats]:
    along, across = np.meshgrid(np.arange(-0.6, 0.6, 0.004), np.arange(-0.2, 0.2, 0.004), indexing="ij")
    weight, middle = np.zeros(3), np.zeros((3, 2))
    for members in (_THORAX, _HEAD, _ABDOMEN):
        inside = np.zeros(along.shape, dtype=bool)
        for part in range(_FIRST_BODY, _FIRST_DOT):
            if group[part] == members:
                (u0, v0), (u1, v1) = ends[part]
                share = (along - u0) * (u1 - u0) + (across - v0) * (v1 - v0)
                share = np.clip(share / ((u1 - u0) ** 2 + (v1 - v0) ** 2), 0.0, 1.0)
                off = np.hypot(along - u0 - share * (u1 - u0), across - v0 - share * (v1 - v0))
                inside |= off < widths[part, 0] + share * (widths[part, 1] - widths[part, 0])
        weight[members], middle[members] = inside.sum(), (along[inside].mean(), across[inside].mean())
    return weight / weight.sum(), middle


def place_parts(bodies: Bodies, x: Floats, y: Floats, heading: Floats, phase: Floats, bend: Floats, time_s: float) -> Singles:
    """Place the parts of all bodies so that the centroid of each silhouette (without limbs) is at (x, y).

    Takes arrays of shape (A,), px and rad; returns the ends of the parts, float32 (A, P, 2, 2) in px.
    """
    number = x.size
    points = np.tile(bodies.ends, (number, 1, 1, 1))
    middle = np.tile(bodies.middle, (number, 1, 1))
    for side in (0, 1):
        sign = 1.0 - 2.0 * side
        for leg in range(3):
            # Tripod gait: front and hind leg of one side step together with the middle leg of the other.
            swing = _SWING * np.cos(phase + np.pi * ((leg + side) % 2))
            upper = _FIRST_LEG + 2 * (2 * leg + side)
            hip, knee, foot = (np.array(at[leg]) * (1.0, sign) for at in (_HIPS, _KNEES, _FEET))
            points[:, upper, 0] = hip
            points[:, upper, 1] = points[:, upper + 1, 0] = knee
            points[:, upper + 1, 1] = foot
            points[:, upper, 1, 0] += 0.5 * swing
            points[:, upper + 1, 0, 0] += 0.5 * swing
            points[:, upper + 1, 1, 0] += swing
        sweep = np.sin(bodies.rhythm[:, 0] * time_s + bodies.rhythm[:, 1] + 1.9 * side)
        sweep += 0.5 * np.sin(1.7 * bodies.rhythm[:, 0] * time_s + 0.5 * bodies.rhythm[:, 1] - 1.1 * side)
        scape = _FIRST_ANTENNA + 2 * side
        points[:, scape, 0] = (0.40, 0.05 * sign)
        points[:, scape, 1] = points[:, scape + 1, 0] = (0.47, 0.17 * sign)
        points[:, scape + 1, 1, 0] = 0.67 - 0.03 * sweep
        points[:, scape + 1, 1, 1] = sign * (0.20 + 0.07 * sweep)
    turned = bodies.group.copy()
    turned[_FIRST_ANTENNA:_FIRST_BODY] = _HEAD
    for members, joint, angle in ((_HEAD, _NECK, bend), (_ABDOMEN, _WAIST, -bend)):
        points[:, turned == members] = _rotate(points[:, turned == members] - joint, angle) + joint
        middle[:, members] = _rotate(middle[:, members] - joint, angle) + joint
    centroid = np.einsum("g,agk->ak", bodies.weight, middle)
    points = (points - centroid[:, None, None]) * bodies.length[:, None, None, None]
    points = _rotate(points, heading) + np.stack((x, y), axis=1)[:, None, None]
    points[:, 0] += (1.5, 2.0)  # offset of the shadow
    return points.astype(np.float32)


def _rotate(points: Floats, angle: Floats) -> Floats:
    shape = (-1,) + (1,) * (points.ndim - 2)
    cos, sin = np.cos(angle).reshape(shape), np.sin(angle).reshape(shape)
    u, v = points[..., 0], points[..., 1]
    return np.stack((cos * u - sin * v, sin * u + cos * v), axis=-1)
