"""Sections of the experiment file on the results: tables, comparison with the truth, and the scale in px per mm."""

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from herdbook.experiment.base import FilePath, Point, Positive, Section
from herdbook.experiment.layout import WRITTEN_MOVIES

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

# Blobs of touching animals separate for single frames: of the 848 times that a pair of 16 ants separated within 10 min, 343 lasted at most
# this time, and only 39 between one and two times as long.
CONTACT_GAP_S = 0.5

FormatName = Literal["hdf5", "parquet", "motion", "movement", "deeplabcut", "sleap", "idtracker", "jaaba", "mot", "nwb"]


class ExportSection(Section):
    """Tables."""

    formats: list[FormatName] = Field(
        ["hdf5"],
        description="written in addition to trajectories.csv: hdf5, parquet and motion (speed, body length, mm) are tables of all movies, "
        "the others are files of each movie for the tool of that name; see docs/tables.md",
    )
    movement_names: Literal["singular", "plural"] = Field(
        "singular", description="names of the dimensions in files for movement: singular for version 0.17 and later, plural for older ones"
    )

    contact_gap_s: Annotated[float, Field(ge=0)] = Field(
        CONTACT_GAP_S, description="a contact in events.csv continues if the two animals are apart for at most this time (s)"
    )

    @model_validator(mode="after")
    def _once(self) -> "ExportSection":
        if len(set(self.formats)) < len(self.formats):
            raise ValueError("formats: list each of them once")
        return self

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, the recordings with the dates of their movies, the arenas and the scale."""
        return super().job(experiment, unit) | {
            "recordings": experiment.recordings,
            "marking": experiment.animals.marking,
            "arenas": [arena.name for arena in experiment.arenas],
            "px_per_mm": experiment.scale.value if experiment.scale else None,
            "starts": {movie.name: movie.start.isoformat() for movie in experiment.movies if movie.start},
            # Only where it is so: other experiments need not run again.
            **({"repaired": True} if experiment.repair else {}),
        }


class ScaleSection(Section):
    """Size of a px: px_per_mm, or two points and their distance, or points on the rim of a circle and its diameter."""

    px_per_mm: Positive | None = Field(None, description="number of px in a mm")
    points: tuple[Point, Point] | None = Field(None, description="instead of px_per_mm: two points x, y (px), whose distance is length")
    length: Positive | None = Field(None, description="distance of the two points (mm)")
    circle: Annotated[list[Point], Field(min_length=3)] | None = Field(
        None, description="instead of px_per_mm: three or more points x, y (px) on the rim of a circle, which is diameter mm wide"
    )
    diameter: Positive | None = Field(None, description="diameter of the circle (mm)")

    @model_validator(mode="after")
    def _one_way(self) -> "ScaleSection":
        if (self.points is None) != (self.length is None):
            raise ValueError("points and length belong together: two points and their distance in mm")
        if (self.circle is None) != (self.diameter is None):
            raise ValueError("circle and diameter belong together: points on the rim and the diameter in mm")
        if sum(way is not None for way in (self.px_per_mm, self.points, self.circle)) != 1:
            raise ValueError("give exactly one of px_per_mm, points with length, circle with diameter")
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError("the points must be apart, and those of a circle must not be on one line")
        return self

    @property
    def value(self) -> float:
        """Number of px in a mm; not a positive number if the points are equal, or all on one line."""
        if self.points is not None and self.length is not None:
            return math.dist(*self.points) / self.length
        if self.circle is not None and self.diameter is not None:
            return 2 * circle_radius(self.circle) / self.diameter
        return self.px_per_mm or 0.0


def circle_radius(points: list[Point]) -> float:
    """Radius of the circle through three or more points x, y, by algebraic least squares; NaN if they lie on a line.

    Kåsa, I. (1976). A circle fitting procedure and its error analysis. IEEE Trans. Instrum. Meas. 25, 8-14.
    """
    places = np.asarray(points, np.float64)
    shifted = places - places.mean(axis=0)
    terms = np.column_stack([2 * shifted, np.ones(len(shifted))])
    found, _, rank, _ = np.linalg.lstsq(terms, (shifted**2).sum(axis=1), rcond=1e-9)
    return float(np.sqrt(found[2] + found[0] ** 2 + found[1] ** 2)) if rank == 3 else math.nan


class ScoreSection(Section):
    """Comparison with the known truth."""

    truth: FilePath = Field(description="CSV with columns movie, frame, identity, x, y")
    radius: Positive = Field(20.0, description="a position is right within this distance of the true one (px)")
    apart: Positive | None = Field(None, description="also score alone the animals at least this far from all others (px)")


class ReportSection(Section):
    """The report, which has no keys in the experiment file."""

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: what the report needs from the whole experiment."""
        animals, score = experiment.animals, experiment.score
        values: dict[str, Any] = {
            "experiment": experiment.experiment,
            "shown": {
                stage: {m.name: section.shown() for m in experiment.movies if (section := experiment.section(stage, m.name)).write}
                for stage in WRITTEN_MOVIES
            },
            "marking": animals.marking,
            "recordings": experiment.recordings,
            "score": score.model_dump(mode="json", exclude={"truth"}) if score else None,
            "individuals": animals.individuals,
            "numbers": experiment.population,
            "arenas": [arena.name for arena in experiment.arenas],
            "px_per_mm": experiment.scale.value if experiment.scale else None,
        }
        if any(experiment.has_points(movie.name) for movie in experiment.movies):
            # Only where there are some: other experiments need not run again.
            values["skeleton"] = experiment.points.skeleton
        return values | ({"keep": animals.keep, "alone": experiment.alone} if animals.marking == "none" else {})
