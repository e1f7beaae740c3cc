"""Pictures of animals that were found without labels: arrays in, Matplotlib Figure out."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.report.figures.style import WIDTH_IN

MOST_WRITTEN = 12


def plot_learning(history: dict[str, list[float]]) -> Figure:
    """The checks of the training: loss, collisions of tracklets kept for validation, and what stayed as it was (one value per check)."""
    figure = Figure(figsize=(WIDTH_IN, 2.4), layout="constrained")
    steps = history["step"]
    for place, (key, label, colour) in enumerate(
        (("loss", "loss", "#0072b2"), ("collisions", "collisions (%)", "#d55e00"), ("same", "as in the check before (%)", "#009e73"))
    ):
        axes = figure.add_subplot(1, 3, place + 1)
        values = np.asarray(history[key]) * (1 if key == "loss" else 100)
        start = 1 if key == "same" else 0
        axes.plot(steps[start:], values[start:], color=colour, linewidth=1.4, marker=".", markersize=5)
        axes.set_ylim(0, max(1e-3, 1.08 * float(np.nanmax(values, initial=0.0))) if key != "same" else 102)
        axes.set_xlabel("training steps")
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def plot_embedding(
    x: Sequence[float], y: Sequence[float], animal: NDArray[np.int64], tracklet: NDArray[np.int64], colours: Sequence[str]
) -> Figure:
    """Images in the plane in which the embedding spreads most (n,), on the left by animal, on the right by tracklet."""
    figure = Figure(figsize=(WIDTH_IN, 4.3), layout="constrained")
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
    number = len(names)
    figure = Figure(figsize=(5.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(confusion, cmap="Blues", vmin=0, vmax=1)
    size = 9 if number <= MOST_WRITTEN else 7
    axes.set_xticks(np.arange(number), names, fontsize=size, rotation=90)
    axes.set_yticks(np.arange(number), names, fontsize=size)
    for row, column in np.argwhere(confusion >= 0.005) if number <= MOST_WRITTEN else ():
        ink = "white" if confusion[row, column] > 0.5 else "black"
        axes.text(column, row, f"{100 * confusion[row, column]:.0f}", ha="center", va="center", fontsize=size - 1, color=ink)
    axes.set_xlabel("answer of the images alone (%)")
    axes.set_ylabel("animal")
    return figure


def plot_montage(montage: NDArray[np.uint8], names: Sequence[str]) -> Figure:
    """Rows of images (row, col, channel) BGR of the animals, as many as there are names."""
    height, width = montage.shape[:2]
    inches = (WIDTH_IN - 1) / width * height
    figure = Figure(figsize=(WIDTH_IN, inches + 0.2), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(cv2.cvtColor(montage, cv2.COLOR_BGR2RGB), interpolation="antialiased")
    rows = height / max(1, len(names))
    axes.set_yticks((np.arange(len(names)) + 0.5) * rows - 0.5, names, fontsize=9 if len(names) <= 20 else 6)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    return figure
