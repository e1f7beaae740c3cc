"""Statements about the tracklets of a recording, from labels and facts, and contradictions between them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Mask
from herdbook.artifacts.segment import Blobs, blob_at, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.roster import Roster
from herdbook.experiment.sheets.facts import ABSENT, IS, Fact
from herdbook.identity.recording import RecordingGraph


@dataclass(frozen=True)
class Statement:
    """Tracklet `row` holds one of `columns`, or, if not `holds`, none of them; `text` names its source; `fact`: it is no label."""

    row: int
    columns: tuple[int, ...]
    holds: bool
    text: str
    fact: bool = True


@dataclass(frozen=True)
class Constraints:
    """Who `must` and who can `never` be in a tracklet, bool (n, columns); `full` bool (n,): it holds nobody but those who must be in it."""

    must: Mask
    never: Mask
    full: Mask


def label_statements(recording: RecordingGraph, labelled: NDArray[np.int64], roster: Roster) -> list[Statement]:
    """The statements of labels: `labelled` int64 (n,) as in `RecordingEvidence`; a label that is no identity says that nobody is there."""
    statements = []
    for row in np.flatnonzero(labelled >= 0).tolist():
        known = labelled[row] < len(roster.classes)
        columns = _columns(roster, int(labelled[row]), int(recording.arena[row])) if known else tuple(range(len(roster)))
        if columns:
            name = f"the label {roster.classes[labelled[row]]}" if known else "a label that is no identity"
            statements.append(Statement(row, columns, bool(known), name, fact=False))
    return statements


def fact_statements(
    facts: Sequence[Fact], movies: Sequence[str], recording: RecordingGraph, blobs: Sequence[Blobs], tracklets: Sequence[Tracklets],
    roster: Roster,
) -> tuple[list[Statement], list[str]]:  # fmt: skip
    """The statements of facts, and the faults of facts that have no place: each a text that begins with the line.

    `movies`, `blobs` and `tracklets` are those of the recording in turn; facts on other movies are passed over.
    """
    statements, faults = [], []
    for number, movie in enumerate(movies):
        mine = [fact for fact in facts if fact.movie == movie]
        if not mine:
            continue
        row_of = recording.rows_of(number)
        with open_blob_images(blobs[number].path) as images:
            for fact in mine:
                if fact.kind == ABSENT:
                    rows = _during(recording, number, fact)
                else:
                    blob = blob_at(fact.frame, fact.x, fact.y, blobs[number], images)
                    tracklet = -1 if blob is None else int(tracklets[number].blob_tracklet[blob])
                    rows = [int(row_of[tracklet])] if tracklet >= 0 and row_of[tracklet] >= 0 else []
                    if not rows:
                        what = "no blob" if blob is None else "a blob that was counted as no animal"
                        faults.append(f"{fact}: there is {what} at ({fact.x:g}, {fact.y:g}); put the point onto the animal")
                for row in rows:
                    columns = _columns(roster, roster.classes.index(fact.name), int(recording.arena[row]))
                    if columns:
                        statements.append(Statement(row, columns, fact.kind == IS, str(fact)))
                    elif fact.kind == IS:
                        faults.append(f"{fact}: {fact.name} lives in another arena")
    return statements, faults


def contradictions(statements: Iterable[Statement], recording: RecordingGraph, movies: Sequence[str], roster: Roster) -> list[str]:
    """Facts that contradict another fact or a label, one text each: on one tracklet, or more of one name at one time than there are."""
    graph = recording.graph
    by_row: dict[int, list[Statement]] = defaultdict(list)
    by_column: dict[int, dict[int, Statement]] = defaultdict(dict)
    for statement in statements:
        by_row[statement.row].append(statement)
        if statement.holds:
            by_column[statement.columns[0]].setdefault(statement.row, statement)
    faults = []
    for row, statements in by_row.items():
        start = recording.start_frame[recording.movie[row]]
        span = f"{movies[recording.movie[row]]}, frames {graph.first[row] - start} to {graph.last[row] - start}"
        holds = {s.columns: s for s in statements if s.holds}
        denied = [
            (a, b) for a in holds.values() for b in statements if not b.holds and set(a.columns) <= set(b.columns) and (a.fact or b.fact)
        ]
        faults += [f"{a.text} and {b.text} contradict each other on one tracklet ({span})" for a, b in denied]
        animals = int(graph.animals[row])
        if len(holds) > animals and any(s.fact for s in holds.values()):
            number = "one animal" if animals == 1 else f"{animals} animals"
            faults.append(f"{_listed(holds.values())} speak of one tracklet ({span}), which holds {number}")
    for column, held in by_column.items():
        groups = {tuple(other for other in held if graph.first[other] <= graph.first[row] <= graph.last[other]) for row in held}
        for rows in sorted(groups):
            if len(rows) > roster.members[column] and any(held[row].fact for row in rows):
                faults.append(f"{_listed(held[row] for row in rows)} speak of {len(rows)} tracklets at the same time")
    return faults


def _listed(statements: Iterable[Statement]) -> str:
    return " and ".join(s.text for s in statements)


def gather_constraints(statements: Iterable[Statement], recording: RecordingGraph, roster: Roster) -> Constraints:
    """The statements as masks."""
    shape = (len(recording.graph), len(roster))
    must, never = np.zeros(shape, bool), np.zeros(shape, bool)
    for statement in statements:
        (must if statement.holds else never)[statement.row, list(statement.columns)] = True
    never &= ~must
    # One statement on a group says that one of its members is there, not that there is no other.
    several = (must & roster.is_group).any(axis=1) & (recording.graph.animals > 1)
    return Constraints(must, never, (must.sum(axis=1) >= recording.graph.animals) & ~several)


def refuse_faults(path: Path, faults: Sequence[str]) -> None:
    """Raise HerdbookError with the faults of facts, the first ten in words, if there are any."""
    if faults:
        more = [f"and {len(faults) - 10} more"] if len(faults) > 10 else []
        title = f"{path}: these facts do not fit; correct or delete their lines, or the labels that they contradict:"
        raise HerdbookError("\n  ".join([title, *faults[:10], *more]))


def _columns(roster: Roster, name: int, arena: int) -> tuple[int, ...]:
    """The columns of a class in an arena, one or none."""
    return tuple(np.flatnonzero((roster.name == name) & roster.allowed[arena]).tolist())


def _during(recording: RecordingGraph, movie: int, fact: Fact) -> list[int]:
    """Rows of all tracklets of the recording that share a frame with the fact's interval."""
    first, last = recording.start_frame[movie] + fact.frame, recording.start_frame[movie] + fact.last
    return np.flatnonzero((recording.graph.first <= last) & (recording.graph.last >= first)).tolist()
