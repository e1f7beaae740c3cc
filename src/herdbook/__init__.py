"""Herdbook: trajectories with names from movies of animal groups."""

from pathlib import Path
from typing import TYPE_CHECKING

from herdbook.version import VERSION

if TYPE_CHECKING:
    from herdbook.tables.results import Results

__version__ = VERSION


def load(folder: "str | Path") -> "Results":
    """The results in an experiment's folder, such as results/ants16: trajectories, tracklets, events and settings, see docs/python.md."""
    # Imported late: it takes half a second, which the stages do not need.
    from herdbook.tables.results import load as load_results

    return load_results(folder)
