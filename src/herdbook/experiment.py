"""The experiment file: one typed model per stage; unknown keys are refused and all faults come in one message.

`Experiment.settings(stage, movie)` gives the sorted JSON string that the stage's job receives. `experiment_file` reads the YAML.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from herdbook.experiment_faults import faults_of_names

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
FilePath = Annotated[str, Field(min_length=1)]
Point = tuple[float, float]

# Sections that a movie may override: those of the stages that work movie by movie.
OVERRIDABLE = ("index", "segment", "tracklets", "smooth")


class Section(BaseModel):
    """Base of all models: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EllipseShape(Section):
    """An ellipse: centre (x, y), semi-axes and the angle of the first axis."""

    centre: Point = Field(description="centre x, y (px)")
    axes: tuple[Positive, Positive] = Field(description="semi-axes (px)")
    angle: float = Field(0.0, description="angle of the first axis (degrees, image axes: x right, y down)")


class Region(Section):
    """A part of the frame: either an ellipse or a polygon."""

    ellipse: EllipseShape | None = Field(None, description="an ellipse")
    polygon: Annotated[list[Point], Field(min_length=3)] | None = Field(None, description="corners x, y (px)")

    @model_validator(mode="after")
    def _one_shape(self) -> "Region":
        if (self.ellipse is None) == (self.polygon is None):
            raise ValueError("a region is either an ellipse or a polygon: give exactly one of them")
        return self


class Arena(Section):
    """Where animals can be: the regions included (the whole frame if none) minus the regions excluded."""

    name: Name = Field("arena", description="name of the arena")
    include: list[Region] = Field(default_factory=list, description="regions that belong to the arena; none means the whole frame")
    exclude: list[Region] = Field(default_factory=list, description="regions cut out of it")


class Animals(Section):
    """Who is filmed."""

    marking: Literal["marked", "unmarked", "none"] = Field(
        description="marked: identities are told by labels; unmarked: not yet; none: trajectories without identity"
    )
    identities: list[Name] = Field(default_factory=list, description="names of the animals (marked)")
    number: Count | None = Field(None, description="how many animals there are; by default the number of identities")
    labels: FilePath | None = Field(None, description="CSV with columns movie, frame, x, y, label: points in the movies")
    other_labels: list[Name] = Field(default_factory=list, description="labels that are no identity, such as dirt: not an animal")

    @model_validator(mode="after")
    def _complete(self) -> "Animals":
        if self.marking == "unmarked":
            raise ValueError(
                "marking: unmarked is not yet available in this version. Use marked with labels, or none for trajectories without identity"
            )
        if self.marking == "marked":
            if not self.identities:
                raise ValueError("marked animals need identities: a list of their names")
            if self.labels is None:
                raise ValueError("marked animals need labels: a CSV file with columns movie, frame, x, y, label")
        if self.number is not None and self.number < len(self.identities):
            raise ValueError(f"number: {self.number} animals cannot have {len(self.identities)} identities")
        names = [*self.identities, *self.other_labels]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"names given twice: {', '.join(twice)}")
        return self


class IndexSection(Section):
    """Finding the frames of each movie."""

    on_broken: Literal["stop", "keep"] = Field(
        "stop", description="a movie that is cut off: stop with an error, or keep the frames before the fault"
    )


class BackgroundSection(Section):
    """The image of the empty scene."""

    statistic: Literal["median", "mean", "max", "min", "mode"] = Field("median", description="how the frames are combined")
    frames: Count = Field(100, description="number of frames, spread over the movie or recording")
    scope: Literal["movie", "recording"] = Field("movie", description="one background per movie, or one per recording")
    resting: bool = Field(True, description="animals that rest for most of the time are kept out of the background (marginally slower)")


