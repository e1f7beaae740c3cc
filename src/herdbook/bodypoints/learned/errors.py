"""How far off a point probably is, from how sure the network was: learned from labelled frames that it was not taught with."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from herdbook.arrays import Bools, Floats

# Of the labelled frames in order of time, so many stretches are made, and these kept back: two places in the movies, and each long enough
# that most of its frames are not the neighbours of shown ones.
STRETCHES, KEPT_BACK = 10, (2, 7)
# Points of one kind are compared with all by as many imagined points as this, so that few labels do not make a kind too good or too bad.
SHRUNK = 20.0
# In body lengths; an error of nothing would make every other one impossible.
LEAST_ERROR = 1e-4


@dataclass(frozen=True)
class ErrorModel:
    """Expected error of a point in body lengths: `terms` . (1, d, d²) times the factor `points` (J,) of its kind, where d is the share of
    the probability that its peak does not hold. So a point is either where its peak is, or, the more often the less that holds, elsewhere.
    """

    terms: tuple[float, float, float]
    points: tuple[float, ...]

    def expected(self, score: Floats) -> Floats:
        """Expected errors (..., J) in body lengths of points with these scores (..., J)."""
        return np.asarray((_features(score) @ np.array(self.terms)) * np.array(self.points))

    def as_dict(self) -> dict[str, Any]:
        """The model as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ErrorModel":
        """The model that `as_dict` gave."""
        return cls(tuple(values["terms"]), tuple(values["points"]))


def kept_back(movie: NDArray[np.integer], frame: NDArray[np.integer]) -> Bools:
    """Which labelled crops (n,) are kept back for testing: a fifth of the labelled frames, in whole stretches of time; none of fewer than
    ten frames.
    """
    keys = movie.astype(np.int64) << 32 | frame.astype(np.int64)
    known, number = np.unique(keys, return_inverse=True)
    if len(known) < STRETCHES:
        return np.zeros(len(keys), bool)
    return np.isin(number * STRETCHES // len(known), KEPT_BACK)


def fit_errors(score: Floats, error: Floats) -> ErrorModel:
    """Learn from scores (n, J) and real errors (n, J), in body lengths, NaN where unknown.

    Errors are taken as exponentially distributed about what is expected, which makes that the mean (a generalised linear model; McCullagh &
    Nelder 1989). A lower score never means a smaller error.
    """
    known = ~np.isnan(error)
    features, seen = _features(score[known]), error[known]

    def off(terms: Floats) -> tuple[float, Floats]:
        expected = features @ terms
        return float((np.log(expected) + seen / expected).sum()), features.T @ (1 / expected - seen / expected**2)

    start = np.array([max(float(seen.mean()) / 2, LEAST_ERROR), float(seen.mean()), 0.0])
    bounds = [(LEAST_ERROR, None), (0, None), (0, None)]
    terms = minimize(off, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    expected = _features(score) @ terms
    ratio = np.where(known, np.nan_to_num(error) / expected, 0).sum(axis=0)
    factor = (ratio + SHRUNK) / (known.sum(axis=0) + SHRUNK)
    return ErrorModel((float(terms[0]), float(terms[1]), float(terms[2])), tuple(float(value) for value in factor))


def _features(score: Floats) -> Floats:
    elsewhere = 1 - np.clip(score, 0, 1)
    return np.stack([np.ones_like(elsewhere), elsewhere, elsewhere**2], -1)
