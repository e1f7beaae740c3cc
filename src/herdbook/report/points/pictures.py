"""Frames with the body points of animals, for the report."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from herdbook.arrays import Image
from herdbook.artifacts.index import Index
from herdbook.artifacts.smooth import Trajectories, open_body_points
from herdbook.drawing.colours import as_bgr, individual_colours
from herdbook.drawing.marks import Style
from herdbook.drawing.points import PointDrawer, joined_points
from herdbook.drawing.views import cut_view
from herdbook.movie.reading import read_frame_samples
from herdbook.report.figures.classifier import plot_images
from herdbook.report.figures.files import as_picture
from herdbook.report.page import Picture
from herdbook.report.points.summaries import PointExample

Files = Mapping[str, Mapping[str, Path]]

# A picture shows so many lengths of a body around the animal; its side, and the height of a frame whose marks fit it, px.
SIDE_BODY, PATCH_PX, LIKE_HEIGHT_PX = 2.0, 320, 900
# An animal whose length is not known, as none is ever alone.
UNKNOWN_BODY_PX = 64.0


def point_pictures(
    examples: Sequence[PointExample], files: Files, body_px: Mapping[str, float], skeleton: Sequence[tuple[str, str]] | None
) -> list[Picture]:
    """One picture of all examples side by side, none without any. `files` are the paths of movie, index, trajectories and points by movie,
    `body_px` the length of the animals in each.
    """
    patches: dict[PointExample, Image] = {}
    for movie in dict.fromkeys(example.movie for example in examples):
        own = [example for example in examples if example.movie == movie]
        length_px = body_px[movie] if np.isfinite(body_px[movie]) else UNKNOWN_BODY_PX
        patches |= dict(_patches(own, {kind: files[kind][movie] for kind in files if movie in files[kind]}, length_px, skeleton))
    if not patches:
        return []
    shown = [example for example in examples if example in patches]
    captions = [f"{example.why}: {example.individual}\n{example.movie}, frame {example.frame:,}" for example in shown]
    caption = (
        "Body points on frames: of animals alone, of animals in contact, and of the worst moment that is known. Rings are points that are "
        "less sure, with thin lines."
    )
    return [as_picture("body_points", plot_images([patches[example] for example in shown], captions), caption)]


def _patches(
    examples: Sequence[PointExample], files: Mapping[str, Path], body_px: float, skeleton: Sequence[tuple[str, str]] | None
) -> Iterator[tuple[PointExample, Image]]:
    names = Trajectories.load(files["trajectories"], without=Trajectories.__dataclass_fields__).individuals
    colours = dict(zip(names, as_bgr(individual_colours(names)), strict=True))
    side = 2 * int(np.ceil(SIDE_BODY * body_px / 2))
    style, scale = Style.for_height(LIKE_HEIGHT_PX), PATCH_PX / side
    wanted = sorted({example.frame for example in examples})
    with open_body_points(files["points"]) as points:
        drawer = PointDrawer(colours, joined_points(points, skeleton), body_px)
        for frame in read_frame_samples(files["movie"], Index.load(files["index"]), wanted):
            rows = points.of(frame.index)
            for example in (one for one in examples if one.frame == frame.index):
                corner = np.rint(np.array([example.x, example.y]) - (side - 1) / 2)
                patch = cut_view(frame.bgr(), float(corner[0]), float(corner[1]), 0.0, side, PATCH_PX)
                drawer.draw(patch, rows, (np.stack([rows.x, rows.y], axis=1) - corner + 0.5) * scale - 0.5, style)
                yield example, patch
