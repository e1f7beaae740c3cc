"""Images of animals as they might have been as well: shifted, turned, mirrored, under another light. BGR uint8 (n, height, width, 3)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Pixels

# However sure the head is, it is taken for the tail this often.
LEAST_TURNED = 0.02


@dataclass(frozen=True)
class Augmentation:
    """Standard deviations of the changes: `shift` as a share of the height, `rotation` in degrees, `shear` as a slope, `zoom` and
    `brightness` in the logarithm, `hue` in the logarithm of each channel; `symmetry`: left and right of an animal are alike.
    """

    shift: float = 0.02
    rotation: float = 8.0
    shear: float = 0.05
    zoom: float = 0.05
    brightness: float = 0.06
    hue: float = 0.02
    symmetry: bool = True


def augment(images: Pixels, head: NDArray[np.float32], how: Augmentation, rng: np.random.Generator) -> Pixels:
    """Each image changed at random. `head` (n,) is the probability that up is the head: the others are turned by half a turn."""
    count, height, width = images.shape[:3]
    turn = np.radians(rng.normal(0, how.rotation, count))
    turn += np.pi * (rng.random(count) < np.maximum(LEAST_TURNED, 1 - head))
    scale = np.exp(rng.normal(0, how.zoom, count))
    mirror = np.where(rng.random(count) < 0.5, -1.0, 1.0) if how.symmetry else np.ones(count)
    slope = rng.normal(0, how.shear, count)
    shift = rng.normal(0, how.shift * height, (count, 2))
    gain = np.exp(rng.normal(0, how.brightness, (count, 1)) + rng.normal(0, how.hue, (count, 3))).astype(np.float32)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[mirror * cosine, mirror * (slope * cosine - sine)], [sine, slope * sine + cosine]]).transpose(2, 0, 1)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.concatenate([linear, (middle + shift - linear @ middle)[:, :, None]], axis=2)
    changed = np.empty_like(images)
    for k, image in enumerate(images):
        ground = tuple(int(v) for v in image[0, 0])
        turned = cv2.warpAffine(image, matrix[k], (width, height), flags=cv2.INTER_LINEAR, borderValue=ground)
        changed[k] = np.clip(turned * gain[k], 0, 255)
    return changed
