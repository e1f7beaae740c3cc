"""Which files belong to each of `export.formats`; paths are relative to the experiment's folder."""

from collections.abc import Sequence

POINT = "centre"
SOFTWARE = "Herdbook"

# Tables of all movies that are always written beside trajectories.csv, and those of a format.
TABLES = ("events.csv", "tracklets.csv", "data_dictionary.csv")
# What a person noted, if the experiment names such a table.
NOTED_TABLE = "noted_events.csv"
FORMAT_TABLES = {"hdf5": "trajectories.h5", "parquet": "trajectories.parquet", "motion": "motion.csv"}
# Files of each movie, for the tool of the format's name.
MOVIE_FILES: dict[str, tuple[str, ...]] = {
    "movement": ("movement/{movie}.nc",),
    "deeplabcut": ("deeplabcut/{movie}.h5", "deeplabcut/{movie}.csv"),
    "sleap": ("sleap/{movie}.analysis.h5",),
    "idtracker": (
        "idtracker/{movie}/trajectories.h5",
        "idtracker/{movie}/trajectories_csv/trajectories.csv",
        "idtracker/{movie}/trajectories_csv/id_probabilities.csv",
        "idtracker/{movie}/trajectories_csv/attributes.json",
    ),
    "jaaba": ("jaaba/{movie}/trx.mat",),
    "mot": ("mot/{movie}.csv", "mot/{movie}.names.csv"),
    "nwb": ("nwb/{movie}.nwb",),
}


def table_files(formats: Sequence[str]) -> list[str]:
    """The tables of all movies that these formats ask for, those with columns of their own (hdf5) first."""
    return [file for name, file in FORMAT_TABLES.items() if name in formats]


def movie_files(formats: Sequence[str], movies: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The files of single movies that these formats ask for: template in MOVIE_FILES and movie, by path."""
    templates = [template for name, files in MOVIE_FILES.items() if name in formats for template in files]
    return {template.format(movie=movie): (template, movie) for movie in movies for template in templates}
