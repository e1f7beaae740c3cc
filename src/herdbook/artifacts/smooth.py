"""The artifact of stage smooth: trajectories and body points of one movie. Points are (x, y) in px of the full-resolution frame."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

POINT_SOURCES = ("given", "interpolated", "corrected", "repaired", "network")
GIVEN, INTERPOLATED, CORRECTED, REPAIRED, NETWORK = range(5)
SOURCES = ("single", "resolved", "interpolated", "merged", "corrected")
FROM_SINGLE, FROM_RESOLVED, FROM_INTERPOLATED, FROM_MERGED, FROM_CORRECTED = range(5)


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
