"""The experiment as the rules of the workflow need it: input and output files, by movie, scene and recording.

The rules name files relative to the folder of all results, which is their working directory.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError, printable
from herdbook.experiment import layout
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.labels import read_labels
from herdbook.experiment.sheets.left_out import read_left_out
from herdbook.experiment.sheets.noted import read_noted
from herdbook.experiment.sheets.point_labels import labelled_movies
from herdbook.formats.files import NOTED_TABLE, TABLES, movie_files, table_files
from herdbook.system.files import make_writable_folder
from herdbook.system.fingerprints import content_mark, fingerprints_in

# Snakemake reads {word} as a wildcard and <word> as a path variable, and has no way to quote them.
UNUSABLE = re.compile(r"[{}<>\x00-\x1f]")
MOST_FAULTS = 10


class ByName(dict[str, Any]):
    """Values by name of movie or recording; an unknown name, such as one in a target of the command line, is a HerdbookError."""

    def __missing__(self, name: str) -> Any:
        names = [*list(self)[:5], *(["..."] if len(self) > 5 else [])]
        raise HerdbookError(f"{name!r}: the experiment has no movie or recording of this name, but {', '.join(names)}")


def read_experiment(given: list[Any], demo: Path, replaced: Mapping[str, Any]) -> Experiment:
    """The experiment of --configfile (`given`), or the demo, with single values replaced by those of --config key=value (`replaced`)."""
    if len(given) > 1:
        raise HerdbookError(
            f"--configfile: an experiment is one file, found {len(given)}. Single values are replaced with --config key=value."
        )
    return load_experiment(Path(given[0]) if given else demo, replaced)


def classifier_files(path: str | None) -> list[str]:
    """The file of a given classifier and that of its card, or none."""
    return [path, str(Path(path).with_suffix(".json"))] if path else []


class Plan:
    """An experiment as the rules need it. The constructor raises HerdbookError if files are missing or tables faulty.

    `simulated`: relative path of each file that the simulation writes, by its absolute path. `recordings` and `scenes` list their movies
    (a scene is the movie, or all movies of a recording, that share one background); `recording_of` and `scene_of` are the inverse mappings.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.movies = [movie.name for movie in experiment.movies]
        self.recordings = ByName(experiment.recordings)
        self.recording_of = _inverse(self.recordings)
        self.scenes = self.recordings if self.scene_is_recording else ByName({movie: [movie] for movie in self.movies})
        self.scene_of = _inverse(self.scenes)
        self.simulated = self._simulated_files()
        animals = experiment.animals
        self.labels = [animals.labels] if self.named and animals.labels else []
        self.facts = [animals.facts] if animals.facts else []
        self.pose_labels = list(experiment.pose.labels) if experiment.pose else []
        self.pose_model = classifier_files(experiment.pose.model) if experiment.pose else []
        self.noted = [animals.events] if animals.events else []
        self.left_out = [experiment.trainset.left_out] if self.named and experiment.trainset.left_out else []
        self._marks: dict[str, str] = {}
        self._check_files()
        self.labelled = self._labelled_movies()
        self.pose_labelled = labelled_movies(self.pose_labels, self.movies)
        for table in self.facts:
            read_facts(Path(table), self.movies, animals.classes)
        for table in self.noted:
            read_noted(Path(table), self.movies, animals.individuals if self.named else None)
        for table in self.left_out:
            read_left_out(Path(table), self.movies)
        make_writable_folder(Path(experiment.results))

    @property
    def named(self) -> bool:
        """Whether the animals have names."""
        return self.experiment.animals.marking != "none"

    @property
    def scene_is_recording(self) -> bool:
        """Whether all movies of a recording share one background."""
        return self.experiment.background.scope == "recording"

    def at(self, path: str) -> str:
        """`path`, which is relative to the experiment's folder, relative to the folder of all results."""
        return f"{self.experiment.experiment}/{path}"

    def files(self, stage: str, units: Iterable[str]) -> list[str]:
        """The artifacts of a stage for these movies, recordings or scenes."""
        return [self.at(layout.artifact(stage, unit)) for unit in units]

    def source(self, path: str) -> str:
        """The path of a file named in the experiment file, made relative if the rule simulate makes it."""
        return self.simulated.get(path, path)

    def fingerprint(self, movie: str) -> str:
        """Marks of the contents of a movie's file and of that of its times, by which a change is noticed.

        "" if the movie is simulated, since it may not exist yet.
        """
        file = self.experiment.movie(movie).file
        return "" if file in self.simulated else " ".join(self._mark(path) for path in (file, *self.times(movie)))

    def times(self, movie: str) -> list[str]:
        """The file with the times of a movie's frames, if there is one."""
        path = self.experiment.movie(movie).times
        return [path] if path else []

    def version(self, stage: str, number: int, movie: str | None) -> int | str:
        """The version of a stage, `number`, with marks of the contents of the given files, apart from movies, that its job reads, if any.

        Snakemake would go by the time of a file: one that was replaced by an older one would change nothing, and one that was copied would
        run everything again. `movie` is that of the job, if it has one.
        """
        marks = [f"{key} {self._mark(path)}" for key, path in self.read_by(stage, movie) if path not in self.simulated]
        return f"{number} {hashlib.sha256(chr(10).join(marks).encode()).hexdigest()[:32]}" if marks else number

    def read_by(self, stage: str, movie: str | None = None) -> list[tuple[str, str]]:
        """Key and path of the given files, apart from movies, that the jobs of a stage read: all jobs, or that of one movie."""
        found = [(key, path) for key, path, readers in self._given_of_all if stage in readers]
        if stage in ("repair" if self.experiment.repair else "smooth", "export"):
            movies = self.experiment.movies if movie is None else [self.experiment.movie(movie)]
            # The tables of points are written like the first file of a movie.
            found += [(f"poses {one.name}", path) for one in movies for path in one.poses[: 1 if stage == "export" else None]]
        return found

    @cached_property
    def given(self) -> frozenset[str]:
        """Paths of the given files, which are known by their content and not by their time."""
        paths = {path for movie in self.experiment.movies for path in (movie.file, *self.times(movie.name), *movie.poses)}
        return frozenset((paths | {path for _, path, _ in self._given_of_all}) - self.simulated.keys())

    @cached_property
    def _given_of_all(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Key, path and reading stages of each given file that belongs to all movies."""
        experiment = self.experiment
        classifiers = (
            ("train.use", experiment.train.use),
            ("train.start", experiment.train.start),
            ("animals.like", experiment.animals.like),
        )
        found: list[tuple[str, str | None, tuple[str, ...]]] = [
            ("background.file", experiment.background.file, ("background",)),
            *((f"mask {name}", path, ("segment", "report")) for name, path in experiment.masks.items()),
            *(("animals.labels", path, ("trainset",)) for path in self.labels),
            *(("trainset.left_out", path, ("trainset",)) for path in self.left_out),
            *((key, path, ("train",)) for key, given in classifiers for path in classifier_files(given)),
            ("train.model", experiment.train.model, ("train",)),
            ("trainset.use", experiment.trainset.use, ("train",)),
            *(("pose.labels", path, ("pose_trainset",)) for path in self.pose_labels),
            *(("pose.model", path, ("pose_train",)) for path in self.pose_model),
            *(("animals.facts", path, ("propagate", "smooth")) for path in self.facts),
            ("animals.answers", experiment.animals.answers, ("report",)),
            ("animals.events", experiment.animals.events, ("export",)),
            ("smooth.corrections", experiment.smooth.corrections, ("smooth", "smooth_points")),
            ("score.truth", experiment.score.truth if experiment.score else None, ("report",)),
        ]
        return [(key, path, readers) for key, path, readers in found if path]

    def _mark(self, path: str) -> str:
        if path not in self._marks:
            with fingerprints_in(Path(self.experiment.results)):
                self._marks[path] = "" if path in self.simulated else content_mark(Path(path))
        return self._marks[path]

    def first_of_recording(self, scene: str) -> str:
        """The first movie of the recording to which this scene's movies belong."""
        first: str = self.recordings[self.recording_of[self.scenes[scene][0]]][0]
        return first

    def previous(self, movie: str) -> list[str]:
        """The movie before this one in its recording, as a list that may be empty."""
        members: list[str] = self.recordings[self.recording_of[movie]]
        return members[: members.index(movie)][-1:]

    def training_set(self) -> list[str]:
        """The training set: no file if the classifier is given, otherwise a given training set, or that made from the labels.

        Raises HerdbookError if labels are needed and there is none: only jobs that need labels call this, so that the workflow still runs
        as far as `before_labels`.
        """
        experiment = self.experiment
        if experiment.train.use:
            return []
        if experiment.animals.marking == "marked" and not self.labelled and not experiment.trainset.use:
            raise HerdbookError(
                f"{self.labels[0]}: expected labels of each identity, found none. To see which points to label, begin the "
                "command with snakemake before_labels, then: herdbook suggest"
            )
        return [experiment.trainset.use or self.at(layout.artifact("trainset"))]

    @cached_property
    def hdf5_table(self) -> list[str]:
        """The positions as HDF5, if the experiment asks for them."""
        return [self.at(file) for file in table_files([name for name in self.experiment.export.formats if name == "hdf5"])]

    @cached_property
    def tables(self) -> list[str]:
        """The other tables of all movies, in addition to trajectories.csv and its HDF5 file."""
        noted = [NOTED_TABLE] if self.noted else []
        wanted = [self.at(file) for file in (*TABLES, *noted, *table_files(self.experiment.export.formats))]
        return [file for file in wanted if file not in self.hdf5_table]

    @cached_property
    def tool_files(self) -> list[str]:
        """Files of single movies for other tools."""
        return [self.at(file) for file in movie_files(self.experiment.export.formats, self.movies)]

    @cached_property
    def pose_tables(self) -> list[str]:
        """The table of smoothed body points, and those of each movie that has some as a file of the same kind."""
        posed = [movie for movie in self.experiment.movies if movie.poses]
        files = [layout.pose_file(movie.name, Path(movie.poses[0]).suffix) for movie in posed]
        return [self.at(file) for file in (layout.BODY_POINTS, *files)] if files or self.experiment.pose else []

    @cached_property
    def repaired(self) -> list[str]:
        """The repaired body points of each movie that has some."""
        return self.files("repair", [movie.name for movie in self.experiment.movies if movie.poses]) if self.experiment.repair else []

    @cached_property
    def mistake_tables(self) -> list[str]:
        """The tables of what was wrong with body points, if they are repaired."""
        return [self.at(file) for file in (layout.POINT_MISTAKES, layout.POINT_MOMENTS)] if self.experiment.repair else []

    @cached_property
    def doubts(self) -> list[str]:
        """The review lists of the recordings, if the animals have names."""
        return [self.at(layout.doubts(name)) for name in self.recordings] if self.named else []

    @cached_property
    def written_movies(self) -> list[str]:
        """Overlay movies, close-ups and mosaics that the experiment asks for."""
        return [
            self.at(path.format(movie=movie))
            for stage, path in layout.WRITTEN_MOVIES.items()
            for movie in self.movies
            if self.experiment.section(stage, movie).write
        ]

    def closing_message(self) -> str:
        """The text that a successful run prints at its end: the score, if the truth is known, warnings, and the path of the report."""
        score, notes, page = (Path(self.at(path)) for path in (layout.SCORE, layout.NOTES, layout.artifact("report")))
        lines = [score.read_text(encoding="utf-8")] if self.experiment.score and score.exists() else []
        warnings = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
        lines += [f"warning: {warning}" for warning in warnings[:MOST_FAULTS]]
        lines += [f"{len(warnings) - MOST_FAULTS} more warnings are in the report."] if len(warnings) > MOST_FAULTS else []
        return printable("\n".join([*lines, f"Report: {page.resolve()}"] if page.exists() else lines))

    def _simulated_files(self) -> dict[str, str]:
        if not self.experiment.simulate:
            return {}
        made = [self.at(layout.simulated(name)) for name in (*(f"{movie}.mp4" for movie in self.movies), "labels.csv", "truth.csv")]
        by_path = {str(Path(self.experiment.results, path).resolve()): path for path in made}
        self._refuse(
            [
                f"movie {movie.name}: the section simulate writes {path}, but the file is {movie.file}"
                for movie, path in zip(self.experiment.movies, by_path, strict=False)
                if movie.file != path
            ]
        )
        return by_path

    def _given_files(self) -> dict[str, str]:
        """Paths of the files named in the experiment file, by a description that messages use."""
        experiment = self.experiment
        given = {f"movie {movie.name}": movie.file for movie in experiment.movies}
        given |= {f"mask of the arena {name}": path for name, path in experiment.masks.items()}
        for key, classifier in (
            ("train.use", experiment.train.use),
            ("train.start", experiment.train.start),
            ("animals.like", experiment.animals.like),
        ):
            given |= {f"{key}: {path}": path for path in classifier_files(classifier)}
        given |= {f"pose.labels: {path}": path for path in self.pose_labels} | {f"pose.model: {path}": path for path in self.pose_model}
        given |= {f"times of movie {movie.name}": movie.times for movie in experiment.movies if movie.times}
        for movie in experiment.movies:
            given |= {f"poses of movie {movie.name}: {path}": path for path in movie.poses}
        single = {
            "background.file": experiment.background.file,
            "animals.facts": experiment.animals.facts,
            "animals.answers": experiment.animals.answers,
            "animals.events": experiment.animals.events,
            "trainset.use": experiment.trainset.use,
            "trainset.left_out": experiment.trainset.left_out,
            "train.model": experiment.train.model,
            "smooth.corrections": experiment.smooth.corrections,
            "score.truth": experiment.score.truth if experiment.score else None,
        }
        return given | {key: path for key, path in single.items() if path}

    def _check_files(self) -> None:
        """Raise HerdbookError unless all given files exist and have names that Snakemake can handle."""
        given, experiment = self._given_files(), self.experiment
        missing = [
            f"{description}: there is no file {path}; correct the path in the experiment file"
            for description, path in given.items()
            if path not in self.simulated and not Path(path).exists()
        ]
        names = [experiment.results, experiment.experiment, *self.recordings, *self.movies, *self.labels]
        unusable = [
            f"{text!r}: names and paths must not contain any of {{ }} < > or a line break"
            for text in (*names, *given.values())
            if UNUSABLE.search(text)
        ]
        self._refuse(missing + unusable)

    def _labelled_movies(self) -> list[str]:
        """Names of the movies from which the classifier learns: those with labels; all where one network learns who is seen together.

        The simulation labels the first one.
        """
        animals = self.experiment.animals
        together = self.experiment.learns_together
        if animals.marking == "unmarked":
            return list(self.movies)
        if not self.labels:
            return []
        if self.labels[0] in self.simulated:
            return list(self.movies) if together else self.movies[:1]
        known = [*animals.classes, *animals.other_labels]
        named = {label.movie for label in read_labels(Path(self.labels[0]), self.movies, known)}
        return [movie for movie in self.movies if movie in named or (together and named)]

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
            title = f"{self.experiment.experiment}: the experiment cannot start:"
            raise HerdbookError("\n  ".join([title, *faults[:MOST_FAULTS], *more]))


def _inverse(members: Mapping[str, list[str]]) -> ByName:
    return ByName({movie: name for name, movies in members.items() for movie in movies})
