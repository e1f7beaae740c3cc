"""Names that were found again after answers, beside those of the last run, until a run makes them itself."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.app.watching.positions import FramePlaces
from herdbook.artifacts.propagate import Identities
from herdbook.experiment.layout import doubts
from herdbook.experiment.model import Experiment
from herdbook.identity.doubts import Doubt, read_doubts

FOLDER = "app/review"


def reviewed_path(experiment: Experiment, recording: str) -> Path:
    """Where the names of a recording lie that were found after answers."""
    return experiment.folder / FOLDER / f"{recording}.h5"


def is_reviewed(experiment: Experiment, recording: str) -> bool:
    """Whether names were found after answers, and after the last run."""
    path, run = reviewed_path(experiment, recording), experiment.artifact("propagate", recording)
    return path.is_file() and (not run.is_file() or path.stat().st_mtime_ns > run.stat().st_mtime_ns)


def result_of(experiment: Experiment, recording: str) -> Path:
    """The file with the names of a recording that count."""
    return reviewed_path(experiment, recording) if is_reviewed(experiment, recording) else experiment.artifact("propagate", recording)


def doubts_of_names(experiment: Experiment, recording: str) -> list[Doubt]:
    """The doubts of who is in which tracklet, as the names that count were found with."""
    path = experiment.folder / doubts(recording)
    if is_reviewed(experiment, recording):
        path = reviewed_path(experiment, recording).with_suffix(".doubtful.csv")
    return read_doubts(path, "propagate") if path.is_file() else []


def doubts_of_places(experiment: Experiment) -> list[Doubt]:
    """The doubts of the last run about places in contact; none if its names were found again since, for then they are not known."""
    path = experiment.folder / "doubtful.csv"
    runs = [(experiment.artifact("propagate", one), experiment.folder / doubts(one)) for one in experiment.recordings]
    if not path.is_file() or any(run.is_file() and run.stat().st_mtime_ns > path.stat().st_mtime_ns for run, _ in runs):
        return []
    names = {doubt for _, listed in runs if listed.is_file() for doubt in read_doubts(listed, "propagate")}
    return [doubt for doubt in read_doubts(path, "export") if doubt not in names]


def renamed(
    places: FramePlaces, individuals: list[str], blobs: FramePlaces, old: Identities, new: Identities, spans: NDArray[np.int64], movie: str
) -> FramePlaces:
    """Positions of a run with the names that were found since: where a tracklet has other animals now, they are where its blobs are.

    `individuals`: the names of `places`; `blobs`: positions of all by `new` names, centres of blobs, whose numbers are those of `new`;
    `spans` (tracklets, 2): first and last frame of each tracklet of the movie.
    """
    gone, come = _differences(old, new, movie), _differences(new, old, movie)
    number = {name: k for k, name in enumerate(individuals)}
    dropped, added = np.zeros(len(places.individual), bool), np.zeros(len(blobs.individual), bool)
    frames, blob_frames = places.frame, blobs.frame
    for tracklet, name in gone:
        first, last = spans[tracklet]
        dropped |= (places.individual == number.get(name, -1)) & (frames >= first) & (frames <= last)
    own = {name: k for k, name in enumerate(new.individuals)}
    for tracklet, name in come:
        first, last = spans[tracklet]
        mine = (blob_frames >= first) & (blob_frames <= last)
        added |= (blobs.individual == own[name]) & mine
        dropped |= (places.individual == number.get(name, -1)) & (frames >= first) & (frames <= last)
    as_shown = np.array([number.get(name, -1) for name in new.individuals], np.int32)
    added &= as_shown[blobs.individual] >= 0
    individual = np.concatenate([places.individual[~dropped], as_shown[blobs.individual[added]]])
    frame = np.concatenate([frames[~dropped], blob_frames[added]])
    order = np.lexsort((individual, frame))
    columns = {
        name: np.concatenate([getattr(places, name)[~dropped], getattr(blobs, name)[added]])[order]
        for name in ("x", "y", "confidence", "source")
    }
    return FramePlaces(individual=individual[order], offsets=np.searchsorted(frame[order], np.arange(len(places.offsets))), **columns)


def _differences(one: Identities, other: Identities, movie: str) -> list[tuple[int, str]]:
    """Tracklet and name that only the first one has."""
    pairs = []
    for identities in (one, other):
        mine = identities.movie == identities.movies.index(movie)
        names = [identities.individuals[k] for k in identities.individual[mine].tolist()]
        pairs.append(set(zip(identities.tracklet[mine].tolist(), names, strict=True)))
    return sorted(pairs[0] - pairs[1])
