"""What all pictures of the report share: size, fonts, grids, colours."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

DPI = 110
WIDTH_IN = 9.2
MOST_TALL_ROWS = 60
LONGEST_NAME = 24


def png_bytes(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


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
