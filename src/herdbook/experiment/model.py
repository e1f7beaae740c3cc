"""The experiment file: one typed model per stage; unknown keys are refused and all faults are in one message.

`Experiment.settings(stage, unit)` gives the sorted JSON string that is passed to the stage's job. `experiment.file` reads the YAML.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from herdbook.experiment.animals import Animals, with_unmarked_names
from herdbook.experiment.arenas import Arena, faults_of_arenas, lone_names, population, with_names_of_arenas
from herdbook.experiment.base import FilePath, Name, Section
from herdbook.experiment.classifier import ClassifySection, PoseSection, TrainSection, TrainsetSection
from herdbook.experiment.faults import faults_of_names
from herdbook.experiment.layout import artifact
from herdbook.experiment.movies import Movie, SimulateSection
from herdbook.experiment.output import ExportSection, ReportSection, ScaleSection, ScoreSection
from herdbook.experiment.scene import BackgroundSection, SegmentSection, without_alternatives
from herdbook.experiment.tracking import IndexSection, PropagateSection, RepairSection, SmoothSection, TrackletsSection
from herdbook.experiment.written_movies import CloseupsSection, MosaicSection, OverlaySection, PointsSection


class Experiment(Section):
    """A whole experiment."""

    experiment: Name = Field(description="name of the experiment, and of its folder in results")
    results: FilePath = Field("results", description="folder of the results")
    seed: int = Field(1, description="seed of all random numbers", ge=0)
    movies: list[Movie] = Field(description="the movies, or the path of a table with a column for each key", min_length=1)
    animals: Animals
    arenas: list[Arena] = Field(
        default_factory=list,
        description="regions to which animals are confined, the whole frame if none; several arenas are closed groups that do not overlap",
    )
    scale: ScaleSection | None = None
    index: IndexSection = IndexSection()
    background: BackgroundSection = BackgroundSection()
    segment: SegmentSection = SegmentSection()
    tracklets: TrackletsSection = TrackletsSection()
    trainset: TrainsetSection = TrainsetSection()
    train: TrainSection = TrainSection()
    classify: ClassifySection = ClassifySection()
    propagate: PropagateSection = PropagateSection()
    smooth: SmoothSection = SmoothSection()
    pose: PoseSection | None = None
    repair: RepairSection | None = None
    points: PointsSection = PointsSection()
    export: ExportSection = ExportSection()
    overlay: OverlaySection = OverlaySection()
    closeups: CloseupsSection = CloseupsSection()
    mosaic: MosaicSection = MosaicSection()
    score: ScoreSection | None = None
    simulate: SimulateSection | None = None

    @field_validator("experiment")
    @classmethod
    def _folder_name(cls, value: str) -> str:
        if value in (".", "..") or "/" in value or value.startswith("-"):
            raise ValueError("is the name of a folder: it must not contain / nor start with -")
        return value

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, raw: Any) -> Any:
        return with_unmarked_names(with_names_of_arenas(raw))

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        if self.animals.marking == "marked" and self.animals.labels is None and not (self.train.use or self.trainset.use):
            raise ValueError(
                "marked animals need labels (animals.labels): a CSV file with columns movie, frame, x, y, label; or a classifier, "
                "train.use, or a training set, trainset.use"
            )
        if self.animals.marking == "unmarked" and (self.train.use or self.train.start or self.train.model or self.trainset.use):
            raise ValueError(
                "train.use, train.start, train.model and trainset.use are for marked animals; animals.like finds those of an earlier "
                "experiment again"
            )
        if self.train.use and self.trainset.use:
            raise ValueError("train.use reads with a classifier as it is, trainset.use is to train one: give one of them")
        if self.train.architecture == "embedding" and (self.animals.groups or self.animals.other_labels or self.trainset.use):
            raise ValueError("train.architecture: embedding learns animals with a name each: not groups, other_labels or trainset.use")
        problems = faults_of_names([m.name for m in self.movies], self.recordings)
        problems += faults_of_arenas(self.arenas, self.animals.identities, self.animals.groups, self.animals.number)
        sized = {"segment": self.segment.area_body}
        sized |= {f"movies.{m.name}.override.segment": m.override.get("segment", {}).get("area_body") for m in self.movies}
        if self.animals.body_length is None:
            problems += [
                f"{place}.area_body needs animals.body_length: the length of an animal (px)" for place, area in sized.items() if area
            ]
        for movie in self.movies:
            if movie.fps is not None and movie.times is not None:
                problems.append(f"movies.{movie.name}: fps and times both say when its frames were filmed: give one of them")
            if movie.poses and movie.override.get("index", {}).get("every", self.index.every) != 1:
                problems.append(f"movies.{movie.name}.poses has a row for each frame of the file: index.every must be 1 for this movie")
        if any("corrections" in m.override.get("smooth", {}) for m in self.movies):
            problems.append("smooth.corrections is one table for all movies, with a column movie: it cannot be set for a single movie")
        if self.animals.keep and self.number is None:
            problems.append("animals.keep needs animals.number: the number of animals")
        problems += self._faults_of_repair() + self._faults_of_pose()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _faults_of_repair(self) -> list[str]:
        if self.repair is None:
            return []
        posed = [movie for movie in self.movies if movie.poses]
        problems = [
            f"movies.{movie.name}.poses: files of DUSTrack hold one animal without a name, for which repair has nothing to do"
            for movie in posed
            if any(path.lower().endswith(".json") for path in movie.poses)
        ]
        if not posed:
            problems.append("repair needs body points: movies: poses")
        if self.animals.marking == "none":
            problems.append("repair needs animals with names (animals.marking): it hands points to them")
        return problems

    def _faults_of_pose(self) -> list[str]:
        if self.pose is None:
            return []
        problems = [
            f"movies.{movie.name}.poses: the section pose finds points itself; to hand those of the file to the animals, too, add repair"
            for movie in self.movies
            if movie.poses and self.repair is None
        ]
        if self.animals.marking == "none":
            problems.append("pose needs animals with names (animals.marking): it finds the points of each")
        return problems

    @property
    def points_apart(self) -> bool:
        """Whether body points are smoothed by a stage of their own, after the positions."""
        return self.repair is not None or self.pose is not None

    def has_points(self, movie: str) -> bool:
        """Whether there are body points of a movie."""
        return self.pose is not None or bool(self.movie(movie).poses)

    def draws_points(self, movie: str) -> bool:
        """Whether the overlay of a movie shows body points."""
        return self.has_points(movie) and "points" in self.section("overlay", movie).show

    @cached_property
    def recordings(self) -> dict[str, list[str]]:
        """Names of the movies of each recording, in order; a movie without a recording is a recording by itself."""
        found: dict[str, list[str]] = {}
        for movie in self.movies:
            found.setdefault(movie.recording or movie.name, []).append(movie.name)
        return found

    @property
    def number(self) -> int | None:
        """Number of animals, None if it is unknown."""
        known = [number for number in self.population if number is not None]
        return sum(known) if len(known) == len(self.population) else None

    @property
    def population(self) -> list[int | None]:
        """Number of animals in each arena, None where it is unknown."""
        return population(self.arenas, len(self.animals.individuals), self.animals.number)

    @property
    def alone(self) -> bool:
        """Whether each animal lives alone in an arena, whose name it has."""
        return bool(self.arenas) and all(lone_names(self.arenas))

    @property
    def learns_together(self) -> bool:
        """Whether one network learns from all tracklets of all movies who differs from whom, with labels, if any, as anchors."""
        if self.animals.marking != "marked":
            return self.animals.marking == "unmarked"
        if self.train.architecture != "auto":
            return self.train.architecture == "embedding"
        given = self.train.use or self.train.start or self.trainset.use
        return bool(self.animals.labels) and not (given or self.animals.groups or self.animals.other_labels)

    @property
    def masks(self) -> dict[str, str]:
        """Mask files by name of their arena, for arenas with a mask."""
        return {arena.name: arena.mask for arena in self.arenas if arena.mask is not None}

    @property
    def folder(self) -> Path:
        """Folder of this experiment's results."""
        return Path(self.results) / self.experiment

    def artifact(self, stage: str, unit: str = "") -> Path:
        """The file that a stage makes for a `unit` (movie, scene or recording), or for the whole experiment."""
        return self.folder / artifact(stage, unit)

    def movie(self, name: str) -> Movie:
        """The movie of this name."""
        return self._movie_by_name[name]

    @cached_property
    def _movie_by_name(self) -> dict[str, Movie]:
        return {movie.name: movie for movie in self.movies}

    def recording_of(self, movie: str) -> str:
        """The recording that a movie belongs to."""
        return self.movie(movie).recording or movie

    def section(self, stage: str, movie: str | None = None) -> Any:
        """The section of a stage, with the movie's override if there is one; None if the experiment has no such section."""
        # Points that were repaired are smoothed after the positions, by the same section.
        stage = {"smooth_points": "smooth", "pose_trainset": "pose", "pose_train": "pose"}.get(stage, stage)
        section: Any = ReportSection() if stage == "report" else getattr(self, stage)
        if movie is None or section is None or not section.overridable:
            return section
        override = self.movie(movie).override.get(stage, {})
        if not override:
            return section
        kept = without_alternatives(section.model_dump(mode="json", exclude_unset=True), override)
        return type(section).model_validate(kept | override)

    def intervals(self, unit: str | None = None) -> dict[str, list[list[int]]]:
        """Tracked intervals by name of the movie, for movies that have some: all movies, or those of one `unit` of the background."""
        if unit is None:
            members = [movie.name for movie in self.movies]
        else:
            members = self.recordings[unit] if self.background.scope == "recording" else [unit]
        found = {name: self.section("segment", name).intervals for name in members}
        return {name: [list(interval) for interval in intervals] for name, intervals in found.items() if intervals}

    def settings(self, stage: str, unit: str | None = None) -> str:
        """Settings passed to a stage's job, as sorted JSON: its own section, and values of other sections that it needs.

        `unit` is the movie, whose override is used; for stage background it is the scene.
        """
        # Only the section of this stage: lists of all movies, made for every job, would take minutes for a thousand movies.
        section = self.section(stage, unit)
        return json.dumps(section.job_of(stage, self, unit) if section else {}, sort_keys=True, ensure_ascii=False)


# The stages whose section a movie may override.
OVERRIDABLE = tuple(name for name, field in Experiment.model_fields.items() if getattr(type(field.default), "overridable", False))
