"""Body points as an artifact, for tests of what draws them and counts them."""

from pathlib import Path

import numpy as np

from herdbook.arrays import Floats
from herdbook.artifacts.smooth import GIVEN, BodyPoints
from herdbook.artifacts.store import Provenance

ORIGIN = Provenance("smooth_points", 1)


def points_of(xy: Floats, individuals: list[str], points: list[str], **columns: object) -> BodyPoints:
    """The artifact of points (frames, individuals, points, 2), NaN where missing; `columns` (frames, individuals, points) replace those of
    points that are sure.
    """
    at = np.nonzero(~np.isnan(xy[..., 0]))
    x, y = xy[at].T
    ones = np.ones(len(x), np.float32)
    values = {
        **{"likelihood": ones, "disagreement": 0 * ones, "jump": ones < 0, "source": np.full(len(x), GIVEN, np.uint8)},
        **{name: np.broadcast_to(np.asarray(value), xy.shape[:3])[at] for name, value in columns.items()},
    }
    frame, who, point = (part.astype(np.int32) for part in at)
    return BodyPoints(individuals, points, len(xy), frame, who, point, x, y, x, y, **values)


def write_points(path: Path, xy: Floats, individuals: list[str], points: list[str], **columns: object) -> Path:
    """The same, written into a file."""
    points_of(xy, individuals, points, **columns).save(path, ORIGIN)
    return path
