"""All that the tables say of the positions of one movie, read from its artifacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.index import Index
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import SOURCES, Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.tables.motion import blobs_of_positions, body_axes, measure_speeds
from herdbook.tables.pose_headings import with_pose_headings
from herdbook.tables.positions import HEADING_CONFIDENCE

# A table with a cell for each frame and animal takes 8 bytes for each of 6 values.
MOST_CELLS = 200_000_000


@dataclass(frozen=True)
class Tracks:
    """The positions of a movie, one row for each frame and animal that has one, in the order of `Trajectories`.

    `individuals` are all names, `individual` int32 (n,) numbers into them; `frame` int32 (n,); `x`, `y` float64 px; `heading` float64 rad;
    `confidence` float64; `source` uint8 (index into SOURCES); `speed` float64 px/s; `length`, `width` float64 px of the animal's blob
    where it is alone in it, NaN elsewhere; `arena` int16, number of the arena it was last seen in, -1 before; `time_s` float64 (frames,)
    since the recording began; `fps`, `size` (width, height) px of the movie; `px_per_mm`, NaN if unknown; `start` (ISO) of
    the recording, or ""; `heading_confidence` float64 0..1, NaN where unknown, None unless Herdbook found body points itself.
    """

    movie: str
    individuals: tuple[str, ...]
    time_s: Floats
    frame: NDArray[np.int32]
    individual: NDArray[np.int32]
    x: Floats
    y: Floats
    heading: Floats
    confidence: Floats
    source: NDArray[np.uint8]
    speed: Floats
    length: Floats
    width: Floats
    arena: NDArray[np.int16]
    fps: float
    size: tuple[int, int]
    px_per_mm: float = np.nan
    start: str = ""
    heading_confidence: Floats | None = None

    @property
    def frames(self) -> int:
        """Number of frames of the movie."""
        return len(self.time_s)

    def dense(self, values: NDArray[np.floating]) -> Floats:
        """Values (n, ...) of the positions as (frames, individuals, ...), NaN where there is no position."""
        if self.frames * len(self.individuals) > MOST_CELLS:
            raise HerdbookError(
                f"{self.movie}: {len(self.individuals)} animals in {self.frames} frames are too many for a file with a place for each of "
                "them in every frame. Of export.formats, csv, hdf5, parquet, motion, mot and jaaba have no such limit."
            )
        table = np.full((self.frames, len(self.individuals), *values.shape[1:]), np.nan)
        table[self.frame, self.individual] = values
        return table

    @property
    def xy(self) -> Floats:
        """Positions (frames, individuals, 2) px."""
        return self.dense(np.stack([self.x, self.y], axis=1))

    @property
    def body_length(self) -> float:
        """Median length of the animals (px), NaN if no one was seen alone."""
        return float(np.median(self.length[known])) if (known := np.isfinite(self.length)).any() else np.nan

    @property
    def body_width(self) -> float:
        """Median width of the animals (px), NaN if no one was seen alone."""
        return float(np.median(self.width[known])) if (known := np.isfinite(self.width)).any() else np.nan


def read_tracks(
    movie: str,
    files: dict[str, Path],
    start_s: float,
    *,
    all_names: bool,
    px_per_mm: float | None = None,
    start: str = "",
) -> Tracks:
    """Read the tracks of a movie from its artifacts `trajectories`, `index`, `blobs`, `tracklets`, `identities`, and `found` points if
    Herdbook found some itself.

    `start_s` is when it begins in its recording. Without `all_names` only individuals that have a position are listed.
    """
    found = FoundPoints.load(files["found"]) if "found" in files else None
    trajectories, heading_confidence = with_pose_headings(Trajectories.load(files["trajectories"]), found)
    index = Index.load(files["index"])
    blobs = Blobs.load(files["blobs"], without=("x", "y", "area", "box", "contrast", "intensity", "border", "image"))
    tracklets, identities = Tracklets.load(files["tracklets"]), Identities.load(files["identities"])
    mine = identities.movie == identities.movies.index(movie)
    blob = blobs_of_positions(
        trajectories.frame,
        trajectories.individual,
        blobs.frame,
        tracklets.blob_tracklet,
        identities.tracklet[mine],
        identities.individual[mine],
    )
    seen = blob >= 0
    alone = seen.copy()
    alone[seen] = identities.animals_of(movie)[tracklets.blob_tracklet[blob[seen]]] == 1
    axes = np.full((len(blob), 2), np.nan)
    axes[alone] = body_axes(blobs.moments[blob[alone]])
    arena = np.full(len(blob), -1, np.int16)
    arena[seen] = blobs.arena[blob[seen]]
    names, individual = trajectories.individuals, trajectories.individual
    if not all_names:
        kept, numbers = np.unique(individual, return_inverse=True)
        names, individual = [names[k] for k in kept], numbers.astype(np.int32)
    time_s = start_s + index.time_s
    return Tracks(
        movie=movie,
        individuals=tuple(names),
        time_s=time_s,
        frame=trajectories.frame,
        individual=individual,
        x=trajectories.x,
        y=trajectories.y,
        heading=trajectories.heading.astype(np.float64),
        confidence=trajectories.confidence.astype(np.float64),
        source=trajectories.source,
        speed=measure_speeds(trajectories.x, trajectories.y, trajectories.frame, individual, time_s),
        length=axes[:, 0],
        width=axes[:, 1],
        arena=_last_seen(arena, individual),
        fps=index.fps,
        size=(index.width, index.height),
        px_per_mm=px_per_mm or np.nan,
        start=start,
        heading_confidence=heading_confidence,
    )


def motion_table(tracks: Tracks, arenas: Sequence[str]) -> pd.DataFrame:
    """What trajectories.csv does not say of the positions of a movie: a row for each of its rows, in their order.

    `arenas` are the names of the arenas; the whole frame, if there are none, has the name "".
    """
    names = np.array([*(arenas or [""]), ""], object)
    clock: object = np.full(len(tracks.frame), "", object)
    if tracks.start:
        times = pd.Timestamp(tracks.start) + pd.to_timedelta(tracks.time_s, unit="s").round("ms")
        clock = np.array([time.isoformat(timespec="milliseconds") for time in times], object)[tracks.frame]
    return pd.DataFrame(
        {
            "movie": tracks.movie,
            "frame": tracks.frame,
            "time": tracks.time_s[tracks.frame],
            "individual": np.array(tracks.individuals, object)[tracks.individual],
            "clock": clock,
            "x_mm": tracks.x / tracks.px_per_mm,
            "y_mm": tracks.y / tracks.px_per_mm,
            "speed": tracks.speed,
            "speed_mm": tracks.speed / tracks.px_per_mm,
            "body_length": tracks.length,
            "body_length_mm": tracks.length / tracks.px_per_mm,
            "arena": names[tracks.arena],
        }
    )


def full_table(tracks: Tracks, arenas: Sequence[str]) -> pd.DataFrame:
    """The columns of trajectories.csv and those of `motion_table`."""
    motion = motion_table(tracks, arenas)
    position: dict[str, object] = {"x": tracks.x, "y": tracks.y, "heading": tracks.heading, "confidence": tracks.confidence}
    position["source"] = np.array(SOURCES, object)[tracks.source]
    if tracks.heading_confidence is not None:
        position[HEADING_CONFIDENCE] = tracks.heading_confidence
    return pd.concat([motion.iloc[:, :4], pd.DataFrame(position), motion.iloc[:, 4:]], axis=1)


def _last_seen(arena: NDArray[np.int16], individual: NDArray[np.int32]) -> NDArray[np.int16]:
    """The arena of each position, or that of the same animal's last known one; rows are in order of time."""
    order = np.argsort(individual, kind="stable")
    values, who = arena[order], individual[order]
    latest = np.maximum.accumulate(np.where(values >= 0, np.arange(len(values)), -1)) if len(values) else np.zeros(0, np.int64)
    known = latest >= 0
    known[known] = who[latest[known]] == who[known]
    filled = np.full(len(values), -1, np.int16)
    filled[known] = values[latest[known]]
    result = np.empty_like(filled)
    result[order] = filled
    return result
