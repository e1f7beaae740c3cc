"""The state of each stage for each movie of an experiment: which files exist, are missing, or were made from other inputs than now."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from herdbook.artifacts.store import has_fingerprint
from herdbook.errors import HerdbookError
from herdbook.experiment.layout import MADE_BY, WRITTEN_MOVIES, artifact
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.point_labels import labelled_movies
from herdbook.job import stage_version
from herdbook.system.fingerprints import fingerprints_in
from herdbook.system.hdf5 import open_hdf5

DONE, STALE, MISSING = "done", "stale", "–"
# Stages that run once for all movies, or for all of a recording.
_JOINT = ("propagate", "export", "report", "trainset", "train", "pose_trainset", "pose_train")


@dataclass(frozen=True)
class Item:
    """A file that a stage makes, for a `unit` (movie, recording, or "" for all).

    `path` and `inputs`, the files from which it is made, are relative to the experiment's folder; `settings` are those of its stage now
    (JSON).
    """

    stage: str
    unit: str
    path: str
    inputs: tuple[str, ...]
    settings: str


@dataclass
class Status:
    """State (done, stale or –) of each stage by movie, and of the stages of the whole experiment; reasons for stale files, by path."""

    movies: dict[str, dict[str, str]] = field(default_factory=dict)
    experiment: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def experiment_status(experiment: Experiment) -> Status:
    """Compare the files in the experiment's folder with the experiment: settings, versions of stages, and inputs of each file."""
    status = Status({movie.name: {} for movie in experiment.movies})
    states: dict[str, str] = {}
    for item in _items(experiment):
        with fingerprints_in(Path(experiment.results)):
            state, reason = _state_of(item, experiment, states)
        states[item.path] = state
        if reason:
            status.reasons[item.path] = reason
        units = [item.unit] if item.unit in status.movies else []
        if item.stage == "propagate":
            units = experiment.recordings[item.unit]
        if item.stage == "background" and experiment.background.scope == "recording":
            units = experiment.recordings[item.unit]
        for movie in units:
            status.movies[movie][item.stage] = state
        if not units:
            status.experiment[item.stage] = state
    return status


def _items(experiment: Experiment) -> Iterator[Item]:
    """All files of an experiment in the order in which they are made."""
    movies = [movie.name for movie in experiment.movies]
    recording_of = {movie: experiment.recording_of(movie) for movie in movies}
    by_recording = experiment.background.scope == "recording"
    marked, trained = experiment.animals.marking != "none", experiment.train.use is None

    def item(stage: str, unit: str, *inputs: str, path: str = "") -> Item:
        own = unit if stage not in _JOINT else None
        return Item(stage, unit, path or artifact(stage, unit), inputs, experiment.settings(stage, own))

    yield from (item("index", movie) for movie in movies)
    for unit, members in experiment.recordings.items() if by_recording else [(movie, [movie]) for movie in movies]:
        yield item("background", unit, *(artifact("index", movie) for movie in members))
    for movie in movies:
        yield item("segment", movie, artifact("index", movie), artifact("background", recording_of[movie] if by_recording else movie))
    for movie in movies:
        before = experiment.recordings[recording_of[movie]]
        previous = before[: before.index(movie)][-1:]
        yield item("tracklets", movie, *(artifact("segment", name) for name in (movie, *previous)))
    if marked:
        if trained:
            if experiment.trainset.use is None:
                yield item("trainset", "")
            yield item("train", "", artifact("trainset"))
        for movie in movies:
            yield item("classify", movie, artifact("tracklets", movie), artifact("train"))
    for recording, members in experiment.recordings.items():
        yield item("propagate", recording, *(artifact(stage, m) for m in members for stage in (["classify"] if marked else ["tracklets"])))
    for movie in movies:
        yield item("smooth", movie, artifact("tracklets", movie), artifact("propagate", recording_of[movie]))
    if experiment.pose:
        yield from _pose_items(experiment, item)
    if experiment.points_apart:
        posed = [movie for movie in movies if experiment.repair and experiment.movie(movie).poses]
        yield from (item("repair", movie, artifact("smooth", movie)) for movie in posed)
        for movie in movies:
            read = ["repair"] * (movie in posed) + ["pose"] * bool(experiment.pose)
            yield item("smooth_points", movie, *(artifact(stage, movie) for stage in read or ["index"]))
    table = "trajectories.h5" if "hdf5" in experiment.export.formats else artifact("export")
    yield item("export", "", *(artifact("smooth", movie) for movie in movies), path=table)
    for stage, path in WRITTEN_MOVIES.items():
        wanted = [movie for movie in movies if experiment.section(stage, movie).write]
        yield from (item(stage, movie, artifact("smooth", movie), path=path.format(movie=movie)) for movie in wanted)
    yield item("report", "", table)


