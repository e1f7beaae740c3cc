"""Tracks of synthetic animals, for the tests of tables and formats."""

import numpy as np

from herdbook.motion import measure_speeds
from herdbook.movie_tracks import Tracks

ODD_NAMES = ("Ä1", "b, c", 'd "e"', "f;g", "0", "ünïcödé 猫", "x/y", "a:b")


def make_tracks(rng, frames=40, individuals=ODD_NAMES, *, known=0.8, **changes):
    """Each individual has a position in a share `known` of the frames, at random; the second one in none."""
    present = rng.random((frames, len(individuals))) < known
    present[:, 1:2] = False
    frame, individual = (column.astype(np.int32) for column in np.nonzero(present))
    n = len(frame)
    x, y = rng.uniform(-0.5, 700, (2, n))
    time_s = 12.5 + np.cumsum(rng.uniform(0.03, 0.07, frames))
    alone = rng.random(n) < 0.7
    length = np.where(alone, rng.uniform(20, 40, n), np.nan)
    values = {
        "movie": "m",
        "individuals": tuple(individuals),
        "time_s": time_s,
        "frame": frame,
        "individual": individual,
        "x": x,
        "y": y,
        "heading": rng.uniform(-np.pi, np.pi, n),
        "confidence": rng.random(n),
        "source": rng.integers(0, 5, n).astype(np.uint8),
        "speed": measure_speeds(x, y, frame, individual, time_s),
        "length": length,
        "width": length / 3,
        "arena": rng.integers(-1, 2, n).astype(np.int16),
        "fps": 20.0,
        "size": (720, 704),
    }
    return Tracks(**values | changes)
