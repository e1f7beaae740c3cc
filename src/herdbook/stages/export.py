"""Stage export: one table of all trajectories that the next tool opens at once, as CSV and HDF5, files for other tools, the review list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.smooth import SOURCES, BodyPoints, Trajectories
from herdbook.artifacts.store import columns_writer
from herdbook.artifacts.tracklets import Tracklets
from herdbook.formats.export import write_tables
from herdbook.formats.pose_files import rename_poses, rewrite_poses
from herdbook.formats.poses import as_poses
from herdbook.identity.doubtful_places import find_places
from herdbook.identity.doubts import Doubt, read_doubts, write_doubts
from herdbook.job import Job, run_stage
from herdbook.system.cells import as_cells
from herdbook.system.files import replacing
from herdbook.tables.appending import write_csv
from herdbook.tables.completeness import arenas_of_individuals
from herdbook.tables.mistakes import mistake_table, moment_table
from herdbook.tables.pose_headings import with_pose_headings
from herdbook.tables.positions import DECIMALS, HEADING_CONFIDENCE, POINT_DECIMALS, body_point_table, recording_starts, tidy_table

STAGE = "export"
STAGE_VERSION = 8


def _work(job: Job) -> None:
    recordings = job.settings["recordings"]
    indices = {path.stem: Index.load(path) for path in job.files["index"]}
    files = {path.stem: path for path in job.files["trajectories"]}
    starts = recording_starts(recordings, indices)
    # Read first: nothing is written if they are damaged.
    doubts = [doubt for path in job.files["doubtful"] for doubt in read_doubts(path, "propagate")]
    movies = [movie for members in recordings.values() for movie in members]
    homes = _homes(job, recordings)
    with replacing(job.file("out")) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        for number, movie in enumerate(movies):
            t, sure = _headed(job, movie, files[movie])
            table = tidy_table(movie, t, starts[movie] + indices[movie].time_s, homes.get(movie), sure)
            as_cells(table.round(DECIMALS)).to_csv(file, index=False, header=number == 0)
    if job.files["hdf5"]:
        _write_hdf5(job, movies, files, indices, starts, homes)
    if job.files["pose_tables"]:
        _write_poses(job, movies, {movie: starts[movie] + indices[movie].time_s for movie in movies})
    if job.files["mistakes"]:
        _write_mistakes(job, movies, {movie: starts[movie] + indices[movie].time_s for movie in movies})
    if job.files["tables"] or job.files["formats"]:
        write_tables(job.files, job.file("out").parent, job.settings, starts)
    if job.files["review"]:
        doubts += _doubtful_places(job, files, indices)
        write_doubts(job.file("review"), sorted(doubts, key=lambda doubt: -doubt.gain))


def _headed(job: Job, movie: str, trajectories: Path) -> tuple[Trajectories, np.ndarray | None]:
    """The trajectories of a movie with the surest headings that are known, and how sure these are."""
    found = next((FoundPoints.load(path) for path in job.files["found"] if path.stem == movie), None)
    return with_pose_headings(Trajectories.load(trajectories), found)


def _doubtful_places(job: Job, files: dict[str, Path], indices: dict[str, Index]) -> list[Doubt]:
    """The stays in contact of all movies in which it is not sure who is where."""
    tracklets, found = {path.stem: path for path in job.files["tracklets"]}, []
    for path in job.files["identities"]:
        known = Identities.load(path)
        for movie in known.movies:
            found += find_places(movie, Trajectories.load(files[movie]), Tracklets.load(tracklets[movie]), known, indices[movie].fps)
    return found


def _homes(job: Job, recordings: dict[str, list[str]]) -> dict[str, dict[str, str]]:
    """The arena of each individual by movie and name; {} for an experiment without arenas."""
    arenas = np.array([*job.settings.get("arenas", []), ""], object)
    if len(arenas) == 1:
        return {}
    identities = {path.stem: path for path in job.files["identities"]}
    tracklets = {path.stem: path for path in job.files["tracklets"]}
    homes: dict[str, dict[str, str]] = {}
    for recording, movies in recordings.items():
        known = Identities.load(identities[recording])
        arena = arenas_of_individuals(known, {movie: Tracklets.load(tracklets[movie]).arena for movie in movies})
        by_name = dict(zip(known.individuals, arenas[arena].tolist(), strict=True))
        homes |= {movie: by_name for movie in movies}
    return homes


def _write_poses(job: Job, movies: list[str], times_s: dict[str, np.ndarray]) -> None:
    """The table of all body points, and a file per movie like that which its body points came from."""
    table, *places = job.files["pose_tables"]
    found = {path.stem: BodyPoints.load(path) for path in job.files["points"]}
    with replacing(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        for number, movie in enumerate(movies):
            rows = body_point_table(movie, found[movie], times_s[movie])
            as_cells(rows.round(POINT_DECIMALS)).to_csv(file, index=False, header=number == 0)
    for place, like in zip(places, job.files["poses"], strict=True):
        write = rename_poses if job.settings.get("repaired") else rewrite_poses
        write(place, as_poses(found[place.stem]), like)


def _write_mistakes(job: Job, movies: list[str], times_s: dict[str, np.ndarray]) -> None:
    """The tables of what was wrong with the body points of the files: by animal and hour, and the worst moments."""
    repaired = {path.stem: RepairedPoints.load(path) for path in job.files["repaired"]}
    counts, moments = job.files["mistakes"]
    posed = [movie for movie in movies if movie in repaired]
    write_csv(counts, [mistake_table(movie, repaired[movie]) for movie in posed])
    write_csv(moments, [moment_table(movie, repaired[movie], times_s[movie]).round(DECIMALS) for movie in posed])


def _write_hdf5(
    job: Job,
    movies: list[str],
    files: dict[str, Path],
    indices: dict[str, Index],
    starts: dict[str, float],
    homes: dict[str, dict[str, str]],
) -> None:
    """All trajectories as columns: `movie`, `individual`, `source` and `arena` are numbers into the attributes `movies` and so on."""
    number_of = {arena: number for number, arena in enumerate(job.settings.get("arenas", []))}
    provenance = job.provenance(outputs=("out", "hdf5", "review", "pose_tables", "mistakes", "tables", "formats"))
    names: list[str] = []
    with columns_writer(job.file("hdf5"), STAGE, provenance) as writer:
        for number, movie in enumerate(movies):
            t, sure = _headed(job, movie, files[movie])
            names += [n for n in t.individuals if n not in names] if names else t.individuals
            place = {name: k for k, name in enumerate(names)}
            individual = np.array([place[n] for n in t.individuals], np.int32)[t.individual] if len(t.frame) else t.individual
            columns: dict[str, Any] = {
                "movie": np.full(len(t.frame), number, np.int32),
                "frame": t.frame,
                "time": (starts[movie] + indices[movie].time_s)[t.frame],
                "individual": individual,
            }
            for name in ("x", "y", "x_raw", "y_raw", "heading", "confidence", "source", "disagreement", "jump"):
                columns[name] = getattr(t, name)
            if sure is not None:
                columns[HEADING_CONFIDENCE] = sure
            if homes:
                arena = [number_of.get(homes[movie].get(name, ""), -1) for name in t.individuals]
                columns["arena"] = np.array(arena, np.int16)[t.individual] if arena else np.zeros(0, np.int16)
            for name, values in columns.items():
                writer.append(name, values)
        if homes:
            writer.attribute("arenas", list(number_of))
        writer.attribute("movies", movies)
        writer.attribute("individuals", names)
        writer.attribute("sources", list(SOURCES))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    many = (
        "trajectories",
        "index",
        "blobs",
        "tracklets",
        "identities",
        "points",
        "poses",
        "pose_tables",
        "doubtful",
        "noted",
        "tables",
        "formats",
        "repaired",
        "mistakes",
        "found",
    )
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), optional=("hdf5", "review"), many=many, argv=argv)


if __name__ == "__main__":
    main()
