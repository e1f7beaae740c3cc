"""Pictures of places: background, sample frames, trajectories, occupancy. Images are (row, column, 3) BGR uint8, points (x, y) px."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, PowerNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.arrays import Floats, Image
from herdbook.drawing.marks import place_labels
from herdbook.report.figures.style import DPI, LEGEND, LONGEST_NAME, WIDTH_IN, plain
from herdbook.report.samples import NOBODY, SEVERAL, SampleFrame

# A taller picture would be longer than a screen.
MOST_HEIGHT_IN = 8.0
# Beyond this many names a legend is longer than the picture that it explains.
MOST_IN_LEGEND = 48
# Two frames side by side are legible when an animal is this long in the picture (px).
LEGIBLE_PX = 24
NAME_PT = 8
# Letters in the darker colours need this much white to be read inside of their dark edge.
LETTERS_WHITE = 0.4
SEVERAL_COLOUR, NOBODY_COLOUR, ARENA_COLOUR = "#ffffff", "#ff3030", "#ffd400"
_LEFT_IN, _BOTTOM_IN, _GAP_IN = 0.62, 0.44, 0.12


@dataclass(frozen=True)
class FrameView:
    """The part of the frame that pictures show: `box` x0, y0, x1, y1 (exclusive) px, and `unit` of the axes with the px in it."""

    box: tuple[int, int, int, int]
    unit: str = "px"
    px_per_unit: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        x0, y0, x1, y1 = self.box
        return x1 - x0, y1 - y0

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of an image of the box, in units."""
        left, top, right, bottom = ((edge - 0.5) / self.px_per_unit for edge in self.box)
        return left, right, bottom, top

    def cut(self, image: NDArray[Any]) -> NDArray[Any]:
        """The box of an image of the whole frame."""
        x0, y0, x1, y1 = self.box
        return image[y0:y1, x0:x1]


def view_of(arenas: NDArray[np.int16], px_per_mm: float | None) -> FrameView:
    """The box around all arenas, with a small margin; in mm if the scale is known. `arenas` (height, width): -1 is outside."""
    height, width = arenas.shape
    rows, columns = np.flatnonzero((arenas >= 0).any(axis=1)), np.flatnonzero((arenas >= 0).any(axis=0))
    margin = round(0.02 * max(height, width))
    box = (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )
    return FrameView(box, "mm", px_per_mm) if px_per_mm else FrameView(box)


def plot_background(background: Image, arenas: NDArray[np.int16], px_per_mm: float | None) -> Figure:
    """The background image of the whole frame with the outlines of the arenas (height, width), -1 outside."""
    height, width = background.shape[:2]
    view = FrameView((0, 0, width, height), "mm", px_per_mm) if px_per_mm else FrameView((0, 0, width, height))
    figure, (axes,) = panels(view)
    _show(axes, background, view)
    left, right, bottom, top = view.extent
    for arena in range(int(arenas.max()) + 1 if (arenas < 0).any() or arenas.max() > 0 else 0):
        inside = np.pad((arenas == arena).astype(np.float32), 1)
        step_x, step_y = (right - left) / width, (bottom - top) / height
        x, y = left + step_x * (np.arange(width + 2) - 0.5), top + step_y * (np.arange(height + 2) - 0.5)
        line = axes.contour(x, y, inside, levels=[0.5], colors=ARENA_COLOUR, linewidths=1.3)
        line.set_path_effects([withStroke(linewidth=2.6, foreground="black")])
    return figure


def plot_samples(samples: Sequence[SampleFrame], view: FrameView, colours: dict[str, str], body_length_px: float) -> Figure:
    """Frames with outlines and names, in `colours` by name; two side by side where animals stay long enough to be told apart."""
    shown = view.size[0] / (WIDTH_IN * DPI / 2)
    columns = 2 if len(samples) > 1 and body_length_px / shown >= LEGIBLE_PX else 1
    samples = samples if columns == 2 else samples[:: max(1, len(samples) // 2)][:2]
    figure, grid = panels(view, len(samples), columns, title_in=0.22)
    for axes, sample in zip(grid, samples, strict=True):
        _show(axes, sample.image, view)
        axes.set_title(f"{plain(sample.movie)}, frame {sample.frame:,}, {sample.time_s:,.1f} s", fontsize=9, pad=3)
        for kind in (NOBODY, SEVERAL, *sorted(set(colours))):
            lines = [np.concatenate([line, line[:1]]) / view.px_per_unit for line, owner in sample.outlines if owner == kind]
            colour = {NOBODY: NOBODY_COLOUR, SEVERAL: SEVERAL_COLOUR}.get(kind) or colours[kind]
            axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.8), autolim=False)
        _write_names(axes, sample, view, colours)
    return figure


