"""Maps of arenas: to which arena each pixel belongs, and which arenas can be segmented together. Masks are (row, col), points (x, y) px."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Mask
from herdbook.errors import HerdbookError, parsing
from herdbook.experiment.frame_faults import ordered_regions
from herdbook.geometry.regions import Ellipse, Polygon, paint_regions
from herdbook.segmentation.scene_file import image_size

ArenaMap = NDArray[np.int16]


def map_arenas(arenas: Sequence[Mapping[str, Any]], shape: tuple[int, int], masks: Sequence[Path] = ()) -> ArenaMap:
    """Number of the arena at each pixel, int16 (height, width), -1 outside of all; without arenas the whole frame is arena 0.

    `arenas` are as in the settings of stage segment: dicts with include and exclude, lists of {"ellipse": {centre, axes, angle}} or
    {"polygon": [[x, y], ...]}, or regions, a list of {"include": shape} or {"exclude": shape}; `masks` are the files of those with the key
    mask. Raises HerdbookError if arenas overlap or contain no pixel, and for a mask that cannot be used.
    """
    if not arenas:
        return np.zeros(shape, np.int16)
    number = np.full(shape, -1, np.int16)
    names = [arena.get("name", "arena") for arena in arenas]
    files = iter(masks)
    faults = []
    for k, arena in enumerate(arenas):
        base = read_mask(next(files), shape, names[k]) if "mask" in arena else None
        inside = paint_regions(shape, [(adds, _as_region(shape_)) for _, adds, shape_ in ordered_regions(arena)], base)
        if not inside.any():
            faults.append(f"the arena {names[k]!r} contains no pixel of the frame")
        for other, pixels in zip(*np.unique(number[inside], return_counts=True), strict=True):
            if other >= 0:
                faults.append(f"the arenas {names[other]!r} and {names[k]!r} overlap in {pixels} px; a pixel belongs to one arena")
        number[inside] = k
    if faults:
        raise HerdbookError("; ".join(faults))
    return number


def read_mask(path: Path, shape: tuple[int, int], name: str) -> Mask:
    """The mask (height, width) of the arena `name` from an image file: pixels that are not black are inside; transparency is ignored.

    Raises HerdbookError if the file is not an image, or not of the size of the movie.
    """
    size = image_size(path)
    if size and size != shape[::-1]:
        raise HerdbookError(
            f"{path}: the mask of the arena {name!r} is {size[0]} x {size[1]} px, the movie {shape[1]} x {shape[0]} px. "
            "Draw it on a frame of the movie in full size."
        )
    with parsing(path, f"the mask of the arena {name!r} cannot be read", "Give an image file such as PNG."):
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if size else None
    if pixels is None or pixels.shape[:2] != shape:
        raise HerdbookError(f"{path}: the mask of the arena {name!r} cannot be read. Give an image file such as PNG.")
    return np.asarray(pixels[..., :3].any(axis=2) if pixels.ndim == 3 else pixels > 0)


def split_touching(number: ArenaMap) -> list[Mask]:
    """Masks (height, width) that together contain all arenas, each in one mask, so that no two arenas of a mask touch (8 neighbours).

    There is one mask unless arenas touch. Each blob of a mask is then in one arena.
    """
    arenas = int(number.max()) + 1
    touching: list[set[int]] = [set() for _ in range(arenas)]
    rows, columns = number.shape
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        here = number[: rows - down, max(0, -right) : columns - max(0, right)]
        there = number[down:, max(0, right) : columns + min(0, right)]
        meet = (here != there) & (here >= 0) & (there >= 0)
        for a, b in np.unique(np.stack([here[meet], there[meet]], 1), axis=0):
            touching[a].add(int(b))
            touching[b].add(int(a))
    layer = np.zeros(arenas + 1, np.int64)
    layer[-1] = -1  # outside of all arenas
    for arena in range(arenas):
        taken = {int(layer[other]) for other in touching[arena] if other < arena}
        layer[arena] = next(k for k in range(arenas) if k not in taken)
    return [np.asarray(layer[number] == k) for k in range(int(layer.max()) + 1)]


def arena_edges(number: ArenaMap) -> Mask:
    """The pixels (height, width) of arenas that have a neighbour (of 8) outside of their arena or of the frame."""
    framed = cv2.copyMakeBorder(number, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=-1)
    kernel = np.ones((3, 3), np.uint8)
    lowest, highest = cv2.erode(framed, kernel)[1:-1, 1:-1], cv2.dilate(framed, kernel)[1:-1, 1:-1]
    return np.ascontiguousarray((number >= 0) & (lowest != highest))


def _as_region(shape: Mapping[str, Any]) -> Ellipse | Polygon:
    if "ellipse" in shape:
        ellipse = shape["ellipse"]
        return Ellipse(tuple(ellipse["centre"]), tuple(ellipse["axes"]), ellipse.get("angle", 0.0))
    return Polygon(tuple(tuple(p) for p in shape["polygon"]))
