"""The report's section on how well each animal is known: by animal and by time, and where least is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.artifacts.smooth import SOURCES
from herdbook.drawing.colours import as_css, individual_colours
from herdbook.report.known import HOUR_S, Quality, measure_quality, merges_in_bins, merges_of, ratio, round_edges_s
from herdbook.report.links import PageLinks
from herdbook.report.page import Cell, PageSection, Table, count, percent, time_span
from herdbook.report.summaries import IndividualTotals, Recording

# Rows of the table by time, unless they would be longer than an hour; columns of the tables by animal and time.
MOST_SPANS = 12
MOST_COLUMNS = 24
MOST_PLACES = 10
# Less than this (frames) is not worth a look.
LEAST_LOST = 0.5


@dataclass(frozen=True)
class Known:
    """What is known in one recording, by animal and bin of time, and its merges, as `read_merges` gives them."""

    recording: Recording
    quality: Quality
    merges: pd.DataFrame


def measure_recordings(recordings: Sequence[Recording], merges: pd.DataFrame) -> list[Known]:
    """Count in each recording; `merges` are those of all."""
    found = []
    for recording in recordings:
        edges_s = round_edges_s(recording.duration_s, MOST_SPANS, HOUR_S)
        found.append(Known(recording, measure_quality(recording, edges_s), merges[merges["recording"] == recording.name]))
    return found


def quality_section(known: Sequence[Known], totals: IndividualTotals, marked: bool, kept: bool, alone: bool = False) -> PageSection:
    """How well each animal is known, by animal and by time; of those without names, whose numbers may be `kept` through contacts, or that
    may live `alone` in their arenas, how completely.
    """
    if not marked:
        return _nameless_section(known, totals, kept, alone)
    tables = [_by_animal(known, totals.names), *_by_time(known, named=True)]
    for one in known:
        tables += _by_animal_and_time(one, len(known) > 1)
    return PageSection(
        "How sure",
        tables=[*tables, *_origin(totals, sum(one.recording.tracked for one in known))],
        terms=[
            ("assigned", "the animal has a position"),
            ("expected error", "share of these positions that are expected to be those of another animal, by their confidence"),
            ("unknown", "the animal has no position, and somebody is in sight whose name is not known"),
            ("hidden", "it has no position, and everybody in sight is known by name: it is hidden, or outside"),
            ("merged", "it touches others: its position is told apart, or guessed, inside their common blob"),
            ("merges", "how often it came to touch others"),
        ],
    )


def unknown_share(known: Sequence[Known]) -> float:
    """Share of the animals' frames in which they are unknown, NaN if there are none."""
    cells = sum(int(one.quality.tracked.sum()) * len(one.recording.tracks.names) for one in known)
    return ratio(sum(int(one.quality.unknown.sum()) for one in known), cells)


def worst_places(known: Sequence[Known], links: PageLinks) -> list[Table]:
    """The spans of time in which an animal is least known."""
    several = len(known) > 1
    found = []
    for number, one in enumerate(known):
        lost = one.quality.lost
        rows, spans = np.nonzero(lost >= LEAST_LOST)
        found += [(float(lost[row, span]), number, row, span) for row, span in zip(rows.tolist(), spans.tolist(), strict=True)]
    found.sort(key=lambda place: (-place[0], place[1:]))
    rows_of_table = []
    for _, number, row, span in found[:MOST_PLACES]:
        recording, quality = known[number].recording, known[number].quality
        frame = min(int(np.searchsorted(recording.time_s, quality.edges_s[span])), recording.frames - 1)
        movie, first = _movie_at(recording, frame)
        rows_of_table.append(
            [
                Cell(recording.tracks.names[row]),
                *([Cell(recording.name)] if several else []),
                Cell(_span(recording, quality, span)),
                Cell(movie),
                links.moment(movie, frame - first),
                Cell(percent(ratio(quality.unknown[row, span], quality.tracked[span]))),
                Cell(percent(ratio(quality.doubt[row, span], quality.positions[row, span]))),
                Cell(f"{quality.lost[row, span]:,.0f}"),
            ]
        )
    header = ("animal", *(["recording"] if several else []), "time", "movie", "from", "unknown", "expected error", "frames lost")
    return [Table(header, rows_of_table, "Where least is known")] if rows_of_table else []