def plot_trajectories(
    background: Image, lines: Sequence[Floats], names: Sequence[str], colours: Sequence[str], view: FrameView | None = None
) -> Figure:
    """Paths (n, 2) of the individuals, with NaN at gaps, over the darkened background; with a legend if the names are few."""
    view = view or FrameView((0, 0, background.shape[1], background.shape[0]))
    legend = 0 < len(names) <= MOST_IN_LEGEND
    columns = max(1, min(len(names), 92 // (min(LONGEST_NAME, max((len(name) for name in names), default=1)) + 6)))
    legend_in = 0.24 * -(-len(names) // columns) + 0.1 if legend else 0.0
    figure, (axes,) = panels(view, below_in=legend_in)
    grey = view.cut(background).mean(axis=2)
    axes.imshow(10 + 0.22 * grey, cmap="gray", vmin=0, vmax=255, extent=view.extent, interpolation="antialiased")
    scaled = [line / view.px_per_unit for line in lines]
    paths = LineCollection(scaled, colors=list(colours), linewidths=1.1, alpha=0.9, capstyle="round", rasterized=True)
    axes.add_collection(paths, autolim=False)
    ends = np.array([line[-1] if len(line) else (np.nan, np.nan) for line in scaled]).reshape(-1, 2)
    axes.scatter(ends[:, 0], ends[:, 1], c=list(colours), s=18, linewidths=0.5, edgecolors="black", zorder=3)
    if legend:
        handles = [Line2D([], [], color=colour, linewidth=5, label=plain(name)) for name, colour in zip(names, colours, strict=True)]
        figure.legend(
            handles=handles, loc="lower center", ncols=columns, **LEGEND, handlelength=1.0, borderpad=0.1,
            columnspacing=1.2,
        )  # fmt: skip
    return figure


def plot_occupancy(
    counts: NDArray[np.int64], cell_px: float, background: Image, names: Sequence[str], colours: Sequence[str], view: FrameView
) -> Figure:
    """Share of the positions in each cell, from their numbers (k, rows, columns), a panel for each name over the faint background.

    The cells begin at the upper left corner of the view; a panel without positions is empty.
    """
    number = len(names)
    columns = 1 if number == 1 else next((k for k in (3, 4, 6, 8) if number <= k * k), 10)
    titles = number > 1
    figure, grid = panels(view, number, columns, title_in=0.2 if titles else 0.0, right_in=0.8)
    total = counts.sum(axis=(1, 2), keepdims=True)
    shares = 100 * np.divide(counts, total, out=np.full(counts.shape, np.nan), where=(total > 0) & (counts > 0))
    highest = float(np.nanmax(shares, initial=0.0)) or 1.0
    norm = PowerNorm(0.4, vmin=0, vmax=highest)
    left, _, _, top = view.extent
    step = cell_px / view.px_per_unit
    extent = (left, left + step * counts.shape[2], top + step * counts.shape[1], top)
    grey = _small(_faint(view.cut(background)), round(1.5 * WIDTH_IN * DPI / columns))
    for k, axes in enumerate(grid):
        axes.imshow(grey, cmap="gray", norm=Normalize(0, 255), extent=view.extent, interpolation="antialiased")
        image = axes.imshow(shares[k], cmap="viridis_r", norm=norm, extent=extent, interpolation="nearest")
        _limit(axes, view)
        if titles:
            axes.set_title(plain(names[k]), fontsize=9 if columns <= 4 else 7, pad=3)
            axes.spines[:].set(color=colours[k], linewidth=2)
    _share_bar(figure, image, "share of the positions in a cell (%)")
    return figure


def panels(
    view: FrameView, number: int = 1, columns: int = 1, *, title_in: float = 0.0, below_in: float = 0.0, right_in: float = 0.1
) -> tuple[Figure, list[Axes]]:
    """A figure of this many panels of a view, with axes in its unit; the outer ones have labels. Room is left as asked for (inches)."""
    rows = -(-number // columns)
    width, height = view.size
    room = WIDTH_IN - _LEFT_IN - right_in - _GAP_IN * (columns - 1)
    scale = min(room / columns / width, MOST_HEIGHT_IN / height)
    wide, high = scale * width, scale * height
    total = below_in + _BOTTOM_IN + rows * (high + title_in) + (rows - 1) * _GAP_IN + 0.06
    figure = Figure(figsize=(WIDTH_IN, total))
    start = _LEFT_IN + (room - columns * wide) / 2
    grid = []
    for k in range(number):
        row, column = divmod(k, columns)
        bottom = total - 0.06 - (row + 1) * (high + title_in) - row * _GAP_IN
        place = (start + column * (wide + _GAP_IN)) / WIDTH_IN, bottom / total, wide / WIDTH_IN, high / total
        axes = figure.add_axes(place)
        ticks = 8 if columns == 1 else 4 if columns == 2 else 2
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
        axes.tick_params(labelsize=8, length=3, labelleft=column == 0, labelbottom=k + columns >= number)
        _limit(axes, view)
        grid.append(axes)
    middle = below_in + _BOTTOM_IN + (total - below_in - _BOTTOM_IN) / 2
    figure.text((start - _LEFT_IN + 0.02) / WIDTH_IN, middle / total, f"y ({view.unit})", fontsize=9, rotation=90, ha="left", va="center")
    figure.text((_LEFT_IN + room / 2) / WIDTH_IN, (below_in + 0.03) / total, f"x ({view.unit})", fontsize=9, ha="center", va="bottom")
    return figure, grid


def _faint(image: Image) -> NDArray[np.float64]:
    """The image in light greys, whatever its own brightness."""
    grey = image.mean(axis=2)
    dark, bright = np.quantile(grey, (0.02, 0.98))
    return np.asarray(195 + 50 * np.clip((grey - dark) / max(1.0, bright - dark), 0, 1))


def _small(image: NDArray[Any], most_px: int) -> Image:
    """The image as uint8, at most so many px wide: a hundred panels with a full frame each would take a GB."""
    share = min(1.0, most_px / image.shape[1])
    size = max(1, round(share * image.shape[1])), max(1, round(share * image.shape[0]))
    return np.asarray(cv2.resize(image.astype(np.uint8), size, interpolation=cv2.INTER_AREA), np.uint8)


def _show(axes: Axes, image: Image, view: FrameView) -> None:
    axes.imshow(view.cut(image)[:, :, ::-1], extent=view.extent, interpolation="antialiased")
    _limit(axes, view)


def _limit(axes: Axes, view: FrameView) -> None:
    left, right, bottom, top = view.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _write_names(axes: Axes, sample: SampleFrame, view: FrameView, colours: dict[str, str]) -> None:
    """Names beside their animals, none over another as far as there is room."""
    px_per_pt = view.size[0] / (axes.get_position().width * WIDTH_IN * 72)
    letters = np.array([[0.68 * len(plain(name)) * NAME_PT + 2, 1.25 * NAME_PT] for name in sample.names]).reshape(-1, 2)
    anchors = sample.xy - view.box[:2]
    corners = place_labels(anchors, np.rint(letters * px_per_pt).astype(np.int64), view.size, gap=9 * px_per_pt)
    for name, corner, size in zip(sample.names, corners, letters * px_per_pt, strict=True):
        x, y = (corner + size / 2 + view.box[:2]) / view.px_per_unit
        ink = LETTERS_WHITE + (1 - LETTERS_WHITE) * np.array(to_rgb(colours[name]))
        text = axes.text(x, y, plain(name), color=ink, fontsize=NAME_PT, fontweight="bold", ha="center", va="center")
        text.set_path_effects([withStroke(linewidth=2.2, foreground="black")])


def _share_bar(figure: Figure, image: Any, label: str) -> None:
    height = figure.get_size_inches()[1]
    length = min(3.2, 0.8 * height)
    axes = figure.add_axes((1 - 0.68 / WIDTH_IN, 0.5 - length / 2 / height, 0.14 / WIDTH_IN, length / height))
    figure.colorbar(image, cax=axes)
    axes.tick_params(labelsize=8)
    axes.set_ylabel(label, fontsize=8)
