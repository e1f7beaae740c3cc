"""What the report says of smoothing: where the flow of the pixels does not agree with what was found, nothing is smoothed."""

from collections.abc import Sequence

import numpy as np

from herdbook.arrays import Floats
from herdbook.report.page import count, percent
from herdbook.report.summaries import MovieSummary
from herdbook.smoothing.agreement import LEAST_AGREEING

# Less than this share of the positions is lost in every movie, at turns and leaps of the animals.
WORTH_SAYING = 0.1


def smoothing_sentences(movies: Sequence[MovieSummary]) -> list[str]:
    """A sentence for each movie that is not smoothed, and for each of which many positions are not; the same for body points."""
    sentences = []
    for movie in movies:
        for what, where, agreement in (("positions", "blobs", movie.agreement), ("body points", "points", movie.points_agreement)):
            sentences += _sentences(movie.name, what, where, agreement)
    return sentences


def _sentences(movie: str, what: str, where: str, agreement: Floats) -> list[str]:
    asked = agreement[np.isfinite(agreement)]
    lost, kept = asked[asked < LEAST_AGREEING], asked[asked >= LEAST_AGREEING]
    found = []
    if len(lost):
        part = f"The {what} of {movie}" if len(asked) == 1 else f"The {what} of {movie} in {count(len(lost), 'interval')} of {len(asked)}"
        found.append(
            f"{part} are not smoothed: the flow of the pixels, which smoothing follows, does not agree with the {where} at "
            f"{percent(1 - float(lost.mean()))} of them. Animals that move too far from one frame to the next are a usual cause."
        )
    if len(kept) and 1 - kept.mean() >= WORTH_SAYING:
        found.append(
            f"At {percent(1 - float(kept.mean()))} of the {what} of {movie} the flow of the pixels does not agree with the {where}: "
            "these are as they were found, not smoothed."
        )
    return found
