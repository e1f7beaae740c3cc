"""Drawing of simulated ants: parts of bodies are blended with soft edges into a float frame. Images are (row, column[, BGR])."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook.arrays import Singles
from herdbook.movie.simulated.bodies import Bodies
from herdbook.movie.simulated.floor import GRAIN_POOL, Floor


def render_frame(
    floor: Floor, bodies: Bodies, points: Singles, layer: NDArray[np.int64], gain: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw one frame.

    Args:
        floor: the empty arena.
        bodies: the appearance of the animals.
        points: ends of all parts in px, from `place_parts`.
        layer: int64 (A,), the animal with the higher number covers the other.
        gain: brightness of this frame, about 1.
        rng: draws the sensor noise.

    Returns:
        The frame, uint8 (rows, columns, 3) BGR.

    """
    frame = floor.image.copy()
    for ant in np.argsort(layer):
        _draw_parts(
            frame,
            floor.light,
            floor.cover,
            points[ant],
            bodies.radii[ant],
            bodies.paint[ant],
            bodies.finish[ant],
            bodies.pattern[ant],
            bodies.ends[:, :, 0],
            bodies.length[ant],
        )
    exposed = np.empty(frame.shape, dtype=np.uint8)
    grain = rng.integers(0, GRAIN_POOL, frame.shape[0])
    _expose(frame, np.float32(gain), floor.noise, grain, exposed)
    return exposed


@njit(cache=True, nogil=True)
def _draw_parts(frame, light, cover, points, radii, paint, finish, pattern, along, length):  # type: ignore[no-untyped-def]
    rows, columns = cover.shape
    for part in range(points.shape[0]):
        softness, opacity, rounding, contrast = finish[part]
        if opacity == 0.0:
            continue
        (x0, y0), (x1, y1) = points[part]
        r0, r1 = radii[part]
        reach = max(r0, r1) + softness
        left, right = max(0, int(min(x0, x1) - reach)), min(columns - 1, int(max(x0, x1) + reach) + 1)
        top, bottom = max(0, int(min(y0, y1) - reach)), min(rows - 1, int(max(y0, y1) + reach) + 1)
        dx, dy = x1 - x0, y1 - y0
        norm = max(dx * dx + dy * dy, 1e-6)
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                share = ((column - x0) * dx + (row - y0) * dy) / norm
                clipped = min(max(share, 0.0), 1.0)
                off = np.hypot(column - x0 - clipped * dx, row - y0 - clipped * dy)
                radius = r0 + clipped * (r1 - r0)
                alpha = min(max(0.5 + (radius - off) / softness, 0.0), 1.0) * opacity * cover[row, column]
                if alpha <= 0.0:
                    continue
                rim = min(off / radius, 1.0)
                shade = 1.0 + rounding * (0.5 - 1.2 * rim * rim)
                if contrast > 0.0:
                    u = along[part, 0] + min(max(share, -2.0), 2.0) * (along[part, 1] - along[part, 0])
                    v = ((column - x0) * dy - (row - y0) * dx) / np.sqrt(norm) / length
                    i = min(max(int((u + 0.55) / 1.1 * pattern.shape[0]), 0), pattern.shape[0] - 1)
                    j = min(max(int((v + 0.2) / 0.4 * pattern.shape[1]), 0), pattern.shape[1] - 1)
                    shade *= max(1.0 + contrast * pattern[i, j], 0.2)
                lit = shade * light[row, column]
                for channel in range(3):
                    value = frame[row, column, channel]
                    frame[row, column, channel] = value + alpha * (paint[part, channel] * lit - value)


@njit(cache=True, nogil=True)
def _expose(frame, gain, noise, grain, exposed):  # type: ignore[no-untyped-def]
    rows, columns, channels = frame.shape
    for row in range(rows):
        start = grain[row]
        for column in range(columns):
            for channel in range(channels):
                value = frame[row, column, channel] * gain + noise[start + column, channel]
                exposed[row, column, channel] = np.uint8(min(max(value, np.float32(0.0)), np.float32(255.0)))
