"""The tables events.csv and tracklets.csv of a recording, from its artifacts."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import HOW_KNOWN, Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.sheets.noted import NotedEvent
from herdbook.geometry.intervals import join_intervals
from herdbook.tables.events import Event, Spans, find_absences, find_contacts, find_edge_events, find_merges

EVENT_COLUMNS = (
    *("recording", "kind", "movie", "frame", "end_movie", "end_frame", "time", "duration"),
    *("individuals", "animals", "x", "y", "arena"),
)
TRACKLET_COLUMNS = ("movie", "tracklet", "first", "last", "animals", "individual", "how", "confidence", "arena")
NOTED_TABLE_COLUMNS = ("movie", "event", "first", "last", "time", "duration", "individuals", "note")
EVENT_DECIMALS = {"time": 4, "duration": 4, "x": 1, "y": 1}
Files = Mapping[str, Mapping[str, Path]]


def join_names(names: Iterable[str]) -> str:
    """Names in one cell of a table, with ; between them; a name that holds one stands in quotes."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="").writerow(list(names))
    return text.getvalue()


def split_names(cell: str) -> list[str]:
    """The names that `join_names` has joined."""
    return next(csv.reader([cell], delimiter=";"), []) if cell else []


def noted_table(noted: Iterable[NotedEvent], clocks: Mapping[str, tuple[NDArray[np.float64], float]]) -> pd.DataFrame:
    """A row for each event that a person noted, columns NOTED_TABLE_COLUMNS, movie after movie in order of time.

    `clocks`: time of each frame (frames,) s since the recording began, and frames per second, by movie.
    """
    order = list(clocks)
    rows = []
    for event in sorted(noted, key=lambda one: (order.index(one.movie), one.first, one.last, one.line)):
        time_s, fps = clocks[event.movie]
        begin, end = float(time_s[event.first]), float(time_s[event.last]) + 1 / fps
        individuals = join_names(event.individuals)
        rows.append((event.movie, event.event, event.first, event.last, begin, end - begin, individuals, event.note))
    return pd.DataFrame(rows, columns=list(NOTED_TABLE_COLUMNS)).round(EVENT_DECIMALS)


def tracklet_table(movie: str, tracklets: Tracklets, identities: Identities, arenas: Sequence[str]) -> pd.DataFrame:
    """A row for each tracklet of a movie and individual in it, columns TRACKLET_COLUMNS; one without a name if nobody is known."""
    mine = identities.movie == identities.movies.index(movie)
    rows = pd.DataFrame(
        {
            "tracklet": identities.tracklet[mine],
            "individual": np.array(identities.individuals, object)[identities.individual[mine]],
            "how": np.array(HOW_KNOWN, object)[identities.how[mine]],
            "confidence": identities.confidence[mine].astype(np.float64).round(4),
        }
    )
    table = pd.DataFrame(
        {
            "movie": np.full(len(tracklets), movie, object),
            "tracklet": np.arange(len(tracklets)),
            "first": tracklets.first,
            "last": tracklets.last,
            "animals": identities.animals_of(movie),
            "arena": np.array([*(arenas or [""]), ""], object)[tracklets.arena],
        }
    )
    return table.merge(rows, on="tracklet", how="left")[list(TRACKLET_COLUMNS)].fillna({"individual": "", "how": ""})


