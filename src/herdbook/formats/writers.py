"""Which function writes which file of other tools."""

from collections.abc import Callable
from pathlib import Path

from herdbook.formats.deeplabcut import write_deeplabcut
from herdbook.formats.idtracker import write_idtracker_attributes, write_idtracker_csv, write_idtracker_hdf5
from herdbook.formats.jaaba import write_jaaba
from herdbook.formats.mot import write_mot, write_mot_names
from herdbook.formats.movement import write_movement
from herdbook.formats.nwb import write_nwb
from herdbook.formats.sleap import write_sleap
from herdbook.tables.tracks import Tracks

# What writes each template of format_files.MOVIE_FILES.
WRITERS: dict[str, Callable[[Path, Tracks], None]] = {
    "movement/{movie}.nc": write_movement,
    "deeplabcut/{movie}.h5": write_deeplabcut,
    "deeplabcut/{movie}.csv": write_deeplabcut,
    "sleap/{movie}.analysis.h5": write_sleap,
    "idtracker/{movie}/trajectories.h5": write_idtracker_hdf5,
    "idtracker/{movie}/trajectories_csv/trajectories.csv": write_idtracker_csv,
    "idtracker/{movie}/trajectories_csv/id_probabilities.csv": write_idtracker_csv,
    "idtracker/{movie}/trajectories_csv/attributes.json": write_idtracker_attributes,
    "jaaba/{movie}/trx.mat": write_jaaba,
    "mot/{movie}.csv": write_mot,
    "mot/{movie}.names.csv": write_mot_names,
    "nwb/{movie}.nwb": write_nwb,
}
