"""The experiment file: one typed model per stage; unknown keys are refused and all faults come in one message.

`Experiment.settings(stage, movie)` gives the sorted JSON string that the stage's job receives. `experiment_file` reads the YAML.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from herdbook.experiment_arenas import Arena, faults_of_arenas, homes, population, region_settings, with_names_of_arenas
from herdbook.experiment_base import Count, FilePath, Name, Positive, Section
from herdbook.experiment_faults import faults_of_names
from herdbook.experiment_scene import BackgroundSection, SegmentSection, background_settings, segment_settings, without_alternatives

# Sections that a movie may override: those of the stages that work movie by movie.
OVERRIDABLE = ("index", "segment", "tracklets", "smooth")


class Animals(Section):
    """Who is filmed."""

    marking: Literal["marked", "unmarked", "none"] = Field(
        description="marked: identities are told by labels; unmarked: not yet; none: trajectories without identity"
    )
    identities: list[Name] = Field(default_factory=list, description="names of the animals (marked)")
    number: Count | None = Field(None, description="how many animals there are; by default the number of identities")
    labels: FilePath | None = Field(None, description="CSV with columns movie, frame, x, y, label: points in the movies")
    other_labels: list[Name] = Field(default_factory=list, description="labels that are no identity, such as dirt: not an animal")
    body_length: Positive | None = Field(None, description="length of an animal (px), the measure of segment.area_body")

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

    formats: list[Literal["hdf5"]] = Field(["hdf5"], description="tables written beside trajectories.csv")


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
    arenas: list[Arena] = Field(
        default_factory=list, description="where animals can be, the whole frame if none; several are closed groups that do not overlap"
    )
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

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, raw: Any) -> Any:
        return with_names_of_arenas(raw)

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        problems = faults_of_names([m.name for m in self.movies], self.recordings)
        problems += faults_of_arenas(self.arenas, self.animals.identities, self.animals.number)
        sized = {"segment": self.segment.area_body}
        sized |= {f"movies.{m.name}.override.segment": m.override.get("segment", {}).get("area_body") for m in self.movies}
        if self.animals.body_length is None:
            problems += [
                f"{place}.area_body needs animals.body_length: the length of an animal (px)" for place, area in sized.items() if area
            ]
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
        known = [number for number in self._population if number is not None]
        return sum(known) if len(known) == len(self._population) else None

    @property
    def _population(self) -> list[int | None]:
        return population(self.arenas, self.animals.identities, self.animals.number)

    @property
    def masks(self) -> dict[str, str]:
        """Mask files of the arenas that have one, by the arena's name."""
        return {arena.name: arena.mask for arena in self.arenas if arena.mask is not None}

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

    def section(self, stage: str, movie: str | None = None) -> Any:
        """The section of a stage, with the movie's override if there is one."""
        section = getattr(self, "report" if stage == "overlay" else stage)
        if movie is None or stage not in OVERRIDABLE:
            return section
        override = self.movie(movie).override.get(stage, {})
        kept = without_alternatives(section.model_dump(mode="json", exclude_unset=True), override)
        return type(section).model_validate(kept | override)

    def intervals(self, unit: str | None = None) -> dict[str, list[list[int]]]:
        """The intervals of the movies that have some, by name; of one unit of the background, or of all movies."""
        if unit is None:
            members = [movie.name for movie in self.movies]
        else:
            members = self.recordings[unit] if self.background.scope == "recording" else [unit]
        found = {name: self.section("segment", name).intervals for name in members}
        return {name: [list(interval) for interval in intervals] for name, intervals in found.items() if intervals}

    def settings(self, stage: str, unit: str | None = None) -> str:
        """What a stage's job receives: its own section and what it needs of the rest, as sorted JSON.

        `unit` is the movie of a stage that works movie by movie, whose override counts; of the stage background it is what has a
        background of its own.
        """
        section = self.section(stage, unit)
        animals = self.animals
        match section:
            case BackgroundSection():
                values = background_settings(section)
            case SegmentSection():
                values = segment_settings(section, animals.body_length, self._population)
            case _:
                values = section.model_dump(mode="json") if section is not None else {}
        shared: dict[str, dict[str, Any]] = {
            "simulate": {"seed": self.seed, "movies": [m.name for m in self.movies], "identities": animals.identities},
            "background": {"polarity": self.segment.polarity, "intervals": self.intervals(unit) if stage == "background" else {}},
            "segment": {"arenas": region_settings(self.arenas)},
            "tracklets": {"numbers": self._population},
            "trainset": {
                "identities": animals.identities,
                "homes": homes(self.arenas, animals.identities),
                "other_labels": animals.other_labels,
            },
            "train": {"seed": self.seed},
            "classify": {"seed": self.seed, "identities": animals.identities},
            "propagate": {
                "identities": animals.identities,
                "homes": homes(self.arenas, animals.identities),
                "marking": animals.marking,
                "numbers": self._population,
            },
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
