"""Tables of frames for commands that read movies before stage index has run, with the settings of that stage."""

import json
from pathlib import Path

from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.times import read_times
from herdbook.movie.scanning import MovieScan, scan_movie


def scan_of(experiment: Experiment, movie: str) -> MovieScan:
    """The table of a movie's frames, as stage index makes it; errors are those of `scan_movie` and `read_times`."""
    given = experiment.movie(movie)
    times_s = read_times(Path(given.times)) if given.times else None
    return scan_movie(Path(given.file), times_s=times_s, **json.loads(experiment.settings("index", movie)))
