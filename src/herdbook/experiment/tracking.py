"""Sections of the experiment file on tracking: index, tracklets, propagate, smooth, repair."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from herdbook.experiment.arenas import group_homes, homes, lone_names
from herdbook.experiment.base import Count, FilePath, Positive, Section, Share

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment


class IndexSection(Section):
    """Finding the frames of each movie."""

    overridable: ClassVar = True

    on_broken: Literal["stop", "keep"] = Field(
        "stop", description="if a movie is damaged or incomplete: stop with an error, or keep the frames before the fault"
    )
    every: Count = Field(
        1, description="read only every n-th frame; frames of all tables are then counted in those that are read, and times stay true"
    )

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, and how the movie is to be read."""
        movie = experiment.movie(unit) if unit else None
        given = {key: getattr(movie, key) for key in ("fps", "rotate", "stream", "bits")} if movie else {}
        return super().job(experiment, unit) | given


class TrackletsSection(Section):
    """Linking blobs."""

    overridable: ClassVar = True

    max_step: Positive | None = Field(
        None, description="longest step of an animal between two frames (px); by default learned from the movie"
    )
    bridge: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="number of frames that a link may bridge between a blob that disappears and one that appears"
    )

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, the number of animals in each arena, where it is known, and if too many are to be ignored."""
        ignored = experiment.section("segment", unit).on_excess == "ignore"
        return super().job(experiment, unit) | {"numbers": experiment.population} | ({"on_excess": "ignore"} if ignored else {})


class PropagateSection(Section):
    """Identities, from evidence and movement."""

    gap_s: Positive = Field(3.0, description="an animal that disappears may appear again within this time (s) at low cost")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, the names of the animals, and their number and names in each arena."""
        animals, arenas = experiment.animals, experiment.arenas
        values = super().job(experiment, unit) | {
            "identities": animals.classes,
            "homes": homes(arenas, animals.classes),
            "groups": group_homes(arenas, animals.groups),
            "marking": animals.marking,
            "numbers": experiment.population,
        }
        if animals.marking != "none":
            return values
        # Only where there are such names: other experiments need not run again.
        lone = lone_names(arenas)
        return values | {"keep": animals.keep} | ({"lone": lone} if any(lone) else {})


class SmoothSection(Section):
    """Positions."""

    not_settings: ClassVar = frozenset({"corrections"})
    overridable: ClassVar = True

    method: Literal["lkrstc", "none"] = Field("lkrstc", description="LK-RSTC smoothing, or none")
    window_s: Positive | None = Field(
        None, description="length of the smoothing window (s); by default the shortest, up to 0.5 s, that removes nearly all jitter"
    )
    engine: Literal["numba", "opencv"] = Field(
        "numba",
        description="optical flow: numba, which counts only where it agrees with what was found; or the slower opencv, which counts "
        "everywhere, with results identical to those of DUSTrack",
    )
    fill: Annotated[int, Field(ge=0)] | None = Field(
        None, description="longest gap that is filled (frames); by default the length of the window"
    )
    jumps: Literal["flag", "repair"] = Field(
        "flag", description="points farther from the expected position than movement and flow allow: flag them, or also correct them"
    )
    likelihood: Share = Field(0.0, description="body points with a lower likelihood are treated as unknown")
    corrections: FilePath | None = Field(
        None, description="CSV or JSON with movie, frame, individual, point, x, y: positions that replace the found ones, exactly as given"
    )


class RepairSection(Section):
    """Body points of files (movies: poses) handed to the animals they belong to; {} for all defaults."""

    names: Literal["herdbook", "file"] = Field(
        "herdbook",
        description="who is in an animal or track of the file: herdbook finds it for each frame; file: the animal of the same name in all "
        "frames, so that only single points are handed on",
    )
    least: Share = Field(0.9, description="a point that belongs to an animal with a lower probability stays unknown")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, and from which likelihood on a point counts."""
        return super().job(experiment, unit) | {"likelihood": experiment.section("smooth", unit).likelihood}
