"""Random positions that a person judges: drawn from the results, shown in random order, each answer in the table at once."""

import hashlib
from collections.abc import Sequence
from typing import Any

from herdbook.app.live import Live
from herdbook.app.reviewing.people_files import made_table, table_of
from herdbook.commands.labelling.rates import Rate, Summary, exact_rate, summarise
from herdbook.commands.labelling.validate import draw_points
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.answers import ANSWERS, POINT_COLUMNS, Point, answer_cells, read_answers
from herdbook.report.expected import IN_CONTACT

# So many positions are drawn at once, at most; a person who judged a thousand has done enough.
MOST_POINTS = 2000
# Widths of the interval (share of positions) that a person can ask for.
WIDTHS = (0.1, 0.05, 0.02, 0.01)


def points_of(live: Live) -> list[Point]:
    """The positions that were drawn, with their answers; none yet is an empty list."""
    path = table_of(live, "answers").path
    return read_answers(path) if path.is_file() else []


def draw(live: Live, count: int) -> None:
    """Draw `count` more random positions, all different from those that are there. Raises HerdbookError if there are no results."""
    if not 0 < count <= MOST_POINTS:
        raise HerdbookError(f"{count} positions cannot be drawn; 1 to {MOST_POINTS} can")
    known = points_of(live)
    cells = {(point.movie, point.frame, point.individual) for point in known}
    # Another seed each time: the same one would draw the same positions again.
    drawn, _ = draw_points(live.experiment, count, seed=len(known))
    new = [point for point in drawn if (point.movie, point.frame, point.individual) not in cells]
    table, first = made_table(live, "answers"), max((point.number for point in known), default=0) + 1
    rows = [dict(zip(POINT_COLUMNS, answer_cells(point), strict=True)) for point in new]
    if rows:
        numbered = [row | {"number": str(first + k)} for k, row in enumerate(rows)]
        table.add(*numbered)


def answer(live: Live, number: int, word: str) -> None:
    """Write the answer to a position, or take it back ("")."""
    if word not in (*ANSWERS, ""):
        raise HerdbookError(f"{word!r} is no answer; these are: {', '.join(ANSWERS)}")
    made_table(live, "answers").change({"number": number}, {"answer": word})


def undo(live: Live) -> None:
    """Take back the last answer. Raises NothingToUndoError if there is none."""
    table_of(live, "answers").undo()


def progress(points: Sequence[Point], width: float) -> dict[str, Any]:
    """How far judging has come: what is asked next, and how often names are wrong, of all, of animals alone, and of those in contact.

    `width` is that of the interval which is wanted: when it is reached, `enough` is true.
    """
    shown = [point for point in points if point.assigned]
    alone, contact = ([p for p in shown if (p.source in IN_CONTACT) == inside] for inside in (False, True))
    rates = {"all": summarise(points), "alone": summarise(alone), "contact": summarise(contact)}
    wrong = rates["all"].wrong
    left = sorted((point for point in shown if not point.answer), key=_order)
    return {
        "next": _shown(left[0]) if left else None,
        "left": len(left),
        "width": width,
        "enough": bool(wrong.trials) and wrong.high - wrong.low <= width,
        "needed": needed(wrong.count, wrong.trials, width),
        "rates": {name: _rate(summary) for name, summary in rates.items()},
    }


def needed(wrong: int, judged: int, width: float) -> int:
    """How many positions have to be judged in all for an interval of this width, if the share of wrong names stays as it is."""
    share = wrong / judged if judged else 0.0
    low, high = max(1, judged), 1 << 20
    while low < high:
        middle = (low + high) // 2
        rate = exact_rate(round(share * middle), middle)
        low, high = (low, middle) if rate.high - rate.low <= width else (middle + 1, high)
    return low


def _order(point: Point) -> bytes:
    """A random order that is the same for all tabs and after a restart: who stops early has judged a random sample."""
    return hashlib.sha256(f"{point.number} {point.movie} {point.frame} {point.individual}".encode()).digest()


def _shown(point: Point) -> dict[str, Any]:
    names = ("number", "movie", "frame", "x", "y", "individual", "source")
    return {name: getattr(point, name) for name in names}


def _rate(summary: Summary) -> dict[str, Any]:
    rate: Rate = summary.wrong
    known = bool(rate.trials)
    return {
        **{"wrong": rate.count, "judged": rate.trials, "cannot_say": summary.cannot_say},
        **{"share": rate.share if known else None, "low": rate.low if known else None, "high": rate.high if known else None},
    }
