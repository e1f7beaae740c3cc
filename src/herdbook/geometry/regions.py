"""Regions of an image, as masks (row, col). Points are (x, y) in px."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Mask

Point = tuple[float, float]


class Ellipse(NamedTuple):
    """A filled ellipse: centre (x, y) and semi-axes in px, angle of the first axis in degrees."""

    centre: Point
    axes: tuple[float, float]
    angle: float = 0.0


class Polygon(NamedTuple):
    """A filled polygon: corners (x, y) in px, in order; the last one is joined to the first."""

    points: Sequence[Point]


Region = Ellipse | Polygon


def ellipse_mask(shape: tuple[int, int], centre: Point, axes: tuple[float, float], angle: float = 0.0) -> Mask:
    """Return the mask (H, W) of the pixels whose centres are in an ellipse or on its outline.

    shape: (H, W). centre: (x, y), px. axes: semi-axes, px, above 0. angle: of the first axis, degrees.
    """
    y, x = np.ogrid[: shape[0], : shape[1]]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along = (x - centre[0]) * cos + (y - centre[1]) * sin
    across = (y - centre[1]) * cos - (x - centre[0]) * sin
    # The tolerance includes pixels exactly on the outline, whatever the rounding of the rotation.
    return np.asarray((along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1 + 1e-9)


def polygon_mask(shape: tuple[int, int], points: Sequence[Point]) -> Mask:
    """Return the mask (H, W) of the pixels whose centres are in a polygon, by the even-odd rule.

    shape: (H, W). points: corners (x, y), px; the last one is joined to the first.
    A pixel centre on a left or upper edge is inside, one on a right or lower edge is not: polygons that share an edge share no pixel, and a
    polygon with integer corners covers exactly as many pixels as its area.
    """
    height, width = shape
    corners = np.asarray(points, np.float64)
    # Each edge flips all pixels to its right in the rows it crosses; pixels flipped an odd number of times are inside.
    flips = np.zeros((height, width + 1), np.bool_)
    for edge in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # From top to bottom, so that two polygons round a shared edge in the same way.
        (xa, ya), (xb, yb) = sorted(edge, key=lambda corner: (corner[1], corner[0]))
        top, bottom = max(int(np.ceil(ya)), 0), min(int(np.ceil(yb)), height)
        rows = np.arange(top, bottom)
        if rows.size:
            crossings = np.ceil(xa + (rows - ya) * (xb - xa) / (yb - ya) - 1e-9)
            flips[rows, np.clip(crossings, 0, width).astype(np.int64)] ^= True
    return np.logical_xor.accumulate(flips[:, :width], axis=1)


def paint_regions(shape: tuple[int, int], regions: Sequence[tuple[bool, Region]], base: Mask | None = None) -> Mask:
    """Return the mask (H, W) of regions that are added (True) or cut out (False), in their order.

    The mask begins as `base` (H, W), if given; otherwise as the whole frame if there are no regions or the first one is cut out, and empty
    if the first one is added.
    """
    mask = np.full(shape, not regions or not regions[0][0]) if base is None else base.copy()
    for added, region in regions:
        mask[_region_mask(shape, region)] = added
    return mask


def _region_mask(shape: tuple[int, int], region: Region) -> Mask:
    if isinstance(region, Ellipse):
        return ellipse_mask(shape, *region)
    return polygon_mask(shape, region.points)
