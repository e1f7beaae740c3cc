"""What stage export writes beside the positions: events, tracklets, motion, the data dictionary, and the files of other tools."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.noted import read_noted, refuse_frames
from herdbook.formats.files import NOTED_TABLE, movie_files
from herdbook.formats.movement import write_movement
from herdbook.formats.writers import WRITERS
from herdbook.tables.appending import csv_parts, parquet_parts, write_csv
from herdbook.tables.dictionary import describe_tables, dictionary_table
from herdbook.tables.event_tables import event_table, noted_table, tracklet_table
from herdbook.tables.positions import recording_clocks
from herdbook.tables.tracks import Tracks, full_table, motion_table, read_tracks

MOTION_DECIMALS = {"time": 4, "x_mm": 4, "y_mm": 4, "speed": 2, "speed_mm": 4, "body_length": 2, "body_length_mm": 4}
Writer = Callable[[Path, Tracks], None]
ARTIFACTS = ("trajectories", "index", "blobs", "tracklets", "identities")


def write_tables(given: Mapping[str, Sequence[Path]], folder: Path, settings: Mapping[str, Any], starts_s: Mapping[str, float]) -> None:
    """Write the files that `tables` and `formats` of `given` name; what each of them is follows from its name and place in `folder`.

    `given` also holds the paths of the ARTIFACTS, and of `found` points, `review`, `pose_tables` and `noted` events if there are
    any; `settings` are those of the stage export; `starts_s`: when each movie begins in its recording (s), in the order of the tables.
    """
    files = {name: {path.stem: path for path in given[name]} for name in ARTIFACTS}
    found = {path.stem: path for path in given.get("found", ())}
    tables = {path.name: path for path in given["tables"]}
    if "events.csv" in tables:
        named = settings["marking"] != "none"
        more = named, settings["arenas"], settings["contact_gap_s"]
        parts = (event_table(name, movies, files, *more) for name, movies in settings["recordings"].items())
        write_csv(tables["events.csv"], parts)
    if "tracklets.csv" in tables:
        write_csv(tables["tracklets.csv"], _tracklets(settings, files))
    if NOTED_TABLE in tables:
        write_csv(tables[NOTED_TABLE], [_noted(given["noted"], settings, files["index"], starts_s)])
    if "data_dictionary.csv" in tables:
        has = {
            "noted": NOTED_TABLE in tables,
            "reviewed": bool(given["review"]),
            "points": bool(given["pose_tables"]),
            "arenas": bool(settings["arenas"]),
        }
        has["own_points"] = bool(found)
        has["repaired"] = bool(settings.get("repaired"))
        write_csv(tables["data_dictionary.csv"], [dictionary_table(describe_tables(settings["formats"], **has))])
    wanted = _movie_writers(given["formats"], folder, settings)
    if not (wanted or {"motion.csv", "trajectories.parquet"} & tables.keys()):
        return
    clocks = recording_clocks(
        settings["recordings"], settings["starts"], {k: Index.load(path).duration_s for k, path in files["index"].items()}
    )
    with csv_parts(tables.get("motion.csv")) as to_csv, parquet_parts(tables.get("trajectories.parquet")) as to_parquet:
        for recording, movie in ((name, movie) for name, movies in settings["recordings"].items() for movie in movies):
            own = {kind: files[kind][movie if kind != "identities" else recording] for kind in ARTIFACTS}
            tracks = read_tracks(
                movie,
                own | ({"found": found[movie]} if movie in found else {}),
                starts_s[movie],
                all_names=settings["marking"] != "none",
                px_per_mm=settings["px_per_mm"],
                start=clocks[recording],
            )
            to_csv(motion_table(tracks, settings["arenas"]).round(MOTION_DECIMALS))
            to_parquet(full_table(tracks, settings["arenas"]))
            for write, path in wanted.get(movie, []):
                write(path, tracks)


def _noted(paths: Sequence[Path], settings: Mapping[str, Any], index: Mapping[str, Path], starts_s: Mapping[str, float]) -> pd.DataFrame:
    """What a person noted, with times. Raises HerdbookError for events beyond the end of a movie."""
    movies = {movie: Index.load(index[movie]) for members in settings["recordings"].values() for movie in members}
    noted = [event for path in paths for event in read_noted(path, list(movies), None)]
    for path in paths:
        refuse_frames(path, noted, {movie: len(one) for movie, one in movies.items()})
    return noted_table(noted, {movie: (starts_s[movie] + one.time_s, one.fps) for movie, one in movies.items()})


def _tracklets(settings: Mapping[str, Any], files: Mapping[str, Mapping[str, Path]]) -> Iterator[pd.DataFrame]:
    for recording, movies in settings["recordings"].items():
        identities = Identities.load(files["identities"][recording])
        for movie in movies:
            yield tracklet_table(movie, Tracklets.load(files["tracklets"][movie]), identities, settings["arenas"])


def _movie_writers(paths: Sequence[Path], folder: Path, settings: Mapping[str, Any]) -> dict[str, list[tuple[Writer, Path]]]:
    """What to write for each movie: writers and paths."""
    known = movie_files(settings["formats"], [movie for movies in settings["recordings"].values() for movie in movies])
    writers = WRITERS | {"movement/{movie}.nc": partial(write_movement, names=settings["movement_names"])}
    found: dict[str, list[tuple[Writer, Path]]] = {}
    for path in paths:
        place = path.relative_to(folder).as_posix()
        if place not in known:
            raise HerdbookError(
                f"--formats: {place} belongs to none of {', '.join(settings['formats'])}. Run snakemake, which names them all."
            )
        template, movie = known[place]
        found.setdefault(movie, []).append((writers[template], path))
    return found
