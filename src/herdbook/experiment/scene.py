"""Sections of the experiment file on the background, and on the blobs that differ from it."""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from herdbook.experiment.arenas import region_settings
from herdbook.experiment.base import Count, FilePath, Positive, Section

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

Area = Annotated[int, Field(ge=1)]
Radius = Annotated[int, Field(ge=0, le=50)]
Frame = Annotated[int, Field(ge=0)]

# For marked animals few images are enough; without labels, more of them help.
IMAGES_PER_S, UNMARKED_IMAGES_PER_S = 1.5, 5.0
# Pairs of alternative keys; if a movie's override gives one of them, the other one does not apply to it.
ALTERNATIVES = (("area", "area_body"), ("difference", "difference_noise"))


class BackgroundSection(Section):
    """The image of the empty scene."""

    statistic: Literal["median", "mean", "max", "min", "mode"] = Field("median", description="how the frames are combined")
    file: FilePath | None = Field(
        None, description="image of the empty scene, grey or colour, in the size of the movies, instead of a computed one"
    )
    frames: Count = Field(
        100, description="number of frames, spread over the movie, recording or window; black and damaged ones are skipped"
    )
    scope: Literal["movie", "recording", "window"] = Field(
        "movie", description="one background per movie, one per recording, or one per window of time of each movie, for light that drifts"
    )
    window_s: Positive = Field(3600.0, description="length of a window (s; scope window)")
    resting: bool = Field(
        True, description="keep animals that rest for most of the time out of the background (median, mean and mode; marginally slower)"
    )

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job; fewer if an image of the scene is given, since no frames are combined."""
        values: dict[str, Any] = {"frames": self.frames, "polarity": experiment.segment.polarity, "intervals": experiment.intervals(unit)}
        if self.file is None:
            values |= {"statistic": self.statistic, "resting": self.resting}
            values["window_s"] = self.window_s if self.scope == "window" else None
        return values


class SegmentSection(Section):
    """Finding blobs."""

    not_settings: ClassVar = frozenset({"area_body"})
    overridable: ClassVar = True

    method: Literal["background", "intensity"] = Field(
        "background", description="background: compare with the background; intensity: use grey levels alone"
    )
    polarity: Literal["dark", "bright", "either"] = Field("dark", description="animals darker or brighter than the background")
    difference: Positive = Field(25.0, description="smallest difference from the background (grey levels; method background)")
    difference_noise: Positive | None = Field(
        None, description="instead of difference: smallest difference in units of the noise at each pixel, for example 6"
    )
    intensity: tuple[float, float] = Field((0.0, 100.0), description="darkest and brightest grey level of an animal (method intensity)")
    channel: Literal["grey", "blue", "green", "red", "colour"] = Field(
        "grey", description="what is compared: grey levels, one colour channel, or (colour) the channel that differs most at each pixel"
    )
    flat_field: bool = Field(
        False, description="scale difference and intensity with the local illumination: lower where the scene is darker"
    )
    flicker: bool = Field(False, description="first match the brightness of each frame to that of the background")
    blur: Annotated[float, Field(ge=0, le=50)] = Field(
        0.0, description="standard deviation of a Gaussian blur before comparing (px), 0 for none"
    )
    close: Radius = Field(0, description="radius of morphological closing (px), 0 for none: joins the parts of an animal")
    open: Radius = Field(0, description="radius of morphological opening (px), 0 for none: removes specks and thin parts, after closing")
    fill_holes: bool = Field(False, description="fill holes in blobs, after closing and opening")
    reduce: Annotated[int, Field(ge=1, le=8)] = Field(
        1, description="find animals in frames reduced n times in width and height; results are still in px of the movie"
    )
    area: tuple[Area, Area] = Field(
        (50, 100_000), description="smallest and largest area of a blob (px); the largest must be enough for a group of touching animals"
    )
    area_body: tuple[Positive, Positive] | None = Field(
        None, description="instead of area: smallest and largest area in squared body lengths (animals.body_length), for example [0.05, 3]"
    )
    min_contrast: Annotated[float, Field(ge=0, le=255)] = Field(
        0.0, description="smallest mean difference of a blob from the background (grey levels)"
    )
    drop_border: bool = Field(False, description="drop blobs that touch the edge of the frame or arena")
    on_excess: Literal["ignore", "warn", "stop"] | None = Field(
        None,
        description="frames with more blobs than animals: ignore them, warn and list them in segment/<movie>.excess.csv, or stop; by "
        "default, where the number is known, warn of blobs that last, without a list",
    )
    images_per_s: Positive | None = Field(
        None,
        description="images stored per second of each blob; by default 1.5, for unmarked animals 5; the beginning and end of a blob, and "
        "blobs next to merges, are always stored",
    )
    intervals: list[tuple[Frame, Frame]] = Field(
        default_factory=list, description="intervals of frames to track, as pairs of first frame and end (exclusive); all frames if none"
    )

    @field_validator("intervals")
    @classmethod
    def _apart(cls, intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        for first, end in intervals:
            if end <= first:
                raise ValueError(f"[{first}, {end}] contains no frame: the end is exclusive and must be after the first frame")
        for before, after in pairwise(intervals):
            if after[0] <= before[1]:
                raise ValueError(
                    f"{list(before)} and {list(after)} must be in order, with frames between them; join intervals that overlap or touch"
                )
        return intervals

    @model_validator(mode="after")
    def _consistent(self) -> "SegmentSection":
        for key in ("area", "area_body", "intensity"):
            bounds = getattr(self, key)
            if bounds is not None and bounds[0] > bounds[1]:
                raise ValueError(f"{key}: the smaller value must be first, found [{bounds[0]}, {bounds[1]}]")
        if self.intensity[0] <= 0 and self.intensity[1] >= 255:
            raise ValueError("intensity: [0, 255] are all grey levels; give those of the animals")
        for key, other in ALTERNATIVES:
            if key in self.model_fields_set and getattr(self, other) is not None:
                raise ValueError(f"{key} and {other} are alternatives: give one of them")
        return self

    def job(self, experiment: "Experiment", unit: str | None) -> dict[str, Any]:
        """The settings of a job: the section with the area in px, the arenas, and the number of animals in each if on_excess needs it."""
        values, animals = super().job(experiment, unit), experiment.animals
        if self.area_body is not None and animals.body_length is not None:
            values["area"] = [max(1, round(share * animals.body_length**2)) for share in self.area_body]
        values["images_per_s"] = self.images_per_s or (UNMARKED_IMAGES_PER_S if animals.marking == "unmarked" else IMAGES_PER_S)
        # Lasting blobs are counted by stage tracklets, so that another number of animals does not run this stage again.
        values["on_excess"] = self.on_excess or "ignore"
        values["numbers"] = experiment.population if values["on_excess"] != "ignore" else []
        return values | {"arenas": region_settings(experiment.arenas)}


def without_alternatives(values: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """The values of a section without those whose alternatives (or they themselves) are in an override."""
    replaced = {key for pair in ALTERNATIVES for key in pair if set(pair) & set(override)}
    return {key: value for key, value in values.items() if key not in replaced}