def _by_animal(known: Sequence[Known], names: Sequence[str]) -> Table:
    row_of = {name: row for row, name in enumerate(names)}
    sums = {key: np.zeros(len(names)) for key in ("positions", "merged", "unknown", "hidden", "doubt")}
    tracked = merges = 0
    of_animal = np.zeros(len(names), np.int64)
    for one in known:
        rows = [row_of[name] for name in one.recording.tracks.names]
        for key, total in sums.items():
            total[rows] += getattr(one.quality, key).sum(axis=1)
        tracked += int(one.quality.tracked.sum())
        merges += int(merges_in_bins(one.merges, one.quality.edges_s).sum())
        of_animal += merges_of(one.merges, names)

    def cells(values: Mapping[str, float], frames: int, merges: int, assigned: float) -> list[Cell]:
        return [
            Cell(percent(assigned), share=0.0 if np.isnan(assigned) else min(1.0, assigned)),
            Cell(percent(ratio(values["doubt"], values["positions"]))),
            *(Cell(percent(ratio(values[key], frames))) for key in ("unknown", "hidden", "merged")),
            Cell(f"{merges:,}"),
        ]

    def of_animal_cells(row: int) -> list[Cell]:
        values = {key: total[row] for key, total in sums.items()}
        return cells(values, tracked, int(of_animal[row]), ratio(values["positions"], tracked))

    colours = as_css(individual_colours(names))
    table = [[Cell(name, colour=colour), *of_animal_cells(row)] for row, (name, colour) in enumerate(zip(names, colours, strict=True))]
    filled, wanted = (sum(int(getattr(one.recording, name).sum()) for one in known) for name in ("filled", "wanted"))
    of_all = {key: float(values.sum()) for key, values in sums.items()}
    whole = [Cell("all"), *cells(of_all, tracked * len(names), merges, ratio(filled, wanted))]
    header = ("animal", "assigned", "expected error", "unknown", "hidden", "merged", "merges")
    return Table(header, table, f"By animal, in {count(tracked, 'frame')}", whole if len(names) > 1 else ())


def _by_time(known: Sequence[Known], named: bool) -> list[Table]:
    """A row for each span of time of each recording; none if there is only one."""
    several = len(known) > 1
    rows = []
    for one in known:
        quality, recording = one.quality, one.recording
        merges = merges_in_bins(one.merges, quality.edges_s)
        held, filled, places = (_in_bins(getattr(recording, name), recording, quality) for name in ("animals", "filled", "wanted"))
        for span, frames in enumerate(quality.tracked.tolist()):
            positions = int(quality.positions[:, span].sum())
            wanted = frames * len(recording.tracks.names)
            assigned = ratio(filled[span], places[span])
            cells = [Cell(f"{frames:,}"), Cell(percent(assigned), share=0.0 if np.isnan(assigned) else assigned)]
            if named:
                cells.append(Cell(percent(ratio(quality.doubt[:, span].sum(), positions))))
                cells += [Cell(percent(ratio(getattr(quality, key)[:, span].sum(), wanted))) for key in ("unknown", "hidden", "merged")]
            else:
                cells += [
                    Cell("–" if not frames else f"{held[span] / frames:.1f}"),
                    Cell(percent(ratio(quality.merged[:, span].sum(), positions))),
                ]
            where = [Cell(recording.name)] if several else []
            rows.append([Cell(_span(recording, quality, span)), *where, *cells, Cell(f"{merges[span]:,}")])
    columns = ("assigned", "expected error", "unknown", "hidden", "merged") if named else ("with a position", "animals in sight", "merged")
    header = ("time", *(["recording"] if several else []), "frames", *columns, "merges")
    return [Table(header, rows, "By time")] if len(rows) > 1 else []


