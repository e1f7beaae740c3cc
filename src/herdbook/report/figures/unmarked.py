"""Pictures of animals that were found without labels: arrays in, Matplotlib Figure out."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.report.figures.style import BLUE, GREEN, VERMILION, WIDTH_IN, bare, draw_matrix, new_figure

MOST_WRITTEN = 12


def plot_learning(history: dict[str, list[float]]) -> Figure:
    """The checks of the training: loss, collisions of tracklets kept for validation, and what stayed as it was (one value per check)."""
    figure = new_figure(2.4)
    steps = history["step"]
    for place, (key, label, colour) in enumerate(
        (("loss", "loss", BLUE), ("collisions", "collisions (%)", VERMILION), ("same", "as in the check before (%)", GREEN))
    ):
        axes = figure.add_subplot(1, 3, place + 1)
        values = np.asarray(history[key]) * (1 if key == "loss" else 100)
        start = 1 if key == "same" else 0
        axes.plot(steps[start:], values[start:], color=colour, linewidth=1.4, marker=".", markersize=5)
        axes.set_ylim(0, max(1e-3, 1.08 * float(np.nanmax(values, initial=0.0))) if key != "same" else 102)
        axes.set_xlabel("training steps")
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        bare(axes)
    return figure


def plot_embedding(
    x: Sequence[float], y: Sequence[float], animal: NDArray[np.int64], tracklet: NDArray[np.int64], colours: Sequence[str]
) -> Figure:
    """Images in the plane in which the embedding spreads most (n,), on the left by animal, on the right by tracklet."""
    figure = new_figure(4.3)
    # Neighbouring numbers get colours that are far apart.
    by_tracklet = (tracklet * 0.6180339887) % 1.0
    for place, (title, values) in enumerate((("by animal", np.asarray(colours)[animal]), ("by tracklet", by_tracklet))):
        axes = figure.add_subplot(1, 2, place + 1)
        axes.scatter(x, y, c=values, cmap="hsv" if place else None, s=7, linewidths=0, alpha=0.8)
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal", adjustable="datalim")
    return figure


def plot_mixed_up(confusion: Floats, names: Sequence[str]) -> Figure:
    """Share (animal, answer) of the frames of each animal that the images of single tracklets give to each."""
    figure = new_figure(4.4, 5.2)
    axes = figure.add_subplot()
    written = np.argwhere(confusion >= 0.005).tolist() if len(names) <= MOST_WRITTEN else []
    draw_matrix(axes, confusion, names, {(row, column): f"{100 * confusion[row, column]:.0f}" for row, column in written})
    axes.set_xlabel("answer of the images alone (%)")
    axes.set_ylabel("animal")
    return figure


def plot_montage(montage: NDArray[np.uint8], names: Sequence[str]) -> Figure:
    """Rows of images (row, col, channel) BGR of the animals, as many as there are names."""
    height, width = montage.shape[:2]
    inches = (WIDTH_IN - 1) / width * height
    figure = new_figure(inches + 0.2)
    axes = figure.add_subplot()
    axes.imshow(cv2.cvtColor(montage, cv2.COLOR_BGR2RGB), interpolation="antialiased")
    rows = height / max(1, len(names))
    axes.set_yticks((np.arange(len(names)) + 0.5) * rows - 0.5, names, fontsize=9 if len(names) <= 20 else 6)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    return figure
