"""Every column of every table that an experiment gets, explained: what data_dictionary.csv and docs/tables.md say."""

from collections.abc import Collection, Sequence

import pandas as pd

from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.artifacts.smooth import SOURCES
from herdbook.tables.described import (
    CONFIDENCE,
    FLOW,
    FRAME,
    HEADING,
    HEADING_TRUST,
    HOME,
    MOTION,
    MOVIE,
    NUMBER,
    PUBLIC,
    RAW,
    TEXT,
    TIME,
    WHO,
    WHOLE,
    YES,
    DescribedColumn,
    Description,
    X,
    Y,
)
from herdbook.tables.described_points import BODY_POINTS, EXPECTED_ERROR, POINT_MISTAKES, POINT_MOMENTS
from herdbook.tables.events import KINDS_OF_EVENTS

TRAJECTORIES = Description(
    "trajectories.csv",
    "All positions, a row for each animal and frame that has one. If the experiment has arenas, a last column `arena` holds the name of "
    "that in which the animal lives.",
    PUBLIC,
)
TRAJECTORIES_HDF5 = Description(
    "trajectories.h5",
    "The same rows, as columns of an HDF5 file. `movie`, `individual` and `source` are numbers into the attributes `movies`, `individuals` "
    "and `sources`; if the experiment has arenas, a column `arena` holds numbers into the attribute `arenas`, -1 where it is not known.",
    (
        *(
            DescribedColumn(c.name, WHOLE, "", f"number into the attribute {c.name}s") if c.name in ("movie", "individual", "source") else c
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
        DescribedColumn("recording", TEXT, "", "name of the recording"),
        DescribedColumn(
            "kind",
            TEXT,
            "",
            f"{', '.join(KINDS_OF_EVENTS)}. merge: a blob of several animals, from its beginning to its end (or that of the movie), "
            "whoever is in it; contact: two animals are in one blob, whoever else is in it, or part for at most export.contact_gap_s "
            "in between; exit: an animal is lost at the edge of the frame or arena; entrance: it is seen again, or for the "
            "first time, at the edge; hidden: it has no position, and neither left nor came at the edge: it is hidden, or seen but not "
            "known by name",
        ),
        DescribedColumn("movie", TEXT, "", "movie in which it begins"),
        DescribedColumn("frame", WHOLE, "", "first frame; of exit and hidden the first without a position, of entrance the first with one"),
        DescribedColumn("end_movie", TEXT, "", "movie in which it ends"),
        DescribedColumn("end_frame", WHOLE, "", "last frame"),
        DescribedColumn("time", NUMBER, "s", "when it begins, since the recording began"),
        DescribedColumn("duration", NUMBER, "s", "how long it lasts, from the first frame to the end of the last"),
        DescribedColumn(
            "individuals", TEXT, "", "who takes part: names with ; between them, in quotes where a name holds one; those known by name"
        ),
        DescribedColumn("animals", WHOLE, "", "how many take part, also those not known by name"),
        DescribedColumn(
            "x", NUMBER, "px", "centre of the blob when it begins; of exit and hidden where the animal was last seen; empty if never"
        ),
        DescribedColumn("y", NUMBER, "px", "the same, from the top"),
        DescribedColumn("arena", TEXT, "", "arena; empty if the experiment has none"),
    ),
)
NOTED = Description(
    "noted_events.csv", "What a person noted while watching, by movie and time. Written if the experiment file has `animals.events`.",
    tuple(DescribedColumn(*column) for column in (
        ("movie", TEXT, "", "name of the movie"),
        ("event", TEXT, "", "what happens, in the person's words"), ("first", WHOLE, "", "first frame"),
        ("last", WHOLE, "", "last frame; the first one for what lasts but a moment"),
        ("time", NUMBER, "s", "when it begins, since the recording began"),
        ("duration", NUMBER, "s", "how long it lasts, from the first frame to the end of the last"),
        ("individuals", TEXT, "", "who takes part, with ; between them, in quotes where a name holds one; may be empty"),
        ("note", TEXT, "", "what else the person wrote"),
    )),
)  # fmt: skip
TRACKLETS = Description(
    "tracklets.csv",
    "Runs of one blob without merge or split, a row for each of them and each animal in it that is known by name.",
    (
        MOVIE,
        DescribedColumn("tracklet", WHOLE, "", "number of the tracklet in its movie, from 0"),
        DescribedColumn("first", WHOLE, "", "its first frame"),
        DescribedColumn("last", WHOLE, "", "its last frame"),
        DescribedColumn("animals", WHOLE, "", "how many animals it holds; 0 is dirt"),
        DescribedColumn("individual", TEXT, "", "one of those in it; empty if nobody is known"),
        DescribedColumn("how", TEXT, "", f"how it is known: {', '.join(HOW_KNOWN)}; see docs/identity.md"),
        DescribedColumn("confidence", NUMBER, "0..1", "probability that this animal is in it"),
        DescribedColumn("arena", TEXT, "", "arena; empty if the experiment has none"),
    ),
)
DOUBTFUL = Description(
    "doubtful.csv",
    "Where an answer of a person is worth most, best first; rows can be copied to the table of facts. See docs/identity.md.",
    (
        DescribedColumn("movie", TEXT, "", "movie of the place to look at"),
        DescribedColumn("frame", WHOLE, "", "its frame"),
        DescribedColumn("x", NUMBER, "px", "its place"),
        DescribedColumn("y", NUMBER, "px", "its place"),
        DescribedColumn("fact", TEXT, "", "is: the fact that the row states"),
        DescribedColumn("name", TEXT, "", "who is there, or the most probable one if nobody is assigned"),
        DescribedColumn("last", TEXT, "", "empty"),
        DescribedColumn("assigned", TEXT, "", "who is there in the results; empty for nobody"),
        DescribedColumn("probability", NUMBER, "0..1", "that of name at this place"),
        DescribedColumn("others", TEXT, "", "up to three others who it can be, with their probabilities"),
        DescribedColumn("from_movie", TEXT, "", "movie in which the span begins"),
        DescribedColumn("from_frame", WHOLE, "", "its first frame"),
        DescribedColumn("to_movie", TEXT, "", "movie in which the span ends"),
        DescribedColumn("to_frame", WHOLE, "", "its last frame"),
        DescribedColumn("frames", WHOLE, "", "frames of the span's tracklets"),
        DescribedColumn("gain", NUMBER, "frames", "frames that an answer is expected to correct or to name"),
    ),
)
MOT = Description(
    "mot/<movie>.csv",
    "MOTChallenge, a row for each position, without a header line. Frames, ids and px count from 1.",
    (
        DescribedColumn("frame", WHOLE, "", "frame, from 1"),
        DescribedColumn("id", WHOLE, "", "number of the animal, as in mot/<movie>.names.csv"),
        DescribedColumn("left", NUMBER, "px", "left edge of a square of a median body length around the animal"),
        DescribedColumn("top", NUMBER, "px", "its upper edge"),
        DescribedColumn("width", NUMBER, "px", "its width"),
        DescribedColumn("height", NUMBER, "px", "its height"),
        CONFIDENCE,
        *(DescribedColumn(axis, WHOLE, "", "-1: no place in the world is known") for axis in "xyz"),
    ),
)
MOT_NAMES = Description(
    "mot/<movie>.names.csv",
    "Who has which id.",
    (DescribedColumn("id", WHOLE, "", "number, from 1"), DescribedColumn("individual", TEXT, "", "name of the animal")),
)
DEEPLABCUT = Description(
    "deeplabcut/<movie>.csv",
    "DeepLabCut, several animals: a row for each frame and three columns for each animal, headed by scorer (Herdbook), individuals, "
    "bodyparts (centre), coords. The .h5 beside it is the same table, under the key df_with_missing.",
    (
        DescribedColumn("x", NUMBER, "px", X.meaning),
        DescribedColumn("y", NUMBER, "px", Y.meaning),
        DescribedColumn("likelihood", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
IDTRACKER = Description(
    "idtracker/<movie>/trajectories_csv/trajectories.csv",
    "idtracker.ai, wide: a row for each frame. The animals' names are `identities_labels` of attributes.json, in this order. "
    "id_probabilities.csv has the confidence of each. trajectories.h5 beside them holds all of it.",
    (
        DescribedColumn("time", NUMBER, "s", "time since the movie began"),
        DescribedColumn("x1, x2, ...", NUMBER, "px", "x of the first, second, ... animal; nan for none"),
        DescribedColumn("y1, y2, ...", NUMBER, "px", "y of them"),
    ),
)
MOVEMENT = Description(
    "movement/<movie>.nc",
    "movement (netCDF): `xarray.open_dataset(path)` gives a dataset of poses with one keypoint, `centre`. Dimensions: time, space, "
    "keypoint, individual; with `export.movement_names: plural`, for movement before 0.17, keypoints and individuals.",
    (
        DescribedColumn("position", NUMBER, "px", "x and y by time (s in the recording) and individual"),
        DescribedColumn("confidence", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
SLEAP = Description(
    "sleap/<movie>.analysis.h5",
    "SLEAP analysis file (HDF5) with one node, `centre`.",
    (
        DescribedColumn("tracks", NUMBER, "px", "(individuals, 2, 1, frames): x and y, NaN for none"),
        DescribedColumn("track_names", TEXT, "", "names of the individuals"),
        DescribedColumn("track_occupancy", YES, "", "(frames, individuals): whether there is a position"),
        DescribedColumn("point_scores", NUMBER, "0..1", "(individuals, 1, frames): confidence"),
        DescribedColumn("instance_scores", NUMBER, "0..1", "(individuals, frames): the same"),
    ),
)
JAABA = Description(
    "jaaba/<movie>/trx.mat",
    "JAABA (MATLAB 5): a struct `trx` for each animal that has a position, from its first frame to its last. Frames and px count from 1; "
    "what is in mm is in px if the experiment has no scale.",
    (
        DescribedColumn("x, y", NUMBER, "px", "position, from 1; NaN for none"),
        DescribedColumn("theta", NUMBER, "rad", HEADING.meaning),
        DescribedColumn("a, b", NUMBER, "px", "a quarter of the animal's length and width; the median where it is not seen alone"),
        DescribedColumn("x_mm, y_mm, theta_mm, a_mm, b_mm", NUMBER, "mm, rad", "the same in mm"),
        DescribedColumn("firstframe, endframe, nframes, off", WHOLE, "", "first and last frame from 1, their number, 1 - firstframe"),
        DescribedColumn("id, name, moviename, sex", TEXT, "", "number and name of the animal, name of the movie, ?"),
        DescribedColumn("fps, pxpermm", NUMBER, "1/s, px/mm", "frames per second; px in a mm, 1 if it is not known"),
        DescribedColumn("dt, timestamps", NUMBER, "s", "steps in time, and time since the recording began"),
    ),
)
NWB = Description(
    "nwb/<movie>.nwb",
    "Neurodata Without Borders: in the processing module `behavior` a PoseEstimation (ndx-pose) for each individual, with the series "
    "`centre`.",
    (
        DescribedColumn("data", NUMBER, "px", "(frames, 2): x and y, NaN for none"),
        DescribedColumn("timestamps", NUMBER, "s", "time since the recording began"),
        DescribedColumn("confidence", NUMBER, "0..1", CONFIDENCE.meaning),
    ),
)
DICTIONARY = Description(
    "data_dictionary.csv",
    "This explanation of the tables that the experiment has.",
    (
        DescribedColumn("file", TEXT, "", "name of the file in the experiment's folder"),
        DescribedColumn("column", TEXT, "", "name of the column"),
        DescribedColumn("type", TEXT, "", "what it holds"),
        DescribedColumn("unit", TEXT, "", "unit; empty for none"),
        DescribedColumn("meaning", TEXT, "", "what it says"),
    ),
)

STUDY = Description(
    "summary.csv",
    "Several experiments: `herdbook summary a.yaml b.yaml`. A row for each recording; shares and figures are those of all its animals.",
    (
        DescribedColumn("experiment", TEXT, "", "name of the experiment"),
        DescribedColumn("recording", TEXT, "", "name of the recording"),
        DescribedColumn("marking", TEXT, "", "how animals are told apart"),
        DescribedColumn("movies", WHOLE, "", "number of movies"),
        DescribedColumn("frames", WHOLE, "", "number of frames"),
        DescribedColumn("hours", NUMBER, "h", "length"),
        DescribedColumn("animals", NUMBER, "", "number of animals; empty if it is not known"),
        DescribedColumn("positions", WHOLE, "", "number of positions"),
        DescribedColumn(
            "assigned",
            NUMBER,
            "0..1",
            "share of the animals' tracked frames that have a position, by their number in each arena",
        ),
        DescribedColumn(
            "expected_error",
            NUMBER,
            "0..1",
            "share of the positions that are expected to be wrong; empty where it cannot be told",
        ),
        *(DescribedColumn(name, NUMBER, "0..1", f"share of the positions with the source {name}") for name in SOURCES),
        DescribedColumn("body_length", NUMBER, "px", "median length of animals that are alone in their blob"),
        DescribedColumn("speed", NUMBER, "px/s", "median speed"),
        DescribedColumn("speed_mm", NUMBER, "mm/s", "the same in mm; empty without scale"),
        DescribedColumn("distance", NUMBER, "px", "way that an animal went, on average, where it has positions"),
        DescribedColumn("nearest", NUMBER, "px", "median distance to the nearest other animal"),
        DescribedColumn("contacts_per_hour", NUMBER, "1/h", "contacts of an animal with another one; empty without names"),
        DescribedColumn("contact_time", NUMBER, "0..1", "share of the time that a pair of animals is in contact; empty without names"),
        DescribedColumn("correct", NUMBER, "0..1", "share of the true positions that are right, over all recordings; empty without truth"),
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
_OF_POINTS = (BODY_POINTS, POINT_MISTAKES, POINT_MOMENTS)
EVERYTHING = (*ALWAYS, NOTED, DOUBTFUL, *_OF_POINTS, *(one for several in BY_FORMAT.values() for one in several), DICTIONARY, STUDY)


def names_of(description: Description) -> list[str]:
    """The names of the columns of a file."""
    return [column.name for column in description.columns]


def describe_tables(
    formats: Collection[str],
    *,
    reviewed: bool,
    points: bool,
    arenas: bool = False,
    noted: bool = False,
    repaired: bool = False,
    own_points: bool = False,
) -> list[Description]:
    """The tables of an experiment with these formats; `noted`: it has noted_events.csv, `reviewed`: doubtful.csv, `points`:
    body_points.csv, `arenas`: arenas, `repaired`: the tables of what was wrong with body points, `own_points`: points
    that Herdbook finds, and so how sure headings are.
    """
    some = [NOTED] * noted + [DOUBTFUL] * reviewed + [BODY_POINTS] * points + [POINT_MISTAKES, POINT_MOMENTS] * repaired
    tables = [*ALWAYS, *some, *(one for name, several in BY_FORMAT.items() if name in formats for one in several), DICTIONARY]
    number = HOME._replace(type=WHOLE, meaning="number into the attribute arenas, -1 where it is not known; only if there are arenas")
    more = {
        BODY_POINTS.file: [EXPECTED_ERROR] * own_points,
        TRAJECTORIES.file: [HEADING_TRUST] * own_points + [HOME] * arenas,
        TRAJECTORIES_HDF5.file: [HEADING_TRUST] * own_points + [number] * arenas,
    }
    # Where the rows go on with motion, it stands before that.
    public = (*PUBLIC, HEADING_TRUST, *MOTION) if own_points else PARQUET.columns
    tables = [one._replace(columns=public) if one.file == PARQUET.file else one for one in tables]
    return [one._replace(columns=(*one.columns, *more.get(one.file, []))) for one in tables]


def dictionary_table(descriptions: Sequence[Description]) -> pd.DataFrame:
    """A row for each column of each file."""
    rows = [(one.file, *column) for one in descriptions for column in one.columns]
    return pd.DataFrame(rows, columns=names_of(DICTIONARY))
