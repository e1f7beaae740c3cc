"""Stage smooth: positions of everybody in every frame of a movie, smoothed by LK-RSTC."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.sheets.corrections import Correction, read_corrections
from herdbook.formats.poses import Poses, no_poses
from herdbook.job import Job, run_stage
from herdbook.positions.appearance import Likeness
from herdbook.positions.body_points import body_points, check_inside
from herdbook.positions.corrections import correct_points, correct_positions
from herdbook.positions.fills import fill_own_gaps
from herdbook.positions.locating import head_directions, locate_animals
from herdbook.positions.scene import Positions, _evidence_of, _image_of, _runs_reader, _shifted, alone_images, cut_scene, make_scene
from herdbook.positions.smoothed import smooth_places, unsmoothed, unsmoothed_points
from herdbook.smoothing.frames import movie_source
from herdbook.smoothing.points import SmoothedPoints, checked_window
from herdbook.smoothing.rstc import window_frames
from herdbook.smoothing.window import LONGEST_S, windows_to_try

STAGE = "smooth"
STAGE_VERSION = 6


def _read_body_points(job: Job, index: Index, corrections: Sequence[Correction]) -> tuple[Poses, NDArray[np.bool_], int]:
    """Body points of all frames of the movie with their corrections, which they are, and how many frames the file has."""
    if not job.files["poses"]:
        nothing = no_poses(len(index))
        return nothing, np.zeros(nothing.likelihood.shape, bool), 0
    # A third of a second to import, for what few movies have.
    from herdbook.formats.pose_files import read_poses

    file = job.files["poses"][0]
    read = read_poses(job.files["poses"])
    poses = read.likely(job.settings["likelihood"]).lasting(len(index))
    poses, corrected = correct_points(poses, corrections, file)
    check_inside(poses, (index.height, index.width), str(file))
    return poses, corrected, len(read)


class _Located(NamedTuple):
    """Where everybody is before smoothing: a table for each of the `intervals` (k, 2), and `variances` as in `Scene`."""

    individuals: list[str]
    intervals: NDArray[np.int64]
    tables: list[Positions]
    variances: tuple[float, float]


def _locate(job: Job, corrections: Sequence[Correction], fill: int) -> _Located:
    """Positions of all individuals, with their corrections and lines over gaps of up to `fill` frames."""
    blobs = Blobs.load(job.file("blobs"), without=("box", "area", "contrast", "intensity", "arena", "border"))
    identities = Identities.load(job.file("identities"))
    scene = make_scene(blobs, Tracklets.load(job.file("tracklets")), identities, job.file("blobs").stem)
    tables = []
    with open_blob_images(job.file("blobs")) as images:
        runs_of = _runs_reader(images, len(blobs))
        likeness = Likeness(alone_images(scene, blobs, len(identities.individuals)), partial(_image_of, images, blobs), scene.variances)
        # Nothing is known between intervals: each is located, filled and smoothed on its own.
        for first, end in blobs.intervals.tolist():
            start, stop = np.searchsorted(blobs.frame, (first, end)).tolist()
            cut = cut_scene(scene, start, stop)
            found = locate_animals(cut, partial(_shifted, runs_of, start), _evidence_of(likeness, blobs, start))
            for path in job.files["corrections"]:
                found = correct_positions(found, corrections, identities.individuals, (first, end), path)
            tables.append(fill_own_gaps(found, cut, fill))
    return _Located(identities.individuals, blobs.intervals, tables, scene.variances)


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings, movie = job.settings, job.file("movie")
    index = Index.load(job.file("index"))
    index.check_movie(movie)
    name = job.file("blobs").stem
    corrections = [c for path in job.files["corrections"] for c in read_corrections(path) if c.movie == name]
    poses, corrected, pose_frames = _read_body_points(job, index, corrections)
    columns, flags = poses.columns, corrected.reshape(len(index), -1)
    fill = window_frames(settings["window_s"] or LONGEST_S, index.fps) if settings["fill"] is None else settings["fill"]
    located = _locate(job, corrections, fill)
    places, bodies = [], unsmoothed_points(columns)
    for (first, end), table in zip(located.intervals.tolist(), located.tables, strict=True):
        if settings["method"] == "none" or end - first == 1 or not (len(table) or columns.size):
            places.append(unsmoothed(table))
            continue
        stretch = "movie" if len(located.intervals) == 1 else f"interval [{first}, {end}]"
        windows = windows_to_try(index.fps, end - first)
        if settings["window_s"] is not None:
            windows = [checked_window(settings["window_s"], index.fps, end - first, str(movie), stretch)]
        own, body = smooth_places(
            movie_source(movie, index, first, end),
            table,
            columns[first:end],
            first,
            windows,
            corrected=flags[first:end],
            fill=fill,
            engine=settings["engine"],
            repair=settings["jumps"] == "repair",
            threads=job.threads,
        )
        places.append(own)
        bodies = SmoothedPoints(*(_with_part(whole, first, part) for whole, part in zip(bodies, body, strict=True)))
    table = Positions(*(_joined([getattr(part, name) for part in located.tables]) for name in Positions.__dataclass_fields__))
    given, smoothed, disagreement, jump = (_joined(parts) for parts in zip(*(own[:4] for own in places), strict=True))
    table.x, table.y = given.T
    Trajectories(
        individuals=located.individuals,
        frames=len(index),
        frame=table.frame.astype(np.int32),
        individual=table.individual.astype(np.int32),
        x=smoothed[:, 0],
        y=smoothed[:, 1],
        x_raw=table.x,
        y_raw=table.y,
        heading=head_directions(table, located.variances),
        confidence=table.confidence.astype(np.float32),
        source=table.source,
        disagreement=disagreement.astype(np.float32),
        jump=jump,
        windows=np.array([own.window for own in places], np.int64),
    ).save(job.file("out"), job.provenance(outputs=("out", "points")))
    body_points(poses, bodies, corrected, pose_frames).save(job.file("points"), job.provenance(outputs=("out", "points")))


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The arrays one after the other; a single one as it is, for those of a long movie are large."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _with_part(whole: NDArray[Any], first: int, part: NDArray[Any]) -> NDArray[Any]:
    joined = whole.copy()
    joined[first : first + len(part)] = part
    return joined


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("movie", "index", "blobs", "tracklets", "identities", "out", "points")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, many=("poses", "corrections"), argv=argv)


if __name__ == "__main__":
    main()
