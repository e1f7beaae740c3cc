"""How often names are wrong, from answers to random points, with exact binomial intervals."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from herdbook.sheets import read_table, refuse_lines
from herdbook.store import replacing

RIGHT, WRONG, CANNOT_SAY = ANSWERS = ("right", "wrong", "cannot say")
# What a person may write instead, in small letters.
SHORT = {"r": RIGHT, "w": WRONG, "c": CANNOT_SAY, "?": CANNOT_SAY, **{answer: answer for answer in ANSWERS}, "": ""}
NOT_ASSIGNED = "not assigned"
LEVEL = 0.95


@dataclass(frozen=True)
class Point:
    """A random animal in a random frame: `time_s` since the recording began; its place px, NaN where it has none; how it is `known`, a word
    of HOW_KNOWN, `interpolated` between blobs, or NOT_ASSIGNED; `answer`, one of ANSWERS or empty.
    """

    number: int
    recording: str
    movie: str
    frame: int
    time_s: float
    individual: str
    x: float
    y: float
    confidence: float
    source: str
    known: str
    answer: str = ""

    @property
    def assigned(self) -> bool:
        """Whether the animal has a position there."""
        return self.known != NOT_ASSIGNED


POINT_COLUMNS = tuple(field.name for field in fields(Point))


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
    """Of the points of one `group`: `assigned` among all, `wrong` among those that were judged, and how many could not be."""

    group: str
    assigned: Rate
    wrong: Rate
    cannot_say: int
    unanswered: int


def draw_cells(frames: NDArray[np.int64], individuals: int, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
    """Random pairs of frame and individual, none twice, in order: the places in `frames` (n,) and the individuals, int64 each."""
    total = len(frames) * individuals
    cells = np.sort(rng.choice(total, min(count, total), replace=False))
    return cells // individuals, cells % individuals


def exact_rate(count: int, trials: int, level: float = LEVEL) -> Rate:
    """A share and its interval (Clopper & Pearson 1934, Biometrika 26:404)."""
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
    """The recording and the hour in which a point lies."""
    hour = int(point.time_s // 3600)
    return f"{point.recording}, hour {hour} to {hour + 1}"


def write_answers(path: Path, points: Iterable[Point]) -> None:
    """Write the table in which answers are filled in."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(POINT_COLUMNS)
        writer.writerows(answer_cells(point) for point in points)


def answer_cells(point: Point) -> list[str]:
    """A point as the cells of its row."""
    place = [f"{value:.1f}" if point.assigned else "" for value in (point.x, point.y)]
    sure = f"{point.confidence:.3f}" if point.assigned else ""
    first = [str(point.number), point.recording, point.movie, str(point.frame), f"{point.time_s:.3f}", point.individual]
    return [*first, *place, sure, point.source, point.known, point.answer]


def read_answers(path: Path) -> list[Point]:
    """Read a table of answers. Raises HerdbookError with all faulty lines at once."""
    _, rows = read_table(path, ",", required=POINT_COLUMNS)
    points, faults = [], []
    for line, row in rows:
        answer = SHORT.get(row["answer"].lower())
        if answer is None:
            faults.append(f"line {line}: an answer is one of {', '.join(ANSWERS)}, or r, w, c, found {row['answer']!r}")
            continue
        try:
            x, y, sure = (float(row[name] or "nan") for name in ("x", "y", "confidence"))
            place = (row["recording"], row["movie"], int(row["frame"]), float(row["time_s"]), row["individual"])
            points.append(Point(int(row["number"]), *place, x, y, sure, row["source"], row["known"], answer))
        except ValueError:
            faults.append(f"line {line}: number, frame, time_s, x, y and confidence must be numbers")
    refuse_lines(path, faults)
    return points
