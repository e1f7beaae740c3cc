"""Body points of a movie as an artifact: given, smoothed, how sure."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.lkflow import FLOW_WINDOW_PX
from herdbook.point_smoothing import SmoothedPoints
from herdbook.poses import Poses, no_poses
from herdbook.store import Artifact

POINT_SOURCES = ("given", "interpolated", "corrected")
GIVEN, INTERPOLATED, CORRECTED = range(3)


@dataclass
class BodyPoints(Artifact):
    """Body points of one movie, one row per frame, individual and point that has a place, sorted so.

    `frame` int32; `individual`, `point` int32 (into `individuals`, `points`); `x`, `y` float64 px; `x_raw`, `y_raw` float64 px before
    smoothing; `likelihood` float32 as the file gives it, NaN for none; `disagreement` float32 px of forward and backward flow, NaN for
    none; `jump` bool; `source` uint8 (index into POINT_SOURCES). `frames` is the number of frames of the file of body points.
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

    def poses(self) -> Poses:
        """The smoothed points as Poses of all frames of the file they came from."""
        xy = np.full((self.frames, len(self.individuals), len(self.points), 2), np.nan)
        likelihood = np.full(xy.shape[:3], np.nan)
        own = self.frame < self.frames
        at = self.frame[own], self.individual[own], self.point[own]
        xy[at] = np.stack([self.x, self.y], 1)[own]
        likelihood[at] = self.likelihood[own]
        return Poses(tuple(self.individuals), tuple(self.points), xy, likelihood)


def body_points(poses: Poses, result: SmoothedPoints, corrected: NDArray[np.bool_], frames: int) -> BodyPoints:
    """The artifact of `poses` whose columns were smoothed to `result`; `corrected` (frames, individuals, points) tells who gave a place,
    `frames` how many frames the file of the poses has.
    """
    shape = poses.likelihood.shape
    at = np.nonzero(~np.isnan(result.smoothed[..., 0]).reshape(shape))
    smoothed, given = (places.reshape(*shape, 2)[at] for places in (result.smoothed, result.given))
    source = np.where(corrected, CORRECTED, np.where(result.filled.reshape(shape), INTERPOLATED, GIVEN))
    return BodyPoints(
        individuals=list(poses.individuals),
        points=list(poses.points),
        frames=frames,
        frame=at[0].astype(np.int32),
        individual=at[1].astype(np.int32),
        point=at[2].astype(np.int32),
        x=smoothed[:, 0],
        y=smoothed[:, 1],
        x_raw=given[:, 0],
        y_raw=given[:, 1],
        likelihood=poses.likelihood[at].astype(np.float32),
        disagreement=result.disagreement.reshape(shape)[at].astype(np.float32),
        jump=result.jump.reshape(shape)[at],
        source=source[at].astype(np.uint8),
    )


def check_inside(poses: Poses, shape: tuple[int, int], file: str) -> None:
    """Raise HerdbookError for a point beside the frame (rows, columns) of the movie by more than half a flow window."""
    reach = FLOW_WINDOW_PX // 2
    limit = np.array(shape[::-1]) - 1 + reach
    outside = np.argwhere((poses.xy < -reach).any(axis=-1) | (poses.xy > limit).any(axis=-1))
    if len(outside):
        frame, individual, point = outside[0].tolist()
        x, y = poses.xy[frame, individual, point]
        raise HerdbookError(
            f"{file}: {poses.points[point]} of {poses.individuals[individual]} in frame {frame} is at ({x:.1f}, {y:.1f}), outside the "
            f"frame of {shape[1]}x{shape[0]} px, as are {len(outside) - 1} others: are these the body points of this movie?"
        )


def no_body_points() -> BodyPoints:
    """The artifact of a movie without body points."""
    nothing = no_poses(0)
    flags = np.zeros((0, 0), bool)
    return body_points(nothing, SmoothedPoints(nothing.columns, nothing.columns, np.empty((0, 0)), flags, flags), flags[:, :, None], 0)
