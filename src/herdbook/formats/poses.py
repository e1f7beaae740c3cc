"""Body points of the animals of one movie, whatever file they come from.

Points are (x, y) in px, origin top left, pixel centres at integer coordinates, frames from 0.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.smooth import BodyPoints
from herdbook.errors import HerdbookError

# Name of the animal in files of a single one, which give it none.
ONLY_ANIMAL = "animal"
# Places for points that a file does not tell, as of frames between those that a table has; each takes 24 bytes. A file that tells one in
# twenty may have more.
MOST_SPARSE, MOST_BLANK = 40_000_000, 20


@dataclass(frozen=True)
class Poses:
    """Body points: `xy` float64 (frames, individuals, points, 2) px, NaN where missing; `likelihood` float64 (frames, individuals, points),
    NaN where the file tells none; names of the individuals and of the points.
    """

    individuals: tuple[str, ...]
    points: tuple[str, ...]
    xy: NDArray[np.float64]
    likelihood: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = (len(self.individuals), len(self.points))
        if self.xy.shape[1:] != (*shape, 2) or self.likelihood.shape != self.xy.shape[:3]:
            raise ValueError(f"poses of {shape} individuals and points cannot be {self.xy.shape} with {self.likelihood.shape}")

    def __len__(self) -> int:
        return len(self.xy)

    @property
    def columns(self) -> NDArray[np.float64]:
        """A view (frames, individuals x points, 2): a column for each point of each individual."""
        return self.xy.reshape(len(self.xy), len(self.individuals) * len(self.points), 2)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which points (frames, individuals, points) have a place."""
        return ~np.isnan(self.xy[..., 0])

    def moved_to(self, columns: NDArray[np.float64]) -> "Poses":
        """The same points at other places, given as in `columns`."""
        return replace(self, xy=columns.reshape(-1, *self.xy.shape[1:]))

    def likely(self, least: float) -> "Poses":
        """Without the points that are less likely than this; those without a likelihood stay."""
        return replace(self, xy=np.where((self.likelihood < least)[..., None], np.nan, self.xy))

    def lasting(self, frames: int, file: str | Path = "") -> "Poses":
        """As many frames as a movie has: missing ones at the end are unknown.

        Raises HerdbookError, which names the `file` of the poses, if there are more.
        """
        more = frames - len(self)
        if more < 0 and not np.isnan(self.xy[more:]).all():
            where = f"{file}: " if str(file) else ""
            raise HerdbookError(f"{where}the body points are of {len(self)} frames, the movie has {frames}: are they those of this movie?")
        if more <= 0:
            return replace(self, xy=self.xy[:frames], likelihood=self.likelihood[:frames])
        missing = np.full((more, *self.xy.shape[1:]), np.nan)
        return replace(self, xy=np.concatenate([self.xy, missing]), likelihood=np.concatenate([self.likelihood, missing[..., 0]]))


def missing_frames(read: Poses, frames: int) -> str:
    """What to tell of poses that end before the movie of so many frames does, "" for none."""
    if not 0 < len(read) < frames:
        return ""
    return f"the body points end with frame {len(read) - 1}; in the frames {len(read)} to {frames - 1} of the movie they are unknown"


def check_length(frames: int, known: int, points: int) -> None:
    """Raise ValueError if so many `frames`, each with so many `points` of all animals, are far more than the `known` places of a file."""
    if frames * max(points, 1) > max(MOST_SPARSE, MOST_BLANK * known):
        raise ValueError(f"frame {frames - 1}, and {points} points in each frame, but only {known} places: no movie is so long")


def no_poses(frames: int) -> Poses:
    """The body points of a movie that has none."""
    return Poses((), (), np.empty((frames, 0, 0, 2)), np.empty((frames, 0, 0)))


def as_poses(points: BodyPoints) -> Poses:
    """The smoothed points of an artifact as Poses of all frames of the file they came from."""
    xy = np.full((points.frames, len(points.individuals), len(points.points), 2), np.nan)
    likelihood = np.full(xy.shape[:3], np.nan)
    own = points.frame < points.frames
    at = points.frame[own], points.individual[own], points.point[own]
    xy[at] = np.stack([points.x, points.y], 1)[own]
    likelihood[at] = points.likelihood[own]
    return Poses(tuple(points.individuals), tuple(points.points), xy, likelihood)


def repaired_poses(points: RepairedPoints) -> Poses:
    """The points of an artifact of stage repair as Poses of all frames of the movie."""
    xy = np.stack([points.x, points.y], -1)
    return Poses(tuple(points.individuals), tuple(points.points), xy, points.likelihood.astype(np.float64))
