"""Stage smooth_points: the repaired body points of a movie, with corrections, smoothed by LK-RSTC."""

from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.segment import Blobs
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.formats.poses import no_poses, repaired_poses
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


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    settings, movie = job.settings, job.file("movie")
    index = Index.load(job.file("index"))
    index.check_movie(movie)
    poses, moved, given_frames = no_poses(len(index)), np.zeros((len(index), 0, 0), bool), 0
    for path in job.files["repaired"]:
        repaired = RepairedPoints.load(path)
        poses, moved, given_frames = repaired_poses(repaired), repaired.moved, repaired.given_frames
    corrections = [c for path in job.files["corrections"] for c in read_corrections(path) if c.movie == job.file("blobs").stem]
    if len(poses.points):
        poses, corrected = correct_points(poses, corrections, job.file("repaired"))
    else:
        corrected = moved
    fill = window_frames(settings["window_s"] or LONGEST_S, index.fps) if settings["fill"] is None else settings["fill"]
    wanted = Smoothing(settings["method"], settings["window_s"], settings["engine"], settings["jumps"] == "repair", fill)
    located, source = points_alone(Blobs.load(job.file("blobs"), without=Blobs.columns).intervals), partial(movie_source, movie, index)
    flags, away = corrected.reshape(len(index), -1), farthest_px(poses)
    _, bodies = smooth_movie(source, located, poses.columns, flags, away, wanted, index.fps, str(movie), job.threads)
    body_points(poses, bodies, corrected, given_frames, moved).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "index", "blobs", "out"), many=("repaired", "corrections"), argv=argv)


if __name__ == "__main__":
    main()
