"""Segmentation of one frame: threshold maps, arenas, and blobs.

Images are (row, col[, channel]) uint8; points are (x, y) px.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook import labelling
from herdbook.geometry import Ellipse, Polygon, regions_mask
from herdbook.labelling import Labeller, max_channel_difference
from herdbook.movie import Frame

Pixels = NDArray[np.uint8]

# Grey levels 0..255 are luma 16..235 in movies of limited range.
LIMITED_RANGE = 219 / 255


def grey_to_luma(grey: float, full_range: bool) -> float:
    """The luma of a grey level."""
    return grey if full_range else 16 + grey * LIMITED_RANGE


def arena_masks(arenas: Sequence[Mapping[str, Any]], shape: tuple[int, int]) -> NDArray[np.int16]:
    """Number of the arena at each pixel, int16 (height, width), -1 outside of all; the whole frame is arena 0 when there is none.

    Arenas are dicts with include and exclude, lists of {"ellipse": {centre, axes, angle}} or {"polygon": [[x, y], ...]}.
    """
    if not arenas:
        return np.zeros(shape, np.int16)
    number = np.full(shape, -1, np.int16)
    for k, arena in enumerate(arenas):
        inside = regions_mask(shape, [region(r) for r in arena.get("include", [])], [region(r) for r in arena.get("exclude", [])])
        number[inside] = k
    return number


def region(shape: Mapping[str, Any]) -> Ellipse | Polygon:
    """A region of the experiment file as geometry."""
    if "ellipse" in shape:
        ellipse = shape["ellipse"]
        return Ellipse(tuple(ellipse["centre"]), tuple(ellipse["axes"]), ellipse.get("angle", 0.0))
    return Polygon(tuple(tuple(p) for p in shape["polygon"]))


def luma_band(intensity: Sequence[float], full_range: bool) -> tuple[int, int]:
    """Darkest and brightest luma of an animal, given as grey levels; black and white stand for all that lies beyond them, too."""
    darkest, brightest = intensity
    lowest = 0 if darkest <= 0 else int(np.ceil(grey_to_luma(darkest, full_range)))
    highest = 255 if brightest >= 255 else int(np.floor(grey_to_luma(brightest, full_range)))
    return lowest, highest


def threshold_maps(background: Pixels, settings: Mapping[str, Any], inside: NDArray[np.bool_], full_range: bool) -> tuple[Pixels, Pixels]:
    """Lowest and highest luma (both uint8 (height, width)) that still count as background; outside of the arena nothing is foreground."""
    low, high = np.zeros(background.shape), np.full(background.shape, 255.0)
    difference = settings["difference"] * (1.0 if full_range else LIMITED_RANGE)
    if settings["polarity"] in ("dark", "either"):
        low = np.floor(background - difference) + 1
    if settings["polarity"] in ("bright", "either"):
        high = np.ceil(background + difference) - 1
    lowest, highest = np.clip(low, 0, 255).astype(np.uint8), np.clip(high, 0, 255).astype(np.uint8)
    lowest[~inside], highest[~inside] = 0, 255
    return lowest, highest


class Segmenter:
    """Finds the blobs of each frame of a movie with fixed settings (the experiment file's section `segment`)."""

    def __init__(self, background: Pixels, background_bgr: Pixels, settings: Mapping[str, Any], full_range: bool) -> None:
        self._settings = settings
        self._background, self._background_bgr = background, background_bgr
        self.arena = arena_masks(settings["arenas"], background.shape[:2])
        self._inside = self.arena >= 0
        self._low, self._high = threshold_maps(background, settings, self._inside, full_range)
        self._band = luma_band(settings["intensity"], full_range) if settings["method"] == "intensity" else None
        self._labeller = Labeller(*self.shape)
        self._maps = [self._labeller.prepare(image) for image in (self._low, self._high, background)]
        self._colour = settings["channel"] == "colour" and settings["method"] == "background"
        self._scale = 1.0 if full_range else 1 / LIMITED_RANGE
        edge = self._inside & (cv2.erode(self._inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) == 0)
        self._edge = np.ascontiguousarray(edge)
        radius = settings["close"]
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)) if radius else None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frames, px."""
        height, width = self.arena.shape
        return height, width

    def copy(self) -> "Segmenter":
        """A segmenter of its own for another thread; the maps are shared."""
        other = copy(self)
        other._labeller = Labeller(*self.shape)
        return other

    def blobs(self, frame: Frame) -> labelling.Blobs:
        """Blobs of one frame."""
        smallest, largest = self._settings["area"]
        luma = frame.luma
        if not self._colour and self._kernel is None:
            return self._labeller.label(luma, *self._maps, min_area=smallest, max_area=largest)
        if self._colour:
            mask = (max_channel_difference(frame.bgr(), self._background_bgr) >= self._settings["difference"]) & self._inside
        else:
            mask = (luma < self._low) | (luma > self._high)
        pixels = mask.astype(np.uint8)
        if self._kernel is not None:
            pixels = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, self._kernel) * self._inside
        return self._labeller.label_mask(pixels, luma, self._background, min_area=smallest, max_area=largest)

    def columns(self, frame: NDArray[np.int32], blobs: labelling.Blobs) -> dict[str, NDArray[Any]]:
        """The columns of the segment artifact for blobs, of which the first len(frame) count; `frame` is the number of their frames."""
        n = len(frame)
        area = blobs.area[:n]
        heads = blobs.runs[blobs.run_offsets[:n]]
        return {
            "frame": frame,
            "x": blobs.x[:n],
            "y": blobs.y[:n],
            "area": area,
            "box": np.stack([blobs.x0[:n], blobs.y0[:n], blobs.x1[:n], blobs.y1[:n]], 1),
            "moments": np.stack([blobs.mxx[:n], blobs.mxy[:n], blobs.myy[:n]], 1),
            "contrast": (blobs.contrast_sum[:n] / area * self._scale).astype(np.float32),
            "intensity": (blobs.intensity_sum[:n] / area).astype(np.float32),
            "arena": self.arena[heads[:, 0], heads[:, 1]],
            "border": _touches(blobs.runs, blobs.run_offsets[: n + 1], self._edge),
        }


@njit(cache=True, nogil=True)
def _touches(runs: NDArray[np.int32], offsets: NDArray[np.int64], edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    touches = np.zeros(len(offsets) - 1, np.bool_)
    for blob in range(len(touches)):
        for r in range(offsets[blob], offsets[blob + 1]):
            for column in range(runs[r, 1], runs[r, 2] + 1):
                if edge[runs[r, 0], column]:
                    touches[blob] = True
                    break
            if touches[blob]:
                break
    return touches
