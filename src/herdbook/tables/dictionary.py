"""Every column of every table that an experiment gets, explained: what data_dictionary.csv and docs/tables.md say."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import pandas as pd

from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.artifacts.smooth import POINT_SOURCES, SOURCES
from herdbook.tables.events import KINDS_OF_EVENTS


class Column(NamedTuple):
    """A column: name, type in words, unit ("" for none), meaning."""

    name: str
    type: str
    unit: str
    meaning: str


class Description(NamedTuple):
    """A file: its name, or a pattern of it, what a row is or what the file is for, and its columns."""

    file: str
    about: str
    columns: tuple[Column, ...]


TEXT, WHOLE, NUMBER, YES = "text", "whole number", "number", "0 or 1"

MOVIE = Column("movie", TEXT, "", "name of the movie")
FRAME = Column("frame", WHOLE, "", "number of the frame in its movie, from 0")
TIME = Column("time", NUMBER, "s", "time since the recording began, over all of its movies, by the time stamps of the frames")
WHO = Column("individual", TEXT, "", "name of the animal; track0001 and so on with marking: none")
X = Column("x", NUMBER, "px", "centre of the body after smoothing, from the left; the centre of the first pixel is 0")
Y = Column("y", NUMBER, "px", "centre of the body after smoothing, from the top; the centre of the first pixel is 0")
HEADING = Column("heading", NUMBER, "rad", "direction of the body: 0 is right, π/2 is down")
CONFIDENCE = Column("confidence", NUMBER, "0..1", "how sure the name is, and inside a merged blob also how sure the place is")
SOURCE = Column(
    "source",
    TEXT,
    "",
    f"where the position comes from: {', '.join(SOURCES)}. single: seen alone; resolved: told apart inside a merged blob; interpolated: "
    "over a short gap; merged: in this merged blob, but its place in it is a guess; corrected: given by a person",
)
RAW = (
    Column("x_raw", NUMBER, "px", "as x, before smoothing"),
    Column("y_raw", NUMBER, "px", "as y, before smoothing"),
)
FLOW = (
    Column("disagreement", NUMBER, "px", "distance between the flow forward and backward; empty where nothing was smoothed"),
    Column("jump", YES, "", "1: farther from where it should be than movement and flow allow"),
)
MOTION = (
    Column("clock", TEXT, "", "date and time (ISO 8601); empty unless the movie, or one before it in its recording, has a start"),
    Column("x_mm", NUMBER, "mm", "x in mm; empty without scale"),
    Column("y_mm", NUMBER, "mm", "y in mm; empty without scale"),
    Column("speed", NUMBER, "px/s", "distance from the position in the frame before to that in the frame after, by the time between them"),
    Column("speed_mm", NUMBER, "mm/s", "speed in mm; empty without scale"),
    Column(
        "body_length", NUMBER, "px", "length of the ellipse with the second moments of the animal's blob; empty where it is not alone in it"
    ),
    Column("body_length_mm", NUMBER, "mm", "body_length in mm; empty without scale"),
    Column("arena", TEXT, "", "arena in which the animal is, or was last seen; empty if the experiment has none"),
)
PUBLIC = (MOVIE, FRAME, TIME, WHO, X, Y, HEADING, CONFIDENCE, SOURCE)

TRAJECTORIES = Description("trajectories.csv", "All positions, a row for each animal and frame that has one.", PUBLIC)
TRAJECTORIES_HDF5 = Description(
    "trajectories.h5",
    "The same rows, as columns of an HDF5 file. `movie`, `individual` and `source` are numbers into the attributes `movies`, `individuals` "
    "and `sources`.",
    (
        *(
            Column(c.name, WHOLE, "", f"number into the attribute {c.name}s") if c.name in ("movie", "individual", "source") else c
            for c in PUBLIC
        ),
        *RAW,
        *FLOW,
    ),
)
PARQUET = Description(
    "trajectories.parquet", "The same rows with all that is known of them: one file for pandas, polars, R and DuckDB.", (*PUBLIC, *MOTION)
)
MOTION_CSV = Description(
    "motion.csv", "How fast and how long the animals are, and where in mm: the rows of trajectories.csv, in their order.",
    (MOVIE, FRAME, TIME, WHO, *MOTION),
)  # fmt: skip
EVENTS = Description(
    "events.csv",
    "What happens between animals, a row for each event, by recording and time.",
    (
        Column("recording", TEXT, "", "name of the recording"),
        Column(
            "kind",
            TEXT,
            "",
            f"{', '.join(KINDS_OF_EVENTS)}. merge: a blob of several animals, from its beginning to its end (or that of the movie), "
            "whoever is in it; contact: two animals are in one blob, whoever else is in it, or part for at most export.contact_gap_s "
            "in between; exit: an animal is lost at the edge of the frame or arena; entrance: it is seen again, or for the "
            "first time, at the edge; hidden: it has no position, and neither left nor came at the edge: it is hidden, or seen but not "
            "known by name",
        ),
        Column("movie", TEXT, "", "movie in which it begins"),
        Column("frame", WHOLE, "", "first frame; of exit and hidden the first without a position, of entrance the first with one"),
        Column("end_movie", TEXT, "", "movie in which it ends"),
        Column("end_frame", WHOLE, "", "last frame"),
        Column("time", NUMBER, "s", "when it begins, since the recording began"),
        Column("duration", NUMBER, "s", "how long it lasts, from the first frame to the end of the last"),
        Column("individuals", TEXT, "", "who takes part: names with ; between them, in quotes where a name holds one; those known by name"),
        Column("animals", WHOLE, "", "how many take part, also those not known by name"),
        Column("x", NUMBER, "px", "centre of the blob when it begins; of exit and hidden where the animal was last seen; empty if never"),
        Column("y", NUMBER, "px", "the same, from the top"),
        Column("arena", TEXT, "", "arena; empty if the experiment has none"),
    ),
)
TRACKLETS = Description(
    "tracklets.csv",
    "Runs of one blob without merge or split, a row for each of them and each animal in it that is known by name.",
    (
        MOVIE,
        Column("tracklet", WHOLE, "", "number of the tracklet in its movie, from 0"),
        Column("first", WHOLE, "", "its first frame"),
        Column("last", WHOLE, "", "its last frame"),
        Column("animals", WHOLE, "", "how many animals it holds; 0 is dirt"),
        Column("individual", TEXT, "", "one of those in it; empty if nobody is known"),
        Column("how", TEXT, "", f"how it is known: {', '.join(HOW_KNOWN)}; see docs/identity.md"),
        Column("confidence", NUMBER, "0..1", "probability that this animal is in it"),
        Column("arena", TEXT, "", "arena; empty if the experiment has none"),
    ),
)
BODY_POINTS = Description(
    "body_points.csv",
    "Body points of the movies that have some, a row for each frame, animal and point that has a place.",
    (
        *(MOVIE, FRAME, TIME, Column("individual", TEXT, "", "name in the file of body points")),
        *(Column("point", TEXT, "", "name of the point"), X, Y, *RAW),
        Column("likelihood", NUMBER, "0..1", "as the file of body points gives it; empty for none"),
        *FLOW,
        Column("source", TEXT, "", f"{', '.join(POINT_SOURCES)}: as the file has it, over a gap, or by a person"),
    ),
)
DOUBTFUL = Description(
    "doubtful.csv",
    "Where an answer of a person is worth most, best first; rows can be copied to the table of facts. See docs/identity.md.",
    (
        Column("movie", TEXT, "", "movie of the place to look at"),
        Column("frame", WHOLE, "", "its frame"),
        Column("x", NUMBER, "px", "its place"),
        Column("y", NUMBER, "px", "its place"),
        Column("fact", TEXT, "", "is: the fact that the row states"),
        Column("name", TEXT, "", "who is there, or the most probable one if nobody is assigned"),
        Column("last", TEXT, "", "empty"),
        Column("assigned", TEXT, "", "who is there in the results; empty for nobody"),
        Column("probability", NUMBER, "0..1", "that of name at this place"),
        Column("others", TEXT, "", "up to three others who it can be, with their probabilities"),
        Column("from_movie", TEXT, "", "movie in which the span begins"),
        Column("from_frame", WHOLE, "", "its first frame"),
        Column("to_movie", TEXT, "", "movie in which the span ends"),
        Column("to_frame", WHOLE, "", "its last frame"),
        Column("frames", WHOLE, "", "frames of the span's tracklets"),
        Column("gain", NUMBER, "frames", "frames that an answer is expected to correct or to name"),
    ),
)
MOT = Description(
    "mot/<movie>.csv",
    "MOTChallenge, a row for each position, without a header line. Frames, ids and px count from 1.",
    (
        Column("frame", WHOLE, "", "frame, from 1"),
        Column("id", WHOLE, "", "number of the animal, as in mot/<movie>.names.csv"),
        Column("left", NUMBER, "px", "left edge of a square of a median body length around the animal"),
        Column("top", NUMBER, "px", "its upper edge"),
        Column("width", NUMBER, "px", "its width"),
        Column("height", NUMBER, "px", "its height"),
        CONFIDENCE,
        *(Column(axis, WHOLE, "", "-1: no place in the world is known") for axis in "xyz"),
    ),
)
MOT_NAMES = Description(
    "mot/<movie>.names.csv",
    "Who has which id.",
    (Column("id", WHOLE, "", "number, from 1"), Column("individual", TEXT, "", "name of the animal")),
)
DEEPLABCUT = Description(
    "deeplabcut/<movie>.csv",
    "DeepLabCut, several animals: a row for each frame and three columns for each animal, headed by scorer (Herdbook), individuals, "
    "bodyparts (centre), coords. The .h5 beside it is the same table, under the key df_with_missing.",
    (
        Column("x", NUMBER, "px", X.meaning),
        Column("y", NUMBER, "px", Y.meaning),
        Column("likelihood", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
IDTRACKER = Description(
    "idtracker/<movie>/trajectories_csv/trajectories.csv",
    "idtracker.ai, wide: a row for each frame. The animals' names are `identities_labels` of attributes.json, in this order. "
    "id_probabilities.csv has the confidence of each. trajectories.h5 beside them holds all of it.",
    (
        Column("time", NUMBER, "s", "time since the movie began"),
        Column("x1, x2, ...", NUMBER, "px", "x of the first, second, ... animal; nan for none"),
        Column("y1, y2, ...", NUMBER, "px", "y of them"),
    ),
)
MOVEMENT = Description(
    "movement/<movie>.nc",
    "movement (netCDF): `xarray.open_dataset(path)` gives a dataset of poses with one keypoint, `centre`. Dimensions: time, space, "
    "keypoint, individual; with `export.movement_names: plural`, for movement before 0.17, keypoints and individuals.",
    (
        Column("position", NUMBER, "px", "x and y by time (s in the recording) and individual"),
        Column("confidence", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
SLEAP = Description(
    "sleap/<movie>.analysis.h5",
    "SLEAP analysis file (HDF5) with one node, `centre`.",
    (
        Column("tracks", NUMBER, "px", "(individuals, 2, 1, frames): x and y, NaN for none"),
        Column("track_names", TEXT, "", "names of the individuals"),
        Column("track_occupancy", YES, "", "(frames, individuals): whether there is a position"),
        Column("point_scores", NUMBER, "0..1", "(individuals, 1, frames): confidence"),
        Column("instance_scores", NUMBER, "0..1", "(individuals, frames): the same"),
    ),
)
JAABA = Description(
    "jaaba/<movie>/trx.mat",
    "JAABA (MATLAB 5): a struct `trx` for each animal that has a position, from its first frame to its last. Frames and px count from 1; "
    "what is in mm is in px if the experiment has no scale.",
    (
        Column("x, y", NUMBER, "px", "position, from 1; NaN for none"),
        Column("theta", NUMBER, "rad", HEADING.meaning),
        Column("a, b", NUMBER, "px", "a quarter of the animal's length and width; the median where it is not seen alone"),
        Column("x_mm, y_mm, theta_mm, a_mm, b_mm", NUMBER, "mm, rad", "the same in mm"),
        Column("firstframe, endframe, nframes, off", WHOLE, "", "first and last frame from 1, their number, 1 - firstframe"),
        Column("id, name, moviename, sex", TEXT, "", "number and name of the animal, name of the movie, ?"),
        Column("fps, pxpermm", NUMBER, "1/s, px/mm", "frames per second; px in a mm, 1 if it is not known"),
        Column("dt, timestamps", NUMBER, "s", "steps in time, and time since the recording began"),
    ),
)
NWB = Description(
    "nwb/<movie>.nwb",
    "Neurodata Without Borders: in the processing module `behavior` a PoseEstimation (ndx-pose) for each individual, with the series "
    "`centre`.",
    (
        Column("data", NUMBER, "px", "(frames, 2): x and y, NaN for none"),
        Column("timestamps", NUMBER, "s", "time since the recording began"),
        Column("confidence", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
DICTIONARY = Description(
    "data_dictionary.csv",
    "This explanation of the tables that the experiment has.",
    (
        Column("file", TEXT, "", "name of the file in the experiment's folder"),
        Column("column", TEXT, "", "name of the column"),
        Column("type", TEXT, "", "what it holds"),
        Column("unit", TEXT, "", "unit; empty for none"),
        Column("meaning", TEXT, "", "what it says"),
    ),
)

STUDY = Description(
    "summary.csv",
    "Several experiments: `herdbook summary a.yaml b.yaml`. A row for each recording; shares and figures are those of all its animals.",
    (
        Column("experiment", TEXT, "", "name of the experiment"),
        Column("recording", TEXT, "", "name of the recording"),
        Column("marking", TEXT, "", "how animals are told apart"),
        Column("movies", WHOLE, "", "number of movies"),
        Column("frames", WHOLE, "", "number of frames"),
        Column("hours", NUMBER, "h", "length"),
        Column("animals", NUMBER, "", "number of animals; empty if it is not known"),
        Column("positions", WHOLE, "", "number of positions"),
        Column("assigned", NUMBER, "0..1", "share of the animals' frames that have a position"),
        Column("expected_error", NUMBER, "0..1", "share of the positions that are expected to be wrong by their confidence"),
        *(Column(name, NUMBER, "0..1", f"share of the positions with the source {name}") for name in SOURCES),
        Column("body_length", NUMBER, "px", "median length of animals that are alone in their blob"),
        Column("speed", NUMBER, "px/s", "median speed"),
        Column("speed_mm", NUMBER, "mm/s", "the same in mm; empty without scale"),
        Column("distance", NUMBER, "px", "way that an animal went, on average, where it has positions"),
        Column("nearest", NUMBER, "px", "median distance to the nearest other animal"),
        Column("contacts_per_hour", NUMBER, "1/h", "contacts of an animal with another one; empty without names"),
        Column("contact_time", NUMBER, "0..1", "share of the time that a pair of animals is in contact; empty without names"),
        Column("correct", NUMBER, "0..1", "share of the true positions that are right, over all recordings; empty without truth"),
    ),
)

ALWAYS = (TRAJECTORIES, EVENTS, TRACKLETS)
BY_FORMAT: dict[str, tuple[Description, ...]] = {
    "hdf5": (TRAJECTORIES_HDF5,),
    "parquet": (PARQUET,),
    "motion": (MOTION_CSV,),
    "movement": (MOVEMENT,),
    "deeplabcut": (DEEPLABCUT,),
    "sleap": (SLEAP,),
    "idtracker": (IDTRACKER,),
    "jaaba": (JAABA,),
    "mot": (MOT, MOT_NAMES),
    "nwb": (NWB,),
}
EVERYTHING = (*ALWAYS, DOUBTFUL, BODY_POINTS, *(one for several in BY_FORMAT.values() for one in several), DICTIONARY, STUDY)


def names_of(description: Description) -> list[str]:
    """The names of the columns of a file."""
    return [column.name for column in description.columns]


def describe_tables(formats: Collection[str], *, reviewed: bool, points: bool) -> list[Description]:
    """The tables of an experiment with these formats; `reviewed`: it has doubtful.csv, `points`: it has body_points.csv."""
    some = [DOUBTFUL] * reviewed + [BODY_POINTS] * points
    return [*ALWAYS, *some, *(one for name, several in BY_FORMAT.items() if name in formats for one in several), DICTIONARY]


def dictionary_table(descriptions: Sequence[Description]) -> pd.DataFrame:
    """A row for each column of each file."""
    rows = [(one.file, *column) for one in descriptions for column in one.columns]
    return pd.DataFrame(rows, columns=names_of(DICTIONARY))
