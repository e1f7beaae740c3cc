"""Plots of `herdbook tune`: arrays in, Matplotlib Figure out, about 1,000 px wide. Images are (row, col, 3) BGR uint8, points (x, y) px.

Accepted blobs are blue with full lines, rejected ones orange with broken lines.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from herdbook.geometry.runs import runs_to_mask
from herdbook.report.figures.style import BLUE, DASHED, LEGEND, VERMILION, WIDTH_IN, bare, new_figure
from herdbook.segmentation.components import FrameBlobs

# Blue and vermilion on white paper, light blue and orange on frames.
ACCEPTED, REJECTED, NUMBER = BLUE, VERMILION, "0.2"
ACCEPTED_ON_FRAME, REJECTED_ON_FRAME = "#7ddcff", "#ffa500"
# A frame is cropped to its blobs if their region is at most this share of it.
_WORTH_CUTTING = 0.7
# Smallest side of the shown region, in lengths of an animal.
_LEAST_VIEW = 9
# Rejected blobs are marked by rings; more of them would hide the frame.
_MOST_REJECTED = 60
_TILES = 4
_FINE = 4
_HALO = [withStroke(linewidth=2.6, foreground="black")]
_Box = tuple[int, int, int, int]  # x0, y0, x1, y1, px, ends exclusive


@dataclass(frozen=True)
class Marked:
    """The blobs of one frame, and whether each is accepted, bool (n,)."""

    blobs: FrameBlobs
    accepted: NDArray[np.bool_]


def plot_count_ladder(
    difference: NDArray[np.float64],
    counts: NDArray[np.int64],
    score: NDArray[np.float64],
    *,
    animals: int | None,
    plateau: tuple[float, float],
    proposed: float,
) -> Figure:
    """Blobs per frame (k, frames) and score (k,) at each difference (k,), with the plateau and the proposed difference."""
    figure = new_figure(5.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    low, median, high = np.quantile(counts, (0.05, 0.5, 0.95), axis=1)
    upper.fill_between(difference, low, high, color=ACCEPTED, alpha=0.25, linewidth=0, label="5 % to 95 % of the frames")
    upper.plot(difference, median, color=ACCEPTED, marker="o", markersize=4, linewidth=1.6, label="median")
    if animals is not None:
        upper.axhline(animals, color=NUMBER, linestyle=DASHED, linewidth=1.3, label=f"number of animals: {animals}")
    upper.set_ylim(0, 1.12 * max(1.0, float(high.max()), animals or 0))
    upper.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    upper.set_ylabel("blobs per frame")
    lower.plot(difference, score, color="0.35", marker="o", markersize=4, linewidth=1.6)
    lower.set_ylim(0, 1.05)
    lower.set_ylabel("score")
    lower.set_xlabel("difference (grey levels)")
    for axes in (upper, lower):
        axes.axvspan(*plateau, color="0.88", zorder=0, label=f"plateau: {plateau[0]:g} to {plateau[1]:g}")
        axes.axvline(proposed, color=REJECTED, linewidth=1.6, label=f"proposed: {proposed:g}")
        axes.set_xscale("log")
        _plain_ticks(axes, difference)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside upper center", ncols=3, **LEGEND)
    return figure


def plot_areas(
    area: NDArray[np.int64], bounds: tuple[int, int], counts: NDArray[np.int64], *, animals: int | None, difference: float
) -> Figure:
    """Histogram of the areas (n,), px, of all blobs, and of the accepted blobs per frame (frames,)."""
    figure = new_figure(3.9)
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    top = max(float(area.max(initial=1)), bounds[1])
    edges = 2.0 ** np.arange(-0.5, np.ceil(np.log2(top)) + 0.75, 0.25)
    kept = (area >= bounds[0]) & (area <= bounds[1])
    groups = ((area[kept], ACCEPTED, "accepted", ""), (area[~kept], REJECTED, "rejected", "////"))
    for values, colour, label, hatch in groups:
        number, _ = np.histogram(values, edges)
        left.stairs(
            number, edges, fill=True, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0.4, label=f"{label}: {len(values)}"
        )
    for bound, place in zip(bounds, ("right", "left"), strict=True):
        left.axvline(bound, color=NUMBER, linestyle=DASHED, linewidth=1.3)
        left.annotate(
            f"{bound:,} px", (bound, 1), (-4 if place == "right" else 4, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="right" if place == "right" else "left", va="top", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
    left.set_xscale("log")
    left.set_yscale("symlog", linthresh=10, linscale=1.0)
    left.set_ylim(0, 2 * left.get_ylim()[1])
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    left.xaxis.set_minor_locator(NullLocator())
    left.set_xlim(0.7, 3 * top)
    left.set_xlabel("area of a blob (px)")
    left.set_ylabel("blobs")
    left.set_title(f"all blobs at a difference of {difference:g}", fontsize=10)
    number = np.bincount(counts)
    right.bar(np.arange(len(number)), number, color=ACCEPTED, width=0.8)
    if animals is not None:
        right.axvline(animals, color=NUMBER, linestyle=DASHED, linewidth=1.3, label=f"number of animals: {animals}")
    least, most = min(counts.min(), animals or counts.min()), max(counts.max(), animals or 0)
    right.set_xlim(max(least - 2, -0.6), most + 2)
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    right.set_xlabel("accepted blobs in a frame")
    right.set_ylabel("frames")
    for axes in (left, right):
        bare(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.07), ncols=2, **LEGEND)
    return figure


def plot_blobs(image: NDArray[np.uint8], marked: Marked, title: str) -> Figure:
    """A frame with its blobs: the region of all blobs, and close-ups of the smallest, a typical, the largest and the largest rejected."""
    height, width = image.shape[:2]
    blobs, accepted = marked.blobs, marked.accepted
    x0, y0, x1, y1 = _view(marked, width, height)
    tiles = _tiles(marked, width, height)
    tile_in = WIDTH_IN / _TILES
    main_in = min(6.4, WIDTH_IN * (y1 - y0) / (x1 - x0))
    rows = (0.62, main_in, 0.32, tile_in - 0.12)
    total = sum(rows)
    figure = Figure(figsize=(WIDTH_IN, total))
    main_width = main_in * (x1 - x0) / (y1 - y0) / WIDTH_IN
    main = figure.add_axes((0.5 - main_width / 2, (rows[2] + rows[3]) / total, main_width, main_in / total))
    rejected = np.flatnonzero(~accepted)
    largest = rejected[np.argsort(blobs.area[rejected])[::-1][:_MOST_REJECTED]]
    _show(main, image, (x0, y0, x1, y1), marked, largest, WIDTH_IN * main_width * 72 / (x1 - x0))
    for number, (name, blob, box) in enumerate(tiles):
        axes = figure.add_axes((number / _TILES + 0.005, 0.005, 1 / _TILES - 0.01, (tile_in - 0.12) / total))
        _show(axes, image, box, marked, largest, tile_in * 72 / (box[2] - box[0]))
        axes.set_title(f"{'abcd'[number]}: {name}, {blobs.area[blob]:,} px", fontsize=9, pad=4)
        if (box[2] - box[0]) < 0.6 * (x1 - x0):
            corner, size = (box[0] - 0.5, box[1] - 0.5), (box[2] - box[0], box[3] - box[1])
            main.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=0.9, path_effects=_HALO))
            letter = main.text(
                corner[0], corner[1], f" {'abcd'[number]}", fontsize=11, weight="bold", color="white", va="top", clip_on=True
            )
            letter.set_path_effects([withStroke(linewidth=1.8, foreground="black")])
    left_out = f"rejected: {len(rejected)}" + (f", of which the {len(largest)} largest are marked" if len(rejected) > len(largest) else "")
    kinds = [
        Line2D([], [], color=ACCEPTED_ON_FRAME, linewidth=1.6, path_effects=_HALO, label=f"accepted: {int(accepted.sum())}"),
        Line2D([], [], color=REJECTED_ON_FRAME, linewidth=1.6, path_effects=_HALO, linestyle=(0, (2.5, 1.5)), label=left_out),
    ]
    figure.text(0.01, 1 - 0.12 / total, title, fontsize=10, va="top")
    figure.legend(handles=kinds, loc="upper left", bbox_to_anchor=(0.0, 1 - 0.3 / total), ncols=2, **LEGEND, borderpad=0.2)
    return figure


def _show(axes: Axes, image: NDArray[np.uint8], box: _Box, marked: Marked, rejected: NDArray[np.int64], points_per_px: float) -> None:
    """Draw a region of the frame with outlines of its accepted blobs and rings around the rejected ones listed in `rejected`."""
    x0, y0, x1, y1 = box
    blobs = marked.blobs
    part = np.ascontiguousarray(image[y0:y1, x0:x1, ::-1])
    smooth = "nearest" if points_per_px > 1 else "antialiased"
    axes.imshow(part, extent=(x0 - 0.5, x1 - 0.5, y1 - 0.5, y0 - 0.5), interpolation=smooth)
    seen = (blobs.x1 > x0) & (blobs.x0 < x1) & (blobs.y1 > y0) & (blobs.y0 < y1)
    outlines = [line for blob in np.flatnonzero(marked.accepted & seen) for line in outline(blobs.runs_of(int(blob)))]
    rings = [_ring(blobs, int(blob), 5 / points_per_px) for blob in rejected if seen[blob]]
    # Thick lines would cover small animals.
    line = float(np.clip(points_per_px * np.median(_lengths(blobs)[marked.accepted]) / 15, 0.9, 1.3)) if marked.accepted.any() else 1.0
    halo = [withStroke(linewidth=2 * line, foreground="black")]
    axes.add_collection(LineCollection(outlines, colors=ACCEPTED_ON_FRAME, linewidths=line, path_effects=halo), autolim=False)
    dashed = LineCollection(rings, colors=REJECTED_ON_FRAME, linewidths=1.3, linestyles=[(0, (2.5, 1.5))], path_effects=_HALO)
    axes.add_collection(dashed, autolim=False)
    axes.set_xlim(x0 - 0.5, x1 - 0.5)
    axes.set_ylim(y1 - 0.5, y0 - 0.5)
    axes.set_xticks([])
    axes.set_yticks([])


def outline(runs: NDArray[np.int32]) -> list[NDArray[np.float64]]:
    """The outlines of a blob and of its holes, from its runs (r, 3): closed lines (m, 2) along the edges of its pixels."""
    x0, y0, x1, y1 = int(runs[:, 1].min()), int(runs[:, 0].min()), int(runs[:, 2].max()) + 1, int(runs[:, 0].max()) + 1
    mask = runs_to_mask(runs, x0 - 1, y0 - 1, x1 + 1, y1 + 1).astype(np.uint8)
    # On a finer mask, the outline follows the edges of pixels within an eighth of a pixel.
    fine = np.kron(mask, np.ones((_FINE, _FINE), np.uint8))
    found, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    shift = np.array([x0 - 1, y0 - 1]) + (0.5 / _FINE - 0.5)
    return [np.vstack([line[:, 0], line[:1, 0]]) / _FINE + shift for line in found]


def _ring(blobs: FrameBlobs, blob: int, least: float) -> NDArray[np.float64]:
    x0, y0, x1, y1 = (float(edge[blob]) for edge in (blobs.x0, blobs.y0, blobs.x1, blobs.y1))
    radius = max(least, 0.5 * np.hypot(x1 - x0, y1 - y0) + 0.6 * least)
    angle = np.linspace(0, 2 * np.pi, 49)
    return np.stack([(x0 + x1 - 1) / 2 + radius * np.cos(angle), (y0 + y1 - 1) / 2 + radius * np.sin(angle)], 1)


def _view(marked: Marked, width: int, height: int) -> _Box:
    """The region to show: that of the accepted blobs and of rejected ones that are not much smaller, or the whole frame."""
    blobs = marked.blobs
    wanted = marked.accepted.copy()
    if wanted.any():
        wanted |= blobs.area >= np.median(blobs.area[wanted]) / 8
    if not wanted.any():
        return 0, 0, width, height
    usual = float(np.median(_lengths(blobs)[wanted]))
    margin = 8 + usual
    low = np.array([blobs.x0[wanted].min(), blobs.y0[wanted].min()]) - margin
    high = np.array([blobs.x1[wanted].max(), blobs.y1[wanted].max()]) + margin
    across, down = high - low
    size = np.maximum(np.maximum([across, down], [down, across / 2]), _LEAST_VIEW * usual)
    if size.prod() > _WORTH_CUTTING * width * height:
        return 0, 0, width, height
    return _placed((low + high) / 2, size, width, height)


def _tiles(marked: Marked, width: int, height: int) -> list[tuple[str, int, _Box]]:
    """Name, blob and region of each close-up."""
    blobs, area = marked.blobs, marked.blobs.area
    accepted, rejected = np.flatnonzero(marked.accepted), np.flatnonzero(~marked.accepted)
    picks: dict[int, str] = {}
    if len(accepted):
        ordered = accepted[np.argsort(area[accepted], kind="stable")]
        for name, blob in (("smallest", ordered[0]), ("largest", ordered[-1]), ("typical", ordered[len(ordered) // 2])):
            picks.setdefault(int(blob), name if len(ordered) > 1 else "accepted")
    if len(rejected):
        picks[int(rejected[area[rejected].argmax()])] = "largest rejected"
    lengths = _lengths(blobs)
    usual = float(np.median(lengths[accepted])) if len(accepted) else 0.0
    tiles = []
    for blob, name in picks.items():
        side = min(max(1.7 * usual, 1.5 * float(lengths[blob]), 24.0), width, height)
        centre = np.array([blobs.x0[blob] + blobs.x1[blob] - 1, blobs.y0[blob] + blobs.y1[blob] - 1]) / 2
        tiles.append((name, blob, _placed(centre, np.array([side, side]), width, height)))
    return tiles


def _lengths(blobs: FrameBlobs) -> NDArray[np.float64]:
    return np.asarray(np.hypot(blobs.x1 - blobs.x0, blobs.y1 - blobs.y0))


def _placed(centre: NDArray[np.float64], size: NDArray[np.float64], width: int, height: int) -> _Box:
    """A box of this size around a centre, shifted and clipped to the frame."""
    frame = np.array([width, height])
    whole = np.minimum(np.ceil(size), frame).astype(int)
    low = np.clip((centre - whole / 2).round().astype(int), 0, frame - whole)
    return int(low[0]), int(low[1]), int(low[0] + whole[0]), int(low[1] + whole[1])


def _plain_ticks(axes: Axes, difference: NDArray[np.float64]) -> None:
    ticks = [value for value in (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200) if difference[0] <= value <= difference[-1]]
    axes.set_xticks(ticks, [str(value) for value in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    bare(axes)
