"""What the stages that write movies of tracked animals share: a movie's frames, its positions, what is shown, how they are coded."""

import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.drawing.shown_frames import ShownFrames, choose_frames
from herdbook.errors import HerdbookError
from herdbook.geometry.ellipses import body_length
from herdbook.job import Job

# The default preset takes 9 ms of CPU time per frame of 640x480, more than all the drawing.
ENCODER = {"preset": "veryfast"}
# Shorter animals than this are no more than a few pixels of noise to look at.
LEAST_SIDE_PX = 16


def load_tracks(job: Job) -> tuple[Index, Trajectories]:
    """The frame table and the positions of the job's movie; HerdbookError if they do not belong together."""
    index, tracks = Index.load(job.file("index")), Trajectories.load(job.file("trajectories"))
    if len(index) != tracks.frames:
        raise HerdbookError(
            f"{job.file('trajectories')}: {tracks.frames} frames, but {len(index)} in {job.file('index')}. "
            "They belong to different versions of the movie: run snakemake again."
        )
    return index, tracks


def shown_frames(job: Job, index: Index) -> ShownFrames:
    """The frames that the job's settings ask for; HerdbookError names the interval that holds none."""
    settings = job.settings
    choice = {name: settings[name] for name in ("every", "speed", "intervals", "intervals_in") if name in settings}
    try:
        return choose_frames(index.time_s, index.fps, **choice)
    except ValueError as error:
        raise HerdbookError(f"{job.file('movie')}: {job.stage}.intervals: {error}") from error


def even_length(job: Job, bodies: float) -> int:
    """So many body lengths in px, an even number; the animals' length is that of the settings, or is measured on the blobs `reference`."""
    length = job.settings["body_length"]
    if length is None:
        length = body_length(Blobs.load(job.file("reference"), without=set(Blobs.columns) - {"moments"}).moments)
    return max(LEAST_SIDE_PX, 2 * int(np.ceil(bodies * length / 2)))


def caption(index: Index, frame: int) -> str:
    """Time and number of a frame, as they stand in the movie."""
    return f"{clock_time(float(index.time_s[frame]))} · frame {frame}"


def clock_time(time_s: float) -> str:
    """h:mm:ss.s"""
    tenths = round(time_s * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"
