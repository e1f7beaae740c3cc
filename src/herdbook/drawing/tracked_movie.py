"""What the stages that write movies of tracked animals share: a movie's frames, its positions, what is shown, how they are coded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.drawing.shown_frames import ShownFrames, choose_frames
from herdbook.errors import HerdbookError
from herdbook.geometry.ellipses import body_length

# The default preset takes 9 ms of CPU time per frame of 640x480, more than all the drawing.
ENCODER = {"preset": "veryfast"}
# Shorter animals than this are no more than a few pixels of noise to look at.
LEAST_SIDE_PX = 16


def load_tracks(index_path: Path, trajectories: Path) -> tuple[Index, Trajectories]:
    """The frame table and the positions of a movie; HerdbookError if they do not belong together."""
    index, tracks = Index.load(index_path), Trajectories.load(trajectories)
    check_same_movie(index, index_path, tracks.frames, trajectories)
    return index, tracks


def check_same_movie(index: Index, index_path: Path, frames: int, path: Path) -> None:
    """HerdbookError unless the movie of the index has as many frames as the file at `path` says."""
    if len(index) != frames:
        raise HerdbookError(
            f"{path}: {frames} frames, but {len(index)} in {index_path}. "
            "They belong to different versions of the movie: run snakemake again."
        )


def shown_frames(index: Index, settings: Mapping[str, Any], place: str) -> ShownFrames:
    """The frames that the keys every, speed, intervals and intervals_in ask for.

    HerdbookError for an interval that holds none, beginning with `place`: the movie, and the key in the experiment file.
    """
    choice = {name: settings[name] for name in ("every", "speed", "intervals", "intervals_in") if name in settings}
    try:
        return choose_frames(index.time_s, index.fps, **choice)
    except ValueError as error:
        raise HerdbookError(f"{place}: {error}") from error


def even_length(bodies: float, length_px: float | None, reference: Path) -> int:
    """So many body lengths in px, an even number; where the length is not given, it is measured on the blobs of the file `reference`."""
    if length_px is None:
        length_px = body_length(Blobs.load(reference, without=set(Blobs.columns) - {"moments"}).moments)
    return max(LEAST_SIDE_PX, 2 * int(np.ceil(bodies * length_px / 2)))


def caption(index: Index, frame: int) -> str:
    """Time and number of a frame, as they stand in the movie."""
    return f"{clock_time(float(index.time_s[frame]))} · frame {frame}"


def clock_time(time_s: float) -> str:
    """h:mm:ss.s"""
    tenths = round(time_s * 10)
    return f"{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"
