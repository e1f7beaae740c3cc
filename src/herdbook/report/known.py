"""How well individuals are known over time: counts by individual and bin of time. Frames and times (s) count through a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.report.summaries import ROWS_AT_ONCE, UNKNOWN, UNTRACKED, Recording
from herdbook.system.cells import from_cells
from herdbook.tables.event_tables import split_names
from herdbook.tables.events import MERGE

HOUR_S, DAY_S = 3600.0, 86400.0
ROUND_S = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, HOUR_S, 7200.0, 10800.0, 21600.0, 43200.0, DAY_S)
# A rest that is shorter than this share of a bin belongs to the last one.
SLIVER = 0.05


def round_edges_s(duration_s: float, most: int, longest_s: float = np.inf) -> Floats:
    """Edges (bins + 1,) of bins of a round length from 0 to `duration_s`; at most `most`, unless they would be longer than `longest_s`."""
    least = duration_s / most
    length = min(longest_s, next((one for one in ROUND_S if one >= least), DAY_S * -(-least // DAY_S)))
    edges = length * np.arange(1 + max(1, int(np.ceil(duration_s / length - SLIVER))), dtype=np.float64)
    edges[-1] = duration_s
    return edges


@dataclass(frozen=True)
class Quality:
    """Counts by individual and bin of time, whose edges are `edges_s` float64 (bins + 1,).

    `tracked` int64 (bins,) frames in which animals are tracked. int64 (n, bins): `positions`; `merged`, those of them in merged blobs;
    `unknown`, frames in which an individual has no position, but may be one of those that are seen and not known by name. `doubt` float64
    (n, bins) positions that are expected to be wrong by their confidence.
    """

    edges_s: Floats
    tracked: Ints
    positions: Ints
    merged: Ints
    unknown: Ints
    doubt: Floats

    @property
    def hidden(self) -> Ints:
        """Frames (n, bins) without a position in which every animal in sight is known by name."""
        hidden: Ints = np.maximum(self.tracked - self.positions - self.unknown, 0)
        return hidden

    @property
    def lost(self) -> Floats:
        """Frames (n, bins) in which an individual is unknown or expected to be another."""
        return self.unknown + self.doubt


def measure_quality(recording: Recording, edges_s: Floats) -> Quality:
    """Count in bins of time."""
    tracks, bins = recording.tracks, len(edges_s) - 1
    number = len(tracks.names)
    bin_of = np.clip(np.searchsorted(edges_s, recording.time_s[:-1], side="right") - 1, 0, bins - 1)
    unnamed = recording.lacking == UNKNOWN
    doubt = np.zeros(number * bins)
    positions, merged, named = (np.zeros(number * bins, np.int64) for _ in range(3))
    for start in range(0, len(tracks.frame), ROWS_AT_ONCE):
        rows = np.s_[start : start + ROWS_AT_ONCE]
        frame, source = tracks.frame[rows], tracks.source[rows]
        place = tracks.individual[rows] * bins + bin_of[frame]
        doubt += np.bincount(place, 1.0 - tracks.confidence[rows].astype(np.float64), minlength=len(doubt))
        for total, chosen in (
            (positions, slice(None)),
            (merged, np.isin(source, (FROM_RESOLVED, FROM_MERGED))),
            (named, unnamed[frame]),
        ):
            total += np.bincount(place[chosen], minlength=len(total))
    shape = (number, bins)
    return Quality(
        edges_s=edges_s,
        tracked=np.bincount(bin_of[recording.lacking != UNTRACKED], minlength=bins),
        positions=positions.reshape(shape),
        merged=merged.reshape(shape),
        unknown=np.bincount(bin_of[unnamed], minlength=bins) - named.reshape(shape),
        doubt=doubt.reshape(shape),
    )


def read_merges(path: Path) -> pd.DataFrame:
    """The merges of a table of events: columns recording, time (s), individuals (as in the table)."""
    text = dict.fromkeys(("recording", "kind", "individuals"), str)
    events = pd.read_csv(path, usecols=[*text, "time"], dtype=text | {"time": float}, keep_default_na=False)
    merges = events[events["kind"] == MERGE].drop(columns="kind")
    return merges.assign(**{name: from_cells(merges[name]) for name in ("recording", "individuals")})


def merges_in_bins(merges: pd.DataFrame, edges_s: Floats) -> Ints:
    """Merges (bins,) of one recording that begin in each bin of time."""
    bins = len(edges_s) - 1
    return np.bincount(np.clip(np.searchsorted(edges_s, merges["time"], side="right") - 1, 0, bins - 1), minlength=bins)


def merges_of(merges: pd.DataFrame, names: Sequence[str]) -> Ints:
    """Merges (n,) in which each individual of `names` takes part."""
    row_of = {name: row for row, name in enumerate(names)}
    number = np.zeros(len(names), np.int64)
    for cell, times in merges["individuals"].value_counts().items():
        for name in split_names(str(cell)):
            number[row_of[name]] += times
    return number


def ratio(value: float, number: float) -> float:
    """A value divided by a number, NaN if that is 0."""
    return value / number if number else float("nan")
