"""Pictures along the time of a recording: how each animal is known, how many blobs there are, how sure names are."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.drawing.colours import SOURCE_COLOURS, as_css
from herdbook.report.figures.style import DASHED, LEGEND, SKY_BLUE, VERMILION, bare, name_rows, new_figure, row_height, time_axis
from herdbook.report.summaries import CATEGORIES

# Those of the sources, then unknown, hidden, not tracked, no position.
CATEGORY_COLOURS = np.concatenate(
    [SOURCE_COLOURS[:-1], np.array([(110, 110, 110), (200, 200, 200), (255, 255, 255), (232, 232, 232)], np.uint8)]
)


def plot_timeline(categories: NDArray[np.uint8], time_edges_s: NDArray[np.float64], names: Sequence[str], colours: Sequence[str]) -> Figure:
    """Category (individuals, bins), an index into CATEGORIES, of each individual over time; `time_edges_s` (bins + 1,)."""
    rows = len(names)
    figure = new_figure(1.1 + row_height(rows) * max(rows, 1))
    axes = figure.add_subplot()
    edges = time_axis(axes, time_edges_s)
    axes.pcolormesh(
        edges, np.arange(rows + 1) - 0.5, categories, cmap=ListedColormap(as_css(CATEGORY_COLOURS)), vmin=-0.5, vmax=len(CATEGORIES) - 0.5,
        rasterized=True,
    )  # fmt: skip
    name_rows(axes, names, colours)
    bare(axes)
    handles = [
        Patch(facecolor=colour, edgecolor="0.5", linewidth=0.5, label=CATEGORIES[k])
        for k, colour in enumerate(as_css(CATEGORY_COLOURS))
        if (categories == k).any()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=max(1, len(handles)), **LEGEND)
    return figure


def plot_counts(blobs: NDArray[np.float64], animals: NDArray[np.float64], time_edges_s: NDArray[np.float64], number: int | None) -> Figure:
    """Blobs per frame and animals that the tracklets hold, each (3, bins) least, mean, greatest; beside the known number of animals."""
    figure = new_figure(2.6)
    axes = figure.add_subplot()
    edges = time_axis(axes, time_edges_s)
    # The wider line is seen on both sides of the other one where they are the same.
    for (least, mean, greatest), colour, width, label in ((blobs, SKY_BLUE, 3.6, "blobs"), (animals, VERMILION, 1.2, "animals in them")):
        axes.stairs(greatest, edges, baseline=least, fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(mean, edges, baseline=None, color=colour, linewidth=width, label=label)
    if number is not None:
        axes.axhline(number, color="0.2", linestyle=DASHED, linewidth=1, label=f"number of animals: {number}")
    axes.set_ylim(0, 1.08 * max(1.0, blobs.max(), animals.max(), number or 0))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_ylabel("per frame")
    bare(axes)
    figure.legend(loc="outside upper center", ncols=3, **LEGEND)
    return figure


def plot_expected_error(share: NDArray[np.float64], time_edges_s: NDArray[np.float64]) -> Figure:
    """Share (bins,) of the positions that are expected to be wrong over time, NaN where there are none."""
    figure = new_figure(2.2)
    axes = figure.add_subplot()
    edges = time_axis(axes, time_edges_s)
    axes.stairs(100 * share, edges, fill=True, color=VERMILION, alpha=0.25, linewidth=0)
    axes.stairs(100 * share, edges, baseline=None, color=VERMILION, linewidth=1.3)
    highest = float(np.nanmax(share)) if np.isfinite(share).any() else 0.0
    axes.set_ylim(0, 100 * max(0.01, 1.08 * highest))
    axes.set_ylabel("expected error (%)")
    bare(axes)
    return figure
