"""Many small images in one picture, and pictures around a point of a frame. Images are uint8 (row, col, 3) BGR, points (x, y) px."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Image
from herdbook.drawing.marks import HALO, WHITE, draw_label, make_label

GROUND, GAP, SPACE, TEXT_PX = 60, 2, 14, 11
# A picture around a point shows this many body lengths, the close-up beside it so many.
CONTEXT_LENGTHS, CLOSE_LENGTHS = 9.0, 2.2
LOOK_PX = 300
YELLOW = (0, 230, 255)


def montage(blocks: Sequence[tuple[str, NDArray[np.uint8]]], columns: int = 16, zoom: int = 2) -> Image:
    """A picture of blocks of images (n, height, width, 3), all of one size, each block with its caption above and `columns` in a row."""
    height, width = (zoom * side for side in blocks[0][1].shape[1:3])
    total_width = columns * (width + GAP) + GAP
    strips = []
    for caption, images in blocks:
        strips.append(caption_strip(caption, total_width))
        for start in range(0, len(images), columns):
            strip = np.full((height + GAP, total_width, 3), GROUND, np.uint8)
            for place, image in enumerate(images[start : start + columns]):
                x = GAP + place * (width + GAP)
                strip[:height, x : x + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
            strips.append(strip)
    return np.concatenate(strips)


def caption_strip(text: str, width: int, font_px: int = TEXT_PX) -> Image:
    """A strip of this width (px) with a line of text."""
    label = make_label(text, font_px)
    strip = np.full((label.size[1] + 4, width, 3), GROUND, np.uint8)
    draw_label(strip, label, (2, 2), WHITE)
    return strip


def draw_look(frame: Image, x: float, y: float, length_px: float) -> Image:
    """The surroundings of a point with a mark around it, and beside it a close-up without, (LOOK_PX, 2 LOOK_PX + GAP, 3).

    `length_px` is the length of the animals. What lies outside of the frame is grey.
    """
    wide, near = (_window(frame, x, y, lengths * length_px) for lengths in (CONTEXT_LENGTHS, CLOSE_LENGTHS))
    middle = LOOK_PX / 2
    half, tick = 0.9 * LOOK_PX / CONTEXT_LENGTHS, 0.4 * LOOK_PX / CONTEXT_LENGTHS
    for sx in (-1, 1):
        for sy in (-1, 1):
            corner = np.array([middle + sx * half, middle + sy * half])
            ends = np.rint([corner - (sx * tick, 0), corner, corner - (0, sy * tick)]).astype(np.int32)
            for ink, line in ((HALO, 4), (YELLOW, 2)):
                cv2.polylines(wide, [ends], False, ink, line, cv2.LINE_AA)
    return np.concatenate([wide, np.full((LOOK_PX, GAP, 3), GROUND, np.uint8), near], axis=1)


def stack_looks(looks: Sequence[Image], captions: Sequence[str], columns: int = 3) -> Image:
    """A contact sheet: looks of one size with their captions below."""
    cells = [np.concatenate([look, caption_strip(text, look.shape[1])]) for look, text in zip(looks, captions, strict=True)]
    cells = [np.pad(cell, ((0, SPACE), (0, SPACE), (0, 0)), constant_values=GROUND) for cell in cells]
    empty = np.full_like(cells[0], GROUND)
    cells += [empty] * (-len(cells) % columns)
    return np.concatenate([np.concatenate(cells[k : k + columns], axis=1) for k in range(0, len(cells), columns)])


def _window(frame: Image, x: float, y: float, side_px: float) -> Image:
    zoom = LOOK_PX / side_px
    middle = (LOOK_PX - 1) / 2
    matrix = np.array([[zoom, 0, middle - zoom * x], [0, zoom, middle - zoom * y]])
    how = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(frame, matrix, (LOOK_PX, LOOK_PX), flags=how, borderValue=(GROUND,) * 3), np.uint8)
