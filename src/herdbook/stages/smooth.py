"""Stage smooth: positions of everybody in every frame of a movie, smoothed by LK-RSTC."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.sheets.corrections import Correction, read_corrections
from herdbook.experiment.sheets.facts import read_facts
from herdbook.formats.poses import Poses, no_poses
from herdbook.job import Job, run_stage
from herdbook.positions.agreement import farthest_px
from herdbook.positions.body_points import body_points, check_inside
from herdbook.positions.corrections import correct_points
from herdbook.positions.located import Located, locate_movie
from herdbook.positions.smoothed import Smoothing, smooth_movie, trajectories_of
from herdbook.smoothing.frames import movie_source
from herdbook.smoothing.rstc import window_frames
from herdbook.smoothing.window import LONGEST_S

STAGE = "smooth"
STAGE_VERSION = 11


def _read_body_points(job: Job, index: Index, corrections: Sequence[Correction]) -> tuple[Poses, NDArray[np.bool_], int]:
    """Body points of all frames of the movie with their corrections, which they are, and how many frames the file has."""
    if not job.files["poses"]:
        nothing = no_poses(len(index))
        return nothing, np.zeros(nothing.likelihood.shape, bool), 0
    # A third of a second to import, for what few movies have.
    from herdbook.formats.pose_files import read_poses

    file = job.files["poses"][0]
    read = read_poses(job.files["poses"])
    poses = read.likely(job.settings["likelihood"]).lasting(len(index), ", ".join(map(str, job.files["poses"])))
    poses, corrected = correct_points(poses, corrections, file)
    check_inside(poses, (index.height, index.width), str(file))
    return poses, corrected, len(read)


def _locate(job: Job, corrections: Sequence[Correction], fill: int) -> Located:
    path = job.file("blobs")
    facts = [fact for table in job.files["facts"] for fact in read_facts(table, None, None) if fact.movie == path.stem]
    blobs = Blobs.load(path, without=("box", "area", "contrast", "intensity", "arena", "border"))
    identities, tracklets = Identities.load(job.file("identities")), Tracklets.load(job.file("tracklets"))
    with open_blob_images(path) as images:
        return locate_movie(path.stem, blobs, images, tracklets, identities, corrections, facts, job.files["corrections"], fill)


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings, movie = job.settings, job.file("movie")
    index = Index.load(job.file("index"))
    index.check_movie(movie)
    name = job.file("blobs").stem
    corrections = [c for path in job.files["corrections"] for c in read_corrections(path) if c.movie == name]
    poses, corrected, pose_frames = _read_body_points(job, index, corrections)
    fill = window_frames(settings["window_s"] or LONGEST_S, index.fps) if settings["fill"] is None else settings["fill"]
    located = _locate(job, corrections, fill)
    wanted = Smoothing(settings["method"], settings["window_s"], settings["engine"], settings["jumps"] == "repair", fill)
    source = partial(movie_source, movie, index)
    flags = corrected.reshape(len(index), -1)
    away = farthest_px(poses)
    places, bodies = smooth_movie(source, located, poses.columns, flags, away, wanted, index.fps, str(movie), job.threads)
    origin = job.provenance(outputs=("out", "points"))
    trajectories_of(located, places, len(index)).save(job.file("out"), origin)
    # Points that are to be repaired are smoothed after that.
    for path in job.files["points"]:
        body_points(poses, bodies, corrected, pose_frames).save(path, origin)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("movie", "index", "blobs", "tracklets", "identities", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, optional=("points",), many=("poses", "corrections", "facts"), argv=argv)


if __name__ == "__main__":
    main()
