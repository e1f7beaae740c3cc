"""NWB files of a movie's positions, with the packages pynwb and ndx-pose, which Herdbook does not need otherwise."""

import re
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from herdbook.errors import HerdbookError
from herdbook.system.files import replacing
from herdbook.system.hdf5 import new_hdf5
from herdbook.tables.tracks import Tracks
from herdbook.version import VERSION

NEEDED = ("pynwb", "ndx_pose")
MODULE = "behavior"


def check_nwb() -> None:
    """Raise HerdbookError unless the packages for NWB are installed."""
    missing = [name.replace("_", "-") for name in NEEDED if find_spec(name) is None]
    if missing:
        raise HerdbookError(
            f"export.formats: nwb needs the package{'s' * (len(missing) > 1)} {' and '.join(missing)}: pip install 'herdbook[nwb]'"
        )


def nwb_names(individuals: tuple[str, ...]) -> list[str]:
    """Names of the individuals without the / and : that NWB forbids, still different from each other."""
    found: list[str] = []
    for name in individuals:
        plain = re.sub(r"[/:]", "_", name)
        found.append(plain if plain not in found else f"{plain} ({len(found)})")
    return found


def write_nwb(path: Path, tracks: Tracks) -> None:
    """NWB file with a PoseEstimation of one point for each individual, in the processing module "behavior"."""
    check_nwb()
    from ndx_pose import PoseEstimation, PoseEstimationSeries
    from pynwb import NWBHDF5IO, NWBFile

    # The format needs a date; that of an unknown one is the beginning of the epoch.
    began = datetime.fromisoformat(tracks.start) if tracks.start else datetime.fromtimestamp(0, UTC)
    file = NWBFile(
        session_description=f"Positions of {len(tracks.individuals)} animals in the movie {tracks.movie}"
        + ("" if tracks.start else "; the date is not known"),
        identifier=tracks.movie,
        session_start_time=began if began.tzinfo else began.replace(tzinfo=UTC),
    )
    module = file.create_processing_module(MODULE, "positions of the animals' centres")
    xy, confidence = tracks.xy, tracks.dense(tracks.confidence)
    for number, (name, plain) in enumerate(zip(tracks.individuals, nwb_names(tracks.individuals), strict=True)):
        series = PoseEstimationSeries(
            name="centre",
            description="centre of the body",
            data=np.ascontiguousarray(xy[:, number]),
            unit="pixels",
            reference_frame="(0, 0) is the centre of the top left pixel",
            timestamps=tracks.time_s,
            confidence=np.ascontiguousarray(confidence[:, number]),
            confidence_definition="probability that the position is this animal's",
        )
        module.add(
            PoseEstimation(
                name=plain,
                pose_estimation_series=[series],
                description=f"positions of {name}",
                original_videos=[tracks.movie],
                dimensions=np.array([tracks.size], np.uint16),
                scorer="Herdbook",
                source_software="Herdbook",
                source_software_version=VERSION,
            )
        )
    with replacing(path) as temporary, new_hdf5(temporary) as new, NWBHDF5IO(file=new.file, mode="w") as io:
        io.write(file)
