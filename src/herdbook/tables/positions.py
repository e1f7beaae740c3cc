"""The public tables of positions and body points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from herdbook.arrays import Floats
from herdbook.artifacts.index import Index
from herdbook.artifacts.smooth import POINT_SOURCES, SOURCES, BodyPoints, Trajectories

# How sure the heading is follows in an experiment whose body points Herdbook finds itself.
HEADING_CONFIDENCE = "heading_confidence"
# The arena follows as a last column if the experiment has arenas.
ARENA = "arena"
COLUMNS = ("movie", "frame", "time", "individual", "x", "y", "heading", "confidence", "source")
DECIMALS = {"time": 4, "x": 3, "y": 3, "heading": 3, "confidence": 3, HEADING_CONFIDENCE: 3}
POINT_DECIMALS = {"time": 4, "x": 3, "y": 3, "x_raw": 3, "y_raw": 3, "likelihood": 3, "disagreement": 3}


def recording_starts(recordings: Mapping[str, Sequence[str]], indices: Mapping[str, Index]) -> dict[str, float]:
    """Time (s) at which each movie begins in its recording: the durations of those before it."""
    starts = {}
    for movies in recordings.values():
        time = 0.0
        for movie in movies:
            starts[movie] = time
            time += indices[movie].duration_s
    return starts


def tidy_table(
    movie: str,
    trajectories: Trajectories,
    time_s: np.ndarray,
    arenas: Mapping[str, str] | None = None,
    heading_confidence: Floats | None = None,
) -> pd.DataFrame:
    """The public table of one movie, columns COLUMNS, HEADING_CONFIDENCE if it is given, and ARENA with `arenas`, the name of the arena of
    each individual.

    `time_s` (frames,) is the time over the recording.
    """
    measured = {name: getattr(trajectories, name) for name in ("x", "y", "heading", "confidence")}
    columns = _who_and_when(movie, trajectories, time_s) | measured | {"source": np.array(SOURCES, object)[trajectories.source]}
    more = []
    if heading_confidence is not None:
        columns[HEADING_CONFIDENCE] = heading_confidence
        more.append(HEADING_CONFIDENCE)
    if arenas is not None:
        more.append(ARENA)
        columns[ARENA] = np.array([arenas.get(name, "") for name in trajectories.individuals], object)[trajectories.individual]
    return pd.DataFrame(columns, columns=[*COLUMNS, *more])


def body_point_table(movie: str, points: BodyPoints, time_s: np.ndarray) -> pd.DataFrame:
    """Body points of one movie: what `tidy_table` has, and the point, its place before smoothing, likelihood, disagreement and jump."""
    point = np.array(points.points, object)[points.point]
    measured = {name: getattr(points, name) for name in ("x", "y", "x_raw", "y_raw", "likelihood", "disagreement")}
    last = {"jump": points.jump.astype(np.uint8), "source": np.array(POINT_SOURCES, object)[points.source]}
    if points.expected_error is not None:
        last["expected_error"] = points.expected_error
    return pd.DataFrame(_who_and_when(movie, points, time_s) | {"point": point} | measured | last)


def _who_and_when(movie: str, rows: Trajectories | BodyPoints, time_s: np.ndarray) -> dict[str, Any]:
    names = np.array(rows.individuals, object)
    return {"movie": movie, "frame": rows.frame, "time": time_s[rows.frame], "individual": names[rows.individual]}


def recording_clocks(
    recordings: Mapping[str, Sequence[str]], starts: Mapping[str, str], durations_s: Mapping[str, float]
) -> dict[str, str]:
    """Date and time (ISO) at which each recording began, by the first of its movies whose start is known; "" for none."""
    clocks = {}
    for recording, movies in recordings.items():
        before, clocks[recording] = 0.0, ""
        for movie in movies:
            if movie in starts:
                clocks[recording] = (pd.Timestamp(starts[movie]) - pd.Timedelta(seconds=before)).isoformat()
                break
            before += durations_s[movie]
    return clocks
