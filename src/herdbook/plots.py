"""Pictures of the report: arrays in, Matplotlib Figure out. Images are (row, column, 3) BGR uint8, points (x, y) px, times s.

Figures are about 1,000 px wide at DPI, so that their letters keep their size on a page of that width.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from herdbook.colours import SOURCE_COLOURS, as_css
from herdbook.summaries import CATEGORIES

Reliability = Mapping[str, Any]

DPI = 110
WIDTH_IN = 9.2
# Those of the sources, then unknown, hidden, not tracked, no position.
CATEGORY_COLOURS = np.concatenate(
    [SOURCE_COLOURS[:-1], np.array([(110, 110, 110), (200, 200, 200), (255, 255, 255), (232, 232, 232)], np.uint8)]
)
MOST_NUMBERED_CLASSES = 20
MOST_TALL_ROWS = 60
LONGEST_NAME = 24


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


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
        axes.set_xticks(np.arange(number), [plain(name) for name in classes], fontsize=size, rotation=90)
        axes.set_yticks(np.arange(number), [plain(name) for name in classes], fontsize=size)
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
        bare(curve)
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
    bare(axes)
    matrix = figure.add_subplot(grid[1])
    total = confusion.sum(axis=1, keepdims=True)
    matrix.imshow(np.divide(confusion, total, out=np.zeros(confusion.shape), where=total > 0), cmap="Blues", vmin=0, vmax=1)
    if len(classes) <= 40:
        size = 9 if len(classes) <= 12 else 7
        matrix.set_xticks(np.arange(len(classes)), [plain(name) for name in classes], fontsize=size, rotation=90)
        matrix.set_yticks(np.arange(len(classes)), [plain(name) for name in classes], fontsize=size)
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
        axes.set_title(plain_lines(caption), fontsize=7)
        axes.set_axis_off()
    return figure


def row_height(rows: int) -> float:
    """Height (inches) of a row with a name, in a picture with this many of them."""
    return 0.26 if rows <= MOST_TALL_ROWS else 0.15


def name_rows(axes: Axes, names: Sequence[str], colours: Sequence[str]) -> None:
    """Give row 0, 1, ... of an image its name and colour on the left, the first one on top, and part the rows."""
    rows, tall = len(names), len(names) <= MOST_TALL_ROWS
    axes.hlines(np.arange(1, rows) - 0.5, *axes.get_xlim(), colors="white", linewidth=2 if tall else 1)
    axes.set_ylim(max(rows, 1) - 0.5, -0.5)
    axes.set_yticks(np.arange(rows), [plain(name) for name in names], fontsize=9 if tall else 6)
    axes.tick_params(axis="y", length=0, pad=14)
    points = np.zeros(rows), np.arange(rows)
    axes.scatter(*points, c=list(colours) or None, marker="s", s=45 if tall else 14, clip_on=False, edgecolors="0.3", linewidths=0.4,
                 transform=axes.get_yaxis_transform() + ScaledTranslation(-7 / 72, 0, axes.figure.dpi_scale_trans))  # fmt: skip


def time_unit(duration_s: float) -> tuple[str, float]:
    """Unit of the axis of time of something this long, and how many s it has."""
    if duration_s < 180:
        return "s", 1.0
    return ("min", 60.0) if duration_s < 3 * 3600 else ("h", 3600.0)


def bare(axes: Axes) -> None:
    """Take away the upper and right edge."""
    axes.spines[["top", "right"]].set_visible(False)


def plain_lines(text: str) -> str:
    """The lines, each as `plain`."""
    return "\n".join(plain(line) for line in text.split("\n"))


def plain(name: str) -> str:
    """The name, cut if it is very long, without what Matplotlib would take for mathematics or for a label that is to be hidden."""
    text = (name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…").replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text
