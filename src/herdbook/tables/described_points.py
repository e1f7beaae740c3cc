"""The tables of body points, explained."""

from herdbook.artifacts.smooth import POINT_SOURCES
from herdbook.tables.described import FLOW, FRAME, MOVIE, NUMBER, RAW, TEXT, TIME, WHOLE, DescribedColumn, Description, X, Y

BODY_POINTS = Description(
    "body_points.csv",
    "Body points of the movies that have some, a row for each frame, animal and point that has a place.",
    (
        *(MOVIE, FRAME, TIME, DescribedColumn("individual", TEXT, "", "name in the file of body points")),
        *(DescribedColumn("point", TEXT, "", "name of the point"), X, Y, *RAW),
        DescribedColumn("likelihood", NUMBER, "0..1", "as the file of body points gives it; empty for none"),
        *FLOW,
        DescribedColumn(
            "source", TEXT, "", f"{', '.join(POINT_SOURCES)}: as given, over a gap, by a person, handed over, found by Herdbook's network"
        ),
    ),
)
EXPECTED_ERROR = DescribedColumn(
    "expected_error", NUMBER, "px", "how far off a point of the network is expected to be; only if Herdbook finds body points itself"
)
_MISTAKES = (
    DescribedColumn("switched", WHOLE, "", "points of whole bodies under another animal's name"),
    DescribedColumn("drifted", WHOLE, "", "points marked at the same part of another animal"),
    DescribedColumn("jumped", WHOLE, "", "single points of another animal"),
    DescribedColumn("refused", WHOLE, "", "points that are nobody's, or of which it cannot be known whose they are"),
)
POINT_MISTAKES = Description(
    "point_mistakes.csv",
    "What was wrong with the body points of pose tools, a row for each movie, hour and animal; see docs/body-points.md.",
    (
        *(MOVIE, DescribedColumn("hour", WHOLE, "", "hour of the movie, from 0")),
        DescribedColumn("individual", TEXT, "", "animal under whose name the file has the points"),
        *(DescribedColumn("kept", WHOLE, "", "points that are this animal's"), *_MISTAKES),
    ),
)
POINT_MOMENTS = Description(
    "point_moments.csv",
    "The moments of each movie in which most body points of a pose tool are wrong, worst first.",
    (
        *(MOVIE, DescribedColumn("first", WHOLE, "", "first frame"), DescribedColumn("last", WHOLE, "", "last frame")),
        *(DescribedColumn("frame", WHOLE, "", "frame with most wrong points"), DescribedColumn("time", NUMBER, "s", "its time")),
        DescribedColumn("individual", TEXT, "", "animal under whose name the file has the points; empty for nobody"),
        *_MISTAKES,
    ),
)
