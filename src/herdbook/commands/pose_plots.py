"""Plot of some points before and after smoothing, with the disagreement between forward and backward flow."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from herdbook.report.figures.style import BLUE, VERMILION, bare, new_figure
from herdbook.smoothing.points import SmoothedPoints

BEFORE, AFTER, JUMP = "#999999", BLUE, VERMILION


def plot_smoothing(result: SmoothedPoints, columns: Sequence[int], names: Sequence[str], first: int = 0, end: int | None = None) -> Figure:
    """Plots of x, y and disagreement (px) over frames first .. end - 1 (end None: to the last), for these `columns` of the result.

    `names` are the titles of the columns. Grey: before smoothing; blue: after smoothing; orange crosses: points that jump.
    """
    end = len(result.given) if end is None else end
    frames = np.arange(first, end)
    figure = new_figure(6.4, 4.2 * len(columns) + 0.6)
    axes = figure.subplots(3, len(columns), sharex=True, squeeze=False, height_ratios=(3, 3, 2))
    for k, (column, name) in enumerate(zip(columns, names, strict=True)):
        given, smoothed = result.given[first:end, column], result.smoothed[first:end, column]
        jump = result.jump[first:end, column]
        for axis, label in enumerate(("x (px)", "y (px)")):
            plot = axes[axis, k]
            plot.plot(frames, given[:, axis], color=BEFORE, linewidth=1.6, label="before")
            plot.plot(frames, smoothed[:, axis], color=AFTER, linewidth=1.0, label="smoothed")
            plot.plot(frames[jump], given[jump, axis], "x", color=JUMP, markersize=5, label="jump" if jump.any() else None)
            if k == 0:
                plot.set_ylabel(label)
        axes[0, k].set_title(name, fontsize=10)
        axes[2, k].fill_between(frames, result.disagreement[first:end, column], color=AFTER, alpha=0.35, linewidth=0)
        axes[2, k].set_ylim(bottom=0)
        axes[2, k].set_xlabel("frame")
        axes[2, k].set_xlim(first, max(end - 1, first + 1))
        axes[2, k].xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes[2, 0].set_ylabel("disagreement (px)")
    axes[0, 0].legend(loc="best", fontsize=8)
    for plot in axes.flat:
        bare(plot)
    return figure
