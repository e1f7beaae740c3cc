"""Tables of what was wrong with the body points of pose tools: by animal and hour, and the worst moments."""

import pandas as pd

from herdbook.arrays import Floats
from herdbook.artifacts.repair import KEPT, MISTAKES, RepairedPoints

WRONG = MISTAKES[KEPT + 1 :]
COUNT_COLUMNS = ("movie", "hour", "individual", *MISTAKES[KEPT:])
MOMENT_COLUMNS = ("movie", "first", "last", "frame", "time", "individual", *WRONG)


def mistake_table(movie: str, points: RepairedPoints) -> pd.DataFrame:
    """How many detected points of each animal were kept, switched and so on in each hour of a movie, columns COUNT_COLUMNS.

    A mistake is counted for the animal under whose name the file had the point; hours without a point are left out.
    """
    rows: list[tuple[str | int, ...]] = []
    for individual, name in enumerate(points.individuals):
        own = points.by_hour[points.stands == individual].sum(axis=0)[:, KEPT:]
        rows += [(movie, hour, name, *counts) for hour, counts in enumerate(own.tolist()) if sum(counts)]
    table = pd.DataFrame(rows, columns=COUNT_COLUMNS)
    return table.sort_values("hour", kind="stable", ignore_index=True)


def moment_table(movie: str, points: RepairedPoints, time_s: Floats) -> pd.DataFrame:
    """The moments of a movie with most mistakes, worst first, columns MOMENT_COLUMNS; `time_s` (frames,): time over the recording."""
    rows = []
    for slot, first, last, worst, *counts in points.moments.tolist():
        stands = points.stands[slot]
        rows.append((movie, first, last, worst, float(time_s[worst]), points.individuals[stands] if stands >= 0 else "", *counts))
    return pd.DataFrame(rows, columns=MOMENT_COLUMNS)
