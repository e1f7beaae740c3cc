"""Two tables of positions brought together frame by frame, and the pairs of positions that are near each other. Points are (x, y) in px."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from herdbook.arrays import Bools, Floats, Ints
from herdbook.errors import HerdbookError

_PAIRS_PER_CHUNK = 2_000_000  # about 100 MB of temporary arrays


@dataclass(frozen=True)
class ScoredPositions:
    """Positions sorted by frame, then by who; those of frame f are rows start[f] to start[f + 1]."""

    frame: Ints
    who: Ints
    xy: Floats
    start: Ints


@dataclass(frozen=True)
class Tables:
    """Both tables over the judged frames: movie and frame number of each frame, number of names on each side."""

    truth: ScoredPositions
    predicted: ScoredPositions
    movie: Ints
    number: Ints
    names: tuple[int, int]


@dataclass(frozen=True)
class Pairs:
    """Row numbers on both sides, of the same frame and at most a limit apart; sorted by truth row, then predicted."""

    truth: Ints
    predicted: Ints
    distance: Floats

    def within(self, limit_px: float) -> "Pairs":
        """The pairs at most this far apart."""
        keep = self.distance <= limit_px
        return Pairs(self.truth[keep], self.predicted[keep], self.distance[keep])


def same_movies(predicted: pd.DataFrame, truth: pd.DataFrame, movies: Sequence[str] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predicted and true positions of the same movies.

    `predicted`, `truth`: tables with movie, frame, individual, x, y; `movies` to keep (None: those of the truth). Returns both under the
    truth's movie names, the truth without unknown positions. Raises HerdbookError when a movie is unknown or none is common to both.
    """
    named_true, named_predicted = truth["movie"].unique(), predicted["movie"].unique()
    if len(named_true) == 1 and len(named_predicted) == 1:
        predicted = predicted.assign(movie=named_true[0])
    elif len(named_predicted) and not set(named_predicted) & set(named_true):
        raise HerdbookError(
            f"The tables share no movie: predicted {sorted(named_predicted)}, truth {sorted(named_true)}. Rename the movies in one of them."
        )
    wanted = list(named_true) if movies is None else list(movies)
    unknown = sorted(set(wanted) - set(named_true))
    if unknown:
        raise HerdbookError(f"The truth has no movie {', '.join(unknown)}; it has {', '.join(sorted(named_true))}.")
    truth = truth[truth["movie"].isin(wanted)].dropna(subset=["x", "y"])
    return predicted[predicted["movie"].isin(wanted)], truth


def align_tables(predicted: pd.DataFrame, truth: pd.DataFrame, named: bool) -> Tables:
    """Both tables over the frames of the truth, names as numbers in order of the alphabet.

    `predicted`, `truth` as from `same_movies`. With `named` the predicted names are those of the truth, with the same numbers, followed by
    any others.
    """
    stride = 1 + max(int(truth["frame"].max()), int(predicted["frame"].max()) if len(predicted) else 0)
    movies = pd.Index(sorted(truth["movie"].unique()))
    true_names = sorted(truth["individual"].unique())
    names = sorted(predicted["individual"].unique())
    if named:
        names = true_names + [name for name in names if name not in set(true_names)]

    def frame_keys(table: pd.DataFrame) -> Ints:
        codes = movies.get_indexer(pd.Index(table["movie"])).astype(np.int64)
        keys: Ints = codes * stride + table["frame"].to_numpy(np.int64)
        return keys

    frames = np.unique(frame_keys(truth))
    predicted = predicted.dropna(subset=["x", "y"])
    predicted = predicted[np.isin(frame_keys(predicted), frames)]

    def positions(table: pd.DataFrame, table_names: list[str]) -> ScoredPositions:
        frame = np.searchsorted(frames, frame_keys(table)).astype(np.int64)
        who = pd.Index(table_names).get_indexer(pd.Index(table["individual"])).astype(np.int64)
        order = np.lexsort((who, frame))
        start = np.searchsorted(frame[order], np.arange(len(frames) + 1)).astype(np.int64)
        return ScoredPositions(frame[order], who[order], table[["x", "y"]].to_numpy(np.float64)[order], start)

    return Tables(
        truth=positions(truth, true_names),
        predicted=positions(predicted, names),
        movie=frames // stride,
        number=frames % stride,
        names=(len(true_names), len(names)),
    )


def near_pairs(left: ScoredPositions, right: ScoredPositions, limit_px: float) -> Pairs:
    """All pairs of a `left` and a `right` position of the same frame that are at most `limit_px` apart; `left` takes the place of truth."""
    per_row = np.diff(right.start)[left.frame]
    done = np.concatenate([[0], np.cumsum(per_row)])
    kept = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    first = 0
    while first < len(per_row):
        last = max(first + 1, int(np.searchsorted(done, done[first] + _PAIRS_PER_CHUNK, "right")) - 1)
        a = np.repeat(np.arange(first, last), per_row[first:last])
        b = np.arange(done[first], done[last]) - done[a] + right.start[left.frame[a]]
        apart = left.xy[a] - right.xy[b]
        distance = np.sqrt(apart[:, 0] ** 2 + apart[:, 1] ** 2)
        keep = distance <= limit_px
        kept.append((a[keep], b[keep], distance[keep]))
        first = last
    a, b, distance = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return Pairs(a, b, distance)


def find_contacts(true: ScoredPositions, apart_px: float) -> Bools:
    """Which positions (n,) have another one of their frame nearer than `apart_px`."""
    pairs = near_pairs(true, true, apart_px)
    contact = np.zeros(len(true.who), bool)
    contact[pairs.truth[(pairs.truth != pairs.predicted) & (pairs.distance < apart_px)]] = True
    return contact
