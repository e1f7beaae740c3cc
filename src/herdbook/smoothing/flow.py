"""Optical flow of points by the pyramidal Lucas-Kanade method, in two engines.

`opencv` is `cv2.calcOpticalFlowPyrLK`. `numba` uses the same arithmetic (Scharr gradients, bilinear weights of 14 bits, image values with 5
fractional bits), but builds each pyramid once per frame, not twice per call, and computes gradients once for neighbouring points, only
under their windows: it takes less than half of the CPU time. The results of both differ by rounding: 999 of 1,000 points by less than 0.001
px per step.

Source: Bouguet 2000, Pyramidal implementation of the Lucas Kanade feature tracker (Intel). Points are (x, y) in
px, origin top left, pixel centres at integer coordinates; images are (row, col).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

FLOW_WINDOW_PX = 45
TOP_LEVEL = 2
MAX_ITERATIONS = 10
STOP_STEP_PX = 0.03
STOP_SWING_PX = 0.01  # the search oscillates around its end if two steps cancel to less than this
MIN_EIGENVALUE = 1e-4  # per pixel of the window; below it there is no texture to follow

HALF_PX = FLOW_WINDOW_PX // 2
# Rows of a window are padded to whole vectors of the processor; the gradient in the padding is 0.
PADDED_PX = 48
# Gradients are kept for a box of pixels, which contains all windows whose corners are within this distance of each other.
SPREAD_PX = 16
BOX_ROWS, BOX_COLUMNS = FLOW_WINDOW_PX + SPREAD_PX, PADDED_PX + SPREAD_PX
WEIGHT_BITS = 14
VALUE_BITS = 5
VALUE_SHIFT = WEIGHT_BITS - VALUE_BITS
SUM_SCALE = 1.0 / (1 << 20)

Pyramid = tuple[NDArray[np.uint8], ...]


class Engine(NamedTuple):
    """Functions of an engine: `prepare` a frame (H, W) uint8 once, `track` points (n, 2) float32 px between two prepared frames."""

    prepare: Callable[[NDArray[np.uint8]], Any]
    track: Callable[[Any, Any, NDArray[np.float32]], NDArray[np.float32]]


def track_opencv(origin: NDArray[np.uint8], target: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Positions (n, 2) float32 px in frame `target` of n >= 1 `points` (n, 2) float32 px in frame `origin`.

    Both frames are (H, W) uint8. A lost point gets the position at which its search ended: OpenCV's status is ignored.
    """
    moved, _, _ = cv2.calcOpticalFlowPyrLK(
        origin,
        target,
        points,
        None,
        winSize=(FLOW_WINDOW_PX, FLOW_WINDOW_PX),
        maxLevel=TOP_LEVEL,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, MAX_ITERATIONS, STOP_STEP_PX),
        minEigThreshold=MIN_EIGENVALUE,
    )
    return np.asarray(moved, np.float32)


def build_pyramid(frame: NDArray[np.uint8]) -> Pyramid:
    """Levels 0 .. 2 of a frame (H, W) uint8, each half the size of the one before.

    Levels not larger than the flow window are omitted, except level 0.
    """
    levels = [np.ascontiguousarray(frame)]
    while len(levels) <= TOP_LEVEL and (min(levels[-1].shape) + 1) // 2 > FLOW_WINDOW_PX:
        levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
    return tuple(levels)


