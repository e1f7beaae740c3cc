"""What the report says of one recording, read from its artifacts movie by movie."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import open_artifact, read_attributes, read_column
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.report.samples import SampleFrame, read_samples
from herdbook.report.summaries import HIDDEN, UNKNOWN, UNTRACKED, Contacts, MovieSummary, Recording, RecordingTracks, count_how_known
from herdbook.segmentation.arenas import map_arenas
from herdbook.tables.event_tables import split_names
from herdbook.tables.events import CONTACT
from herdbook.tables.motion import body_axes

Files = Mapping[str, Mapping[str, Path]]

SAMPLES = 4
# The length of the animals comes from about so many blobs, in blocks of neighbours, which one reading gets.
MEASURED_BLOBS, MEASURED_BLOCKS = 20_000, 20
# Columns of trajectories that the report does not show: they are half of the memory.
UNSEEN = ("x_raw", "y_raw", "heading", "disagreement", "jump")


def read_recording(
    name: str,
    movies: Sequence[str],
    files: Files,
    *,
    px_per_mm: float | None = None,
    masks: Sequence[Path] = (),
    contacts: pd.DataFrame | None = None,
) -> Recording:
    """Read what the report counts and shows of one recording; `files` are the paths by artifact and file stem, of `movie` by its name.

    `masks` are the files of the arenas that have one; `contacts` the contacts among the events of all recordings, None for animals
    without lasting names. Raises HerdbookError when an artifact of one of its movies is not among the files.
    """
    identities = Identities.load(_path(files, "identities", name))
    names = list(identities.individuals)
    facts, parts, times, blobs, animals, lacking, lengths = [], [], [], [], [], [], []
    tracklet_frames: dict[str, NDArray[np.int64]] = {}
    first_frame, start_s = 0, 0.0
    tracklets_read = images_read = 0
    for movie in movies:
        index = Index.load(_path(files, "index", movie))
        tracklets = Tracklets.load(_path(files, "tracklets", movie))
        held = identities.animals_of(movie)
        with open_artifact(_path(files, "blobs", movie), Blobs.kind) as file:
            blob_frame, intervals = read_column(file, "frame"), read_column(file, "intervals")
            lengths.append(_body_lengths(file, tracklets.blob_tracklet, held))
        tracked = int(np.diff(intervals).sum())
        facts.append(MovieSummary(movie, len(index), tracked, index.duration_s, index.width, index.height, index.fps, index.codec))
        linked = tracklets.blob_tracklet >= 0
        rows, frame = tracklets.blob_tracklet[linked], blob_frame[linked]
        blobs.append(np.bincount(blob_frame, minlength=len(index)))
        animals.append(np.rint(np.bincount(frame, held[rows], minlength=len(index))).astype(np.int64))
        mine = identities.tracklet[identities.movie == identities.movies.index(movie)]
        nameless = held > np.bincount(mine, minlength=len(tracklets))
        lacking.append(_lacking(len(index), intervals, frame[nameless[rows]]))
        tracklet_frames[movie] = np.bincount(rows, minlength=len(tracklets))
        if movie in files["evidence"]:
            evidence = Evidence.load(files["evidence"][movie])
            tracklets_read += int((evidence.images > 0).sum())
            images_read += int(evidence.images.sum())
        tracks = Trajectories.load(_path(files, "trajectories", movie), without=UNSEEN)
        names += [individual for individual in tracks.individuals if individual not in set(names)]
        parts.append((tracks, first_frame))
        times.append(index.time_s + start_s)
        first_frame += len(index)
        start_s += index.duration_s
    frames = np.zeros(len(identities.movie), np.int64)
    for number, movie in enumerate(identities.movies):
        inside = identities.movie == number
        frames[inside] = tracklet_frames[movie][identities.tracklet[inside]]
    background = files["background"].get(name) or _path(files, "background", movies[0])
    scene = Background.load(background, without=("luma", "luma_noise", "bgr_noise")).bgr[0]
    known = np.concatenate(lengths)
    return Recording(
        name=name,
        movies=facts,
        tracks=_join_tracks(names, parts),
        time_s=np.concatenate([*times, [start_s]]),
        blobs=np.concatenate(blobs),
        animals=np.concatenate(animals),
        how_known=count_how_known(identities.individual.astype(np.int64), identities.how, frames, len(names)),
        gap=identities.gap,
        tracklets=sum(len(counts) for counts in tracklet_frames.values()),
        tracklets_read=tracklets_read,
        images_read=images_read,
        background=scene,
        lacking=np.concatenate(lacking),
        arenas=_arenas(_path(files, "blobs", movies[0]), (scene.shape[0], scene.shape[1]), masks),
        body_length_px=float(np.median(known)) if len(known) else np.nan,
        px_per_mm=px_per_mm,
        contacts=None if contacts is None else count_contacts(contacts[contacts["recording"] == name], names),
        samples=_samples(movies, files, identities, facts, np.flatnonzero(np.concatenate(lacking) != UNTRACKED)),
    )


def read_contacts(path: Path) -> pd.DataFrame:
    """The contacts of a table of events: columns recording, individuals (as in the table), duration (s)."""
    events = pd.read_csv(path, usecols=["recording", "kind", "individuals", "duration"], dtype=str, keep_default_na=False)
    contacts = events[events["kind"] == CONTACT].drop(columns="kind")
    return contacts.assign(duration=contacts["duration"].astype(float))


def count_contacts(contacts: pd.DataFrame, names: Sequence[str]) -> Contacts:
    """Number and length of the contacts of each pair of the individuals `names`."""
    row_of = {name: row for row, name in enumerate(names)}
    number, time_s = np.zeros((len(names), len(names)), np.int64), np.zeros((len(names), len(names)))
    for cell, part in contacts.groupby("individuals"):
        a, b = (row_of[name] for name in split_names(str(cell)))
        number[[a, b], [b, a]] += len(part)
        time_s[[a, b], [b, a]] += part["duration"].sum()
    return Contacts(number, time_s)


def _body_lengths(file: h5py.File, blob_tracklet: NDArray[np.int32], held: NDArray[np.int16]) -> NDArray[np.float64]:
    """Lengths (n,) px of some of the animals that are alone in their blob."""
    size = len(blob_tracklet)
    starts = np.unique(np.linspace(0, max(0, size - MEASURED_BLOBS // MEASURED_BLOCKS), MEASURED_BLOCKS).astype(np.int64)).tolist()
    found = [np.zeros(0)]
    for start in starts:
        rows = np.s_[start : start + MEASURED_BLOBS // MEASURED_BLOCKS]
        tracklet = blob_tracklet[rows]
        alone = (tracklet >= 0) & (held[tracklet] == 1) if len(held) else np.zeros(len(tracklet), bool)
        found.append(body_axes(file["moments"][rows][alone])[:, 0])
    return np.concatenate(found)


def _lacking(frames: int, intervals: NDArray[np.int64], nameless: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Category (frames,) of who has no position; `nameless` are the frames in which a blob holds an animal without a name."""
    lacking = np.full(frames, UNTRACKED, np.uint8)
    for first, end in intervals.tolist():
        lacking[first:end] = HIDDEN
    lacking[nameless] = UNKNOWN
    return lacking


