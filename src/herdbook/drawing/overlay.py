"""What the overlay movie shows on each frame: names, trails, outlines, the source of each position."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Image
from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.smooth import PointRows, Trajectories
from herdbook.drawing import marks
from herdbook.drawing.colours import as_bgr, individual_colours
from herdbook.drawing.points import PointDrawer, joined_points
from herdbook.movie.frame import Frame

TRAIL_POINTS = 60
# More names than this are fragments without identity; their numbers are shown small.
MANY_NAMES = 48


@dataclass(frozen=True)
class Canvas:
    """How a movie's frames are shown: size and scale of the picture, sizes of marks and names."""

    width: int
    height: int
    scale: float
    style: marks.Style
    name_font_px: int

    @classmethod
    def for_movie(cls, width: int, height: int, names: int, max_width: int) -> "Canvas":
        """The canvas for a movie of this size (px) with this many names."""
        scale = min(1.0, max_width / width)
        shown_width, shown_height = round(width * scale), max(1, round(height * scale))
        style = marks.Style.for_height(shown_height)
        name_font_px = style.font_px if names <= MANY_NAMES else max(8, round(0.75 * style.font_px))
        return cls(shown_width, shown_height, scale, style, name_font_px)

    def picture(self, frame: Frame) -> Image:
        """The frame to draw on, scaled down if it is wider than the canvas."""
        if self.scale < 1:
            return frame.bgr_scaled(self.width, self.height)
        # Colours of any other coding were converted for this frame alone.
        return frame.bgr().copy() if frame.coding.kind == "bgr" else frame.bgr()

    def points(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places (n, 2) on the canvas of points in the movie."""
        return (np.stack([x, y], axis=1) + 0.5) * self.scale - 0.5


class ShownPoints:
    """The body points of a movie, drawn frame by frame; `individuals` have colours in their order, `body_px` is the length of an animal.

    `skeleton`: which points are joined, by name; None: learned from the movie.
    """

    def __init__(self, points: PointRows, individuals: Sequence[str], body_px: float, skeleton: Sequence[tuple[str, str]] | None) -> None:
        colours = dict(zip(individuals, as_bgr(individual_colours(individuals)), strict=True))
        self._points, self._drawer = points, PointDrawer(colours, joined_points(points, skeleton), body_px)

    def draw(self, image: Image, frame: int, canvas: Canvas) -> None:
        """Draw those of a frame."""
        rows = self._points.of(frame)
        self._drawer.draw(image, rows, canvas.points(rows.x, rows.y), canvas.style)


class Annotator:
    """Draws what is known of a frame on its picture, the parts of it that are to be shown (`overlay.show`); `points` of bodies, if any."""

    def __init__(
        self, tracks: Trajectories, canvas: Canvas, show: Sequence[str], trail_frames: int, points: ShownPoints | None = None
    ) -> None:
        self._tracks, self._canvas, self._show, self._trail_frames = tracks, canvas, frozenset(show), trail_frames
        self._colours, self._points = as_bgr(individual_colours(tracks.individuals)), points
        # The rows of frame f are those from offsets[f] to offsets[f + 1].
        self._offsets = np.searchsorted(tracks.frame, np.arange(tracks.frames + 1))

    def draw(self, image: Image, frame: int, text: str) -> None:
        """Draw trails, body points, marks, names and legend of a frame, and its time and number in the corner."""
        style = self._canvas.style
        taken = []
        if "trails" in self._show:
            self._draw_trails(image, frame)
        if self._points is not None and "points" in self._show:
            self._points.draw(image, frame, self._canvas)
        if "time" in self._show:
            label = marks.make_label(text, style.font_px)
            marks.draw_label(image, label, (2, 2), marks.WHITE)
            taken.append((0, 0, label.size[0] + 2, label.size[1] + 2))
        now = np.arange(self._offsets[frame], self._offsets[frame + 1])
        anchors = self._canvas.points(self._tracks.x[now], self._tracks.y[now])
        if "marks" in self._show:
            taken.append(marks.draw_legend(image, style))
            for row, (x, y) in zip(now, anchors, strict=True):
                colour = self._colours[self._tracks.individual[row]]
                marks.draw_mark(image, x, y, int(self._tracks.source[row]), colour, style, float(self._tracks.heading[row]))
        if "names" in self._show:
            self._draw_names(image, now, anchors, taken)

    def _draw_trails(self, image: Image, frame: int) -> None:
        tracks = self._tracks
        past = np.arange(self._offsets[max(0, frame - self._trail_frames)], self._offsets[frame + 1])
        stride = max(1, self._trail_frames // TRAIL_POINTS)
        # Points are thinned on a fixed grid of frames, so that a trail does not wobble from frame to frame.
        past = past[(tracks.frame[past] % stride == 0) | (tracks.frame[past] == frame)]
        past = past[np.argsort(tracks.individual[past], kind="stable")]
        points = self._canvas.points(tracks.x[past], tracks.y[past])
        ends = [0, *(np.flatnonzero(np.diff(tracks.individual[past])) + 1).tolist(), len(past)]
        for first, end in pairwise(ends):
            if end - first > 1:
                frames, colour = tracks.frame[past[first:end]].astype(np.int64), self._colours[tracks.individual[past[first]]]
                marks.draw_trail(image, points[first:end], frames, colour, self._canvas.style, longest_gap=stride)

    def _draw_names(
        self, image: Image, now: NDArray[np.int64], anchors: NDArray[np.float64], taken: Sequence[tuple[int, int, int, int]]
    ) -> None:
        who = self._tracks.individual[now].tolist()
        labels = [marks.kept_label(self._tracks.individuals[k], self._canvas.name_font_px) for k in who]
        sizes = np.array([label.size for label in labels], np.int64).reshape(-1, 2)
        style, size = self._canvas.style, (self._canvas.width, self._canvas.height)
        corners = marks.place_labels(anchors, sizes, size, 1.2 * style.radius + style.line + 1, taken)
        for k, label, (x, y) in zip(who, labels, corners.tolist(), strict=True):
            marks.draw_label(image, label, (x, y), self._colours[k])


def outlined(frames: Iterator[Frame], blobs: Blobs, images: BlobImages, canvas: Canvas, *, outlines: bool) -> Iterator[tuple[int, Image]]:
    """Number of each frame and its picture, with the outlines of its blobs if they are to be shown."""
    offsets = blobs.frame_offsets
    for frame in frames:
        image = canvas.picture(frame)
        first, last = offsets[frame.index : frame.index + 2]
        if outlines and first < last:
            marks.draw_outlines(image, images.runs(first, last)[0], canvas.scale)
        yield frame.index, image