class SegmentSection(Section):
    """Finding blobs."""

    method: Literal["background", "intensity"] = Field("background", description="compare with the background, or take plain grey levels")
    polarity: Literal["dark", "bright", "either"] = Field("dark", description="animals darker or brighter than the background")
    difference: Positive = Field(25.0, description="smallest difference from the background (grey levels; method background)")
    intensity: tuple[float, float] = Field((0.0, 100.0), description="darkest and brightest grey level of an animal (method intensity)")
    channel: Literal["grey", "colour"] = Field(
        "grey", description="compare grey levels, or the largest difference over the colour channels"
    )
    area: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = Field(
        (50, 100_000), description="smallest and largest area of a blob (px); the largest must hold a merged group"
    )
    close: Annotated[int, Field(ge=0, le=50)] = Field(0, description="radius of morphological closing (px), 0 for none")
    images_per_s: Positive = Field(
        2.0, description="images stored per second of a lasting blob; starts, ends and neighbours of merges are always stored"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "SegmentSection":
        for key in ("area", "intensity"):
            low, high = getattr(self, key)
            if low > high:
                raise ValueError(f"{key}: the smallest comes first, found [{low}, {high}]")
        return self


class TrackletsSection(Section):
    """Linking blobs."""

    max_step: Positive | None = Field(
        None, description="longest step of an animal between two frames (px); by default learned from the movie"
    )
    bridge: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="frames over which a blob that vanishes may be linked to one that appears"
    )


class TrainsetSection(Section):
    """Example images for the classifier."""

    images_per_tracklet: Count = Field(80, description="images taken from each labelled tracklet, spread over it")
    crop_width: Annotated[int, Field(ge=16, le=512)] | None = Field(
        None, description="width of the part of the movie that an example image shows (px); by default from the size of the animals"
    )


class TrainSection(Section):
    """Training the classifier."""

    epochs: Count = Field(20, description="most epochs; training stops earlier when the validation loss no longer falls")
    batch: Count = Field(64, description="images per batch")
    patience: Count = Field(4, description="epochs without progress before training stops")
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(0.2, description="share of the labelled tracklets kept for validation")


class ClassifySection(Section):
    """Reading identities."""

    images: Count = Field(30, description="images looked at per tracklet, spread over it")


class PropagateSection(Section):
    """Joining evidence and movement into identities."""

    gap_s: Positive = Field(3.0, description="an animal that is lost may be found again within this time (s) at low cost")
    window: Count = Field(2000, description="tracklets solved together; longer recordings are solved in overlapping windows")


class SmoothSection(Section):
    """Positions."""

    method: Literal["lkrstc", "none"] = Field("lkrstc", description="LK-RSTC smoothing, or none")
    window_s: Positive = Field(0.5, description="length of the smoothing window (s)")


class ExportSection(Section):
    """Tables."""

    formats: list[Literal["csv", "hdf5"]] = Field(["csv", "hdf5"], description="what is written beside the trajectories table")


class ReportSection(Section):
    """Overlay movies, plots and the page."""

    overlay: bool = Field(True, description="write a movie with names and trails for each movie")
    trail_s: Positive = Field(2.0, description="length of the trails (s)")
    overlay_every: Count = Field(1, description="show every n-th frame in the overlay movie")


class ScoreSection(Section):
    """Comparison with known truth."""

    truth: FilePath = Field(description="CSV with columns movie, frame, identity, x, y")
    radius: Positive = Field(20.0, description="a position this near the true one is right (px)")
    apart: Positive | None = Field(None, description="animals this far from all others are scored apart from contacts (px)")


class SimulateSection(Section):
    """A simulated recording with known truth: renders the movies, their labels and the truth."""

    number: Count = Field(8, description="animals")
    frames: Count = Field(600, description="frames per movie")
    fps: Positive = Field(20.0, description="frames per second")
    size: tuple[Count, Count] = Field((640, 480), description="width and height (px)")
    labels_per_animal: Count = Field(6, description="labelled points per animal")


class Movie(Section):
    """A movie file."""

    name: Name = Field(description="name of the movie in all tables")
    file: FilePath = Field(description="path of the movie, or of a folder of images")
    recording: str | None = Field(None, description="movies of one recording follow each other without a break in their order here")
    override: dict[str, dict[str, Any]] = Field(default_factory=dict, description="settings of stages for this movie only")


