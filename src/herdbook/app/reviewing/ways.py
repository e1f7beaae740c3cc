"""Ways of animals through contacts, remembered from answer to answer: following them is most of the work of naming a recording."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.graph import contacts
from herdbook.identity.recording import RecordingGraph
from herdbook.naming.recordings import Files, Followed, follow_through
from herdbook.system.files import read_json, write_text

# A contact by the number of its movie and the first of its rows there.
Contact = tuple[int, int]


class Ways:
    """The ways through the contacts of one recording; `path`: where they are kept, `mark`: that of what they depend on."""

    def __init__(self, path: Path, mark: str) -> None:
        self._path, self._mark = path, mark
        self._known: dict[Contact, Followed] = {}
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = read_json(path)
            if kept["mark"] == mark:
                self._known = {(movie, row): [(a, b, sure) for a, b, sure in ways] for movie, row, ways in kept["contacts"]}

    def follow(self, files: Files, recording: RecordingGraph, tracklets: Sequence[Tracklets], through: NDArray[np.bool_]) -> Followed:
        """As `follow_through`, but contacts through which animals were followed before are not looked at again."""
        of_row = _contact_of(recording)
        wanted = {of_row[row] for row in np.flatnonzero(through).tolist()}
        if lacking := wanted - self._known.keys():
            rows = np.array([of_row.get(row) in lacking for row in range(len(through))])
            self._known |= {contact: [] for contact in lacking}
            for way in follow_through(files, recording, tracklets, rows):
                for contact in _contacts_of(way[0], way[1], of_row, recording) & lacking:
                    self._known[contact].append(way)
            kept = {"mark": self._mark, "contacts": [[*contact, ways] for contact, ways in sorted(self._known.items())]}
            write_text(self._path, json.dumps(kept) + "\n")
        return [way for contact in sorted(wanted) for way in self._known[contact]]


def _contact_of(recording: RecordingGraph) -> dict[int, Contact]:
    """The contact of each row of several animals, movie by movie: nobody is followed from one movie into the next."""
    number = contacts(recording.graph)
    first: dict[tuple[int, int], int] = {}
    rows = np.flatnonzero(number >= 0).tolist()
    for row in rows:
        first.setdefault((int(recording.movie[row]), int(number[row])), row)
    return {row: (int(recording.movie[row]), first[int(recording.movie[row]), int(number[row])]) for row in rows}


def _contacts_of(before: int, after: int, of_row: dict[int, Contact], recording: RecordingGraph) -> set[Contact]:
    """The contact through which the animal of the single row `before` went on in the row `after`."""
    edges = recording.graph.edges
    into = {of_row[row] for row in edges[edges[:, 0] == before, 1].tolist() if row in of_row}
    if after in of_row:
        return {of_row[after]} & into or {of_row[after]}
    return into & {of_row[row] for row in edges[edges[:, 1] == after, 0].tolist() if row in of_row} or into
