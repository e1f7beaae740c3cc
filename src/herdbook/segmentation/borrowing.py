"""Animals that rest through a whole scene of a movie are taken out of its background with the help of another scene of the same place.

A scene may be short: everybody who rests in it would be part of its background, and be lost. In another scene of the movie, under another
light or seen from a camera that stood a little differently, the same ground is bare. Images are (row, col[, channel]) uint8.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Image, Mask
from herdbook.segmentation.registration import Motion

# Light is compared in tiles of this size (px), by their medians; the ratio is smoothed by the median of 3 x 3 tiles, so that an animal that
# fills a tile is not taken for light.
_TILE_PX = 32
_LEAST_RATIO, _MOST_RATIO = 0.1, 10.0
# An animal is darker (or brighter) than the ground by this, in levels, at its core and at its outline: as for animals that rest for most of
# a movie, see `statistics.robust_background`.
_CORE_LEVELS, _OUTLINE_LEVELS = 20.0, 10.0
# Where the ratio of the light differs by more than this from the mean of the tiles around it, there is the edge of a shadow or a lid. The
# edge of light that is by a fifth weaker differs by 0.07; light that changes evenly over the frame by nearly nothing.
_MOST_UNEVEN = 0.05
# What is larger than this share of the frame is no animal, but a part of the scene.
_LARGEST_SHARE = 0.1
# Share of the pixels that must agree within the contrast of an outline, for the other scene to be one of the same place.
_LEAST_ALIKE = 0.9


@dataclass(frozen=True)
class Lender:
    """Another scene of a movie: its columns, and how the scene moved from there to the one that borrows, None if it did not."""

    columns: dict[str, Any]
    motion: Motion | None


def without_resting(scene: dict[str, Any], lender: Lender, polarity: str, black: int) -> dict[str, Any]:
    """A scene whose `luma` (h, w) and `bgr` (h, w, 3) show the ground of another scene where an animal rests.

    polarity: dark or bright, how animals differ from the ground; with either, there is no telling which of two scenes shows the animal, and
    nothing changes. black: level of black of luma.
    """
    if polarity not in ("dark", "bright"):
        return scene
    luma, motion = scene["luma"], lender.motion
    lent = _as_here(lender.columns["luma"], luma, motion, black)
    if (cv2.absdiff(lent, luma) < _OUTLINE_LEVELS).mean() < _LEAST_ALIKE:
        return scene
    inside = _moved(np.full(luma.shape, 255, np.uint8), motion, outside=0) == 255
    animals = _animals(luma, lent, 1 if polarity == "dark" else -1, inside & _lit_evenly(luma, lender, black))
    if not animals.any():
        return scene
    colours = np.stack([_as_here(lender.columns["bgr"][..., c], scene["bgr"][..., c], motion, 0) for c in range(3)], axis=2)
    return scene | {"luma": np.where(animals, lent, luma), "bgr": np.where(animals[:, :, None], colours, scene["bgr"])}


def _moved(image: Image, motion: Motion | None, outside: int | None = None) -> Image:
    return image if motion is None else np.clip(np.rint(motion.moved(image, outside)), 0, 255).astype(np.uint8)


def _as_here(image: Image, here: Image, motion: Motion | None, black: int) -> Image:
    """An image of another scene, moved and lit as this one."""
    moved = _moved(image, motion)
    ratio = _spread(_light_ratio(moved, here, black), here.shape)
    return np.clip(np.rint((moved.astype(np.float64) - black) * ratio + black), 0, 255).astype(np.uint8)


def _light_ratio(before: Image, after: Image, black: int) -> Floats:
    """Light of one image in relation to that of another, float64 (tile rows, tile columns)."""
    rows, columns = (max(3, round(side / _TILE_PX)) for side in before.shape)
    ratio = np.empty((rows, columns), np.float32)
    edges = [np.linspace(0, side, number + 1).round().astype(int) for side, number in zip(before.shape, (rows, columns), strict=True)]
    for row in range(rows):
        for column in range(columns):
            tile = np.s_[edges[0][row] : edges[0][row + 1], edges[1][column] : edges[1][column + 1]]
            ratio[row, column] = max(float(np.median(after[tile])) - black, 1) / max(float(np.median(before[tile])) - black, 1)
    return np.asarray(cv2.medianBlur(ratio, 3).clip(_LEAST_RATIO, _MOST_RATIO), np.float64)


def _padded(tiles: NDArray[Any]) -> NDArray[Any]:
    """Values of tiles with another row and column on all sides, in which they go on as they did."""
    return np.asarray(np.pad(tiles, 1, mode="reflect", reflect_type="odd"))


def _spread(tiles: Floats, shape: tuple[int, ...]) -> Floats:
    """Values of tiles (rows, columns) as an image (h, w), linear between the middles of the tiles and beyond them."""
    rows, columns = (
        ((np.arange(side) + 0.5) * number / side + 0.5).astype(np.float32) for side, number in zip(shape, tiles.shape, strict=True)
    )
    x, y = np.meshgrid(columns, rows)
    return np.asarray(cv2.remap(_padded(tiles), x, y, cv2.INTER_LINEAR), np.float64).clip(_LEAST_RATIO, _MOST_RATIO)


def _lit_evenly(here: Image, lender: Lender, black: int) -> Mask:
    """Pixels (h, w) around which the ratio of the light of both scenes hardly changes."""
    ratio = np.log(_light_ratio(_moved(lender.columns["luma"], lender.motion), here, black)).astype(np.float32)
    around = cv2.blur(_padded(ratio), (3, 3))[1:-1, 1:-1]
    uneven = cv2.dilate(np.abs(ratio - around), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.resize(uneven, here.shape[::-1], interpolation=cv2.INTER_NEAREST) <= _MOST_UNEVEN)


def _animals(here: Image, lent: Image, side: int, allowed: Mask) -> Mask:
    """Pixels (h, w) of groups that are darker (side 1) or brighter (-1) here than in the lent scene, with a core that clearly is."""
    difference = side * (lent.astype(np.int16) - here)
    # A group that reaches beyond what is lit evenly is not an animal.
    count, groups, facts, _ = cv2.connectedComponentsWithStats((difference >= _OUTLINE_LEVELS).astype(np.uint8), connectivity=8)
    chosen = np.zeros(count, np.bool_)
    chosen[groups[difference >= _CORE_LEVELS]] = True
    chosen[groups[~allowed]] = False
    chosen[0] = False
    chosen[facts[:, cv2.CC_STAT_AREA] > _LARGEST_SHARE * here.size] = False
    return np.asarray(chosen[groups])