def track_numba(origin: Pyramid, target: Pyramid, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Positions (n, 2) float32 px in the frame of pyramid `target` of `points` (n, 2) float32 px in `origin`.

    A lost point gets the position at which its search ended.
    """
    top = len(origin) - 1
    moved = points / np.float32(2 << top)
    for level in range(top, -1, -1):
        moved *= 2
        _track_level(origin[level], target[level], points / np.float32(1 << level), moved)
    return moved


ENGINES = {
    "opencv": Engine(lambda frame: frame, track_opencv),
    "numba": Engine(build_pyramid, track_numba),
}


@njit(cache=True, nogil=True)
def _track_level(
    origin: NDArray[np.uint8],
    target: NDArray[np.uint8],
    points: NDArray[np.float32],
    moved: NDArray[np.float32],
) -> None:
    """Refine `moved` (n, 2) in place on one level; both arrays of points are in coordinates of this level."""
    rows, cols = origin.shape
    mirrored = np.empty((BOX_ROWS + 2, BOX_COLUMNS + 2), np.uint8)
    gradient = np.empty((2, BOX_ROWS, BOX_COLUMNS), np.int16)
    box_row, box_column, filled = 0, 0, False
    patch = np.empty((3, FLOW_WINDOW_PX, PADDED_PX), np.int16)
    sampled = np.empty((FLOW_WINDOW_PX, PADDED_PX), np.int16)
    for i in range(len(points)):
        left, top = points[i, 0] - np.float32(HALF_PX), points[i, 1] - np.float32(HALF_PX)
        column, row = int(np.floor(left)), int(np.floor(top))
        if not _overlaps(column, row, rows, cols):
            continue
        if not (filled and 0 <= row - box_row < SPREAD_PX and 0 <= column - box_column < SPREAD_PX):
            box_row, box_column, filled = row - SPREAD_PX // 2, column - SPREAD_PX // 2, True
            image, r, c = _with_border(origin, box_row - 1, box_column - 1, BOX_ROWS + 2, BOX_COLUMNS + 2, mirrored)
            _scharr(image, r, c, gradient)
            _clear_outside(gradient, box_row, box_column, rows, cols)
        weights = _weights(left - column, top - row)
        _sample(gradient[0], row - box_row, column - box_column, weights, WEIGHT_BITS, patch[1])
        _sample(gradient[1], row - box_row, column - box_column, weights, WEIGHT_BITS, patch[2])
        image, r, c = _with_border(origin, row, column, FLOW_WINDOW_PX + 1, PADDED_PX + 1, mirrored)
        _sample(image, r, c, weights, VALUE_SHIFT, patch[0])
        _clear_padding(patch)
        xx, xy, yy = _structure(patch)
        determinant = xx * yy - xy * xy
        smaller = (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy * xy)) / (2 * FLOW_WINDOW_PX**2)
        if smaller < MIN_EIGENVALUE or determinant < np.finfo(np.float32).eps:
            continue
        x, y = moved[i, 0] - np.float32(HALF_PX), moved[i, 1] - np.float32(HALF_PX)
        last_dx, last_dy = 0.0, 0.0
        for iteration in range(MAX_ITERATIONS):
            new_column, new_row = int(np.floor(x)), int(np.floor(y))
            if iteration == 0 or new_column != column or new_row != row:
                column, row = new_column, new_row
                if not _overlaps(column, row, rows, cols):
                    break
                image, r, c = _with_border(target, row, column, FLOW_WINDOW_PX + 1, PADDED_PX + 1, mirrored)
            _sample(image, r, c, _weights(x - column, y - row), VALUE_SHIFT, sampled)
            bx, by = _mismatch(sampled, patch)
            dx, dy = (xy * by - yy * bx) / determinant, (xy * bx - xx * by) / determinant
            x += np.float32(dx)
            y += np.float32(dy)
            moved[i, 0], moved[i, 1] = x + np.float32(HALF_PX), y + np.float32(HALF_PX)
            if dx * dx + dy * dy <= STOP_STEP_PX**2:
                break
            if iteration > 0 and abs(dx + last_dx) < STOP_SWING_PX and abs(dy + last_dy) < STOP_SWING_PX:
                moved[i, 0] -= np.float32(0.5 * dx)
                moved[i, 1] -= np.float32(0.5 * dy)
                break
            last_dx, last_dy = dx, dy


@njit(cache=True, nogil=True)
def _overlaps(column: int, row: int, rows: int, cols: int) -> bool:
    return -FLOW_WINDOW_PX <= column < cols and -FLOW_WINDOW_PX <= row < rows


@njit(cache=True, nogil=True)
def _with_border(
    image: NDArray[np.uint8], row: int, column: int, height: int, width: int, mirrored: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], int, int]:
    """An array, and a row and column in it, from where on its height x width pixels are those of the image at (row, column).

    It is the image itself, if all pixels are inside, or else `mirrored`, filled with the image reflected at its outermost pixels.
    """
    rows, cols = image.shape
    if row >= 0 and column >= 0 and row + height <= rows and column + width <= cols:
        return image, row, column
    for r in range(height):
        source = image[_reflect(row + r, rows)]
        for c in range(width):
            mirrored[r, c] = source[_reflect(column + c, cols)]
    return mirrored, 0, 0


@njit(cache=True, nogil=True)
def _reflect(i: int, n: int) -> int:
    if n == 1:
        return 0
    while i < 0 or i >= n:
        i = -i if i < 0 else 2 * n - 2 - i
    return i


@njit(cache=True, nogil=True)
def _scharr(image: NDArray[np.uint8], row: int, column: int, gradient: NDArray[np.int16]) -> None:
    """Scharr derivatives in x and y, (2, rows, columns), of the pixels inside the one-pixel border that begins at (row, column)."""
    for r in range(BOX_ROWS):
        above = image[row + r, column : column + BOX_COLUMNS + 2]
        here = image[row + r + 1, column : column + BOX_COLUMNS + 2]
        below = image[row + r + 2, column : column + BOX_COLUMNS + 2]
        dx, dy = gradient[0, r], gradient[1, r]
        for c in range(BOX_COLUMNS):
            a0, a1, a2 = np.int32(above[c]), np.int32(above[c + 1]), np.int32(above[c + 2])
            h0, h2 = np.int32(here[c]), np.int32(here[c + 2])
            b0, b1, b2 = np.int32(below[c]), np.int32(below[c + 1]), np.int32(below[c + 2])
            dx[c] = np.int16(3 * (a2 - a0 + b2 - b0) + 10 * (h2 - h0))
            dy[c] = np.int16(3 * (b0 - a0 + b2 - a2) + 10 * (b1 - a1))


@njit(cache=True, nogil=True)
def _clear_outside(gradient: NDArray[np.int16], row: int, column: int, rows: int, cols: int) -> None:
    """Set the derivatives of pixels outside of the frame to 0."""
    gradient[:, : max(0, -row)] = 0
    gradient[:, max(0, rows - row) :] = 0
    gradient[:, :, : max(0, -column)] = 0
    gradient[:, :, max(0, cols - column) :] = 0


@njit(cache=True, nogil=True)
def _weights(fx: float, fy: float) -> tuple[np.int32, np.int32, np.int32, np.int32]:
    """Bilinear weights of the four neighbours, in units of 2 ** -WEIGHT_BITS, that sum to exactly one."""
    unit = 1 << WEIGHT_BITS
    w00 = round((1 - fx) * (1 - fy) * unit)
    w01 = round(fx * (1 - fy) * unit)
    w10 = round((1 - fx) * fy * unit)
    return np.int32(w00), np.int32(w01), np.int32(w10), np.int32(unit - w00 - w01 - w10)


@njit(cache=True, nogil=True)
def _sample(
    values: NDArray[np.int16],
    row: int,
    column: int,
    weights: tuple[np.int32, np.int32, np.int32, np.int32],
    shift: int,
    window: NDArray[np.int16],
) -> None:
    """Values of the window at (row, column) plus a fraction of a pixel, rounded to 2 ** shift units of the weights."""
    w00, w01, w10, w11 = weights
    half = np.int32(1 << (shift - 1))
    for r in range(FLOW_WINDOW_PX):
        upper = values[row + r, column : column + PADDED_PX + 1]
        lower = values[row + r + 1, column : column + PADDED_PX + 1]
        out = window[r]
        for c in range(PADDED_PX):
            # Numba computes sums and products in 64 bits; 32 are enough for these.
            above = np.int32(np.int32(upper[c] * w00) + np.int32(upper[c + 1] * w01))
            below = np.int32(np.int32(lower[c] * w10) + np.int32(lower[c + 1] * w11))
            out[c] = np.int16(np.int32(np.int32(above + below) + half) >> np.int32(shift))


@njit(cache=True, nogil=True)
def _structure(patch: NDArray[np.int16]) -> tuple[float, float, float]:
    """Sums of the products of derivatives xx, xy, yy over the window. The sums of a row fit into 32 bits."""
    xx, xy, yy = 0.0, 0.0, 0.0
    for r in range(FLOW_WINDOW_PX):
        dx, dy = patch[1, r], patch[2, r]
        row_xx, row_xy, row_yy = np.int32(0), np.int32(0), np.int32(0)
        for c in range(PADDED_PX):
            a, b = np.int32(dx[c]), np.int32(dy[c])
            row_xx = np.int32(row_xx + np.int32(a * a))
            row_xy = np.int32(row_xy + np.int32(a * b))
            row_yy = np.int32(row_yy + np.int32(b * b))
        xx, xy, yy = xx + row_xx, xy + row_xy, yy + row_yy
    return xx * SUM_SCALE, xy * SUM_SCALE, yy * SUM_SCALE


@njit(cache=True, nogil=True)
def _clear_padding(patch: NDArray[np.int16]) -> None:
    """Set the derivatives after the window's last column to 0, so that the padding does not count."""
    for axis in range(1, 3):
        for r in range(FLOW_WINDOW_PX):
            for c in range(FLOW_WINDOW_PX, PADDED_PX):
                patch[axis, r, c] = 0


@njit(cache=True, nogil=True)
def _mismatch(sampled: NDArray[np.int16], patch: NDArray[np.int16]) -> tuple[float, float]:
    """Sums of (sampled - patch's values) times the patch's derivatives. The sums of a row fit into 32 bits."""
    bx, by = 0.0, 0.0
    for r in range(FLOW_WINDOW_PX):
        here, value, dx, dy = sampled[r], patch[0, r], patch[1, r], patch[2, r]
        row_bx, row_by = np.int32(0), np.int32(0)
        for c in range(PADDED_PX):
            difference = np.int32(np.int16(here[c] - value[c]))
            row_bx = np.int32(row_bx + np.int32(difference * np.int32(dx[c])))
            row_by = np.int32(row_by + np.int32(difference * np.int32(dy[c])))
        bx, by = bx + row_bx, by + row_by
    return bx * SUM_SCALE, by * SUM_SCALE
