"""Sections of the experiment file on tracking: index, tracklets, propagate, smooth."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from herdbook.experiment.arenas import group_homes, homes
from herdbook.experiment.base import FilePath, Positive, Section, Share

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment


class IndexSection(Section):
    """Finding the frames of each movie."""

    overridable: ClassVar = True

    on_broken: Literal["stop", "keep"] = Field(
        "stop", description="a movie that is cut off: stop with an error, or keep the frames before the fault"
    )


class TrackletsSection(Section):
    """Linking blobs."""

    overridable: ClassVar = True

    max_step: Positive | None = Field(
        None, description="longest step of an animal between two frames (px); by default learned from the movie"
    )
    bridge: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="frames over which a blob that vanishes may be linked to one that appears"
    )

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """What a job gets: also how many animals there are in each arena, where that is known."""
        return super().job(experiment, unit) | {"numbers": experiment.population}


class PropagateSection(Section):
    """Joining evidence and movement into identities."""

    gap_s: Positive = Field(3.0, description="an animal that is lost may be found again within this time (s) at low cost")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """What a job gets: also who the animals are, how many, and which of them live in each arena."""
        animals, arenas = experiment.animals, experiment.arenas
        values = super().job(experiment, unit) | {
            "identities": animals.classes,
            "homes": homes(arenas, animals.classes),
            "groups": group_homes(arenas, animals.groups),
            "marking": animals.marking,
            "numbers": experiment.population,
        }
        return values | ({"keep": animals.keep} if animals.marking == "none" else {})


class SmoothSection(Section):
    """Positions."""

    not_settings: ClassVar = frozenset({"corrections"})
    overridable: ClassVar = True

    method: Literal["lkrstc", "none"] = Field("lkrstc", description="LK-RSTC smoothing, or none")
    window_s: Positive | None = Field(
        None, description="length of the smoothing window (s); by default the shortest, up to 0.5 s, that takes nearly all jitter away"
    )
    engine: Literal["numba", "opencv"] = Field(
        "numba", description="optical flow: numba, or the slower opencv, whose result equals DUSTrack's to the last digit"
    )
    fill: Annotated[int, Field(ge=0)] | None = Field(
        None, description="gaps of at most so many frames are filled; by default as many as the window has"
    )
    jumps: Literal["flag", "repair"] = Field(
        "flag", description="points farther from where they should be than movement and flow allow: flag them, or put them there, too"
    )
    likelihood: Share = Field(0.0, description="body points that are less likely than this are unknown")
    corrections: FilePath | None = Field(
        None, description="CSV or JSON with movie, frame, individual, point, x, y: places that replace those found before smoothing"
    )
