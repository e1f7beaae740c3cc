"""How often names are wrong, from answers to random points, with exact binomial intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from herdbook.experiment.sheets.answers import CANNOT_SAY, RIGHT, WRONG, Point

LEVEL = 0.95


@dataclass(frozen=True)
class Rate:
    """A share `count` / `trials` with the `low` and `high` end of its interval of 95 %; NaN for no trials."""

    count: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself."""
        return self.count / self.trials if self.trials else float("nan")


@dataclass(frozen=True)
class Summary:
    """Rates of the points of one `group`: `assigned` among all, `wrong` among the judged ones; number of `cannot_say` and `unanswered`."""

    group: str
    assigned: Rate
    wrong: Rate
    cannot_say: int
    unanswered: int


def draw_cells(frames: NDArray[np.int64], individuals: int, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Random pairs of frame and individual, all different, sorted: indices into `frames` and numbers of individuals, int64 (k,) each."""
    total = len(frames) * individuals
    cells = np.sort(rng.choice(total, min(count, total), replace=False))
    return cells // individuals, cells % individuals


def exact_rate(count: int, trials: int, level: float = LEVEL) -> Rate:
    """A share and its exact binomial interval (Clopper & Pearson 1934, Biometrika 26:404)."""
    if not trials:
        return Rate(0, 0, float("nan"), float("nan"))
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, count, trials - count + 1)) if count else 0.0
    high = float(beta.ppf(1 - tail, count + 1, trials - count)) if count < trials else 1.0
    return Rate(count, trials, low, high)


def summarise(points: Sequence[Point], group: str = "all") -> Summary:
    """The rates of some points."""
    assigned = [point for point in points if point.assigned]
    given = [point.answer for point in assigned]
    wrong = given.count(WRONG)
    judged = exact_rate(wrong, wrong + given.count(RIGHT))
    return Summary(group, exact_rate(len(assigned), len(points)), judged, given.count(CANNOT_SAY), given.count(""))


def summarise_by(points: Iterable[Point], key: Callable[[Point], str]) -> list[Summary]:
    """The rates of each group of points, in order of the groups' first points."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return [summarise(mine, name) for name, mine in groups.items()]


def hour_of(point: Point) -> str:
    """The recording and the hour of a point, as text."""
    hour = int(point.time_s // 3600)
    return f"{point.recording}, hour {hour} to {hour + 1}"
