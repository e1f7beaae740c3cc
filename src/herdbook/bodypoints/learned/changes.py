"""Labelled crops as they might have been as well: turned, shifted, mirrored, in another light, and with another animal beside or above.

A crop of a training set is wider than that of the network, so that it can be turned. Points are (x, y) px of the crop.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Image, Ints, Pixels
from herdbook.bodypoints.learned.crops import SOFT, draw_ellipses

# Headings of single animals are off by some degrees, those inside contacts by much more: the standard deviation of most turns (rad), and
# the largest of one in FAR, so that a heading between two of those that are tried is near enough.
TURN, FAR_TURN, FAR = np.radians(12), np.radians(50), 0.3
# Standard deviations: shift as a share of the side, size, brightness and contrast as shares, noise in levels.
SHIFT, ZOOM, LIGHT, NOISE = 0.035, 0.06, 0.08, 2.0
# How often another animal is laid beside or above, and how far away its middle is, in body lengths.
PASTED, NEAREST, FARTHEST = 0.5, 0.25, 1.1
# Places and headings of others are known as badly as one's own in a contact: standard deviations in body lengths and rad.
OTHER_PLACE, OTHER_TURN = 0.08, np.radians(15)


@dataclass(frozen=True)
class Crops:
    """Labelled crops: `pictures` uint8 (n, wide, wide); `masks` bool of the same shape, the animal itself where it is `alone` bool (n,);
    `points` (n, J, 2) px in the crop, NaN without a label; `others` (m, 5) ellipses of other animals (`crops.draw_ellipses`), those of
    crop i from `other_offsets[i]` to `other_offsets[i + 1]`; `body` half axes of a body along and across, crop px.
    """

    pictures: Pixels
    masks: Bools
    alone: Bools
    points: Floats
    others: Floats
    other_offsets: Ints
    body: tuple[float, float]

    def __len__(self) -> int:
        return len(self.pictures)

    def others_of(self, row: int) -> Floats:
        """The ellipses (k, 5) of the other animals in a crop."""
        return self.others[self.other_offsets[row] : self.other_offsets[row + 1]]


def changed_crops(
    crops: Crops, rows: Ints, size: int, mirrored: NDArray[np.int64] | None, rng: np.random.Generator
) -> tuple[Pixels, Floats]:
    """Crops uint8 (n, size, size, 2) of the `rows` (n,), each changed at random, and their points (n, J, 2).

    `mirrored` (J,): which point each becomes in a mirror, None if crops must not be mirrored.
    """
    made, points = np.zeros((len(rows), size, size, 2), np.uint8), np.empty((len(rows), *crops.points.shape[1:]))
    donors = np.flatnonzero(crops.alone)
    for k, row in enumerate(rows):
        flip = mirrored is not None and rng.random() < 0.5
        picture, own, points[k], shapes = _changed(crops, int(row), size, flip, rng)
        if flip:
            points[k] = points[k][mirrored]
        if len(donors) > 1 and rng.random() < PASTED:
            donor = int(rng.choice(donors[donors != row]))
            # Below the animal, if it is known which pixels are its own, as often as above.
            above = np.zeros_like(own) if rng.random() < 0.5 else own
            picture, shape = _pasted(picture, above, crops, donor, size, rng)
            shapes = np.concatenate([shapes, shape])
        made[k, ..., 0] = _in_other_light(picture, rng)
        if len(shapes):
            shapes[:, :2] += rng.normal(0, OTHER_PLACE * 2 * crops.body[0], (len(shapes), 2))
            shapes[:, 4] += rng.normal(0, OTHER_TURN, len(shapes))
        other = np.zeros((size, size), np.uint8)
        draw_ellipses(shapes, *SOFT, other)
        made[k, ..., 1] = other
    return made, points


def _changed(crops: Crops, row: int, size: int, flip: bool, rng: np.random.Generator) -> tuple[Image, Image, Floats, Floats]:
    """Picture, mask (0 to 255), points and ellipses of others of a crop that was turned, mirrored and shifted."""
    turn = rng.uniform(-FAR_TURN, FAR_TURN) if rng.random() < FAR else rng.normal(0, TURN)
    linear = _linear(turn, np.exp(rng.normal(0, ZOOM)), flip)
    offset = _offset(linear, crops.pictures.shape[1], size) + rng.normal(0, SHIFT * size, 2)
    picture = _warped(crops.pictures[row], linear, offset, size)
    own = _warped(crops.masks[row].astype(np.uint8) * np.uint8(255), linear, offset, size)
    return picture, own, crops.points[row] @ linear.T + offset, _moved(crops.others_of(row), linear, offset)


def _pasted(picture: Image, above: Image, crops: Crops, donor: int, size: int, rng: np.random.Generator) -> tuple[Image, Floats]:
    """The picture with the animal of another crop in it, except where something is `above` (0 to 255) it; and that one's ellipse."""
    linear = _linear(rng.uniform(-np.pi, np.pi), np.exp(rng.normal(0, ZOOM)), bool(rng.integers(2)))
    away, direction = rng.uniform(NEAREST, FARTHEST) * 2 * crops.body[0], rng.uniform(-np.pi, np.pi)
    wide = crops.pictures.shape[1]
    offset = _offset(linear, wide, size) + away * np.array([np.cos(direction), np.sin(direction)])
    laid = _warped(crops.pictures[donor], linear, offset, size)
    share = _warped(crops.masks[donor].astype(np.uint8) * np.uint8(255), linear, offset, size)
    # A mask ends where an animal is half as bright as the threshold asks for: an edge that fades hides the seam.
    alpha = cv2.GaussianBlur(share, (0, 0), 0.7).astype(np.float32) / 255 * (1 - above.astype(np.float32) / 255)
    mixed = picture + alpha * (laid.astype(np.float32) - picture)
    middle = (wide - 1) / 2
    own = np.array([[middle, middle, *crops.body, -np.pi / 2]])
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8), _moved(own, linear, offset)


def _in_other_light(picture: Image, rng: np.random.Generator) -> Image:
    middle = float(picture.mean())
    values = (picture - middle) * np.exp(rng.normal(0, LIGHT)) + middle * np.exp(rng.normal(0, LIGHT))
    return np.asarray(np.clip(values + rng.normal(0, NOISE, picture.shape) + 0.5, 0, 255), np.uint8)


def _linear(turn: float, scale: float, flip: bool) -> Floats:
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    side = -1.0 if flip else 1.0
    return np.array([[side * cosine, -sine], [side * sine, cosine]])


def _offset(linear: Floats, wide: int, size: int) -> Floats:
    """The shift that brings the middle of the wide crop to the middle of the smaller one."""
    return np.asarray((size - 1) / 2 - linear @ np.full(2, (wide - 1) / 2))


def _warped(picture: Image, linear: Floats, offset: Floats, size: int) -> Image:
    matrix = np.column_stack([linear, offset])
    return np.asarray(cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _moved(shapes: Floats, linear: Floats, offset: Floats) -> Floats:
    """Ellipses (k, 5) after a turn, a mirror and a change of size."""
    moved = shapes.copy()
    moved[:, :2] = shapes[:, :2] @ linear.T + offset
    scale = np.sqrt(abs(np.linalg.det(linear)))
    moved[:, 2:4] *= scale
    along = np.stack([np.cos(shapes[:, 4]), np.sin(shapes[:, 4])], 1) @ linear.T
    moved[:, 4] = np.arctan2(along[:, 1], along[:, 0])
    return moved
