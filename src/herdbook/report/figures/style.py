"""What all pictures share: their size, colours, lines, legends, axes of time and of names, and matrices of shares."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from herdbook.arrays import Floats

DPI = 110
WIDTH_IN = 9.2
# Colours that also those tell apart who do not see all of them (Okabe & Ito 2008, Color Universal Design).
BLUE, VERMILION, SKY_BLUE, GREEN = "#0072b2", "#d55e00", "#56b4e9", "#009e73"
DASHED = (0, (4, 3))
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 9}
MOST_TALL_ROWS = 60
LONGEST_NAME = 24


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(height_in: float, width_in: float = WIDTH_IN) -> Figure:
    """An empty figure of this size (inches), whose parts will find their places themselves."""
    return Figure(figsize=(width_in, height_in), layout="constrained")


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


def time_axis(axes: Axes, edges_s: Floats) -> Floats:
    """Let the axes reach from the first to the last of the edges (bins + 1,) s, with a label; returns the edges in its unit."""
    unit, divisor = time_unit(float(edges_s[-1]))
    edges = edges_s / divisor
    axes.set_xlim(edges[0], edges[-1])
    axes.set_xlabel(f"time ({unit})")
    return edges


def draw_matrix(axes: Axes, shares: Floats, names: Sequence[str], cells: Mapping[tuple[int, int], str]) -> None:
    """A matrix of shares 0..1, rows and columns of the same names (none: left out), with texts in some cells (row, column)."""
    number = len(shares)
    size = 9 if number <= 12 else 7
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if names:
        axes.set_xticks(np.arange(number), names, fontsize=size, rotation=90)
        axes.set_yticks(np.arange(number), names, fontsize=size)
    for (row, column), text in cells.items():
        ink = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=size - 1, color=ink)


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
