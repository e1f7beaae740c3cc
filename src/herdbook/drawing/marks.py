"""What the overlay movie shows on one frame: trails, marks, names, outlines, captions. Points are (x, y) px of the frame drawn on.

Everything scales with the frame's height. Nothing here knows a movie or a file; images are (row, column, 3) BGR uint8 and are
drawn on in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

from herdbook.arrays import Floats, Image
from herdbook.artifacts.smooth import FROM_CORRECTED, FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE, SOURCES
from herdbook.drawing.kernels import blend_label, find_corners, outline_runs

Colour = tuple[int, int, int]

HALO: Colour = (16, 16, 16)
WHITE: Colour = (255, 255, 255)
_SUBPIXEL_BITS = 4
_HALO_OPACITY = 0.8
# Letters are thin: in the darker colours they need this much white to be read inside of their halo.
_LETTERS_WHITE = 0.4


@dataclass(frozen=True)
class Style:
    """Sizes that belong to a frame's height: `font_px` of names, `radius` of marks, `line` of trails, all px."""

    font_px: int
    radius: float
    line: int

    @classmethod
    def for_height(cls, height: int) -> "Style":
        """The sizes for a frame of this height (px): names of 12 px at 480, of 21 at 1280."""
        font_px = round(float(np.clip(0.011 * height + 7, 9, 24)))
        return cls(font_px, max(2.5, 0.28 * font_px), max(1, round(font_px / 10)))


@dataclass(frozen=True)
class TextLabel:
    """A text as two opacities 0..1, float32 (h, w, 1): of the letters and of the dark halo around them."""

    letters: NDArray[np.float32]
    halo: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.letters.shape[1], self.letters.shape[0]


def make_label(text: str, font_px: int) -> TextLabel:
    """The text in letters of this size (px); line breaks and tabs count as spaces."""
    font = _font(font_px)
    text = " ".join(text.split()) or "?"
    pad = 1 + font_px // 10
    ascent, descent = font.getmetrics()
    left, _, right, _ = (round(edge) for edge in font.getbbox(text, anchor="ls"))
    canvas = PIL.Image.new("L", (right - left + 2 * pad, ascent + descent + 2 * pad))
    PIL.ImageDraw.Draw(canvas).text((pad - left, pad + ascent), text, fill=255, font=font, anchor="ls")
    letters = np.asarray(canvas)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pad + 1, 2 * pad + 1))
    halo = np.asarray(cv2.dilate(letters, kernel), np.uint8)
    return TextLabel(_opacity(letters, 1.0), _opacity(halo, _HALO_OPACITY))


# For texts that come again. A text of its own for each frame must not be kept: the small pieces of memory between the frames' large ones
# let the heap grow by a frame's size with each of them (5.6 GB over 3,000 frames of 960x720).
kept_label = lru_cache(maxsize=4096)(make_label)


def draw_label(image: Image, label: TextLabel, corner: tuple[int, int], colour: Colour) -> None:
    """Write a text with its top left corner here (x, y); what lies outside of the image is left out."""
    ink = np.array(colour, np.float32)
    ink += _LETTERS_WHITE * (255 - ink)
    blend_label(image, label.letters, label.halo, *corner, np.array(HALO, np.float32), ink)


