"""What is labelled: the tracklets of all movies with what is known of them, read again when labels or results change."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from herdbook.arrays import Ints
from herdbook.artifacts.segment import blob_at
from herdbook.artifacts.tracklets import SINGLE
from herdbook.commands.labelling.candidates import (
    KnownTracklets,
    LabelMovie,
    candidates_of,
    classes_of,
    join_candidates,
    known_of,
    labels_of,
    left_out_of,
)
from herdbook.commands.labelling.choice import Candidates
from herdbook.commands.labelling.words import Guesses
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.left_out import LeftOut


@dataclass(frozen=True)
class State:
    """All candidates with their guesses; per candidate its movie (index into `movies`) and `tracklet`. `known` by movie."""

    movies: list[LabelMovie]
    known: dict[str, KnownTracklets]
    left_out: list[LeftOut]
    found: Candidates
    guesses: Guesses
    owner: Ints
    tracklet: Ints
    made: str

    def row_of(self, movie: str, tracklet: int) -> int:
        """The candidate that a tracklet is, -1 if it is none."""
        number = [one.name for one in self.movies].index(movie)
        rows = np.flatnonzero((self.owner == number) & (self.tracklet == tracklet))
        return int(rows[0]) if len(rows) else -1

    def movie(self, name: str) -> LabelMovie:
        """A movie. Raises HerdbookError if there is none of this name."""
        found = next((movie for movie in self.movies if movie.name == name), None)
        if found is None:
            raise HerdbookError(f"there is no movie {name!r}")
        return found

    def tracklet_at(self, movie: str, frame: int, x: float, y: float) -> int:
        """The tracklet under a point. Raises HerdbookError if there is no blob near it, or if it holds more or less than one animal."""
        one = self.movie(movie)
        blob = blob_at(frame, x, y, one.blobs, one.images)
        tracklet = -1 if blob is None else int(one.tracklets.blob_tracklet[blob])
        if tracklet < 0:
            raise HerdbookError("There is no animal.")
        if one.tracklets.tracklet_kind[tracklet] != SINGLE:
            raise HerdbookError(f"Here {one.tracklets.animals[tracklet]} animals touch: a label is for a single one.")
        return tracklet


class LabelFootage:
    """The movies of an experiment, held open while they are labelled. One thread uses it."""

    def __init__(self) -> None:
        self._movies: dict[str, tuple[str, LabelMovie]] = {}
        self._state: State | None = None

    def close(self) -> None:
        """Close all files."""
        for _, movie in self._movies.values():
            movie.close()
        self._movies.clear()
        self._state = None

    def state(self, experiment: Experiment) -> State:
        """What is known now. Raises HerdbookError if blobs or tracklets are missing."""
        made = _stamp(experiment, [movie.name for movie in experiment.movies])
        if self._state is not None and self._state.made == made:
            return self._state
        names = [movie.name for movie in experiment.movies]
        for gone in [name for name in self._movies if name not in names]:
            self._movies.pop(gone)[1].close()
        movies = [self._open(experiment, name) for name in names]
        labels, left_out = labels_of(experiment), left_out_of(experiment)
        known, parts, tracklets, start = {}, [], [], 0
        for movie in movies:
            known[movie.name] = known_of(experiment, movie, labels, left_out)
            part, mine = candidates_of(experiment, movie, known[movie.name], start)
            parts.append(part)
            tracklets.append(mine)
            start += movie.blobs.frames
        found = join_candidates(parts)
        owner = np.repeat(np.arange(len(movies)), [len(mine) for mine in tracklets])
        guesses = Guesses(found, classes_of(experiment))
        self._state = State(movies, known, left_out, found, guesses, owner, np.concatenate(tracklets), made)
        return self._state

    def _open(self, experiment: Experiment, name: str) -> LabelMovie:
        unit = experiment.recording_of(name) if experiment.background.scope == "recording" else name
        files = [experiment.artifact("segment", name), experiment.artifact("tracklets", name), experiment.artifact("background", unit)]
        missing = [path for path in files if not path.is_file()]
        if missing:
            raise HerdbookError(f"There is nothing to label in {name} yet: make what labels need first.")
        made = _stamp_of(files)
        held = self._movies.get(name)
        if held is not None and held[0] == made:
            return held[1]
        if held is not None:
            held[1].close()
        self._movies[name] = (made, LabelMovie(experiment, name))
        return self._movies[name][1]


def _stamp(experiment: Experiment, movies: Sequence[str]) -> str:
    paths = [Path(path) for path in (experiment.animals.labels, experiment.trainset.left_out) if path]
    for movie in movies:
        paths += [experiment.artifact(stage, movie) for stage in ("segment", "tracklets", "classify")]
        paths.append(experiment.artifact("propagate", experiment.recording_of(movie)))
    return hashlib.sha256(f"{_stamp_of(paths)} {classes_of(experiment)} {list(movies)}".encode()).hexdigest()[:12]


def _stamp_of(paths: Sequence[Path]) -> str:
    stamps = []
    for path in paths:
        try:
            state = path.stat()
            stamps.append(f"{state.st_mtime_ns:x}.{state.st_size:x}")
        except OSError:
            stamps.append("-")
    return "_".join(stamps)
