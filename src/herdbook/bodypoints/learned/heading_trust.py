"""How often a heading is right: that which points tell, by how well they fit, and that of the trajectories, alone and in contact."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from herdbook.arrays import Bools, Floats

# A heading is right within this angle (rad).
RIGHT_WITHIN = np.radians(30)
# To the animals kept back two are added, one of them right: of few animals, all of them right, it does not follow that none is ever wrong.
ADDED_RIGHT, ADDED = 1.0, 2.0


@dataclass(frozen=True)
class HeadingTrust:
    """Of headings within 30 degrees of the labels': the share of those that points tell, 1 / (1 + exp(-(terms[0] + terms[1] fit))), where
    `fit` is the mean logarithm of the points' scores; and of those of the trajectories, of animals `alone` and in `contact`.
    """

    terms: tuple[float, float]
    alone: float
    contact: float

    def of_points(self, fit: Floats) -> Floats:
        """Probability (...) that the heading of a reading with this fit (...) is right; NaN for NaN."""
        return np.asarray(1 / (1 + np.exp(-(self.terms[0] + self.terms[1] * fit))))

    def of_trajectories(self, single: Bools) -> Floats:
        """Probability (...) that the heading of a trajectory is right, by whether the animal was found alone (...)."""
        return np.where(single, self.alone, self.contact)

    def as_dict(self) -> dict[str, Any]:
        """The shares as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "HeadingTrust":
        """The shares that `as_dict` gave."""
        first, slope = (float(value) for value in values["terms"])
        return cls((first, slope), float(values["alone"]), float(values["contact"]))


def fit_headings(fit: Floats, off: Floats, seen_off: Floats, single: Bools) -> HeadingTrust:
    """Learn from animals kept back: the `fit` (n,) of their points; how far (rad) the heading of these, `off` (n,), and that of the
    trajectories, `seen_off` (n,), are from the labels'; and whether trajectories found them alone, `single` (n,).

    A logistic regression, in which a better fit never means less. The share of a state that no animal was in is that of all.
    """
    right = np.abs(off) <= RIGHT_WITHIN
    # The added ones are of middle fit, so that they pull the whole curve.
    told, middle = np.append(right, [True, False]), np.median(fit)
    away = np.append(fit, [middle, middle]) - middle

    def loss(terms: Floats) -> tuple[float, Floats]:
        odds = terms[0] + terms[1] * away
        wrong_by = 1 / (1 + np.exp(-odds)) - told
        # As if slopes were about 1: of few animals a step would fit best.
        return float((np.logaddexp(0, odds) - told * odds).sum() + terms[1] ** 2 / 2), np.array(
            [wrong_by.sum(), wrong_by @ away + terms[1]]
        )

    first, slope = minimize(loss, np.zeros(2), jac=True, bounds=[(None, None), (0, None)], method="L-BFGS-B").x
    seen = np.abs(seen_off) <= RIGHT_WITHIN
    alone, contact = (_share(seen[state]) if state.any() else _share(seen) for state in (single, ~single))
    return HeadingTrust((float(first - slope * middle), float(slope)), alone, contact)


def _share(right: Bools) -> float:
    return float((right.sum() + ADDED_RIGHT) / (len(right) + ADDED))