def _pose_items(experiment: Experiment, item: Callable[..., Item]) -> Iterator[Item]:
    """The files of the stages that find body points."""
    assert experiment.pose is not None
    movies = [movie.name for movie in experiment.movies]
    if not experiment.pose.model:
        yield item("pose_trainset", "", *(artifact("smooth", movie) for movie in labelled_movies(experiment.pose.labels, movies)))
    yield item("pose_train", "", *([] if experiment.pose.model else [artifact("pose_trainset")]))
    for movie in movies:
        yield item("pose", movie, artifact("smooth", movie), artifact("pose_train"))


def _state_of(item: Item, experiment: Experiment, states: Mapping[str, str]) -> tuple[str, str]:
    path = experiment.folder / item.path
    if not path.exists():
        return MISSING, "is missing"
    if path.suffix == ".h5":
        try:
            with open_hdf5(path) as file:
                attributes = {name: file.attrs[name] for name in ("stage_version", "settings", "inputs")}
        except (OSError, KeyError, HerdbookError) as error:
            return STALE, f"is not readable ({error})"
        version = stage_version(item.stage)
        if int(attributes["stage_version"]) != version:
            return STALE, f"was made by version {attributes['stage_version']} of the stage {item.stage}, which is now {version}"
        changed = _changed_keys(json.loads(attributes["settings"]), json.loads(item.settings))
        if changed:
            return STALE, f"was made with other settings: {', '.join(changed)}"
        inputs = json.loads(attributes["inputs"])
        times = experiment.movie(item.unit).times if item.stage == "index" else None
        if times and not any(name.startswith("times/") for name in inputs):
            return STALE, f"was made without {times}"
        other = _changed_input(inputs, experiment)
        if other:
            return STALE, f"was made from another {other}"
    late = [name for name in item.inputs if states.get(name, DONE) != DONE]
    if late:
        return STALE, f"waits for {late[0]}" + (f" and {len(late) - 1} more" if len(late) > 1 else "")
    made = path.stat().st_mtime
    newer = [name for name in item.inputs if path.suffix != ".h5" and (experiment.folder / name).exists()]
    newer = [name for name in newer if (experiment.folder / name).stat().st_mtime > made]
    return (STALE, f"is older than {newer[0]}") if newer else (DONE, "")


def _changed_keys(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return sorted(key for key in {*before, *now} if before.get(key) != now.get(key))


def _changed_input(inputs: Mapping[str, str], experiment: Experiment) -> str:
    """The first input that has changed, "" for none; inputs whose path is unknown are skipped."""
    given = _given_files(experiment)
    for name, fingerprint in inputs.items():
        option, file = name.partition("/")[0], name.rpartition("/")[2]
        if option in given:
            # Files in several folders may have the same name.
            paths = [path for path in given[option] if path.name == file]
            if not paths:
                return f"{option}, {file}"
        else:
            paths = [experiment.folder / MADE_BY[option] / file] if option in MADE_BY else []
        there = [path for path in paths if path.exists()]
        if there and not any(has_fingerprint(path, fingerprint) for path in there):
            return str(there[0].relative_to(experiment.folder)) if option in MADE_BY else str(there[0])
    return ""


def _given_files(experiment: Experiment) -> dict[str, list[Path]]:
    """The files that the experiment file names, by the argument of the stages that read them."""
    given: dict[str, list[str | None]] = {
        "movie": [*(movie.file for movie in experiment.movies)],
        "times": [*(movie.times for movie in experiment.movies)],
        "image": [experiment.background.file],
        "masks": [*experiment.masks.values()],
        "labels": [experiment.animals.labels, *(experiment.pose.labels if experiment.pose else [])],
        "left_out": [experiment.trainset.left_out],
        "facts": [experiment.animals.facts],
        "answers": [experiment.animals.answers],
        "noted": [experiment.animals.events],
        "corrections": [experiment.smooth.corrections],
        "poses": [*(path for movie in experiment.movies for path in movie.poses)],
    }
    return {option: [Path(path) for path in paths if path] for option, paths in given.items()}
