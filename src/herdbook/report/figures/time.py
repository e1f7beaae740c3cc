"""Pictures along the time of a recording: how each animal is known, how many blobs there are, how sure names are."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.drawing.colours import SOURCE_COLOURS, as_css
from herdbook.report.figures.style import WIDTH_IN, bare, name_rows, row_height, time_unit
from herdbook.report.summaries import CATEGORIES

# Those of the sources, then unknown, hidden, not tracked, no position.
CATEGORY_COLOURS = np.concatenate(
    [SOURCE_COLOURS[:-1], np.array([(110, 110, 110), (200, 200, 200), (255, 255, 255), (232, 232, 232)], np.uint8)]
)


def plot_timeline(categories: NDArray[np.uint8], time_edges_s: NDArray[np.float64], names: Sequence[str], colours: Sequence[str]) -> Figure:
    """Category (individuals, bins), an index into CATEGORIES, of each individual over time; `time_edges_s` (bins + 1,)."""
    rows = len(names)
    figure = Figure(figsize=(WIDTH_IN, 1.1 + row_height(rows) * max(rows, 1)), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    axes.pcolormesh(
        edges, np.arange(rows + 1) - 0.5, categories, cmap=ListedColormap(as_css(CATEGORY_COLOURS)), vmin=-0.5, vmax=len(CATEGORIES) - 0.5,
        rasterized=True,
    )  # fmt: skip
    axes.set_xlim(edges[0], edges[-1])
    name_rows(axes, names, colours)
    axes.set_xlabel(f"time ({unit})")
    bare(axes)
    handles = [
        Patch(facecolor=colour, edgecolor="0.5", linewidth=0.5, label=CATEGORIES[k])
        for k, colour in enumerate(as_css(CATEGORY_COLOURS))
        if (categories == k).any()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=max(1, len(handles)), frameon=False, fontsize=9)
    return figure


def plot_counts(blobs: NDArray[np.float64], animals: NDArray[np.float64], time_edges_s: NDArray[np.float64], number: int | None) -> Figure:
    """Blobs per frame and animals that the tracklets hold, each (3, bins) least, mean, greatest; beside the known number of animals."""
    figure = Figure(figsize=(WIDTH_IN, 2.6), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    # The wider line is seen on both sides of the other one where they are the same.
    for (least, mean, greatest), colour, width, label in ((blobs, "#56b4e9", 3.6, "blobs"), (animals, "#d55e00", 1.2, "animals in them")):
        axes.stairs(greatest, edges, baseline=least, fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(mean, edges, baseline=None, color=colour, linewidth=width, label=label)
    if number is not None:
        axes.axhline(number, color="0.2", linestyle=(0, (4, 3)), linewidth=1, label=f"number of animals: {number}")
    axes.set_ylim(0, 1.08 * max(1.0, blobs.max(), animals.max(), number or 0))
    axes.set_xlim(edges[0], edges[-1])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel("per frame")
    bare(axes)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return figure


def plot_expected_error(share: NDArray[np.float64], time_edges_s: NDArray[np.float64]) -> Figure:
    """Share (bins,) of the positions that are expected to be wrong over time, NaN where there are none."""
    figure = Figure(figsize=(WIDTH_IN, 2.2), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    axes.stairs(100 * share, edges, fill=True, color="#d55e00", alpha=0.25, linewidth=0)
    axes.stairs(100 * share, edges, baseline=None, color="#d55e00", linewidth=1.3)
    highest = float(np.nanmax(share)) if np.isfinite(share).any() else 0.0
    axes.set_ylim(0, 100 * max(0.01, 1.08 * highest))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel("expected error (%)")
    bare(axes)
    return figure
