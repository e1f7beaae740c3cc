"""Sections of the experiment file on the movies that are written: overlay, close-ups of single animals, mosaic of all."""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from herdbook.experiment.base import Count, Name, Positive, Section

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

Even = Annotated[int, Field(ge=16, le=16384, multiple_of=2)]
Quality = Annotated[int, Field(ge=0, le=51)]
Instant = Annotated[float, Field(ge=0)]
Part = Literal["names", "trails", "outlines", "marks", "points", "time"]


class ShownSection(Section):
    """Keys that all written movies share: which frames they show."""

    not_settings: ClassVar = frozenset({"write"})
    overridable: ClassVar = True

    write: bool = Field(False, description="write it for each movie")
    every: Count | None = Field(None, description="show every n-th frame; by default all")
    intervals: list[tuple[Instant, Instant]] = Field(
        default_factory=list, description="show only these intervals, as pairs of beginning and end (exclusive); all if none"
    )
    intervals_in: Literal["frames", "s"] = Field(
        "frames", description="unit of intervals: frames, or seconds from the beginning of the movie"
    )
    crf: Quality = Field(23, description="quality (constant rate factor): lower means better and larger; 18 is close to the original")

    @model_validator(mode="after")
    def _in_order(self) -> "ShownSection":
        for first, end in self.intervals:
            if end <= first:
                raise ValueError(f"intervals: [{first:g}, {end:g}] is empty: the end is exclusive and must be after the beginning")
            if self.intervals_in == "frames" and not (first.is_integer() and end.is_integer()):
                raise ValueError(f"intervals: [{first:g}, {end:g}] are not whole numbers of frames; for seconds add intervals_in: s")
        for before, after in pairwise(self.intervals):
            if after[0] < before[1]:
                raise ValueError(f"intervals: {list(before)} and {list(after)} must be in order, and must not overlap")
        return self

    def shown(self) -> dict[str, Any]:
        """The keys that decide which frames are shown, and how fast."""
        return self.model_dump(mode="json", include={"every", "speed", "intervals", "intervals_in"})


class PlayedSection(ShownSection):
    """Keys that overlay and mosaic share: speed and size."""

    every: Count | None = Field(None, description="show every n-th frame; by default as speed requires")
    speed: Positive = Field(1.0, description="speed relative to real time; below 1 is slow motion")
    max_width: Even = Field(1280, description="a wider movie is scaled down to this width (px)")


class OverlaySection(PlayedSection):
    """The movie again with names, trails, outlines, body points, the source of each position, frame and time."""

    write: bool = Field(True, description="write it for each movie")
    show: list[Part] = Field(
        ["names", "trails", "outlines", "marks", "points", "time"],
        description="what is drawn: names; trails; outlines of blobs; marks of the source of each position; body points, if there are any; "
        "frame and time",
    )
    trail_s: Positive = Field(2.0, description="length of the trails (s)")

    @field_validator("show")
    @classmethod
    def _once(cls, show: list[Part]) -> list[Part]:
        if len(set(show)) < len(show):
            raise ValueError("list each of them once")
        return show

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, without points in a movie that has none, else with the lines between them."""
        values = super().job(experiment, unit)
        if unit is not None and experiment.draws_points(unit):
            return values | {"skeleton": experiment.points.skeleton}
        return values | {"show": [part for part in values["show"] if part != "points"]}


class CloseupsSection(ShownSection):
    """A movie of each animal, centred on it, with a table that maps its pixels back to the whole frame."""

    write: bool = Field(False, description="write one of each animal in each movie")
    size: Even | None = Field(None, description="width and height (px, an even number); by default from size_body")
    size_body: Positive = Field(2.0, description="width and height in body lengths, unless size is given")
    head_up: bool = Field(False, description="rotate the animal so that its head points up")
    shortest_s: Annotated[float, Field(ge=0)] = Field(1.0, description="an animal with positions for less than this (s) gets no movie")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, and the length of the animals (px) unless size is given."""
        values = super().job(experiment, unit)
        return values if self.size else values | {"body_length": experiment.animals.body_length}


class MosaicSection(PlayedSection):
    """One movie with a tile for each animal, centred on it."""

    size_body: Positive = Field(2.0, description="width and height of the region in a tile (body lengths)")
    head_up: bool = Field(False, description="rotate each animal so that its head points up")

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section, the length of the animals (px), and whether each animal keeps its name in the whole movie."""
        animals = experiment.animals
        lasting = animals.marking != "none" or animals.keep
        return super().job(experiment, unit) | {"body_length": animals.body_length, "lasting": lasting}


class PointsSection(Section):
    """How body points are shown, on overlay movies and in the report, wherever they come from."""

    skeleton: list[tuple[Name, Name]] | None = Field(
        None, description="pairs of points that are joined by a line, [] for none; by default learned from how the points move"
    )

    @field_validator("skeleton")
    @classmethod
    def _pairs(cls, skeleton: list[tuple[str, str]] | None) -> list[tuple[str, str]] | None:
        pairs = [frozenset(pair) for pair in skeleton or ()]
        if any(len(pair) < 2 for pair in pairs) or len(set(pairs)) < len(pairs):
            raise ValueError("list pairs of two different points, each pair once")
        return skeleton