def event_table(
    recording: str, movies: Sequence[str], files: Files, named: bool, arenas: Sequence[str], contact_gap_s: float
) -> pd.DataFrame:
    """The events of a recording in order of time, columns EVENT_COLUMNS.

    `files` are the paths of the artifacts index, blobs, tracklets, trajectories by movie, and identities by recording. Animals that are
    not `named` have no exit, entrance or hiding of their own: their tracks come and go. A contact goes on where the pair parts for at most
    `contact_gap_s`.
    """
    identities = Identities.load(files["identities"][recording])
    scenes = [_Movie(movie, files, identities, named) for movie in movies]
    offsets = np.cumsum([0, *(scene.frames for scene in scenes)])
    spans = _joined([scene.spans for scene in scenes], offsets)
    tracked = join_intervals(np.concatenate([scene.tracked + offset for scene, offset in zip(scenes, offsets[:-1], strict=True)]))
    starts = np.cumsum([0.0, *(scene.duration_s for scene in scenes)])
    times = np.concatenate([*(scene.time_s + start for scene, start in zip(scenes, starts[:-1], strict=True)), [starts[-1]]])
    events = find_merges(spans) + find_contacts(spans, times, contact_gap_s)
    if named:
        present = [
            np.concatenate([scene.present[k] + offset for scene, offset in zip(scenes, offsets[:-1], strict=True)])
            for k in range(len(identities.individuals))
        ]
        events += find_absences(present, spans, tracked)
    else:
        events += find_edge_events(spans, tracked)
    at_ends = np.concatenate([scene.places for scene in scenes], axis=1)
    arena = np.concatenate([scene.arena for scene in scenes])

    def row(event: Event) -> tuple[object, ...]:
        at, until = (int(np.searchsorted(offsets, frame, side="right")) - 1 for frame in (event.first, event.end - 1))
        x, y = at_ends[int(event.at_end), event.place] if event.place >= 0 else (np.nan, np.nan)
        where = int(arena[event.place]) if event.place >= 0 else -1
        return (
            *(recording, event.kind, movies[at], event.first - int(offsets[at]), movies[until], event.end - 1 - int(offsets[until])),
            *(times[event.first], times[event.end] - times[event.first], join_names(identities.individuals[k] for k in event.who)),
            *(event.animals, x, y, arenas[where] if 0 <= where < len(arenas) else ""),
        )

    ordered = sorted(events, key=lambda event: (event.first, event.end, event.kind, event.who))
    return pd.DataFrame([row(event) for event in ordered], columns=list(EVENT_COLUMNS)).round(EVENT_DECIMALS)


class _Movie:
    """What events need to know of a movie."""

    def __init__(self, movie: str, files: Files, identities: Identities, named: bool) -> None:
        index, tracklets = Index.load(files["index"][movie]), Tracklets.load(files["tracklets"][movie])
        blobs = Blobs.load(files["blobs"][movie], without=("area", "box", "moments", "contrast", "intensity", "image"))
        self.frames, self.duration_s, self.time_s, self.tracked = len(index), index.duration_s, index.time_s, blobs.intervals
        mine = identities.movie == identities.movies.index(movie)
        who: list[tuple[int, ...]] = [()] * len(tracklets)
        for tracklet, individual in zip(identities.tracklet[mine].tolist(), identities.individual[mine].tolist(), strict=True):
            who[tracklet] += (individual,)
        rows, stops = tracklets.blob_rows()
        held = np.flatnonzero(np.diff(stops))
        edges = np.zeros((2, len(tracklets)), bool)
        edges[:, held] = blobs.border[rows[stops[held]]], blobs.border[rows[stops[held + 1] - 1]]
        linked = np.zeros((2, len(tracklets)), bool)
        linked[0, tracklets.edges[:, 1]] = linked[1, tracklets.edges[:, 0]] = True
        linked[0, tracklets.blob_tracklet[tracklets.border_edges[:, 1]]] = True
        animals = identities.animals_of(movie).astype(np.int64)
        first, end = tracklets.first.astype(np.int64), tracklets.last.astype(np.int64) + 1
        self.spans = Spans(first, end, animals, who, *edges, *linked)
        # Where a tracklet begins and ends.
        self.places = np.full((2, len(tracklets), 2), np.nan)
        for side, at in enumerate((rows[stops[held]], rows[stops[held + 1] - 1])):
            self.places[side, held] = np.stack([blobs.x[at], blobs.y[at]], axis=1)
        self.arena = tracklets.arena
        self.present: list[NDArray[np.int64]] = []
        if named:
            tracks = Trajectories.load(files["trajectories"][movie])
            order = np.argsort(tracks.individual, kind="stable")
            parts = np.searchsorted(tracks.individual[order], np.arange(1, len(identities.individuals)))
            self.present = [part.astype(np.int64) for part in np.split(tracks.frame[order], parts)]


def _joined(parts: Sequence[Spans], offsets: NDArray[np.int64]) -> Spans:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("animals", "edge_first", "edge_last", "parents")}
    first, end = (np.concatenate([getattr(part, n) + o for part, o in zip(parts, offsets[:-1], strict=True)]) for n in ("first", "end"))
    children = np.concatenate([part.children for part in parts])
    # A blob at the end of a movie may go on in the next one.
    children |= np.isin(end, offsets[1:-1])
    return Spans(first=first, end=end, who=[who for part in parts for who in part.who], children=children, **columns)
