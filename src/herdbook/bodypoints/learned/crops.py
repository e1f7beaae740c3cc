"""Head-up pictures of one animal each, and a second channel that tells where others are. Points are (x, y) px of the movie, or of a crop.

A crop is square; the animal's place is in its middle and its heading points up. Places and headings are (n, 2) px and (n,) rad.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numba import njit

from herdbook.arrays import Floats, Image, Pixels

# Where the picture of an ellipse is full and where it ends, in half axes: positions inside a contact are off by a tenth of a body.
SOFT = (0.7, 1.3)


class CropView(NamedTuple):
    """How crops are made: `side_px` of the movie on `size` px of the crop."""

    side_px: float
    size: int

    @property
    def scale(self) -> float:
        """Crop px in a px of the movie."""
        return self.size / self.side_px

    def wider(self, factor: float) -> "CropView":
        """The same scale with more around the animal."""
        size = int(np.ceil(self.size * factor / 2)) * 2
        return CropView(size / self.scale, size)


def turned(offsets: Floats, angle: Floats) -> Floats:
    """Offsets (..., 2) in the movie as offsets in crops (..., 2) of the same scale whose up is `angle` (...)."""
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y = offsets[..., 0], offsets[..., 1]
    return np.stack([cosine * y - sine * x, -cosine * x - sine * y], -1)


def turned_back(offsets: Floats, angle: Floats) -> Floats:
    """The inverse of `turned`."""
    cosine, sine = np.cos(angle), np.sin(angle)
    right, down = offsets[..., 0], offsets[..., 1]
    return np.stack([-sine * right - cosine * down, cosine * right - sine * down], -1)


def to_crop(points: Floats, place: Floats, heading: Floats, view: CropView) -> Floats:
    """Points (n, k, 2) of the movie in the crops of n animals."""
    return np.asarray(view.scale * turned(points - place[:, None], heading[:, None]) + (view.size - 1) / 2)


def to_movie(points: Floats, place: Floats, heading: Floats, view: CropView) -> Floats:
    """Points (n, k, 2) in the crops of n animals as points of the movie."""
    return np.asarray(turned_back((points - (view.size - 1) / 2) / view.scale, heading[:, None]) + place[:, None])


def cut_crop(picture: Image, place: Floats, heading: float, view: CropView) -> Image:
    """The crop (size, size) of one animal; beyond the picture its edge goes on."""
    shrink = max(1, int(1 / view.scale))
    x, y = float(place[0]), float(place[1])
    if shrink > 1:
        # A turned picture takes single pixels: of a large animal most would be passed over, so areas are averaged first.
        reach = int(np.ceil(0.75 * view.side_px)) // shrink * shrink + shrink
        x0, y0 = int(x) - reach, int(y) - reach
        picture = _padded(picture, x0, y0, 2 * reach)
        picture = np.asarray(cv2.resize(picture, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8)
        x, y = (x - x0 + 0.5) / shrink - 0.5, (y - y0 + 0.5) / shrink - 0.5
    cosine, sine = view.scale * shrink * np.cos(heading), view.scale * shrink * np.sin(heading)
    middle = (view.size - 1) / 2
    matrix = np.array([[-sine, cosine, middle + sine * x - cosine * y], [-cosine, -sine, middle + cosine * x + sine * y]])
    return np.asarray(cv2.warpAffine(picture, matrix, (view.size, view.size), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _padded(picture: Image, x0: int, y0: int, side: int) -> Image:
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(y0, y0 + side), 0, height - 1)
    columns = np.clip(np.arange(x0, x0 + side), 0, width - 1)
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][np.ix_(rows - rows[0], columns - columns[0])])


@njit(cache=True, nogil=True)
def draw_ellipses(shapes: Floats, full: float, end: float, crop: Pixels) -> None:
    """Draw ellipses (k, 5) into a crop (size, size): middle x, y, half axes along and across (px), and angle (rad) of the first axis.

    Each is 255 inside of `full` half axes and fades to 0 at `end`.
    """
    size = len(crop)
    for k in range(len(shapes)):
        x, y, along, across, angle = shapes[k]
        reach = end * max(along, across)
        cosine, sine = np.cos(angle), np.sin(angle)
        for row in range(max(0, int(y - reach)), min(size, int(y + reach) + 2)):
            for column in range(max(0, int(x - reach)), min(size, int(x + reach) + 2)):
                u = ((column - x) * cosine + (row - y) * sine) / along
                v = ((row - y) * cosine - (column - x) * sine) / across
                shown = (end - np.sqrt(u * u + v * v)) / (end - full)
                level = np.uint8(255 * min(max(shown, 0.0), 1.0))
                crop[row, column] = max(crop[row, column], level)


def others_in_crop(place: Floats, heading: Floats, who: int, half_axes: tuple[float, float], view: CropView) -> Floats:
    """Ellipses (k, 5), as in `draw_ellipses`, of the other animals of a frame in the crop of animal `who`.

    `place` (n, 2) and `heading` (n,) of all animals of the frame, NaN where unknown; `half_axes` of a body along and across, px.
    """
    near = np.hypot(*(place - place[who]).T) < 0.75 * view.side_px + max(half_axes)
    near[who] = False
    rows = np.flatnonzero(near & ~np.isnan(heading))
    if not len(rows):
        return np.zeros((0, 5))
    middle = to_crop(place[None, rows], place[who : who + 1], heading[who : who + 1], view)[0]
    axes = np.broadcast_to(np.array(half_axes) * view.scale, (len(rows), 2))
    # In a crop the animal's own heading is up, -pi/2.
    angle = heading[rows] - heading[who] - np.pi / 2
    return np.column_stack([middle, axes, angle])
