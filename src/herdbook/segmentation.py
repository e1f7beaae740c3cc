"""Segmentation of one frame: threshold maps, arenas, blobs, and which blobs' images are worth keeping.

Images are (row, col[, channel]) uint8; points are (x, y) px.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from herdbook import labelling
from herdbook.geometry import Ellipse, Polygon, regions_mask
from herdbook.labelling import Labeller, max_channel_difference

Pixels = NDArray[np.uint8]

# An image keeps this much around its blob, so that a feathered edge has something to fade into.
IMAGE_MARGIN_PX = 3
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
        self._labeller = Labeller(*background.shape)
        self._scale = 1.0 if full_range else 1 / LIMITED_RANGE
        edge = self._inside & (cv2.erode(self._inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) == 0)
        self._edge = np.ascontiguousarray(edge)
        radius = settings["close"]
        self._kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)) if radius else None

    @property
    def needs_colour(self) -> bool:
        """Whether the whole frame is needed in colour."""
        return bool(self._settings["channel"] == "colour" and self._band is None)

    def blobs(self, luma: Pixels, bgr: Pixels | None) -> labelling.Blobs:
        """Blobs of one frame from its luma (height, width), and its colours (height, width, 3) where they are needed."""
        smallest, largest = self._settings["area"]
        if self._band is None and not self.needs_colour and self._kernel is None:
            return self._labeller.label(luma, self._low, self._high, self._background, min_area=smallest, max_area=largest)
        if self._band is not None:
            pixels = cv2.inRange(luma, *self._band) & self._inside
        elif self.needs_colour:
            assert bgr is not None
            pixels = (max_channel_difference(bgr, self._background_bgr) >= self._settings["difference"]) & self._inside
        else:
            pixels = (luma < self._low) | (luma > self._high)
        pixels = pixels.astype(np.uint8)
        if self._kernel is not None:
            pixels = cv2.morphologyEx(pixels, cv2.MORPH_CLOSE, self._kernel) * self._inside
        return self._labeller.label_mask(pixels, luma, self._background, min_area=smallest, max_area=largest)

    def columns(self, frame: int, blobs: labelling.Blobs) -> dict[str, NDArray[Any]]:
        """The columns of the segment artifact for one frame's blobs."""
        area = np.maximum(blobs.area, 1)
        heads = blobs.runs[blobs.run_offsets[:-1]]
        return {
            "frame": np.full(len(blobs), frame, np.int32),
            "x": blobs.x,
            "y": blobs.y,
            "area": blobs.area,
            "box": np.stack([blobs.x0, blobs.y0, blobs.x1, blobs.y1], 1),
            "moments": np.stack([blobs.mxx, blobs.mxy, blobs.myy], 1),
            "contrast": (blobs.contrast_sum / area * self._scale).astype(np.float32),
            "intensity": (blobs.intensity_sum / area).astype(np.float32),
            "arena": self.arena[heads[:, 0], heads[:, 1]],
            "border": _touches(blobs.runs, blobs.run_offsets, self._edge),
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


def image_box(box: NDArray[np.int32], width: int, height: int) -> tuple[int, int, int, int]:
    """The part of the frame that a blob's image shows: its box and a margin."""
    x0, y0, x1, y1 = (int(v) for v in box)
    margin = IMAGE_MARGIN_PX
    return max(0, x0 - margin), max(0, y0 - margin), min(width, x1 + margin), min(height, y1 + margin)


def blank_surroundings(pixels: Pixels, runs: NDArray[np.int32], x0: int, y0: int) -> Pixels:
    """The image (h, w, channels) of a blob with everything farther than the margin from it set to 0, which compresses well."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for row, first, last in runs:
        mask[row - y0, first - x0 : last - x0 + 1] = 1
    side = 2 * IMAGE_MARGIN_PX + 1
    near = cv2.dilate(mask, np.ones((side, side), np.uint8))
    return np.asarray(pixels * near[:, :, None])


def one_to_one(overlaps: NDArray[np.int64], blobs: int, next_blobs: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which blobs of a frame (blobs,) and of the next (next_blobs,) share pixels with exactly one, and that one with nothing else.

    `overlaps` int64 (m, 3): blob, blob of the next frame counted on from the first frame's, shared pixels.
    """
    a, b = overlaps[:, 0], overlaps[:, 1] - blobs
    sure = (np.bincount(a, minlength=blobs)[a] == 1) & (np.bincount(b, minlength=next_blobs)[b] == 1)
    left, right = np.zeros(blobs, bool), np.zeros(next_blobs, bool)
    left[a[sure]] = True
    right[b[sure]] = True
    return left, right
