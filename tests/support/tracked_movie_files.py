"""A movie of tracked animals for tests of the stages that show it: the movie, its index, blobs and trajectories."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import av
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.smooth import FROM_SINGLE, Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.experiment.model import Experiment
from herdbook.movie.scanning import scan_movie
from herdbook.movie.writing import MovieWriter
from tests.support.segment_files import write_segment

ORIGIN = Provenance("test", 1)
GREY, FPS = 200, 20.0
# The blobs are bars of 7 x 3 px, whose second moments make animals of this length.
BODY_PX = 8.0


def write_tracked_movie(
    folder: Path,
    places: NDArray[np.float64],
    *,
    size: tuple[int, int] = (200, 200),
    names: Sequence[str] = (),
    heading: float = 0.0,
    images: Sequence[NDArray[np.uint8]] | None = None,
    time_s: NDArray[np.float64] | None = None,
    **coding: object,
) -> None:
    """Write m.mp4, index.h5, blobs.h5 and tracks.h5; `places` (frames, animals, 2) are centres of animals, NaN where there is none.

    The frames are `images`, or plain grey, at the times `time_s`, or 20 per second.
    """
    frames, animals = places.shape[:2]
    plain = np.full((size[1], size[0], 3), GREY, np.uint8)
    with MovieWriter(folder / "m.mp4", *size, FPS, timed=time_s is not None, **coding) as writer:
        for number in range(frames):
            writer.write(plain if images is None else images[number], None if time_s is None else float(time_s[number]))
    scan = scan_movie(folder / "m.mp4")
    facts = (scan.width, scan.height, scan.fps, scan.codec, scan.grey, scan.full_range)
    Index(scan.pts, scan.time_s, scan.keyframe, *facts, "f").save(folder / "index.h5", ORIGIN)
    frame, who = (part.astype(np.int32) for part in np.nonzero(~np.isnan(places[..., 0])))
    x, y = places[frame, who].T
    _write_blobs(folder / "blobs.h5", frame, x, y, frames, size)
    names = list(names) or [f"a{k}" for k in range(animals)]
    ones = np.ones(len(frame), np.float32)
    rows = (frames, frame, who, x, y, x, y, heading * ones, ones, np.full(len(frame), FROM_SINGLE, np.uint8), 0 * ones, ones < 0)
    Trajectories(names, *rows).save(folder / "tracks.h5", ORIGIN)


def _write_blobs(
    path: Path, frame: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64], frames: int, size: tuple[int, int]
) -> None:
    count = len(frame)
    left, right = np.clip(np.rint([x - 3, x + 3]), 0, size[0] - 1)
    rows = [np.stack([np.clip(np.rint(y + d), 0, size[1] - 1), left, right], axis=1) for d in (-1, 0, 1)]
    columns = {
        **{"frame": frame, "x": x, "y": y, "area": np.full(count, 21, np.int32), "contrast": np.ones(count, np.float32)},
        **{"box": np.stack([left, y - 1, right + 1, y + 2], axis=1).astype(np.int32), "intensity": np.ones(count, np.float32)},
        **{"moments": np.tile([4.0, 0, 1], (count, 1)), "arena": np.zeros(count, np.int16), "border": np.zeros(count, bool)},
    }
    runs = np.stack(rows, axis=1).reshape(-1, 3).astype(np.int16)
    write_segment(path, columns, runs, 3 * np.arange(count + 1), frames=frames, width=size[0], height=size[1], fps=FPS, provenance=ORIGIN)


def run_movie_stage(
    stage: ModuleType,
    folder: Path,
    out: str,
    *,
    threads: int = 1,
    marking: str = "none",
    points: str = "",
    skeleton: Sequence[tuple[str, str]] | None = None,
    **section: object,
) -> Path:
    """Run a stage as its rule does, with this section of the experiment file; returns what it wrote.

    `points` is the file of body points, if there are some, `skeleton` which of them are joined.
    """
    movie = {"name": "m", "file": "m.mp4"} | ({"poses": ["m.csv"]} if points else {})
    keys = {"experiment": "test", "movies": [movie], "animals": {"marking": marking}, "points": {"skeleton": skeleton}}
    if marking == "unmarked":
        keys["animals"] |= {"number": 2}
    settings = Experiment.model_validate(keys | {stage.STAGE: section}).settings(stage.STAGE, "m")
    files = {"movie": "m.mp4", "index": "index.h5", "trajectories": "tracks.h5", "out": out}
    files |= {"points": points} if points else {}
    files |= {"blobs" if stage.STAGE == "overlay" else "reference": "blobs.h5"}
    options = [word for name, file in files.items() for word in (f"--{name}", str(folder / file))]
    stage.main([*options, "--settings", settings, "--threads", str(threads)])
    assert "body_length" in json.loads(settings) or stage.STAGE != "mosaic"
    return folder / out


def read_movie(path: Path) -> tuple[NDArray[np.uint8], float, NDArray[np.float64]]:
    """All frames of a movie (n, height, width, 3) BGR, its average rate and the time of each frame (s)."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate, tick = float(stream.average_rate or 0), Fraction(stream.time_base or 1)
        frames = [(frame.to_ndarray(format="bgr24"), float((frame.pts or 0) * tick)) for frame in container.decode(video=0)]
    return np.stack([image for image, _ in frames]), rate, np.array([time_s for _, time_s in frames])
