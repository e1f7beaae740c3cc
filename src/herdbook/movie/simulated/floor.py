"""The empty arena of a simulated movie, and the camera above it. Points are (x, y) in px; images are (row, column[, BGR])."""

from dataclasses import dataclass

import cv2
import numpy as np

from herdbook.arrays import Singles
from herdbook.movie.simulated.paths import DOOR_HALF_WIDTH_PX, RoundArena

# Sensor noise is drawn once, as a pool of this many values; each row of a frame takes values from a random position on.
GRAIN_POOL = 1 << 16


@dataclass(frozen=True)
class Floor:
    """The empty arena and the camera above it.

    Attributes:
        image: float32 (rows, columns, 3), BGR.
        light: float32 (rows, columns), share of full light.
        cover: float32 (rows, columns), 1 on the floor and 0 under the rim, which hides the animals.
        noise: float32 (n, 3), a pool of sensor noise, BGR; every row of a frame takes a random part of it.

    """

    image: Singles
    light: Singles
    cover: Singles
    noise: Singles


def make_floor(width: int, height: int, arena: RoundArena, rng: np.random.Generator) -> Floor:
    """Draw a bright disc with a fine texture and stains, inside a darker, brushed rim, with uneven light.

    The door, if the arena has one, is a dark notch in the rim.
    """
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    radial, angle = np.hypot(x - arena.x, y - arena.y), np.arctan2(y - arena.y, x - arena.x)
    tilt = rng.uniform(-np.pi, np.pi)
    slope = ((x - arena.x) * np.cos(tilt) + (y - arena.y) * np.sin(tilt)) / arena.radius
    light = np.clip(1.0 - 0.09 * (radial / arena.radius) ** 2 + 0.05 * slope, 0.6, 1.05)

    fine = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 1.2) * 4.0
    cloudy = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 25.0) * 120.0
    floor = np.array((208.0, 230.0, 220.0)) + (fine + cloudy)[:, :, None]
    for _ in range(6):
        distance, towards = arena.radius * np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
        off_x = x - arena.x - distance * np.cos(towards)
        off_y = y - arena.y - distance * np.sin(towards)
        spread = rng.uniform(2.0, 9.0, 2)
        blot = np.exp(-0.5 * ((off_x / spread[0]) ** 2 + (off_y / spread[1]) ** 2) ** 2)
        floor -= blot[:, :, None] * rng.uniform(0.4, 1.0, 3) * rng.uniform(6.0, 26.0)

    grooves = cv2.GaussianBlur(rng.standard_normal((1, 2048)), (0, 0), 1.0)[0] * 14.0
    streak = grooves[((angle + np.pi) / (2 * np.pi) * 2047).astype(int)]
    rim = np.array((150.0, 142.0, 138.0)) + (streak + 18.0 * np.cos(angle - tilt) + fine)[:, :, None]
    rim *= (0.72 + 0.28 * np.clip((radial - arena.radius) / 25.0, 0.0, 1.0))[:, :, None]
    if arena.door is not None:
        depth = (x - arena.x) * np.cos(arena.door) + (y - arena.y) * np.sin(arena.door) - arena.radius
        aside = (y - arena.y) * np.cos(arena.door) - (x - arena.x) * np.sin(arena.door)
        notch = np.clip(DOOR_HALF_WIDTH_PX - np.abs(aside), 0.0, 1.0) * np.clip(15.0 - np.abs(depth), 0.0, 1.0)
        rim -= 0.55 * rim * notch[:, :, None]
    cover = np.clip(arena.radius - radial + 0.5, 0.0, 1.0)
    image = (rim + (floor - rim) * cover[:, :, None]) * light[:, :, None]
    pool = (GRAIN_POOL + width, 1)
    noise = 1.6 * rng.standard_normal(pool) + 1.0 * rng.standard_normal((pool[0], 3)) + 0.5
    return Floor(*(plane.astype(np.float32) for plane in (image, light, cover, noise)))
