"""Checks of an experiment before it runs: whether movies, labels, facts, arenas and truth fit together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands.labelled_points import check_labelled_points
from herdbook.commands.movie_scans import scan_of
from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.frame_faults import arena_faults, recording_size_faults
from herdbook.experiment.model import Experiment
from herdbook.experiment.movies import Movie
from herdbook.experiment.sheets.answers import read_answers
from herdbook.experiment.sheets.corrections import Correction
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.labels import read_labels
from herdbook.experiment.sheets.left_out import read_left_out
from herdbook.experiment.sheets.noted import read_noted, refuse_frames
from herdbook.experiment.sheets.places import fact_place_faults, label_place_faults
from herdbook.geometry.intervals import interval_faults
from herdbook.movie.notes import join_notes
from herdbook.segmentation.arenas import map_arenas
from herdbook.segmentation.scene_file import read_scene


@dataclass(frozen=True)
class MovieFacts:
    """Properties of a movie: number of frames, size (width, height) in px, frames per second; whether it is still to be simulated."""

    frames: int
    size: tuple[int, int]
    fps: float
    simulated: bool = False


@dataclass
class Findings:
    """Result of a check: the movies that could be read, by name; faults, which prevent a run; notes, which do not; and the movies in
    some of whose frames blobs were looked for.
    """

    movies: dict[str, MovieFacts] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)


def check_experiment(experiment: Experiment, look: int = 0) -> Findings:
    """Read all movies and tables of an experiment and find all faults; without any, look for blobs in frames of `look` movies."""
    findings = Findings()
    _read_movies(experiment, findings)
    sizes = {name: movie.size for name, movie in findings.movies.items()}
    findings.faults += recording_size_faults(experiment.recordings, sizes)
    findings.faults += _arena_faults_of(experiment, sizes)
    findings.faults += _interval_faults_of(experiment, findings.movies)
    findings.faults += _background_faults_of(experiment, sizes)
    _check_labels(experiment, findings, sizes)
    _check_left_out(experiment, findings)
    _check_facts(experiment, findings, sizes)
    _check_answers(experiment, findings)
    _check_noted(experiment, findings)
    _check_points(experiment, findings)
    faults, notes = check_labelled_points(experiment, {name: movie.frames for name, movie in findings.movies.items()})
    findings.faults += faults
    findings.notes += notes
    _check_truth(experiment, findings)
    _check_classifier(experiment, findings)
    _check_formats(experiment, findings)
    if look and not findings.faults:
        _look(experiment, findings, look)
    return findings


def _read_movies(experiment: Experiment, findings: Findings) -> None:
    noted: dict[str, Sequence[str]] = {}
    for movie in experiment.movies:
        path = Path(movie.file)
        if experiment.simulate and not path.exists():
            planned = experiment.simulate
            findings.movies[movie.name] = MovieFacts(planned.frames, planned.size, planned.fps, simulated=True)
            continue
        try:
            scan = scan_of(experiment, movie.name)
        except HerdbookError as error:
            findings.faults.append(f"movie {movie.name}: {error}")
            continue
        findings.movies[movie.name] = MovieFacts(scan.n_frames, (scan.width, scan.height), scan.fps)
        noted[movie.name] = scan.notes
    findings.notes += join_notes(noted)


def _arena_faults_of(experiment: Experiment, sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    arenas = json.loads(experiment.settings("segment"))["arenas"]
    faults = []
    for size in dict.fromkeys(sizes.values()):
        movies = [name for name in sizes if sizes[name] == size]
        found = arena_faults(arenas, *size)
        try:
            if not found:
                map_arenas(arenas, size[::-1], [Path(mask) for mask in experiment.masks.values()])
        except HerdbookError as error:
            found = [str(error)]
        faults += [f"{fault} (movies: {', '.join(movies)})" for fault in found]
    return faults


def _background_faults_of(experiment: Experiment, sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    faults = []
    for size in dict.fromkeys(sizes.values()) if experiment.background.file else ():
        try:
            read_scene(Path(experiment.background.file or ""), *size)
        except HerdbookError as error:
            faults.append(str(error))
    return faults


def _interval_faults_of(experiment: Experiment, movies: Mapping[str, MovieFacts]) -> list[str]:
    known = {name: intervals for name, intervals in experiment.intervals().items() if name in movies}
    return [f"movie {name}: {fault}" for name, intervals in known.items() for fault in interval_faults(intervals, movies[name].frames)]


def _check_labels(experiment: Experiment, findings: Findings, sizes: Mapping[str, tuple[int, int]]) -> None:
    animals = experiment.animals
    if animals.marking == "none" or animals.labels is None:
        return
    path = Path(animals.labels)
    if experiment.simulate and not path.exists():
        return
    try:
        labels = read_labels(path, [m.name for m in experiment.movies], [*animals.classes, *animals.other_labels])
    except HerdbookError as error:
        findings.faults.append(str(error))
        return
    frames = {name: movie.frames for name, movie in findings.movies.items()}
    findings.faults += [f"{path}, {fault}" for fault in label_place_faults(labels, frames, sizes)]
    if not labels:
        findings.notes.append(
            f"{path}: there are no labels yet. Run `herdbook run FILE before_labels`, then label on the page (`herdbook app FILE`) or by "
            "`herdbook suggest FILE`."
        )
        return
    found = {label.label for label in labels}
    missing = [name for name in animals.classes if name not in found]
    if missing and animals.marking == "marked":
        findings.notes.append(f"{path}: no label of {', '.join(missing)}. The classifier does not learn names without labels.")


def _check_left_out(experiment: Experiment, findings: Findings) -> None:
    if experiment.trainset.left_out is not None:
        try:
            read_left_out(Path(experiment.trainset.left_out), [movie.name for movie in experiment.movies])
        except HerdbookError as error:
            findings.faults.append(str(error))


def _check_facts(experiment: Experiment, findings: Findings, sizes: Mapping[str, tuple[int, int]]) -> None:
    if experiment.animals.facts is None:
        return
    path = Path(experiment.animals.facts)
    try:
        facts = read_facts(path, [m.name for m in experiment.movies], experiment.animals.classes)
    except HerdbookError as error:
        findings.faults.append(str(error))
        return
    frames = {name: movie.frames for name, movie in findings.movies.items()}
    findings.faults += [f"{path}, {fault}" for fault in fact_place_faults(facts, frames, sizes)]


def _check_answers(experiment: Experiment, findings: Findings) -> None:
    if experiment.animals.answers is not None:
        try:
            read_answers(Path(experiment.animals.answers))
        except HerdbookError as error:
            findings.faults.append(str(error))


def _check_noted(experiment: Experiment, findings: Findings) -> None:
    if experiment.animals.events is None:
        return
    path = Path(experiment.animals.events)
    names = experiment.animals.individuals if experiment.animals.marking != "none" else None
    try:
        noted = read_noted(path, [movie.name for movie in experiment.movies], names)
        refuse_frames(path, noted, {name: movie.frames for name, movie in findings.movies.items()})
    except HerdbookError as error:
        findings.faults.append(str(error))


def _check_points(experiment: Experiment, findings: Findings) -> None:
    # Imported here: these readers import pandas.
    from herdbook.experiment.sheets.corrections import read_corrections
    from herdbook.formats.pose_files import read_poses
    from herdbook.formats.poses import missing_frames, no_poses
    from herdbook.positions.body_points import check_inside
    from herdbook.positions.corrections import correct_points

    corrections, file = [], Path(experiment.smooth.corrections or "")
    try:
        corrections = read_corrections(file) if experiment.smooth.corrections else []
    except HerdbookError as error:
        findings.faults.append(str(error))
    names = [movie.name for movie in experiment.movies]
    findings.faults += [
        f"{file}, {c.place}: there is no movie {c.movie!r}; {nearest(c.movie, names)}" for c in corrections if c.movie not in names
    ]
    individuals = experiment.animals.individuals
    findings.faults += [
        f"{file}, {c.place}: there is no animal {c.individual!r}; {nearest(c.individual, individuals)}"
        for c in corrections
        if individuals and not c.point and c.individual not in individuals
    ]
    findings.faults += [
        f"{file}, {c.place}: {c.movie} has frames 0 to {findings.movies[c.movie].frames - 1}, found frame {c.frame}"
        for c in corrections
        if not c.point and c.movie in findings.movies and c.frame >= findings.movies[c.movie].frames
    ]
    for movie in (movie for movie in experiment.movies if movie.name in findings.movies):
        frames, size = findings.movies[movie.name].frames, findings.movies[movie.name].size
        if experiment.repair and movie.poses:
            own = [c for c in corrections if c.movie == movie.name]
            findings.faults += _faults_of_repair(experiment, movie, frames, size, own, findings)
            continue
        if experiment.pose:
            # Which points there will be, and so which can be corrected, is known when they were found.
            continue
        try:
            read = read_poses([Path(path) for path in movie.poses]) if movie.poses else no_poses(frames)
            if shorter := missing_frames(read, frames):
                findings.notes.append(f"{', '.join(movie.poses)}: {shorter}")
            poses, _ = correct_points(read.lasting(frames, ", ".join(movie.poses)), [c for c in corrections if c.movie == movie.name], file)
            check_inside(poses, size[::-1], ", ".join(movie.poses))
        except HerdbookError as error:
            findings.faults.append(f"movie {movie.name}: {error}")


def _faults_of_repair(
    experiment: Experiment, movie: Movie, frames: int, size: tuple[int, int], corrections: Sequence[Correction], findings: Findings
) -> list[str]:
    """Whether the body points of a movie can be handed to the animals of the experiment, whose names its corrections have."""
    import numpy as np

    from herdbook.bodypoints.movies import check_repairable
    from herdbook.formats.pose_files import read_poses
    from herdbook.formats.poses import Poses, missing_frames
    from herdbook.positions.body_points import check_inside
    from herdbook.positions.corrections import correct_points

    file, names = ", ".join(movie.poses), experiment.animals.individuals
    try:
        read = read_poses([Path(path) for path in movie.poses])
        if shorter := missing_frames(read, frames):
            findings.notes.append(f"{file}: {shorter}")
        check_repairable(read, names, experiment.repair is not None and experiment.repair.names == "file", file)
        check_inside(read.lasting(frames, file), size[::-1], file)
        unknown = np.full((frames, len(names), len(read.points)), np.nan)
        empty = Poses(tuple(names), read.points, np.stack([unknown, unknown], -1), unknown)
        correct_points(empty, corrections, Path(experiment.smooth.corrections or ""))
    except HerdbookError as error:
        return [f"movie {movie.name}: {error}"]
    return []


def _check_truth(experiment: Experiment, findings: Findings) -> None:
    # Imported here: pandas and scipy take half a second.
    from herdbook.tables.scoring import load_truth

    if experiment.score is None:
        return
    path = Path(experiment.score.truth)
    if experiment.simulate and not path.exists():
        return
    try:
        truth = load_truth(path)
    except HerdbookError as error:
        findings.faults.append(str(error))
        return
    names = [m.name for m in experiment.movies]
    listed = sorted({name for name in truth["movie"] if name})
    findings.faults += [f"{path}: there is no movie {name!r}; {nearest(name, names)}" for name in listed if name not in names]
    if not listed and len(names) > 1:
        findings.faults.append(f"{path}: with several movies, the table needs a column movie with their names: {', '.join(names)}.")


def _check_classifier(experiment: Experiment, findings: Findings) -> None:
    # Imported here: crops import OpenCV.
    from herdbook.classifier.cards import check_classes, read_card

    given = experiment.trainset.use
    if given:
        from herdbook.classifier.image_folders import check_given_set

        try:
            check_given_set(TrainingSet.load(Path(given), without=("images",)), Path(given), experiment.animals.classes)
        except HerdbookError as error:
            findings.faults.append(str(error))
    for path in filter(None, (experiment.train.use, experiment.train.start)):
        try:
            card = read_card(Path(path).with_suffix(".json"))
            if path == experiment.train.use:
                check_classes(card, experiment.animals.classes)
        except HerdbookError as error:
            findings.faults.append(str(error))


def _look(experiment: Experiment, findings: Findings, most: int) -> None:
    # Imported here: segmentation compiles kernels.
    from herdbook.commands.look import look_at_movie, spread_movies

    for movie in spread_movies(experiment, most):
        if findings.movies[movie].simulated:
            continue
        try:
            notes = look_at_movie(experiment, movie)
        except HerdbookError as error:
            findings.faults.append(f"movie {movie}: {error}")
            continue
        findings.looked_at.append(movie)
        findings.notes += [f"movie {movie}: {note}" for note in notes]


def _check_formats(experiment: Experiment, findings: Findings) -> None:
    from herdbook.formats.nwb import check_nwb

    if "nwb" not in experiment.export.formats:
        return
    try:
        check_nwb()
    except HerdbookError as error:
        findings.faults.append(str(error))
