"""Picture of the review list: a strip of images for each doubtful span."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from herdbook.arrays import Image
from herdbook.report.figures.style import WIDTH_IN, plain
from herdbook.report.strips import GROUND, MOST_CANDIDATES, MOST_IMAGES, Strip

# Of a strip: side of an image, gap between two, height, its text; of the head; between the images of the span and of the candidates.
PATCH_PX, GAP_PX, ROW_PX, TEXT_PX, HEAD_PX, APART_PX = 96, 8, 124, 330, 30, 40
STEP_PX = PATCH_PX + GAP_PX
CANDIDATES_PX = TEXT_PX + MOST_IMAGES * STEP_PX + APART_PX
# The images of a span show this much more than its blobs.
AROUND = 1.3
ASKED_COLOUR, INSIDE_COLOUR, NAMELESS_COLOUR = "#000000", "#909090", "#808080"


def plot_strips(strips: Sequence[Strip], colours: Mapping[str, str]) -> Figure:
    """A row for each strip: what is asked, images of the animal, and one of each that it can be, framed in its colour by name."""
    width = CANDIDATES_PX + MOST_CANDIDATES * STEP_PX
    height = ROW_PX * len(strips) + HEAD_PX
    figure = Figure(figsize=(WIDTH_IN, WIDTH_IN * height / width))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    canvas = np.full((height, width, 3), 255, np.uint8)
    _write(axes, TEXT_PX, HEAD_PX / 2, "the animal in question, with the number of the frame")
    _write(axes, CANDIDATES_PX, HEAD_PX / 2, "sure images of who it can be")
    for k, strip in enumerate(strips):
        top = HEAD_PX + k * ROW_PX
        axes.plot([0, width], [top, top], color="0.85", linewidth=0.8)
        _describe(axes, k + 1, strip, top)
        inside = [image.shape[:2] for image, own in zip(strip.images, strip.inside, strict=True) if own]
        side = round(AROUND * max(np.ravel(inside), default=1))
        if not strip.images:
            _write(axes, TEXT_PX, top + PATCH_PX / 2, "no image of it is kept")
        for n, (image, frame) in enumerate(zip(strip.images, strip.frames, strict=True)):
            colour = ASKED_COLOUR if n == strip.place else INSIDE_COLOUR if strip.inside[n] else ""
            _put(canvas, axes, image, side, TEXT_PX + n * STEP_PX, top + 4, colour, f"{frame:,}")
        side = max(np.ravel([image.shape[:2] for _, image in strip.candidates if image is not None]), default=1)
        for n, (name, candidate) in enumerate(strip.candidates):
            colour = colours.get(name, NAMELESS_COLOUR)
            _put(canvas, axes, candidate, int(side), CANDIDATES_PX + n * STEP_PX, top + 4, colour, plain(name))
    axes.imshow(canvas[:, :, ::-1], extent=(0, width, height, 0), aspect="auto", interpolation="antialiased", zorder=0)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure


def _describe(axes: Axes, number: int, strip: Strip, top: int) -> None:
    doubt = strip.doubt
    axes.text(4, top + 22, f"{number}.  {plain(doubt.movie)}, frame {doubt.frame:,}", fontsize=8.5, fontweight="bold", va="center")
    axes.text(4, top + 48, f"assigned: {plain(doubt.assigned) or 'nobody'}", fontsize=8, va="center")
    chances = [f"{plain(doubt.name)} {doubt.probability:.2f}", *(plain(other) for other in doubt.others.split("; ") if other)]
    for line, two in enumerate((chances[:2], chances[2:])):
        axes.text(4, top + 74 + 24 * line, ";  ".join(two), fontsize=8, va="center")


def _put(canvas: Image, axes: Axes, image: Image | None, side: int, x: int, y: int, colour: str, text: str) -> None:
    """Paint the middle square of `side` px of an image as a patch with its corner at x, y, in a frame of a colour, and a text below."""
    patch = np.full((side, side, 3), GROUND, np.uint8)
    if image is not None:
        rows, columns = (min(side, size) for size in image.shape[:2])
        top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
        at = (side - rows) // 2, (side - columns) // 2
        patch[at[0] : at[0] + rows, at[1] : at[1] + columns] = image[top : top + rows, left : left + columns]
    else:
        axes.text(x + PATCH_PX / 2, y + PATCH_PX / 2, "none", fontsize=7, color="0.35", ha="center", va="center")
    how = cv2.INTER_AREA if side > PATCH_PX else cv2.INTER_CUBIC
    canvas[y : y + PATCH_PX, x : x + PATCH_PX] = cv2.resize(patch, (PATCH_PX, PATCH_PX), interpolation=how)
    if colour:
        line = 1.0 if colour == INSIDE_COLOUR else 2.2
        axes.add_patch(Rectangle((x, y), PATCH_PX, PATCH_PX, fill=False, edgecolor=colour, linewidth=line))
    axes.text(x + PATCH_PX / 2, y + PATCH_PX + 12, text, fontsize=7, ha="center", va="center")


def _write(axes: Axes, x: float, y: float, text: str) -> None:
    axes.text(x, y, text, fontsize=8, color="0.35", va="center")
