"""What the report says of one recording, read from its artifacts movie by movie."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
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
from herdbook.system.cells import from_cells
from herdbook.tables.completeness import arenas_of_individuals, filled_places
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
    numbers: Sequence[int | None] = (None,),
) -> Recording:
    """Read what the report counts and shows of one recording; `files` are the paths by artifact and file stem, of `movie` by its name.

    `masks` are the files of the arenas that have one; `contacts` the contacts among the events of all recordings, None for animals
    without lasting names; `numbers` those of the animals in each arena, None where unknown. Raises HerdbookError when an artifact
    of one of its movies is not among the files.
    """
    identities = Identities.load(_path(files, "identities", name))
    parts = [_read_movie(movie, files, identities) for movie in movies]
    facts = [part.summary for part in parts]
    names = list(dict.fromkeys([*identities.individuals, *(one for part in parts for one in part.tracks.individuals)]))
    starts_s = list(accumulate((fact.duration_s for fact in facts), initial=0.0))
    first_frames = list(accumulate((fact.frames for fact in facts), initial=0))
    background = files["background"].get(name) or _path(files, "background", movies[0])
    scene = Background.load(background, without=("luma", "luma_noise", "bgr_noise")).bgr[0]
    lacking = np.concatenate([part.lacking for part in parts])
    lengths_px = np.concatenate([part.lengths_px for part in parts])
    tracks = _join_tracks(names, [part.tracks for part in parts], first_frames[:-1])
    animals = np.concatenate([part.animals for part in parts])
    homes = arenas_of_individuals(identities, {part.summary.name: part.arena for part in parts})
    known = [number for number in numbers if number is not None]
    number = sum(known) if len(known) == len(numbers) else None
    return Recording(
        name=name,
        movies=facts,
        tracks=tracks,
        time_s=np.concatenate([*(part.time_s + start_s for part, start_s in zip(parts, starts_s, strict=False)), [starts_s[-1]]]),
        blobs=np.concatenate([part.blobs for part in parts]),
        animals=animals,
        how_known=_how_known(identities, {part.summary.name: part.tracklet_frames for part in parts}, len(names)),
        gap=identities.gap,
        tracklets=sum(len(part.tracklet_frames) for part in parts),
        tracklets_read=sum(part.tracklets_read for part in parts),
        images_read=sum(part.images_read for part in parts),
        background=scene,
        lacking=lacking,
        wanted=animals if number is None else np.where(lacking != UNTRACKED, number, 0),
        filled=_filled(tracks, homes, animals, known, number),
        number=number,
        arenas=_arenas(_path(files, "blobs", movies[0]), (scene.shape[0], scene.shape[1]), masks),
        body_length_px=float(np.median(lengths_px)) if len(lengths_px) else np.nan,
        px_per_mm=px_per_mm,
        contacts=None if contacts is None else count_contacts(contacts[contacts["recording"] == name], names),
        samples=_samples(files, identities, facts, np.flatnonzero(lacking != UNTRACKED)),
    )


@dataclass(frozen=True)
class _MovieCounts:
    """What one movie adds to its recording: `time_s`, `blobs`, `animals`, `lacking` (frames,) as in `Recording`, times from its own
    beginning; `lengths_px` of some animals that are alone; `tracklet_frames` (tracklets,) in which each tracklet has a blob, and
    its `arena`.
    """

    summary: MovieSummary
    tracks: Trajectories
    time_s: Floats
    blobs: Ints
    animals: Ints
    lacking: NDArray[np.uint8]
    lengths_px: Floats
    tracklet_frames: Ints
    arena: NDArray[np.int16]
    tracklets_read: int
    images_read: int


def _read_movie(movie: str, files: Files, identities: Identities) -> _MovieCounts:
    index = Index.load(_path(files, "index", movie))
    tracklets = Tracklets.load(_path(files, "tracklets", movie))
    held = identities.animals_of(movie)
    with open_artifact(_path(files, "blobs", movie), Blobs.kind) as file:
        blob_frame, intervals = read_column(file, "frame"), read_column(file, "intervals")
        lengths_px = _body_lengths(file, tracklets.blob_tracklet, held)
    linked = tracklets.blob_tracklet >= 0
    rows, frame = tracklets.blob_tracklet[linked], blob_frame[linked]
    named = identities.tracklet[identities.movie == identities.movies.index(movie)]
    nameless = held > np.bincount(named, minlength=len(tracklets))
    looked_at = Evidence.load(files["evidence"][movie]).images if movie in files["evidence"] else np.zeros(0, np.int64)
    tracked = int(np.diff(intervals).sum())
    tracks = Trajectories.load(_path(files, "trajectories", movie), without=UNSEEN)
    agreement = [np.zeros(0) if share is None else share for share in (tracks.agreement, tracks.points_agreement)]
    return _MovieCounts(
        summary=MovieSummary(
            movie, len(index), tracked, index.duration_s, index.width, index.height, index.fps, index.codec, index.notes, *agreement
        ),
        tracks=tracks,
        time_s=index.time_s,
        blobs=np.bincount(blob_frame, minlength=len(index)),
        animals=np.rint(np.bincount(frame, held[rows], minlength=len(index))).astype(np.int64),
        lacking=_lacking(len(index), intervals, frame[nameless[rows]]),
        lengths_px=lengths_px,
        tracklet_frames=np.bincount(rows, minlength=len(tracklets)),
        arena=tracklets.arena,
        tracklets_read=int((looked_at > 0).sum()),
        images_read=int(looked_at.sum()),
    )


def _filled(tracks: RecordingTracks, homes: NDArray[np.int16], animals: Ints, numbers: Sequence[int], number: int | None) -> Ints:
    """How many animals have a position, (frames,); of those in sight if their number is not known."""
    if number is None:
        return np.minimum(np.bincount(tracks.frame, minlength=len(animals)), animals)
    # Individuals that only trajectories name follow those of the identities.
    home = np.concatenate([homes, np.full(len(tracks.names) - len(homes), -1, np.int16)])
    return filled_places(tracks.frame, home[tracks.individual], numbers, len(animals))


def _how_known(identities: Identities, tracklet_frames: Mapping[str, Ints], individuals: int) -> Ints:
    """Frames (individuals, ways) by how they are known, see `count_how_known`; `tracklet_frames` (tracklets,) by movie."""
    frames = np.zeros(len(identities.movie), np.int64)
    for number, movie in enumerate(identities.movies):
        inside = identities.movie == number
        frames[inside] = tracklet_frames[movie][identities.tracklet[inside]]
    return count_how_known(identities.individual.astype(np.int64), identities.how, frames, individuals)


def read_contacts(path: Path) -> pd.DataFrame:
    """The contacts of a table of events: columns recording, individuals (as in the table), duration (s)."""
    events = pd.read_csv(path, usecols=["recording", "kind", "individuals", "duration"], dtype=str, keep_default_na=False)
    contacts = events[events["kind"] == CONTACT].drop(columns="kind")
    contacts = contacts.assign(**{name: from_cells(contacts[name]) for name in ("recording", "individuals")})
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


def _samples(files: Files, identities: Identities, facts: Sequence[MovieSummary], tracked: Ints) -> list[SampleFrame]:
    """Frames spread over the `tracked` ones of the recording; none of movies whose file was not given."""
    targets = tracked[((np.arange(SAMPLES) + 0.5) / SAMPLES * len(tracked)).astype(np.int64)]
    samples = []
    first, start_s = 0, 0.0
    for fact in facts:
        mine = [int(target) - first for target in targets if first <= target < first + fact.frames]
        if mine and fact.name in files["movie"]:
            own = {kind: _path(files, kind, fact.name) for kind in ("movie", "index", "blobs", "tracklets", "trajectories")}
            samples += read_samples(fact.name, own, identities, mine, start_s)
        first, start_s = first + fact.frames, start_s + fact.duration_s
    return samples


def _join_tracks(names: list[str], parts: Sequence[Trajectories], first_frames: Sequence[int]) -> RecordingTracks:
    row_of = {name: row for row, name in enumerate(names)}
    individual = []
    for tracks in parts:
        rows = np.array([row_of[name] for name in tracks.individuals], np.int64)
        individual.append(rows[tracks.individual] if len(tracks.individuals) else np.zeros(0, np.int64))
    return RecordingTracks(
        names,
        np.concatenate([tracks.frame.astype(np.int64) + first for tracks, first in zip(parts, first_frames, strict=True)]),
        np.concatenate(individual),
        np.concatenate([tracks.x.astype(np.float32) for tracks in parts]),
        np.concatenate([tracks.y.astype(np.float32) for tracks in parts]),
        np.concatenate([tracks.source for tracks in parts]),
        np.concatenate([tracks.confidence for tracks in parts]),
    )


def _path(files: Files, kind: str, name: str) -> Path:
    if name not in files[kind]:
        listed = list(files[kind])
        few = ", ".join(listed[:4]) + (f" and {len(listed) - 4} more" if len(listed) > 4 else "")
        raise HerdbookError(f"--{kind}: no file for {name!r} among {few or 'none'}. Run snakemake, which names them all.")
    return files[kind][name]
