"""The review list: the spans of a recording in which one answer of a person is expected to put the most frames right.

An answer is a fact: each row of the list is one, to be confirmed, corrected or passed over.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.propagate import LABELLED
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.facts import IS
from herdbook.experiment.sheets.table import Column, read_table, rows_of
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

if TYPE_CHECKING:
    from herdbook.identity.graph import Graph
    from herdbook.identity.recording import RecordingGraph

Counts = NDArray[np.integer[Any]]
Gains = NDArray[np.floating[Any]]

# A tracklet whose identity has at least this confidence needs no answer and ends a span.
SETTLED_FROM = 0.999
# Spans with less to gain than this (frames) are not worth a look, and nobody answers more than so many.
LEAST_GAIN = 0.5
MOST_SPANS = 1000
# At most so many other names are listed, each at least this probable.
MOST_OTHERS = 3
LEAST_PROBABILITY = 0.01


@dataclass(frozen=True)
class Span:
    """Tracklets `rows` (k,) in order of time that follow each other on the path of an identity, in none of which it is sure.

    `column` is the identity, -1 for places of nobody known; `gain` the frames that an answer is expected to correct or to name; `look` the
    row to look at, `probability` (columns,) of each identity there; where nobody is known, of those that are not known to be there.
    """

    rows: Ints
    column: int
    gain: float
    look: int
    probability: Floats


@dataclass(frozen=True)
class Doubt:
    """A row of doubtful.csv: a fact about the point (x, y) px of a frame, then what is believed there now and how surely.

    `name` is who is `assigned`, or the most probable one where nobody is; `probability` that of `name` there; `others` who else it can be,
    with their probabilities. The span goes from `from_frame` of `from_movie` to `to_frame` of `to_movie`; its tracklets have `frames`
    frames, of which `gain` are expected to be corrected or named by an answer.
    """

    movie: str
    frame: int
    x: float
    y: float
    fact: str
    name: str
    last: str
    assigned: str
    probability: float
    others: str
    from_movie: str
    from_frame: int
    to_movie: str
    to_frame: int
    frames: int
    gain: float


DOUBT_COLUMNS = tuple(field.name for field in fields(Doubt))


def find_spans(
    graph: "Graph", held: Counts, confidence: NDArray[np.float32], how: NDArray[np.uint8], scores: Gains, is_group: NDArray[np.bool_]
) -> list[Span]:
    """The spans worth an answer, best first.

    `held` (n, columns) how many of each identity or group each tracklet holds, `confidence` (n, columns) of what it holds, `how` (n,
    columns) as in `Identities`, `scores` (n, columns) gain in nats of naming, `is_group` (columns,). The path of a single member of a group
    is not known: there each tracklet is a span of its own.
    """
    frames = graph.last - graph.first + 1
    found = []
    for column in range(held.shape[1]):
        path = np.flatnonzero(held[:, column])
        sure = (how[path, column] == LABELLED) | (confidence[path, column] >= SETTLED_FROM)
        doubt = np.where(sure, 0.0, 1.0 - confidence[path, column].astype(np.float64)) * frames[path] * held[path, column]
        for part in np.split(np.arange(len(path)), np.arange(1, len(path)) if is_group[column] else np.flatnonzero(np.diff(sure)) + 1):
            rows, lost = path[part], doubt[part]
            if lost.sum() >= LEAST_GAIN:
                found.append((float(lost.sum()), rows, column, int(rows[_best_look(graph.animals[rows], lost)])))
    lacking = (held.sum(axis=1) < graph.animals) * frames
    found += [(float(lacking[row]), np.array([row]), -1, int(row)) for row in np.flatnonzero(lacking > 0)]
    found.sort(key=lambda span: (-span[0], int(span[1][0]), span[2]))
    spans = []
    for gain, rows, column, look in found[:MOST_SPANS]:
        probability = _probabilities(graph, held, confidence, scores, is_group, look)
        if column < 0:
            # Asked is who else is there; a place that no known identity can have is not worth a look.
            probability = np.where(held[look] > 0, 0.0, probability)
            gain = float(gain * min(1.0, probability.sum()))
        if gain >= LEAST_GAIN:
            spans.append(Span(rows, column, gain, look, probability))
    return sorted(spans, key=lambda span: -span.gain)


def _best_look(animals: Ints, lost: Floats) -> int:
    """The tracklet in which a person sees best who it is: that of an animal alone, with the most to gain."""
    return int(np.lexsort((-lost, animals > 1))[0])


def _probabilities(
    graph: "Graph", held: Counts, confidence: NDArray[np.float32], scores: Gains, is_group: NDArray[np.bool_], row: int
) -> Floats:
    """Probability (columns,) that each identity is in the tracklet `row`: for those it holds their confidence; the others share the rest.

    They share it in proportion to their evidence there and to the probability that they are not where they are held at the same time,
    which does not exclude another member of the same group. An unknown animal has a share, too, where a place has no name.
    """
    meanwhile = np.flatnonzero((graph.first <= graph.last[row]) & (graph.last >= graph.first[row]) & (np.arange(len(graph)) != row))
    busy = np.where(held[meanwhile] > 0, confidence[meanwhile], 0.0).max(axis=0, initial=0.0)
    busy[is_group] = 0
    mine = held[row] > 0
    weight = np.where(mine, 0.0, np.exp(np.clip(scores[row], -np.inf, 50.0)) * (1 - busy))
    lacking = float(graph.animals[row] - held[row].sum())
    left = float((1.0 - confidence[row, mine].astype(np.float64)).sum()) + lacking
    total = weight.sum() + min(lacking, 1.0)
    shared = weight * (left / total) if total > 0 else weight
    return np.where(mine, confidence[row], np.minimum(shared, 1.0))


def describe_spans(
    spans: Iterable[Span],
    recording: "RecordingGraph",
    movies: Sequence[str],
    names: Sequence[str],
    who: Callable[[int, int], Sequence[str]],
) -> Iterator[Doubt]:
    """The rows of the review list. `names` (columns,) of identities and groups; `who` gives the individuals of a row and column."""
    graph = recording.graph
    for span in spans:
        row, column, probability = span.look, span.column, span.probability
        others = np.argsort(-probability, kind="stable").tolist()
        name = others[0] if column < 0 else column
        others = [other for other in others if other != name and probability[other] >= LEAST_PROBABILITY][:MOST_OTHERS]
        movie, first, last = recording.movie[row], span.rows[0], span.rows[-1]
        yield Doubt(
            movie=movies[movie],
            frame=int(recording.look_frame[row] - recording.start_frame[movie]),
            x=round(float(recording.look_xy[row, 0]), 1),
            y=round(float(recording.look_xy[row, 1]), 1),
            fact=IS,
            name=names[name],
            last="",
            assigned="" if column < 0 else " ".join(who(row, column)),
            probability=round(float(probability[name]), 3),
            others="; ".join(f"{names[other]} {probability[other]:.2f}" for other in others),
            from_movie=movies[recording.movie[first]],
            from_frame=int(graph.first[first] - recording.start_frame[recording.movie[first]]),
            to_movie=movies[recording.movie[last]],
            to_frame=int(graph.last[last] - recording.start_frame[recording.movie[last]]),
            frames=int((graph.last[span.rows] - graph.first[span.rows] + 1).sum()),
            gain=round(span.gain, 1),
        )


def write_doubts(path: Path, doubts: Iterable[Doubt]) -> None:
    """Write a review list."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(DOUBT_COLUMNS)
        writer.writerows([as_cell(value) if isinstance(value, str) else value for value in astuple(doubt)] for doubt in doubts)


def read_doubts(path: Path, rule: str) -> list[Doubt]:
    """Read a review list that `write_doubts` wrote in the rule of this name. Raises HerdbookError for one that is damaged."""
    try:
        rows = rows_of(read_table(path, [Column(name) for name in DOUBT_COLUMNS]))
        kinds = {field.name: field.type for field in fields(Doubt)}
        return [Doubt(**{name: kinds[name](row[name]) for name in DOUBT_COLUMNS}) for _, row in rows]  # type: ignore[operator]
    except (HerdbookError, ValueError, TypeError) as error:
        raise HerdbookError(
            f"{path}: not a readable review list ({error}). Delete it and run snakemake again: the rule '{rule}' makes it again."
        ) from error