class Experiment(Section):
    """A whole experiment."""

    experiment: Name = Field(description="name of the experiment, and of its folder among the results")
    results: FilePath = Field("results", description="folder of the results")
    seed: int = Field(1, description="seed of everything random", ge=0)
    movies: list[Movie] = Field(description="the movies, or the path of a TSV sheet with columns name, file, recording", min_length=1)
    animals: Animals
    arenas: list[Arena] = Field(default_factory=list, max_length=1, description="where animals can be; the whole frame if none")
    index: IndexSection = IndexSection()
    background: BackgroundSection = BackgroundSection()
    segment: SegmentSection = SegmentSection()
    tracklets: TrackletsSection = TrackletsSection()
    trainset: TrainsetSection = TrainsetSection()
    train: TrainSection = TrainSection()
    classify: ClassifySection = ClassifySection()
    propagate: PropagateSection = PropagateSection()
    smooth: SmoothSection = SmoothSection()
    export: ExportSection = ExportSection()
    report: ReportSection = ReportSection()
    score: ScoreSection | None = None
    simulate: SimulateSection | None = None

    @field_validator("experiment")
    @classmethod
    def _folder_name(cls, value: str) -> str:
        if value in (".", "..") or "/" in value or value.startswith("-"):
            raise ValueError("names a folder: it must not contain / nor start with -")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        problems = faults_of_names([m.name for m in self.movies], self.recordings)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @cached_property
    def recordings(self) -> dict[str, list[str]]:
        """Names of the movies of each recording, in order; a movie without a recording is one by itself."""
        found: dict[str, list[str]] = {}
        for movie in self.movies:
            found.setdefault(movie.recording or movie.name, []).append(movie.name)
        return found

    @property
    def number(self) -> int | None:
        """Number of animals, if it is known."""
        return self.animals.number or len(self.animals.identities) or None

    @property
    def folder(self) -> Path:
        """Folder of this experiment's results."""
        return Path(self.results) / self.experiment

    def movie(self, name: str) -> Movie:
        """The movie of this name."""
        return next(m for m in self.movies if m.name == name)

    def recording_of(self, movie: str) -> str:
        """The recording that a movie belongs to."""
        return self.movie(movie).recording or movie

    def settings(self, stage: str, movie: str | None = None) -> str:
        """What a stage's job receives: its own section (with the movie's override) and what it needs of the rest, as sorted JSON."""
        section = getattr(self, "report" if stage == "overlay" else stage)
        values: dict[str, Any] = section.model_dump(mode="json") if section is not None else {}
        if movie is not None and stage in OVERRIDABLE:
            values = type(section).model_validate(values | self.movie(movie).override.get(stage, {})).model_dump(mode="json")
        animals = self.animals
        shared: dict[str, dict[str, Any]] = {
            "simulate": {"seed": self.seed, "movies": [m.name for m in self.movies], "identities": animals.identities},
            "background": {"polarity": self.segment.polarity},
            "segment": {"arenas": [a.model_dump(mode="json", exclude_defaults=True) for a in self.arenas]},
            "tracklets": {"number": self.number},
            "trainset": {
                "identities": animals.identities,
                "other_labels": animals.other_labels,
            },
            "train": {"seed": self.seed},
            "classify": {"seed": self.seed, "identities": animals.identities},
            "propagate": {"identities": animals.identities, "number": self.number, "marking": animals.marking},
            "export": {"recordings": self.recordings},
            "report": {
                "experiment": self.experiment,
                "marking": animals.marking,
                "recordings": self.recordings,
                "score": self.score.model_dump(mode="json", exclude={"truth"}) if self.score else None,
                "individuals": animals.identities,
            },
        }
        if stage == "report":
            values = {}
        if stage == "overlay":
            values.pop("overlay")
        return json.dumps(values | shared.get(stage, {}), sort_keys=True, ensure_ascii=False)
