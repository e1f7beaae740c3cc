"""The artifact of stage smooth: trajectories and body points of one movie. Points are (x, y) in px of the full-resolution frame."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact, open_artifact, read_attributes, read_column

POINT_SOURCES = ("given", "interpolated", "corrected", "repaired", "network")
GIVEN, INTERPOLATED, CORRECTED, REPAIRED, NETWORK = range(5)
SOURCES = ("single", "resolved", "interpolated", "merged", "corrected")
FROM_SINGLE, FROM_RESOLVED, FROM_INTERPOLATED, FROM_MERGED, FROM_CORRECTED = range(5)
# Frames that are read at once where they are gone through in order: some 10,000 points of a few animals.
BLOCK_FRAMES = 256


@dataclass
class Trajectories(Artifact):
    """Positions in one movie, one row per frame and individual with a position, sorted by frame, then individual.

    `frame` int32, `individual` int32 (into `individuals`), `x`, `y` float64 px, `x_raw`, `y_raw` float64 px before smoothing,
    `heading` float32 rad (image axes: x right, y down), `confidence` float32, `source` uint8 (index into SOURCES). `disagreement` float32
    px between forward and backward flow, NaN where nothing was smoothed; `jump` bool, farther from the expected position than movement
    and flow allow. `windows` int64 (k,) length of the smoothing window in each interval (frames), 0 where nothing was smoothed;
    `agreement`, `points_agreement` float64 (k,) at which share of the positions and of the body points flow and blob, or point, agree, NaN
    where that was not asked. Below a half nothing was smoothed.
    """

    kind: ClassVar[str] = "smooth"
    individuals: list[str]
    frames: int
    frame: NDArray[np.int32]
    individual: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_raw: NDArray[np.float64]
    y_raw: NDArray[np.float64]
    heading: NDArray[np.float32]
    confidence: NDArray[np.float32]
    source: NDArray[np.uint8]
    disagreement: NDArray[np.float32]
    jump: NDArray[np.bool_]
    windows: NDArray[np.int64] | None = None
    agreement: NDArray[np.float64] | None = None
    points_agreement: NDArray[np.float64] | None = None


@dataclass
class BodyPoints(Artifact):
    """Body points of one movie, one row per frame, individual and point with a position, sorted in this order.

    `frame` int32; `individual`, `point` int32 (into `individuals`, `points`); `x`, `y` float64 px; `x_raw`, `y_raw` float64 px before
    smoothing; `likelihood` float32 as given in the file, NaN for none; `disagreement` float32 px between forward and backward flow, NaN
    for none; `jump` bool; `source` uint8 (index into POINT_SOURCES). `frames` is the number of frames of the file of body points.
    `expected_error` float32 px of points that Herdbook's own network found, NaN for others.
    """

    kind: ClassVar[str] = "smooth"
    individuals: list[str]
    points: list[str]
    frames: int
    frame: NDArray[np.int32]
    individual: NDArray[np.int32]
    point: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_raw: NDArray[np.float64]
    y_raw: NDArray[np.float64]
    likelihood: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    jump: NDArray[np.bool_]
    source: NDArray[np.uint8]
    expected_error: NDArray[np.float32] | None = None


class PointRows:
    """Body points in an open artifact, a few frames in memory at a time: four mice with 13 points have 67 million rows in 12 hours."""

    def __init__(self, file: h5py.File) -> None:
        attributes = read_attributes(file)
        self.individuals: list[str] = json.loads(attributes["individuals"])
        self.points: list[str] = json.loads(attributes["points"])
        self._frames = int(attributes["frames"])
        self._frame: NDArray[np.int32] = read_column(file, "frame")
        self._columns = {item.name: file[item.name] for item in fields(BodyPoints) if item.name in file}
        self._block, self._kept = -1, self.between(0, 0)

    @property
    def last(self) -> int:
        """The last frame with a point, -1 for none."""
        return int(self._frame[-1]) if len(self._frame) else -1

    def between(self, first: int, end: int) -> BodyPoints:
        """The points of the frames from `first` to before `end`."""
        start, stop = np.searchsorted(self._frame, (first, end)).tolist()
        values = {name: column[start:stop] for name, column in self._columns.items()}
        return BodyPoints(individuals=self.individuals, points=self.points, frames=self._frames, **values)

    def of(self, frame: int) -> BodyPoints:
        """The points of a frame; quick if frames are asked for in order."""
        if frame // BLOCK_FRAMES != self._block:
            self._block = frame // BLOCK_FRAMES
            self._kept = self.between(BLOCK_FRAMES * self._block, BLOCK_FRAMES * (self._block + 1))
        start, stop = np.searchsorted(self._kept.frame, (frame, frame + 1)).tolist()
        values = {name: getattr(self._kept, name)[start:stop] for name in self._columns}
        return replace(self._kept, **values)

    def places(self, frame: int) -> NDArray[np.float64]:
        """Places (individuals, points, 2) px in a frame, NaN where missing; quicker than `of` for frames far from each other."""
        rows = slice(*np.searchsorted(self._frame, (frame, frame + 1)).tolist())
        xy = np.full((len(self.individuals), len(self.points), 2), np.nan)
        individual, point, x, y = (self._columns[name][rows] for name in ("individual", "point", "x", "y"))
        xy[individual, point] = np.stack([x, y], axis=1)
        return xy

    def spread(self, most: int) -> NDArray[np.int64]:
        """At most so many of the frames that have points, spread over them."""
        starts = np.flatnonzero(np.diff(self._frame, prepend=-1))
        chosen = np.linspace(0, len(starts) - 1, min(most, len(starts))).astype(np.int64)
        return self._frame[starts[chosen]].astype(np.int64)


@contextmanager
def open_body_points(path: Path) -> Iterator[PointRows]:
    """Open the body points of a movie to read parts of them."""
    with open_artifact(path, BodyPoints.kind) as file:
        yield PointRows(file)
