"""Segmentation of one frame: pixels that differ from the background, or are between grey levels, inside of the arenas.

Images are (row, col[, channel]) uint8; points are (x, y) px.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints, Pixels
from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import LOST_AS, LOST_BORDER, LOST_FAINT, LOST_LARGE, LOST_SMALL
from herdbook.movie.frame import Frame
from herdbook.segmentation import components
from herdbook.segmentation.arenas import arena_edges, map_arenas, split_touching
from herdbook.segmentation.components import Labeller, Rows
from herdbook.segmentation.light import LightMeter, at_unit_gain
from herdbook.segmentation.masks import above, clean_mask, expanded, reduced
from herdbook.segmentation.noise import NOISE_STEPS
from herdbook.segmentation.statistics import OUTLIER_Z
from herdbook.segmentation.tables import chosen_blobs, joined_blobs, summed_differences, touching
from herdbook.segmentation.thresholds import (
    LIMITED_BLACK,
    LIMITED_RANGE,
    NO_MARGIN,
    Bounds,
    band_bounds,
    difference_bounds,
    luma_band,
    relative_light,
    signed_margins,
)

# Part of the colours (h, w, 3) for each setting of channel.
_CHANNELS = {"blue": slice(0, 1), "green": slice(1, 2), "red": slice(2, 3), "colour": slice(0, 3)}
# Frames whose brightness relative to the background is outside of this range cannot be matched to it.
_LEAST_GAIN, _MOST_GAIN = 1 / 3, 3.0


# Specks are dropped by the thousand, rightly. Worth counting are those nearly as large as the smallest blob: this share of its area.
NEARLY_LARGE = 0.5
# What was dropped of a frame, int32 (m, 3): arena, reason (index into `artifacts.segment.LOST_AS`), number of blobs.
Losses = NDArray[np.int32]
NO_LOSSES: Losses = np.zeros((0, 3), np.int32)
NO_LOSSES.flags.writeable = False


@dataclass(frozen=True)
class _Reference:
    """The images with which frames first .. end - 1 are compared.

    `luma` and `colours` (h, w, 3) of the background; `bounds` as images, in the resolution of the comparison; `rows`: bounds and background
    as the labeller takes them, for each part of the arenas; `shifts`: smallest and largest shift in brightness of a usable frame, levels.
    """

    first: int
    end: float
    luma: Pixels
    colours: Pixels
    bounds: Bounds
    rows: list[tuple[Rows, Rows, Rows]]
    meter: LightMeter
    shifts: tuple[float, float]


def unread_images(settings: Mapping[str, Any]) -> set[str]:
    """The images of a background that a `Segmenter` with these settings does not use."""
    grey, noise = settings["channel"] not in _CHANNELS, settings["difference_noise"] is not None
    wanted = {"bgr": not grey, "luma_noise": grey and noise, "bgr_noise": noise and not grey}
    return {name for name, needed in wanted.items() if not needed}


class _Ground:
    """What arenas and background alone decide, whatever tells animals from the background; made once for many settings.

    `light(window)`: illumination relative to its median; `level(window)`: median level of the background; `meter(window)`; `coarse(n)`: the
    parts of the arenas in frames reduced n times.
    """

    def __init__(self, background: Background, arenas: Sequence[Mapping[str, Any]], black: int, masks: Sequence[Path]) -> None:
        self.arenas, self.masks = [dict(arena) for arena in arenas], list(masks)
        self.number = map_arenas(arenas, background.luma.shape[1:], masks)
        self.inside = self.number >= 0
        self.edge = arena_edges(self.number)
        self.parts = [above(part.astype(np.uint8), 0) for part in split_touching(self.number)]
        self.labeller = Labeller(*self.number.shape)
        self.meter = cache(lambda window: LightMeter(background.luma[window], self.inside, black))
        self.level = cache(lambda window: float(np.median(background.luma[window][self.inside])))
        self.light = cache(lambda window: relative_light(background.luma[window], self.inside, black))
        # A pixel of the reduced frame belongs to an arena if it contains any of its pixels; the result is clipped to the arena.
        self.coarse = cache(lambda factor: [above(reduced((part > 0).astype(np.float32), factor), 0) for part in self.parts])


class Segmenter:
    """Finds the blobs of each frame of a movie with fixed settings (the experiment file's section `segment`)."""

    def __init__(
        self,
        background: Background,
        settings: Mapping[str, Any],
        full_range: bool,
        masks: Sequence[Path] = (),
        *,
        like: "Segmenter | None" = None,
    ) -> None:
        self._background, self._settings, self._full_range = background, settings, full_range
        self._black, self._unit = (0, 1.0) if full_range else (LIMITED_BLACK, LIMITED_RANGE)
        shared = like is not None and like._ground.arenas == list(settings["arenas"]) and like._ground.masks == list(masks)
        self._ground: _Ground = like._ground if like is not None and shared else _Ground(background, settings["arenas"], self._black, masks)
        self.arena, self._edge, self._labeller = self._ground.number, self._ground.edge, self._ground.labeller
        self._channels = _CHANNELS.get(settings["channel"])
        self._reduce, self._blur = settings["reduce"], settings["blur"] / settings["reduce"]
        self._close, self._open = (round(settings[name] / self._reduce) for name in ("close", "open"))
        self._parts, self._coarse_parts = self._ground.parts, self._ground.coarse(self._reduce)
        cleans = self._close or self._open or settings["fill_holes"] or self._blur or self._reduce > 1
        # The fast method compares and labels in one pass; the other one makes a mask first.
        self._fast = self._channels is None and not cleans
        self._scene = self._scene_at(0)

    def retuned(self, settings: Mapping[str, Any], masks: Sequence[Path] | None = None) -> "Segmenter":
        """A segmenter with other settings for the same movie, and other files of masks if they are given.

        It finds the blobs that a new one finds, but shares with this one what the settings leave as it is: maps of the arenas, and what is
        measured of the background. Both share buffers, too, so that one thread must use them.
        """
        files = self._ground.masks if masks is None else masks
        return Segmenter(self._background, settings, self._full_range, files, like=self)

    def uses(self, background: Background) -> bool:
        """Whether frames are compared with this background."""
        return self._background is background

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frames, px."""
        height, width = self.arena.shape
        return height, width

    def blobs(self, frame: Frame) -> components.FrameBlobs | None:
        """Blobs of one frame, each in one arena: arenas that touch are segmented one after the other.

        None for a broken frame: it is black, or differs as a whole so much from the background that animals cannot be separated from it.
        """
        found = self.separate(frame)
        return None if found is None else found[0]

    def separate(self, frame: Frame) -> tuple[components.FrameBlobs, Losses] | None:
        """Blobs of one frame, and what was dropped: see `blobs` and `Losses`."""
        found = self.judged(frame, max(1, math.ceil(NEARLY_LARGE * self._settings["area"][0])))
        if found is None:
            return None
        blobs, reason = found
        lost = np.flatnonzero(reason >= 0)
        if not len(lost):
            return blobs, NO_LOSSES
        heads = blobs.runs[blobs.run_offsets[lost]]
        counts = np.bincount(self.arena[heads[:, 0], heads[:, 1]].astype(np.int64) * len(LOST_AS) + reason[lost])
        kinds = np.flatnonzero(counts)
        losses = np.column_stack([*divmod(kinds, len(LOST_AS)), counts[kinds]]).astype(np.int32)
        return chosen_blobs(blobs, reason < 0), losses

    def judged(self, frame: Frame, least: int) -> tuple[components.FrameBlobs, Ints] | None:
        """All blobs of one frame of at least `least` px, and why each is dropped, (n,): index into `LOST_AS`, -1 for those that are kept.

        None for a broken frame, as in `blobs`.
        """
        if not self._scene.first <= frame.index < self._scene.end:
            self._scene = self._scene_at(frame.index)
        scene, luma, gain = self._scene, frame.luma, 1.0
        if self._settings["flicker"]:
            gain = scene.meter.gain(luma)
            if not _LEAST_GAIN < gain < _MOST_GAIN:
                return None
            luma = at_unit_gain(luma, gain, self._black)
        elif not scene.shifts[0] <= scene.meter.shift(luma) <= scene.shifts[1]:
            return None
        if scene.rows:
            found = [self._labeller.label(luma, *rows, min_area=least) for rows in scene.rows]
            blobs = found[0] if len(found) == 1 else joined_blobs(found)
            return blobs, self._reasons(blobs)
        colours = None
        if self._channels is not None:
            colours = at_unit_gain(np.ascontiguousarray(frame.bgr()[:, :, self._channels]), gain, 0)
        masks = self._masks(luma if colours is None else colours)
        blobs = joined_blobs([self._labeller.label_mask(mask, luma, scene.luma, min_area=least) for mask in masks])
        if colours is not None:
            # In units of luma.
            blobs.contrast_sum = self._unit * summed_differences(blobs.runs, blobs.run_offsets, colours, scene.colours)
        return blobs, self._reasons(blobs)

    def _masks(self, image: Pixels) -> Iterator[Pixels]:
        """Foreground of luma (h, w) or colours (h, w, channels) in each part of the arenas, cleaned, in full resolution."""
        plane, bounds = self._prepared(image), self._scene.bounds
        if self._reduce == 1:
            between = cv2.inRange(plane, bounds.lowest, bounds.highest)
            coarse = fine = np.asarray(between if bounds.within else cv2.bitwise_not(between), np.uint8)
        else:
            margins = signed_margins(plane, bounds)
            coarse, fine = above(margins, NO_MARGIN), above(expanded(margins, self._reduce, self.shape, smooth=True), NO_MARGIN)
        for inside, part in zip(self._parts, self._coarse_parts, strict=True):
            seen = cv2.bitwise_and(coarse, part)
            clean = clean_mask(seen, self._close, self._open, self._settings["fill_holes"])
            if self._reduce == 1:
                yield cv2.bitwise_and(clean, inside)
                continue
            moved = cv2.bitwise_xor(clean, seen)
            # Outlines keep their full resolution, except where cleaning has moved them.
            if moved.any():
                fine = np.where(expanded(moved, self._reduce, self.shape), expanded(clean, self._reduce, self.shape), fine)
            yield cv2.bitwise_and(fine, inside)

    def _prepared(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image in the resolution of the comparison, blurred; one with a single channel becomes (h, w)."""
        plane = reduced(image[:, :, 0] if image.shape[2:] == (1,) else image, self._reduce)
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), self._blur)) if self._blur else plane

    def _reasons(self, blobs: components.FrameBlobs) -> Ints:
        """Why blobs are dropped: their area, too little contrast or, if drop_border is set, the border; -1 for the others."""
        smallest, largest = self._settings["area"]
        # In the order of LOST_AS from behind: the first reason is the one that counts.
        reason = np.full(len(blobs), -1, np.int64)
        if self._settings["drop_border"]:
            reason[touching(blobs.runs, blobs.run_offsets, self._edge)] = LOST_BORDER
        if self._settings["min_contrast"] > 0:
            reason[blobs.contrast_sum < self._settings["min_contrast"] * self._unit * blobs.area] = LOST_FAINT
        reason[blobs.area > largest] = LOST_LARGE
        reason[blobs.area < smallest] = LOST_SMALL
        return reason

    def _scene_at(self, frame: int) -> _Reference:
        background = self._background
        window = background.window_at(frame)
        luma, channels = background.luma[window], self._channels
        colours = luma[:, :, None][:, :, :0] if channels is None else np.ascontiguousarray(background.bgr[window][:, :, channels])
        bounds, typical = self._bounds(window, luma, colours)
        fast = self._fast and not bounds.within
        limits = [
            (cv2.bitwise_and(bounds.lowest, part), cv2.bitwise_or(bounds.highest, cv2.bitwise_not(part)))
            for part in (self._coarse_parts if fast else [])
        ]
        return _Reference(
            first=int(background.first_frame[window]),
            end=float([*background.first_frame, np.inf][window + 1]),
            luma=luma,
            colours=colours,
            bounds=bounds,
            rows=[(self._labeller.prepare(low), self._labeller.prepare(high), self._labeller.prepare(luma)) for low, high in limits],
            meter=self._ground.meter(window),
            shifts=self._shifts(self._ground.level(window), max(OUTLIER_Z * float(background.spread[window]), typical)),
        )

    def _shifts(self, ground: float, least: float) -> tuple[float, float]:
        """Range of shifts of a whole frame, in levels, in which animals can still be separated from the ground, whose level is `ground`.

        A shift of `least` levels towards the animals would be detected as an animal. A shift away from the animals hides some of them, but
        is never detected as one: up to half of the brightness is accepted.
        """
        settings, away = self._settings, max(least, (ground - self._black) / 2)
        dark, bright = (settings["polarity"] in (side, "either") for side in ("dark", "bright"))
        if settings["method"] == "intensity":
            dark = sum(luma_band(settings["intensity"], self._full_range)) / 2 < ground
            bright = not dark
        return -least if dark else -away, least if bright else away

    def _bounds(self, window: int, luma: Pixels, colours: Pixels) -> tuple[Bounds, float]:
        """Bounds of the levels of a window's background or of animals, and the typical difference between both."""
        settings, grey = self._settings, self._channels is None
        unit, black = (self._unit, self._black) if grey else (1.0, 0)
        light = self._prepared(self._ground.light(window)) if settings["flat_field"] else None
        least: Any = settings["difference"] * unit
        if settings["method"] == "intensity":
            band = luma_band(settings["intensity"], self._full_range or not grey)
            light = np.ones(self._coarse_parts[0].shape, np.float32) if light is None else light
            return band_bounds(band, light, channels=max(1, colours.shape[2]), black=black), settings["difference"] * unit
        if settings["difference_noise"] is not None:
            noise = self._background.luma_noise[window] if grey else self._background.bgr_noise[window][:, :, self._channels]
            least = settings["difference_noise"] / NOISE_STEPS * self._prepared(noise.astype(np.float32))
        elif light is not None:
            least = least * (light[:, :, None] if colours.shape[2] == 3 else light)
        return difference_bounds(self._prepared(luma if grey else colours), least, settings["polarity"]), float(np.median(least))

    def columns(self, frame: NDArray[np.int32], blobs: components.FrameBlobs) -> dict[str, NDArray[Any]]:
        """The columns of the segment artifact for the first len(frame) of the blobs; `frame` (n,) are the numbers of their frames."""
        n = len(frame)
        area = blobs.area[:n]
        heads = blobs.runs[blobs.run_offsets[:n]]
        return {
            "frame": frame,
            "x": blobs.x[:n],
            "y": blobs.y[:n],
            "area": area,
            "box": np.stack([blobs.x0[:n], blobs.y0[:n], blobs.x1[:n], blobs.y1[:n]], 1),
            "moments": np.stack([blobs.mxx[:n], blobs.mxy[:n], blobs.myy[:n]], 1).astype(np.float32),
            "contrast": (blobs.contrast_sum[:n] / area / self._unit).astype(np.float32),
            "intensity": (blobs.intensity_sum[:n] / area).astype(np.float32),
            "arena": self.arena[heads[:, 0], heads[:, 1]],
            "border": touching(blobs.runs, blobs.run_offsets[: n + 1], self._edge),
        }
