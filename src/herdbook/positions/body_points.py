"""Body points of a movie as an artifact: given, smoothed, how sure."""

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.smooth import CORRECTED, GIVEN, INTERPOLATED, REPAIRED, BodyPoints
from herdbook.errors import HerdbookError
from herdbook.formats.poses import Poses
from herdbook.smoothing.flow import FLOW_WINDOW_PX
from herdbook.smoothing.points import SmoothedPoints


def body_points(
    poses: Poses, result: SmoothedPoints, corrected: NDArray[np.bool_], frames: int, repaired: NDArray[np.bool_] | None = None
) -> BodyPoints:
    """The artifact of `poses` whose columns were smoothed to `result`; `corrected` (frames, individuals, points) tells which places a
    person gave, `repaired`, of the same shape, which were under another animal's name; `frames` how many frames the file of the poses has.
    """
    shape = poses.likelihood.shape
    at = np.nonzero(~np.isnan(result.smoothed[..., 0]).reshape(shape))
    smoothed, given = (places.reshape(*shape, 2)[at] for places in (result.smoothed, result.given))
    found = np.where(np.zeros(shape, bool) if repaired is None else repaired, REPAIRED, GIVEN)
    source = np.where(corrected, CORRECTED, np.where(result.filled.reshape(shape), INTERPOLATED, found))
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
