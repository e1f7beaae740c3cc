"""Stage smooth_points: the repaired or found body points of a movie, with corrections, smoothed by LK-RSTC."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np

from herdbook.arrays import Bools, Floats
from herdbook.artifacts.index import Index
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.segment import Blobs
from herdbook.bodypoints.learned.filling import mark_found, with_found
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.formats.poses import Poses, no_poses, repaired_poses
from herdbook.job import Job, run_stage
from herdbook.positions.agreement import farthest_px
from herdbook.positions.body_points import body_points
from herdbook.positions.corrections import correct_points
from herdbook.positions.located import points_alone
from herdbook.positions.smoothed import Smoothing, smooth_movie
from herdbook.smoothing.frames import movie_source
from herdbook.smoothing.rstc import window_frames
from herdbook.smoothing.window import LONGEST_S

STAGE = "smooth_points"
STAGE_VERSION = 1


def _read_points(job: Job, frames: int) -> tuple[Poses, Bools, Bools, Floats, int]:
    """Body points; which were under another animal's name; which the network found, and their expected errors (px); for how many frames
    there are points.
    """
    poses, moved, given_frames = no_poses(frames), np.zeros((frames, 0, 0), bool), 0
    for path in job.files["repaired"]:
        repaired = RepairedPoints.load(path)
        poses, moved, given_frames = repaired_poses(repaired), repaired.moved, repaired.given_frames
    network, error = np.zeros(moved.shape, bool), np.full(moved.shape, np.nan)
    for path in job.files["found"]:
        before = moved
        poses, network, error = with_found(poses, FoundPoints.load(path))
        moved, given_frames = np.zeros(network.shape, bool), frames
        moved[:, : before.shape[1], : before.shape[2]] = before
    return poses, moved, network, error, given_frames


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings, movie = job.settings, job.file("movie")
    index = Index.load(job.file("index"))
    index.check_movie(movie)
    poses, moved, network, error, given_frames = _read_points(job, len(index))
    corrections = [c for path in job.files["corrections"] for c in read_corrections(path) if c.movie == job.file("blobs").stem]
    corrected = np.zeros(moved.shape, bool)
    if len(poses.points):
        poses, corrected = correct_points(poses, corrections, [*job.files["repaired"], *job.files["found"]][0])
    fill = window_frames(settings["window_s"] or LONGEST_S, index.fps) if settings["fill"] is None else settings["fill"]
    wanted = Smoothing(settings["method"], settings["window_s"], settings["engine"], settings["jumps"] == "repair", fill)
    located, source = points_alone(Blobs.load(job.file("blobs"), without=Blobs.columns).intervals), partial(movie_source, movie, index)
    flags, away = corrected.reshape(len(index), -1), farthest_px(poses)
    _, bodies = smooth_movie(source, located, poses.columns, flags, away, wanted, index.fps, str(movie), job.threads)
    points = body_points(poses, bodies, corrected, given_frames, moved)
    (mark_found(points, network, error) if job.files["found"] else points).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "out"), many=("repaired", "found", "corrections"), argv=argv)


if __name__ == "__main__":
    main()
