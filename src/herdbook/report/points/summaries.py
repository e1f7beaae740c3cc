"""What is known of body points where animals have positions, alone and in contact, and frames that show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED, BodyPoints, Trajectories

T = TypeVar("T")

ALONE, CONTACT, WORST = "alone", "in contact", "worst"
# So many frames of animals alone, and of those in contact, are shown.
SHOWN_OF_EACH = 2


@dataclass(frozen=True)
class PointExample:
    """An animal in a frame of a movie, at `x`, `y` px, that is to be shown; `why` is ALONE, CONTACT or WORST."""

    movie: str
    frame: int
    individual: str
    x: float
    y: float
    why: str


@dataclass(frozen=True)
class PointsOfMovie:
    """The body points of a movie, one row for each position: `frame` int64, `individual` int64 (into `individuals`), `xy` (n, 2) px of the
    position; `contact` whether it lies in a contact; `known` (n, points), `error` float32 (n, points) px that is expected, NaN for none.
    """

    movie: str
    individuals: Sequence[str]
    points: Sequence[str]
    frame: Ints
    individual: Ints
    xy: Floats
    contact: Bools
    known: Bools
    error: NDArray[np.float32]


@dataclass(frozen=True)
class PointSummary:
    """Of each of the `points`, for animals alone and in contact (points, 2): `places` int64, how many positions there are, `known` int64,
    with how many of them the point has a place, `error_px` the median of the errors that are expected, NaN where none is.
    """

    points: Sequence[str]
    places: Ints
    known: Ints
    error_px: Floats


def read_points_of_movie(points: Path, trajectories: Path) -> PointsOfMovie:
    """Read the body points of a movie for the animals that have positions; those of other names are left out."""
    tracks = Trajectories.load(trajectories, without=("x_raw", "y_raw", "heading", "confidence", "disagreement", "jump"))
    body = BodyPoints.load(points, without=("x", "y", "x_raw", "y_raw", "likelihood", "disagreement", "jump", "source"))
    names = tracks.individuals
    of_name = np.array([names.index(name) if name in names else -1 for name in body.individuals], np.int64)
    place = tracks.frame.astype(np.int64) * len(names) + tracks.individual
    known = np.zeros((len(place), len(body.points)), bool)
    error = np.full(known.shape, np.nan, np.float32)
    if len(place):
        wanted = body.frame.astype(np.int64) * len(names) + of_name[body.individual]
        row = np.minimum(np.searchsorted(place, wanted), len(place) - 1)
        own = (place[row] == wanted) & (of_name[body.individual] >= 0)
        known[row[own], body.point[own]] = True
        if body.expected_error is not None:
            error[row[own], body.point[own]] = body.expected_error[own]
    contact = np.isin(tracks.source, (FROM_RESOLVED, FROM_MERGED))
    xy = np.stack([tracks.x, tracks.y], axis=1)
    return PointsOfMovie(
        points.stem, names, body.points, tracks.frame.astype(np.int64), tracks.individual.astype(np.int64), xy, contact, known, error
    )


class PointCounts:
    """Counts what is known of one movie after another, and keeps frames that show it."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool], list[int]] = {}
        self._errors: dict[tuple[str, bool], list[NDArray[np.float32]]] = {}
        self._shown: dict[str, list[PointExample]] = {ALONE: [], CONTACT: []}
        self._worst: tuple[float, PointExample] | None = None

    def add(self, movie: PointsOfMovie) -> None:
        """Count the points of a movie. One in which no animal has a point has other names, and tells nothing."""
        if not movie.known.any():
            return
        for contact in (False, True):
            rows = movie.contact == contact
            for k, name in enumerate(movie.points):
                counts = self._counts.setdefault((name, contact), [0, 0])
                counts[0] += int(rows.sum())
                counts[1] += int(movie.known[rows, k].sum())
                error = movie.error[rows, k]
                self._errors.setdefault((name, contact), []).append(error[np.isfinite(error)])
            why = CONTACT if contact else ALONE
            self._shown[why] += [_example(movie, row, why) for row in _typical(movie.known, rows)]
        self._keep_worst(movie)

    def summary(self) -> PointSummary:
        """What was counted."""
        names = list(dict.fromkeys(name for name, _ in self._counts))
        counts = np.array([[self._counts[name, contact] for contact in (False, True)] for name in names], np.int64).reshape(-1, 2, 2)
        errors = [[np.concatenate(self._errors[name, contact]) for contact in (False, True)] for name in names]
        medians = [[float(np.median(error)) if len(error) else np.nan for error in both] for both in errors]
        return PointSummary(names, counts[..., 0], counts[..., 1], np.array(medians).reshape(-1, 2))

    def examples(self, worst: PointExample | None = None) -> list[PointExample]:
        """Animals alone, in contact, and the `worst`: that given, else the one whose points are expected to be farthest off, if that is
        known.
        """
        shown = [_spread(self._shown[why], SHOWN_OF_EACH) for why in (ALONE, CONTACT)]
        last = worst or (self._worst[1] if self._worst else None)
        return [*shown[0], *shown[1], *([last] if last else [])]

    def _keep_worst(self, movie: PointsOfMovie) -> None:
        told = np.isfinite(movie.error)
        mean = np.where(told, movie.error, 0).sum(axis=1) / np.maximum(told.sum(axis=1), 1)
        if not told.any():
            return
        row = int(mean.argmax())
        if self._worst is None or mean[row] > self._worst[0]:
            self._worst = float(mean[row]), _example(movie, row, WORST)


def worst_example(movie: PointsOfMovie, frame: int, individual: str) -> PointExample | None:
    """The animal in the frame, or in the nearest one in which it has a position."""
    rows = np.flatnonzero(movie.individual == movie.individuals.index(individual)) if individual in movie.individuals else np.zeros(0, int)
    return _example(movie, int(rows[np.abs(movie.frame[rows] - frame).argmin()]), WORST) if len(rows) else None


def _typical(known: Bools, chosen: Bools) -> list[int]:
    """Of the chosen rows (n,) some that have as many points as half of those with any have."""
    count = known.sum(axis=1)
    some = chosen & (count > 0)
    rows = np.flatnonzero(some & (count >= np.median(count[some]))).tolist() if some.any() else []
    return _spread(rows, SHOWN_OF_EACH)


def _spread(values: Sequence[T], number: int) -> list[T]:
    """So many of the values, or all, spread over them without their ends."""
    if len(values) <= number:
        return list(values)
    return [values[len(values) * (k + 1) // (number + 1)] for k in range(number)]


def _example(movie: PointsOfMovie, row: int, why: str) -> PointExample:
    x, y = movie.xy[row].tolist()
    return PointExample(movie.movie, int(movie.frame[row]), movie.individuals[movie.individual[row]], x, y, why)
