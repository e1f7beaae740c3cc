"""Pictures of how good a classifier is. Images are (row, column, 3) BGR uint8."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.report.figures.style import BLUE, DASHED, LEGEND, VERMILION, bare, draw_matrix, new_figure, plain, plain_lines

Reliability = Mapping[str, Any]
MOST_NAMED_CLASSES, MOST_NUMBERED_CLASSES = 40, 20


def plot_classifier(confusion: NDArray[np.int64], classes: Sequence[str], history: dict[str, list[float]]) -> Figure:
    """Confusion matrix (true class, answer) of the validation images, and the learning curves in `history` (one value per epoch)."""
    number = len(classes)
    figure = new_figure(4.6 if number <= 20 else 5.4)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1))
    axes = figure.add_subplot(grid[:, 0])
    shares = _shares(confusion)
    counted = np.argwhere(confusion > 0).tolist() if number <= MOST_NUMBERED_CLASSES else []
    draw_matrix(axes, shares, _names(classes), {(row, column): str(confusion[row, column]) for row, column in counted})
    axes.set_xlabel("answer of the classifier")
    axes.set_ylabel("label")
    axes.set_title("images kept for validation", fontsize=10)
    for place, key, label in ((0, "loss", "loss"), (1, "accuracy", "accuracy")):
        curve = figure.add_subplot(grid[place, 1])
        for name, colour, what in ((key, BLUE, "training"), (f"val_{key}", VERMILION, "validation")):
            values = history.get(name, [])
            curve.plot(np.arange(1, len(values) + 1), values, color=colour, label=what, linewidth=1.4, marker=".", markersize=4)
        curve.set_ylabel(label)
        curve.xaxis.set_major_locator(MaxNLocator(integer=True))
        curve.set_ylim(bottom=0)
        bare(curve)
    curve.set_ylim(0, 1.02)
    curve.set_xlabel("epoch")
    curve.legend(loc="lower right", **LEGEND)
    return figure


def plot_reliability(images: Reliability, tracklets: Reliability, confusion: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """How right answers are against the probability that they claim, by image and by tracklet, each as in `calibration.reliability`;
    beside it the confusion matrix (true class, answer) of tracklets.
    """
    figure = new_figure(4.4)
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.2))
    axes = figure.add_subplot(grid[0])
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=DASHED)
    for found, colour, what in ((images, BLUE, "images"), (tracklets, VERMILION, "tracklets")):
        count, claimed, true = (np.asarray(found[key]) for key in ("count", "confidence", "accuracy"))
        some = count > 0
        error = "" if found["ece"] is None else f", off by {100 * found['ece']:.1f} %"
        axes.plot(claimed[some], true[some], color=colour, marker="o", linewidth=1.2, label=f"{what}{error}")
        for x, y, number in zip(claimed[some], true[some], count[some], strict=True):
            axes.annotate(f"{number:,}", (x, y), textcoords="offset points", xytext=(0, 6), fontsize=7, color=colour, ha="center")
    axes.set_xlim(0, 1.04)
    axes.set_ylim(0, 1.1)
    axes.set_xlabel("probability claimed")
    axes.set_ylabel("share that is right")
    axes.legend(loc="lower right", **LEGEND)
    bare(axes)
    matrix = figure.add_subplot(grid[1])
    draw_matrix(matrix, _shares(confusion), _names(classes), {})
    matrix.set_title("tracklets kept for validation", fontsize=10)
    return figure


def _shares(confusion: NDArray[np.int64]) -> Floats:
    """Counts as shares of their rows, 0 in rows without any."""
    total = confusion.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(confusion, total, out=np.zeros(confusion.shape), where=total > 0), np.float64)


def _names(classes: Sequence[str]) -> list[str]:
    """The names beside a matrix; none where there are too many."""
    return [plain(name) for name in classes] if len(classes) <= MOST_NAMED_CLASSES else []


def plot_images(images: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Figure:
    """Images (h, w, 3) BGR side by side, at most six in a row, each with its caption."""
    columns = 6
    rows = -(-len(images) // columns)
    figure = new_figure(2.1 * rows)
    for k, (image, caption) in enumerate(zip(images, captions, strict=True)):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.imshow(image[:, :, ::-1])
        axes.set_title(plain_lines(caption), fontsize=7)
        axes.set_axis_off()
    return figure
