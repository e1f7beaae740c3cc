"""A column and a file as they are explained, and the columns that several tables have."""

from typing import NamedTuple

from herdbook.artifacts.smooth import SOURCES


class DescribedColumn(NamedTuple):
    """A column: name, type in words, unit ("" for none), meaning."""

    name: str
    type: str
    unit: str
    meaning: str


class Description(NamedTuple):
    """A file: its name, or a pattern of it, what a row is or what the file is for, and its columns."""

    file: str
    about: str
    columns: tuple[DescribedColumn, ...]


TEXT, WHOLE, NUMBER, YES = "text", "whole number", "number", "0 or 1"

MOVIE = DescribedColumn("movie", TEXT, "", "name of the movie")
FRAME = DescribedColumn("frame", WHOLE, "", "number of the frame in its movie, from 0")
TIME = DescribedColumn("time", NUMBER, "s", "time since the recording began, over all of its movies, by the time stamps of the frames")
WHO = DescribedColumn(
    "individual", TEXT, "", "name of the animal; with marking: none track0001 and so on, or that of the arena it is alone in"
)
X = DescribedColumn("x", NUMBER, "px", "centre of the body after smoothing, from the left; the centre of the first pixel is 0")
Y = DescribedColumn("y", NUMBER, "px", "centre of the body after smoothing, from the top; the centre of the first pixel is 0")
HEADING = DescribedColumn("heading", NUMBER, "rad", "direction of the body: 0 is right, π/2 is down")
CONFIDENCE = DescribedColumn("confidence", NUMBER, "0..1", "how sure the name is, and inside a merged blob also how sure the place is")
SOURCE = DescribedColumn(
    "source",
    TEXT,
    "",
    f"where the position comes from: {', '.join(SOURCES)}. single: seen alone; resolved: told apart inside a merged blob; interpolated: "
    "over a short gap; merged: in this merged blob, but its place in it is a guess; corrected: given by a person",
)
RAW = (
    DescribedColumn("x_raw", NUMBER, "px", "as x, before smoothing"),
    DescribedColumn("y_raw", NUMBER, "px", "as y, before smoothing"),
)
FLOW = (
    DescribedColumn("disagreement", NUMBER, "px", "distance between the flow forward and backward; empty where nothing was smoothed"),
    DescribedColumn("jump", YES, "", "1: farther from where it should be than movement and flow allow"),
)
MOTION = (
    DescribedColumn("clock", TEXT, "", "date and time (ISO 8601); empty unless the movie, or one before it in its recording, has a start"),
    DescribedColumn("x_mm", NUMBER, "mm", "x in mm; empty without scale"),
    DescribedColumn("y_mm", NUMBER, "mm", "y in mm; empty without scale"),
    DescribedColumn(
        "speed", NUMBER, "px/s", "distance from the position in the frame before to that in the frame after, by the time between them"
    ),
    DescribedColumn("speed_mm", NUMBER, "mm/s", "speed in mm; empty without scale"),
    DescribedColumn(
        "body_length", NUMBER, "px", "length of the ellipse with the second moments of the animal's blob; empty where it is not alone in it"
    ),
    DescribedColumn("body_length_mm", NUMBER, "mm", "body_length in mm; empty without scale"),
    DescribedColumn("arena", TEXT, "", "arena in which the animal is, or was last seen; empty if the experiment has none"),
)
PUBLIC = (MOVIE, FRAME, TIME, WHO, X, Y, HEADING, CONFIDENCE, SOURCE)

HEADING_TRUST = DescribedColumn(
    "heading_confidence",
    NUMBER,
    "0..1",
    "probability that heading is within 30 degrees of the true one, as labels that were kept back tell it. heading is that of the body "
    "points where it is surer than that of the trajectory. Empty where it is not known; only if Herdbook finds body points itself",
)
HOME = DescribedColumn("arena", TEXT, "", "arena in which the animal lives; the column is there only if the experiment has arenas")