def _arenas(blobs: Path, shape: tuple[int, int], masks: Sequence[Path]) -> NDArray[np.int16]:
    with open_artifact(blobs, Blobs.kind) as file:
        return map_arenas(json.loads(read_attributes(file)["settings"]).get("arenas", []), shape, masks)


def _samples(
    movies: Sequence[str], files: Files, identities: Identities, facts: Sequence[MovieSummary], tracked: NDArray[np.int64]
) -> list[SampleFrame]:
    """Frames spread over the `tracked` ones of the recording; none of movies whose file was not given."""
    ends = np.cumsum([movie.frames for movie in facts])
    targets = tracked[((np.arange(SAMPLES) + 0.5) / SAMPLES * len(tracked)).astype(np.int64)]
    samples = []
    start_s = 0.0
    for number, movie in enumerate(movies):
        first = int(ends[number]) - facts[number].frames
        mine = [int(target) - first for target in targets if first <= target < ends[number]]
        if mine and movie in files["movie"]:
            own = {kind: _path(files, kind, movie) for kind in ("movie", "index", "blobs", "tracklets", "trajectories")}
            samples += read_samples(movie, own, identities, mine, start_s)
        start_s += facts[number].duration_s
    return samples


def _join_tracks(names: list[str], parts: Sequence[tuple[Trajectories, int]]) -> RecordingTracks:
    row_of = {name: row for row, name in enumerate(names)}
    individual = []
    for tracks, _ in parts:
        rows = np.array([row_of[name] for name in tracks.individuals], np.int64)
        individual.append(rows[tracks.individual] if len(tracks.individuals) else np.zeros(0, np.int64))
    return RecordingTracks(
        names,
        np.concatenate([tracks.frame.astype(np.int64) + first for tracks, first in parts]),
        np.concatenate(individual),
        np.concatenate([tracks.x.astype(np.float32) for tracks, _ in parts]),
        np.concatenate([tracks.y.astype(np.float32) for tracks, _ in parts]),
        np.concatenate([tracks.source for tracks, _ in parts]),
        np.concatenate([tracks.confidence for tracks, _ in parts]),
    )


def _path(files: Files, kind: str, name: str) -> Path:
    if name not in files[kind]:
        listed = list(files[kind])
        few = ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")
        raise HerdbookError(f"--{kind}: no file for {name!r} among {few or 'none'}. Run snakemake, which names them all.")
    return files[kind][name]
