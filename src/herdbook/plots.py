"""Pictures of the report: arrays in, Matplotlib Figure out. Images are (row, column, 3) BGR uint8, points (x, y) px, times s.

Figures are about 1,000 px wide at DPI, so that their letters keep their size on a page of that width.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.artifacts import SOURCES
from herdbook.colours import SOURCE_COLOURS, as_css

Reliability = Mapping[str, Any]

DPI = 110
WIDTH_IN = 9.2
CATEGORIES = (*SOURCES, "missing")
# Beyond this many names a legend is longer than the picture that it explains.
MOST_IN_LEGEND = 48
MOST_NUMBERED_CLASSES = 20
LONGEST_NAME = 24


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def plot_trajectories(
    background: NDArray[np.uint8], lines: Sequence[NDArray[np.float64]], names: Sequence[str], colours: Sequence[str]
) -> Figure:
    """Paths (n, 2) of the individuals, with NaN at gaps, over the darkened background; with a legend if the names are few."""
    height, width = background.shape[:2]
    legend = 0 < len(names) <= MOST_IN_LEGEND
    columns = max(1, min(len(names), 92 // (min(LONGEST_NAME, max((len(name) for name in names), default=1)) + 6)))
    legend_in = 0.24 * -(-len(names) // columns) + 0.1 if legend else 0.0
    # A tall frame may not make a picture that is longer than a screen.
    scale = min(WIDTH_IN / width, 8.0 / height)
    figure = Figure(figsize=(WIDTH_IN, height * scale + legend_in))
    share = legend_in / (height * scale + legend_in)
    axes = figure.add_axes((0.5 - 0.5 * width * scale / WIDTH_IN, share, width * scale / WIDTH_IN, 1 - share))
    grey = background.mean(axis=2)
    axes.imshow(
        10 + 0.22 * grey, cmap="gray", vmin=0, vmax=255, extent=(-0.5, width - 0.5, height - 0.5, -0.5), interpolation="antialiased"
    )
    paths = LineCollection(list(lines), colors=list(colours), linewidths=1.1, alpha=0.9, capstyle="round")
    axes.add_collection(paths, autolim=False)
    ends = np.array([line[-1] if len(line) else (np.nan, np.nan) for line in lines]).reshape(-1, 2)
    axes.scatter(ends[:, 0], ends[:, 1], c=list(colours), s=18, linewidths=0.5, edgecolors="black", zorder=3)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_axis_off()
    if legend:
        handles = [Line2D([], [], color=colour, linewidth=5, label=_plain(name)) for name, colour in zip(names, colours, strict=True)]
        figure.legend(
            handles=handles,
            loc="lower center",
            ncols=columns,
            frameon=False,
            fontsize=9,
            handlelength=1.0,
            borderpad=0.1,
            columnspacing=1.2,
        )
    return figure


def plot_timeline(categories: NDArray[np.uint8], time_edges_s: NDArray[np.float64], names: Sequence[str], colours: Sequence[str]) -> Figure:
    """Category (individuals, bins), an index into CATEGORIES, of each individual over time; `time_edges_s` (bins + 1,)."""
    rows = len(names)
    row_in = 0.26 if rows <= 60 else 0.15
    figure = Figure(figsize=(WIDTH_IN, 1.1 + row_in * max(rows, 1)), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = _time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    axes.pcolormesh(
        edges, np.arange(rows + 1) - 0.5, categories, cmap=ListedColormap(as_css(SOURCE_COLOURS)), vmin=-0.5, vmax=len(CATEGORIES) - 0.5,
        rasterized=True,
    )  # fmt: skip
    axes.hlines(np.arange(1, rows) - 0.5, edges[0], edges[-1], colors="white", linewidth=2 if rows <= 60 else 1)
    axes.set_ylim(max(rows, 1) - 0.5, -0.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_yticks(np.arange(rows), [_plain(name) for name in names], fontsize=9 if rows <= 60 else 6)
    axes.tick_params(axis="y", length=0, pad=14)
    axes.scatter(np.full(rows, -0.011), np.arange(rows), c=list(colours) or None, marker="s", s=45 if rows <= 60 else 14, clip_on=False,
                 transform=axes.get_yaxis_transform(), edgecolors="0.3", linewidths=0.4)  # fmt: skip
    axes.set_xlabel(f"time ({unit})")
    _bare(axes)
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(CATEGORIES, as_css(SOURCE_COLOURS), strict=True)]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=9)
    return figure


def plot_counts(blobs: NDArray[np.float64], animals: NDArray[np.float64], time_edges_s: NDArray[np.float64], number: int | None) -> Figure:
    """Blobs per frame and animals that the tracklets hold, each (3, bins) least, mean, greatest; beside the known number of animals."""
    figure = Figure(figsize=(WIDTH_IN, 2.6), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = _time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    for (least, mean, greatest), colour, label in ((blobs, "#0072b2", "blobs"), (animals, "#d55e00", "animals in them")):
        axes.stairs(greatest, edges, baseline=least, fill=True, color=colour, alpha=0.25, linewidth=0)
        axes.stairs(mean, edges, baseline=None, color=colour, linewidth=1.3, label=label)
    if number is not None:
        axes.axhline(number, color="0.2", linestyle=(0, (4, 3)), linewidth=1, label=f"number of animals: {number}")
    axes.set_ylim(0, 1.08 * max(1.0, blobs.max(), animals.max(), number or 0))
    axes.set_xlim(edges[0], edges[-1])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel("per frame")
    _bare(axes)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    return figure


def plot_expected_error(share: NDArray[np.float64], time_edges_s: NDArray[np.float64]) -> Figure:
    """Share (bins,) of the positions that are expected to be wrong over time, NaN where there are none."""
    figure = Figure(figsize=(WIDTH_IN, 2.2), layout="constrained")
    axes = figure.add_subplot()
    unit, divisor = _time_unit(float(time_edges_s[-1]))
    edges = time_edges_s / divisor
    axes.stairs(100 * share, edges, fill=True, color="#d55e00", alpha=0.25, linewidth=0)
    axes.stairs(100 * share, edges, baseline=None, color="#d55e00", linewidth=1.3)
    highest = float(np.nanmax(share)) if np.isfinite(share).any() else 0.0
    axes.set_ylim(0, 100 * max(0.01, 1.08 * highest))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(f"time ({unit})")
    axes.set_ylabel("expected error (%)")
    _bare(axes)
    return figure


def plot_classifier(confusion: NDArray[np.int64], classes: Sequence[str], history: dict[str, list[float]]) -> Figure:
    """Confusion matrix (true class, answer) of the validation images, and the learning curves in `history` (one value per epoch)."""
    number = len(classes)
    figure = Figure(figsize=(WIDTH_IN, 4.6 if number <= 20 else 5.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.35, 1))
    axes = figure.add_subplot(grid[:, 0])
    total = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, total, out=np.zeros(confusion.shape), where=total > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = 9 if number <= 12 else 7
    if number <= 40:
        axes.set_xticks(np.arange(number), [_plain(name) for name in classes], fontsize=size, rotation=90)
        axes.set_yticks(np.arange(number), [_plain(name) for name in classes], fontsize=size)
    if number <= MOST_NUMBERED_CLASSES:
        for row, column in np.argwhere(confusion > 0):
            ink = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(confusion[row, column]), ha="center", va="center", fontsize=size - 1, color=ink)
    axes.set_xlabel("answer of the classifier")
    axes.set_ylabel("label")
    axes.set_title("images kept for validation", fontsize=10)
    for place, key, label in ((0, "loss", "loss"), (1, "accuracy", "accuracy")):
        curve = figure.add_subplot(grid[place, 1])
        for name, colour, what in ((key, "#0072b2", "training"), (f"val_{key}", "#d55e00", "validation")):
            values = history.get(name, [])
            curve.plot(np.arange(1, len(values) + 1), values, color=colour, label=what, linewidth=1.4, marker=".", markersize=4)
        curve.set_ylabel(label)
        curve.xaxis.set_major_locator(MaxNLocator(integer=True))
        curve.set_ylim(bottom=0)
        _bare(curve)
    curve.set_ylim(0, 1.02)
    curve.set_xlabel("epoch")
    curve.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def plot_reliability(images: Reliability, tracklets: Reliability, confusion: NDArray[np.int64], classes: Sequence[str]) -> Figure:
    """How right answers are against the probability that they claim, by image and by tracklet, each as in `calibration.reliability`;
    beside it the confusion matrix (true class, answer) of tracklets.
    """
    figure = Figure(figsize=(WIDTH_IN, 4.4), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.2))
    axes = figure.add_subplot(grid[0])
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle=(0, (4, 3)))
    for found, colour, what in ((images, "#0072b2", "images"), (tracklets, "#d55e00", "tracklets")):
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
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    _bare(axes)
    matrix = figure.add_subplot(grid[1])
    total = confusion.sum(axis=1, keepdims=True)
    matrix.imshow(np.divide(confusion, total, out=np.zeros(confusion.shape), where=total > 0), cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= 40:
        size = 9 if len(classes) <= 12 else 7
        matrix.set_xticks(np.arange(len(classes)), [_plain(name) for name in classes], fontsize=size, rotation=90)
        matrix.set_yticks(np.arange(len(classes)), [_plain(name) for name in classes], fontsize=size)
    matrix.set_title("tracklets kept for validation", fontsize=10)
    return figure


def plot_images(images: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Figure:
    """Images (h, w, 3) BGR side by side, at most six in a row, each with its caption."""
    columns = 6
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(WIDTH_IN, 2.1 * rows), layout="constrained")
    for k, (image, caption) in enumerate(zip(images, captions, strict=True)):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.imshow(image[:, :, ::-1])
        axes.set_title(_plain_lines(caption), fontsize=7)
        axes.set_axis_off()
    return figure


def _time_unit(duration_s: float) -> tuple[str, float]:
    if duration_s < 180:
        return "s", 1.0
    return ("min", 60.0) if duration_s < 3 * 3600 else ("h", 3600.0)


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _plain_lines(text: str) -> str:
    return "\n".join(_plain(line) for line in text.split("\n"))


def _plain(name: str) -> str:
    """The name, cut if it is very long, without what Matplotlib would take for mathematics or for a label that is to be hidden."""
    text = (name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…").replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text