def draw_trail(image: Image, points: Floats, frames: NDArray[np.int64], colour: Colour, style: Style, longest_gap: int = 1) -> None:
    """A line through the points (n, 2), broken where more than `longest_gap` frames lie between two of them; with a thin dark edge."""
    parts = np.split(points, np.flatnonzero(np.diff(frames) > longest_gap) + 1)
    lines = [np.rint(part * (1 << _SUBPIXEL_BITS)).astype(np.int32) for part in parts if len(part) > 1]
    if lines:
        cv2.polylines(image, lines, False, HALO, style.line + 2, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.polylines(image, lines, False, colour, style.line + 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_mark(image: Image, x: float, y: float, source: int, colour: Colour, style: Style, heading: float = np.nan) -> None:
    """Mark of one position: filled circle single, open circle resolved, cross interpolated, square merged, diamond corrected; a tick shows
    the heading.

    `heading` is in rad (x right, y down), NaN for none.
    """
    radius, line = style.radius, style.line
    centre = np.array([x, y])
    if np.isfinite(heading):
        reach = np.array([1.0, 3.0]) * radius
        ends = centre + np.outer(reach, (np.cos(heading), np.sin(heading)))
        _stroke(image, [ends], colour, line)
    if source in (FROM_SINGLE, FROM_RESOLVED):
        filled = source == FROM_SINGLE
        rings = ((radius + 1, HALO, -1), (radius, colour, -1)) if filled else ((1.2 * radius, HALO, line + 2), (1.2 * radius, colour, line))
        for size, ink, thickness in rings:
            cv2.circle(image, _fixed(centre), round(size * (1 << _SUBPIXEL_BITS)), ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    elif source == FROM_INTERPOLATED:
        arm = 1.2 * radius * np.array([[-1.0, -1.0], [1.0, 1.0]])
        _stroke(image, [centre + arm, centre + arm * (1, -1)], colour, line)
    elif source == FROM_MERGED:
        corners = 1.2 * radius * np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
        _stroke(image, [centre + corners], colour, line)
    elif source == FROM_CORRECTED:
        corners = 1.4 * radius * np.array([[0.0, -1], [1, 0], [0, 1], [-1, 0], [0, -1]])
        _stroke(image, [centre + corners], colour, line)


def draw_bones(image: Image, lines: list[Floats], colour: Colour, style: Style, *, thin: bool) -> None:
    """Straight lines between two points each (2, 2), with a dark edge; `thin` ones are without."""
    fixed = [np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32) for points in lines]
    for ink, thickness in ((colour, 1),) if thin else ((HALO, style.line + 2), (colour, style.line)):
        cv2.polylines(image, fixed, False, ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_dot(image: Image, x: float, y: float, colour: Colour, style: Style, radius: float, *, filled: bool) -> None:
    """A body point: a dot with a dark edge, or a ring."""
    wide = max(radius + 1, 1.4 * radius)
    rings = ((radius + 1, HALO, -1), (radius, colour, -1)) if filled else ((wide, HALO, style.line + 1), (wide, colour, style.line))
    for size, ink, thickness in rings:
        cv2.circle(image, _fixed(np.array([x, y])), round(size * (1 << _SUBPIXEL_BITS)), ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def place_labels(
    anchors: Floats, sizes: NDArray[np.int64], frame_size: tuple[int, int], gap: float, taken: Sequence[tuple[int, int, int, int]] = ()
) -> NDArray[np.int64]:
    """Corners (n, 2) int64 of labels of `sizes` (n, 2) width, height beside their anchors (n, 2), inside the frame (width, height).

    Each label takes the first free place among right, left and rows above and below that covers neither another label, nor a mark
    (a square of 2 `gap` px around each anchor), nor the boxes x0, y0, x1, y1 in `taken`; where none is free, the least covered one.
    """
    corners = np.zeros((len(anchors), 2))
    filled = np.concatenate([np.c_[anchors - gap, anchors + gap], np.reshape(np.asarray(taken, float), (-1, 4))])
    boxes = np.concatenate([filled, np.zeros((len(anchors), 4))])
    # Animals in one place make one column of names if those further up are placed first.
    order = np.lexsort((anchors[:, 0], anchors[:, 1]))
    find_corners(anchors, sizes.astype(np.float64), order, float(gap), boxes, len(filled), *map(float, frame_size), corners)
    return np.rint(corners).astype(np.int64)


def draw_outlines(image: Image, runs: NDArray[np.int32], scale: float) -> None:
    """Outline of blobs from their runs (r, 3) row, first, last column, in px of the full frame: light on dark ground, else dark.

    `scale` is the size of a full-frame pixel on the image.
    """
    if len(runs):
        outline_runs(image, runs, float(scale))


@cache
def source_legend(font_px: int) -> tuple[tuple[int, str, TextLabel], ...]:
    """The entries of the legend of marks: source, its name, the text."""
    return tuple((source, name, kept_label(name, font_px)) for source, name in enumerate(SOURCES))


def draw_legend(image: Image, style: Style) -> tuple[int, int, int, int]:
    """Legend of the marks along the lower left edge, in as many rows as it needs; returns the box that it covers, x0, y0, x1, y1."""
    entries = source_legend(style.font_px)
    step = round(4 * style.radius)
    height = entries[0][2].size[1]
    rows: list[list[tuple[int, int, TextLabel]]] = [[]]
    x = right = 2
    for source, _, label in entries:
        if rows[-1] and x + step + label.size[0] > image.shape[1]:
            rows.append([])
            x = 2
        rows[-1].append((x, source, label))
        x += step + label.size[0] + style.font_px // 2
        right = max(right, x)
    top = image.shape[0] - height * len(rows) - 2
    for number, row in enumerate(rows):
        y = top + number * height
        for x, source, label in row:
            draw_mark(image, x + step / 2, y + height / 2, source, WHITE, style)
            draw_label(image, label, (x + step, y), WHITE)
    return 0, top, right, image.shape[0]


@cache
def _font(font_px: int) -> PIL.ImageFont.FreeTypeFont:
    """DejaVu Sans, which Matplotlib brings along: it has the letters of most alphabets."""
    return PIL.ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")), font_px)


def _opacity(mask: NDArray[np.uint8], share: float) -> NDArray[np.float32]:
    return (share / 255 * mask[..., np.newaxis]).astype(np.float32)


def _stroke(image: Image, lines: list[Floats], colour: Colour, line: int) -> None:
    fixed = [np.rint(points * (1 << _SUBPIXEL_BITS)).astype(np.int32) for points in lines]
    for ink, thickness in ((HALO, line + 2), (colour, line)):
        cv2.polylines(image, fixed, False, ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed(point: Floats) -> tuple[int, int]:
    x, y = np.rint(point * (1 << _SUBPIXEL_BITS)).astype(int)
    return int(x), int(y)
