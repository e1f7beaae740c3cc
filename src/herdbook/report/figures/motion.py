"""Pictures of a measure of the animals, such as their speed: over time and how it is spread. Arrays in, Matplotlib Figure out."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.report.figures.style import BLUE, bare, name_rows, new_figure, row_height, time_unit
from herdbook.report.motion_summaries import Spread

ALL_COLOUR = BLUE


def plot_spread(
    spread: Spread, time_edges_s: NDArray[np.float64], names: Sequence[str], colours: Sequence[str], what: str, unit: str, per_unit: float
) -> Figure:
    """A measure over time (left) and how its values are spread (right), of all animals (above) and of each of `names` (below).

    `what` is measured in `unit`, in which the spread's values have the size `per_unit`; without names there is no lower part.
    """
    rows = len(names)
    label, highest = f"{what} ({unit})", spread.edges[-1] / per_unit
    rows_in = row_height(rows) * rows
    ratios = (1.9, rows_in, 0.13) if rows else (1.9,)
    figure = new_figure(sum(ratios) + (1.35 if rows else 0.75))
    grid = figure.add_gridspec(len(ratios), 2, width_ratios=(2.6, 1), height_ratios=ratios)
    divisor_unit, divisor = time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    over = figure.add_subplot(grid[0, 0])
    low, middle, high = spread.over_time / per_unit
    over.stairs(high, edges, baseline=low, fill=True, color=ALL_COLOUR, alpha=0.25, linewidth=0)
    over.stairs(middle, edges, baseline=None, color=ALL_COLOUR, linewidth=1.2)
    over.set_ylim(0, 1.05 * float(np.nanmax(high)) if np.nanmax(high, initial=0.0) > 0 else 1.0)
    over.set_ylabel(label)
    over.set_title("all animals: median, middle half", fontsize=9, loc="left")
    cells = figure.add_subplot(grid[0, 1])
    cells.stairs(100 * spread.shares, spread.edges / per_unit, fill=True, color=ALL_COLOUR, alpha=0.6)
    cells.set_ylabel("positions (%)")
    cells.set_title("all animals", fontsize=9, loc="left")
    lower = []
    if rows:
        strips, bars = figure.add_subplot(grid[1, 0], sharex=over), figure.add_subplot(grid[1, 1], sharex=cells)
        image = _draw_strips(strips, edges, spread.medians / per_unit, names, colours)
        figure.colorbar(image, cax=figure.add_subplot(grid[2, 0]), orientation="horizontal", label=f"median {label}", extend="max")
        _draw_boxes(bars, spread.of_each / per_unit, colours)
        lower = [strips, bars]
        cells.tick_params(labelbottom=False)
        over.tick_params(labelbottom=False)
    over.set_xlim(edges[0], edges[-1])
    cells.set_xlim(0, highest)
    cells.xaxis.set_major_locator(MaxNLocator(5))
    left, right = lower or [over, cells]
    left.set_xlabel(f"time ({divisor_unit})")
    right.set_xlabel(label)
    for axes in (over, cells, *lower):
        bare(axes)
    return figure


def _draw_strips(axes: Axes, edges: Floats, medians: Floats, names: Sequence[str], colours: Sequence[str]) -> QuadMesh:
    """The medians (rows, bins) over time as a strip of colours for each name."""
    axes.set_facecolor("0.88")
    known = medians[np.isfinite(medians)]
    top = float(np.quantile(known, 0.99)) if len(known) else 1.0
    places = np.arange(len(names) + 1) - 0.5
    image = axes.pcolormesh(edges, places, medians, cmap="viridis", vmin=0, vmax=top or 1.0, rasterized=True)
    axes.set_xlim(edges[0], edges[-1])
    name_rows(axes, names, colours)
    return image


def _draw_boxes(axes: Axes, of_each: Floats, colours: Sequence[str]) -> None:
    """Quantiles (5, rows) of each row: a line between the outer ones, a box between the next, a mark in the middle."""
    lowest, low, middle, high, most = of_each
    rows = len(middle)
    places = np.arange(rows)
    axes.hlines(places, lowest, most, colors="0.5", linewidth=1, zorder=1)
    axes.barh(places, high - low, left=low, height=0.62, color=list(colours), edgecolor="0.3", linewidth=0.5)
    axes.plot(middle, places, "|", color="black", markersize=9 if rows <= 60 else 5, markeredgewidth=1.6)
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
