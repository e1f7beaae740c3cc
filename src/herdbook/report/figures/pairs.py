"""Pictures of pairs of animals: matrices of distances, neighbours and contacts. Arrays in, Matplotlib Figure out."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from herdbook.report.figures.style import new_figure, plain

# More rows than this have no room for a name each, nor more than so many for numbers.
MOST_NAMES, MOST_NUMBERED = 40, 16


def plot_distances(distances: NDArray[np.float64], nearest: NDArray[np.int64], names: Sequence[str], unit: str) -> Figure:
    """Median distance (n, n) of each pair in `unit`, NaN for none, and how often each one (row) has each other one as its nearest."""
    total = nearest.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(100.0 * nearest, total, out=np.full(nearest.shape, np.nan), where=total > 0)
    np.fill_diagonal(shares, np.nan)
    figure, (left, right) = _pair_of_axes(len(names))
    _matrix(figure, left, distances, names, f"median distance ({unit})", "viridis_r", 2)
    _matrix(figure, right, shares, names, "how often the nearest of the row's animal (%)", "viridis", 2)
    return figure


def plot_contacts(number: NDArray[np.int64], time_s: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """Number (n, n) of the contacts of each pair, and how long (n, n) they last in all."""
    figure, (left, right) = _pair_of_axes(len(names))
    apart = np.where(np.eye(len(names), dtype=bool), np.nan, 1.0)
    unit, divisor = ("s", 1.0) if time_s.max(initial=0) < 600 else ("min", 60.0)
    _matrix(figure, left, number.astype(np.float64) * apart, names, "number of contacts", "viridis", 2)
    _matrix(figure, right, time_s / divisor * apart, names, f"time in contact ({unit})", "viridis", 2)
    return figure


def _pair_of_axes(number: int) -> tuple[Figure, tuple[Axes, Axes]]:
    figure = new_figure(5.4)
    left, right = figure.subplots(1, 2)
    return figure, (left, right)


def _matrix(figure: Figure, axes: Axes, values: NDArray[np.float64], names: Sequence[str], label: str, colours: str, digits: int) -> None:
    """An image of a matrix with names, a bar of its colours below, and its numbers where there is room."""
    number = len(names)
    axes.set_facecolor("0.88")
    highest = float(np.nanmax(values, initial=0.0))
    image = axes.imshow(values, cmap=colours, vmin=0, vmax=highest if highest > 0 else 1.0, interpolation="nearest")
    every = -(-number // MOST_NAMES)
    shown = list(range(0, number, every))
    size = 9 if number <= 12 else 7 if number <= 24 else 6
    axes.set_xticks(shown, [plain(names[k]) for k in shown], fontsize=size, rotation=90)
    axes.set_yticks(shown, [plain(names[k]) for k in shown], fontsize=size)
    if number <= MOST_NUMBERED:
        for row, column in np.argwhere(np.isfinite(values)):
            value = values[row, column]
            ink = "white" if np.mean(image.cmap(image.norm(value))[:3]) < 0.5 else "black"
            text = f"{value:.{digits}g}" if value < 10 ** (digits - 1) else f"{value:.0f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=min(size, 100 // number), color=ink)
    figure.colorbar(image, ax=axes, location="bottom", label=label, aspect=30, fraction=0.05, pad=0.02)
