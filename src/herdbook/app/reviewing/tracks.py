"""Where the blob that is asked about is before and after: its tracklet."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment

# A loop shows no more frames on either side of the one in question.
MOST_FRAMES = 600


class TrackFinder:
    """Tracklets of the movie that was asked for last."""

    def __init__(self) -> None:
        self._mark: object = None
        self._blobs: Blobs | None = None
        self._tracklet: NDArray[np.int32] = np.zeros(0, np.int32)

    def at(self, experiment: Experiment, movie: str, frame: int, x: float, y: float) -> dict[str, Any]:
        """First frame, and x, y and reach (px) of each frame, of the tracklet whose blob lies nearest to a point of a frame."""
        blobs, tracklet = self._read(experiment, movie)
        first, last = np.searchsorted(blobs.frame, (frame, frame + 1)).tolist()
        if first == last:
            return {"first": frame, "x": [], "y": [], "reach": []}
        box = blobs.box[first:last].astype(np.float64)
        # Distance to the box: the middle of a large blob may be far from a point in it.
        dx, dy = (np.maximum(0, np.maximum(box[:, k] - at, at - box[:, k + 2])) for k, at in ((0, x), (1, y)))
        away = np.hypot(dx, dy) + 1e-3 * np.hypot(blobs.x[first:last] - x, blobs.y[first:last] - y)
        nearest = first + int(away.argmin())
        near = np.abs(blobs.frame - frame) <= MOST_FRAMES
        rows = np.flatnonzero(near & (tracklet == tracklet[nearest])) if tracklet[nearest] >= 0 else np.array([nearest])
        reach = np.hypot(blobs.box[rows, 2] - blobs.box[rows, 0], blobs.box[rows, 3] - blobs.box[rows, 1]) / 2
        # Frames in which it was bridged have no blob: it stays where it was.
        frames = np.arange(int(blobs.frame[rows[0]]), int(blobs.frame[rows[-1]]) + 1)
        rows, reach = (values[np.searchsorted(blobs.frame[rows], frames, side="right") - 1] for values in (rows, reach))
        columns = {"x": blobs.x[rows], "y": blobs.y[rows], "reach": reach}
        return {"first": int(frames[0])} | {name: np.round(values.astype(float), 1).tolist() for name, values in columns.items()}

    def _read(self, experiment: Experiment, movie: str) -> tuple[Blobs, NDArray[np.int32]]:
        paths: list[Path] = [experiment.artifact(stage, movie) for stage in ("segment", "tracklets")]
        try:
            mark = [(path, path.stat().st_mtime_ns) for path in paths]
        except OSError as error:
            raise HerdbookError(f"There is nothing to review in {movie} yet: run it first.") from error
        if mark != self._mark or self._blobs is None:
            self._blobs = Blobs.load(paths[0], without=set(Blobs.columns) - {"frame", "x", "y", "box"})
            self._tracklet, self._mark = Tracklets.load(paths[1]).blob_tracklet, mark
        return self._blobs, self._tracklet
