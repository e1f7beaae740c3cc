"""Close-ups: what of the movie each of them shows in each frame, the picture of it, and the way back from its points to the movie.

Points are (x, y) px, pixel centres at integers, y down; angles in rad from the x axis towards the y axis. A close-up is a square in which
one px is one px of the movie. Its pixel (u, v) shows the point x0 + u cos a - v sin a, y0 + u sin a + v cos a of the movie, where (x0, y0)
is the point at its upper left pixel and a the angle by which it is turned.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Image
from herdbook.artifacts.smooth import Trajectories

# A view is kept to this many digits, which are those of its table: the way back is exact for what was cut, not for what was meant.
PLACE_DIGITS, ANGLE_DIGITS = 3, 5


@dataclass(frozen=True)
class View:
    """What the close-up of the animal `individual` shows from the shown frame number `first` on, one row per frame.

    `x0`, `y0` float64 (n,) px, `angle` float64 (n,) rad as above; NaN where the animal has no position.
    """

    individual: int
    first: int
    x0: Floats
    y0: Floats
    angle: Floats

    @property
    def end(self) -> int:
        """Number of the shown frame after the last."""
        return self.first + len(self.x0)


def plan_views(tracks: Trajectories, frames: NDArray[np.int64], size_px: int, *, head_up: bool, least_frames: float = 1) -> list[View]:
    """The views (in order of individual) of all animals that have positions in at least so many of the `frames` (n,), which are shown.

    Each begins with the first frame in which its animal has a position and ends with the last. The animal is in the middle of a square of
    `size_px`, as far as whole px of the movie allow, or exactly and with its head up if it is turned.
    """
    place = np.full(tracks.frames, -1)
    place[frames] = np.arange(len(frames))
    number = place[tracks.frame]
    order = np.argsort(tracks.individual, kind="stable")
    order = order[number[order] >= 0]
    views = []
    for rows in np.split(order, np.flatnonzero(np.diff(tracks.individual[order])) + 1):
        if len(rows) >= max(1, least_frames):
            first = int(number[rows[0]])
            own = number[rows] - first
            view = np.full((3, int(own[-1]) + 1), np.nan)
            view[:, own] = _look(tracks.x[rows], tracks.y[rows], tracks.heading[rows], size_px, head_up)
            views.append(View(int(tracks.individual[rows[0]]), first, *view))
    return views


def _look(x: Floats, y: Floats, heading: NDArray[np.float32], size_px: int, head_up: bool) -> Floats:
    """x0, y0, angle (3, n) of a view of these places."""
    middle = (size_px - 1) / 2
    if not head_up:
        return np.stack([np.rint(x - middle), np.rint(y - middle), np.zeros(len(x))])
    angle = np.round(_filled(heading.astype(np.float64)) + np.pi / 2, ANGLE_DIGITS)
    cos, sin = np.cos(angle), np.sin(angle)
    corner = np.stack([x - middle * (cos - sin), y - middle * (sin + cos)])
    return np.concatenate([np.round(corner, PLACE_DIGITS), angle[None]])


def _filled(heading: Floats) -> Floats:
    """Headings without gaps: the nearest known one, 0 if none is."""
    known = np.flatnonzero(np.isfinite(heading))
    if not len(known):
        return np.zeros(len(heading))
    after = np.clip(np.searchsorted(known, np.arange(len(heading))), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    rows = np.arange(len(heading))
    nearer = np.abs(rows - known[before]) < np.abs(known[after] - rows)
    return np.asarray(heading[np.where(nearer, known[before], known[after])])


def cut_view(image: Image, x0: float, y0: float, angle: float, size_px: int, out_px: int | None = None) -> Image:
    """The square of `size_px` that begins at this point, turned by this angle, uint8 (size_px, size_px, 3); black outside of the image.

    `out_px` is the size of the picture if it is not to be that of the square. A view without a place (NaN) is black.
    """
    if np.isnan(x0):
        picture = np.zeros((size_px, size_px, 3), np.uint8)
    elif angle:
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = np.array([[cos, -sin, x0], [sin, cos, y0]])
        picture = np.asarray(cv2.warpAffine(image, matrix, (size_px, size_px), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP), np.uint8)
    else:
        picture = _cut_upright(image, int(x0), int(y0), size_px)
    if out_px is None or out_px == size_px:
        return picture
    # Three times as fast as to turn and to enlarge at once.
    how = cv2.INTER_AREA if out_px < size_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (out_px, out_px), interpolation=how), np.uint8)


def _cut_upright(image: Image, x0: int, y0: int, size_px: int) -> Image:
    picture = np.zeros((size_px, size_px, 3), np.uint8)
    height, width = image.shape[:2]
    top, left = min(max(y0, 0), height), min(max(x0, 0), width)
    part = image[top : max(top, y0 + size_px), left : max(left, x0 + size_px)]
    picture[top - y0 : top - y0 + part.shape[0], left - x0 : left - x0 + part.shape[1]] = part
    return picture


def points_to_movie(xy: Floats, x0: Floats, y0: Floats, angle: Floats) -> Floats:
    """Points of a close-up as points of the movie: `xy` (n, points, 2) px; `x0`, `y0`, `angle` (n,) of its view in each of the n frames.

    NaN in frames without a view.
    """
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    u, v = xy[..., 0], xy[..., 1]
    return np.stack([x0[:, None] + u * cos - v * sin, y0[:, None] + u * sin + v * cos], axis=-1)
