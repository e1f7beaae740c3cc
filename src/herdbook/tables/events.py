"""What happens between animals: merges, contacts, exits, entrances, and who is hidden. Frames count through a recording.

Rows of spans are first frame and end (exclusive).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools, Ints

MERGE, CONTACT, EXIT, ENTRANCE, HIDDEN = KINDS_OF_EVENTS = ("merge", "contact", "exit", "entrance", "hidden")


@dataclass(frozen=True)
class Event:
    """Something that happened in the frames `first` .. `end` - 1 of a recording to the individuals `who` (numbers).

    `animals`: how many took part, also those without a name. It was where the blob of the tracklet `place` (-1 for none) was in its
    first frame, or in its last one if `at_end`.
    """

    kind: str
    first: int
    end: int
    who: tuple[int, ...]
    animals: int
    place: int = -1
    at_end: bool = False


@dataclass(frozen=True)
class Spans:
    """The tracklets of a recording: `first`, `end` int64 (n,) frames; `animals` int64 (n,); `who` (n) individuals in each; whether the
    blob touches the edge of the frame or arena in its first and last frame, bool (n,); `parents`, `children` bool (n,): whether blobs of
    other tracklets go over into it, or its own into others.
    """

    first: Ints
    end: Ints
    animals: Ints
    who: Sequence[tuple[int, ...]]
    edge_first: Bools
    edge_last: Bools
    parents: Bools
    children: Bools


def find_merges(spans: Spans) -> list[Event]:
    """An event for each tracklet of more than one animal."""
    return [
        Event(MERGE, int(spans.first[k]), int(spans.end[k]), spans.who[k], int(spans.animals[k]), k)
        for k in np.flatnonzero(spans.animals > 1).tolist()
    ]


def find_contacts(spans: Spans, time_s: NDArray[np.float64], gap_s: float) -> list[Event]:
    """An event for each pair of individuals and each stretch of frames in which both are in one blob, whoever else is in it.

    They are still in contact where they part for at most `gap_s`; `time_s` (frames + 1,) of the frames and of the end.
    """
    together: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for k, (first, end, who) in enumerate(zip(spans.first.tolist(), spans.end.tolist(), spans.who, strict=True)):
        for pair in combinations(sorted(set(who)), 2):
            together.setdefault(pair, []).append((first, end, k))
    return [
        Event(CONTACT, first, end, pair, 2, k) for pair, parts in together.items() for first, end, k in joined_spans(parts, time_s, gap_s)
    ]


def find_absences(present: Sequence[Ints], spans: Spans, tracked: Ints) -> list[Event]:
    """When individuals are lost: an exit or entrance where the last or first blob touches the edge, else they are hidden.

    `present` are the frames (in order) in which each individual has a position; `tracked` int64 (k, 2) spans of frames that are tracked.
    An exit or hiding lasts until the next position, an entrance is the first frame of one.
    """
    tracklets: list[list[int]] = [[] for _ in present]
    for k in np.argsort(spans.first, kind="stable").tolist():
        for who in spans.who[k]:
            tracklets[who].append(k)
    events = []
    for who, frames in enumerate(present):
        own = np.array(tracklets[who], np.int64)
        for first, end in missing_spans(frames, tracked):
            before, after = own[spans.first[own] < first], own[spans.end[own] > end]
            left = bool(len(before)) and first not in tracked[:, 0] and bool(spans.edge_last[before[-1]])
            came = bool(len(after)) and end not in tracked[:, 1] and bool(spans.edge_first[after[0]])
            if left or not came:
                place = (int(before[-1]), True) if len(before) else (int(after[0]), False) if len(after) else (-1, False)
                events.append(Event(EXIT if left else HIDDEN, first, end, (who,), 1, *place))
            if came:
                events.append(Event(ENTRANCE, end, end + 1, (who,), 1, int(after[0])))
    return events


def find_edge_events(spans: Spans, tracked: Ints) -> list[Event]:
    """Exits and entrances of animals without lasting names: tracklets that end or begin at the edge, from and into no other."""
    ends = spans.edge_last & ~spans.children & ~np.isin(spans.end, tracked[:, 1]) & (spans.animals > 0)
    begins = spans.edge_first & ~spans.parents & ~np.isin(spans.first, tracked[:, 0]) & (spans.animals > 0)
    leaving = [(EXIT, int(spans.end[k]) - 1, k, True) for k in np.flatnonzero(ends).tolist()]
    coming = [(ENTRANCE, int(spans.first[k]), k, False) for k in np.flatnonzero(begins).tolist()]
    return [Event(kind, at, at + 1, spans.who[k], int(spans.animals[k]), k, side) for kind, at, k, side in leaving + coming]


def joined_spans(parts: Sequence[tuple[int, int, int]], time_s: NDArray[np.float64], gap_s: float) -> list[tuple[int, int, int]]:
    """Spans (first, end, place) that overlap or follow each other after at most `gap_s` as one, in order, at its first place.

    `time_s` (frames + 1,) of the frames and of the end; with a gap of 0 those with no frame between them are joined.
    """
    joined: list[tuple[int, int, int]] = []
    for first, end, place in sorted(parts):
        # Differences of times such as 0.1 s are not exact.
        if joined and (first <= joined[-1][1] or time_s[first] - time_s[joined[-1][1]] <= gap_s + 1e-6):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]), joined[-1][2])
        else:
            joined.append((first, end, place))
    return joined


def missing_spans(frames: Ints, tracked: Ints) -> list[tuple[int, int]]:
    """The spans of tracked frames that are not among `frames`, which are in order; `tracked` (k, 2)."""
    missing: list[tuple[int, int]] = []
    for start, stop in tracked.tolist():
        inside = frames[np.searchsorted(frames, start) : np.searchsorted(frames, stop)]
        edges = np.concatenate([[start - 1], inside, [stop]])
        gaps = np.flatnonzero(np.diff(edges) > 1)
        missing += [(int(edges[k]) + 1, int(edges[k + 1])) for k in gaps.tolist()]
    return missing
