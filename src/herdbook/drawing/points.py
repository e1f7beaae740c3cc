"""Body points on a frame: marks, and lines between those that belong together, in the colours of the animals."""

from collections.abc import Mapping, Sequence

import numpy as np

from herdbook.arrays import Bools, Floats, Image, Ints
from herdbook.artifacts.smooth import CORRECTED, INTERPOLATED, BodyPoints, PointRows
from herdbook.drawing import marks
from herdbook.errors import HerdbookError, nearest
from herdbook.geometry.skeletons import join_points

# Poses of so many frames tell what is joined: on flies all 12 lines were those of 3,000 frames, with 300 frames 10 of them.
LEARNED_FRAMES = 600
# A point is sure if it is expected to be at most this share of a body off, the distance within which papers call points correct (PCK@0.1).
SURE_BODY = 0.1
# What DeepLabCut calls a likely point (its pcutoff).
SURE_LIKELIHOOD = 0.6
# A dot is so large, relative to the mark of a position.
DOT = 0.55


def joined_points(points: PointRows, skeleton: Sequence[tuple[str, str]] | None) -> Ints:
    """Edges (k, 2) between the points of a movie, as numbers: those of the `skeleton`, given by name, or learned from how the points move.

    Raises HerdbookError for a name that no point has.
    """
    if skeleton is not None:
        unknown = [name for pair in skeleton for name in pair if name not in points.points]
        if unknown:
            raise HerdbookError(f"points.skeleton: there is no point {unknown[0]!r}; {nearest(unknown[0], points.points)}")
        return np.array([[points.points.index(name) for name in pair] for pair in skeleton], np.int64).reshape(-1, 2)
    poses = [points.places(frame) for frame in points.spread(LEARNED_FRAMES).tolist()]
    return join_points(np.concatenate([np.empty((0, len(points.points), 2)), *poses]))


def sure_points(rows: BodyPoints, body_px: float) -> Bools:
    """Which points (n,) are as sure as points usually are: those of a person; those of a network by their expected error, relative to a
    body of `body_px`; others by their likelihood, if they have one. Those in gaps, and those that jump, are not.
    """
    error = np.full(len(rows.frame), np.nan) if rows.expected_error is None else rows.expected_error
    unlikely = np.where(np.isnan(error), rows.likelihood < SURE_LIKELIHOOD, error > SURE_BODY * body_px)
    return np.asarray((rows.source == CORRECTED) | ~(unlikely | rows.jump | (rows.source == INTERPOLATED)))


class PointDrawer:
    """Draws the points of one frame and the lines between them; `colours` BGR by name of the animal, others are white."""

    def __init__(self, colours: Mapping[str, marks.Colour], edges: Ints, body_px: float) -> None:
        self._colours, self._edges, self._body_px = colours, edges, body_px

    def draw(self, image: Image, rows: BodyPoints, xy: Floats, style: marks.Style) -> None:
        """Draw the points of a frame (n rows), which are at `xy` (n, 2) px of the image. Those that are not sure are hollow, and lines that
        end at one are thin.
        """
        sure = sure_points(rows, self._body_px)
        for who in np.unique(rows.individual).tolist():
            own = rows.individual == who
            colour = self._colours.get(rows.individuals[who], marks.WHITE)
            self._draw_animal(image, rows.point[own], xy[own], sure[own], colour, style)

    def _draw_animal(self, image: Image, point: Ints, xy: Floats, sure: Bools, colour: marks.Colour, style: marks.Style) -> None:
        row_of = {number: row for row, number in enumerate(point.tolist())}
        ends = [(row_of[a], row_of[b]) for a, b in self._edges.tolist() if a in row_of and b in row_of]
        marks.draw_bones(image, [xy[list(pair)] for pair in ends if not sure[list(pair)].all()], colour, style, thin=True)
        marks.draw_bones(image, [xy[list(pair)] for pair in ends if sure[list(pair)].all()], colour, style, thin=False)
        for (x, y), filled in zip(xy.tolist(), sure.tolist(), strict=True):
            marks.draw_dot(image, x, y, colour, style, DOT * style.radius, filled=filled)