def _by_animal_and_time(one: Known, several: bool) -> list[Table]:
    """Two tables of a recording, a row for each animal and a column for each span of time; none if there is only one of either."""
    recording, quality = one.recording, one.quality
    names = recording.tracks.names
    if len(quality.tracked) > MOST_COLUMNS:
        quality = measure_quality(recording, round_edges_s(recording.duration_s, MOST_COLUMNS))
    spans = len(quality.tracked)
    if spans < 2 or len(names) < 2:
        return []
    header = ("animal", *(_span(recording, quality, span) for span in range(spans)))
    of = f" of {recording.name}" if several else ""
    tables = []
    for what, values, numbers in (
        ("Assigned", quality.positions, np.broadcast_to(quality.tracked, quality.positions.shape)),
        ("Expected error", quality.doubt, quality.positions),
    ):
        rows = [
            [Cell(name), *(Cell(percent(ratio(values[row, span], numbers[row, span]))) for span in range(spans))]
            for row, name in enumerate(names)
        ]
        tables.append(Table(header, rows, f"{what} by animal and time{of}", folded=True))
    return tables


def _origin(totals: IndividualTotals, frames: int) -> list[Table]:
    """Where the positions come from and how the identities are known."""
    places, known = [], []
    for row, name in enumerate(totals.names):
        confidence = totals.confidence[row]
        shares = [Cell(percent(ratio(number, frames))) for number in totals.sources[row].tolist()]
        places.append([Cell(name), *shares, Cell("–" if np.isnan(confidence) else f"{confidence:.3f}")])
        ways = totals.how_known[row].tolist()
        rest = max(0.0, 1 - ratio(sum(ways), frames))
        known.append([Cell(name), *(Cell(percent(ratio(number, frames))) for number in ways), Cell(percent(rest))])
    return [
        Table(("animal", *SOURCES, "mean confidence"), places, "Where the positions come from", folded=True),
        Table(("animal", *HOW_KNOWN, "nobody knows"), known, "How the identity is known", folded=True),
    ]


def _nameless_section(known: Sequence[Known], totals: IndividualTotals, kept: bool, alone: bool) -> PageSection:
    found = totals.sources.sum(axis=1)
    positions = int(found.sum())
    title = "How complete"
    who = "animal" if kept or alone else "fragment"
    meant = (
        "each lives alone in its arena and has the name of that"
        if alone
        else "each keeps its number through contacts by its movement alone, so that two may leave one with each other's"
        if kept
        else "a fragment is one animal for as long as it could be followed"
    )
    sentences = [f"The animals were tracked without identity: {meant}."]
    if not positions:
        return PageSection(title, [*sentences, "No position was found."])
    sentences.append(
        f"{count(len(found), who)} with {count(positions, 'position')}: half of them have at least "
        f"{np.median(found):,.0f}, none has more than {found.max():,}."
    )
    shares = [Cell(percent(share)) for share in (totals.sources.sum(axis=0) / positions).tolist()]
    origin = Table(("positions", *SOURCES), [[Cell("all"), *shares]], "Where the positions come from")
    terms = [
        ("with a position", "share of the animals that have one; of those in sight, if their number is not known"),
        ("animals in sight", "how many animals the blobs hold, on average"),
        ("merged", "share of the positions inside blobs of several animals"),
        ("merges", "how often animals came to touch each other"),
    ]
    by_time = _by_time(known, named=False)
    return PageSection(title, sentences, [*by_time, origin], terms=terms if by_time else ())


def _in_bins(values: NDArray[np.int64], recording: Recording, quality: Quality) -> list[int]:
    """Values (frames,) summed over the frames of each bin of time."""
    starts = np.searchsorted(recording.time_s[:-1], quality.edges_s[:-1])
    sums = np.concatenate([[0], np.cumsum(values)])
    return [int(n) for n in np.diff(sums[np.append(starts, recording.frames)])]


def _span(recording: Recording, quality: Quality, span: int) -> str:
    start_s, end_s = quality.edges_s[span : span + 2].tolist()
    return time_span(start_s, end_s, recording.duration_s)


def _movie_at(recording: Recording, frame: int) -> tuple[str, int]:
    """The movie that a frame of the recording belongs to, and the frame with which it begins."""
    first = 0
    for movie in recording.movies:
        if frame < first + movie.frames:
            break
        first += movie.frames
    return movie.name, first
