"""Animals without names that keep their numbers through contacts: each is followed by where it was going.

Points are (x, y) in px, velocities px per frame. A contact is a set of tracklets of several animals that edges join.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.graph import Graph, contacts
from herdbook.identity.recording import RecordingGraph

# An animal goes on as it was going for this many frames at most.
ONWARD_FRAMES = 5
# Nats for each body length between where an animal should come out and where one comes out, and for turning right round.
PER_BODY_LENGTH, PER_TURN = 1.0, 1.0
# Slower than this (body lengths per frame) there is no direction.
LEAST_SPEED = 0.02
IMPOSSIBLE_COST = 1e6


def end_velocities(recording: RecordingGraph, blobs: Sequence[Blobs], tracklets: Sequence[Tracklets]) -> Floats:
    """Velocity (n, 2, 2), px per frame, at the beginning and the end of each tracklet of a recording, over ONWARD_FRAMES."""
    found = np.zeros((len(recording.graph), 2, 2))
    for movie, (b, t) in enumerate(zip(blobs, tracklets, strict=True)):
        rows, offsets = t.blob_rows()
        for k in np.flatnonzero(recording.movie == movie).tolist():
            mine = rows[offsets[recording.tracklet[k]] : offsets[recording.tracklet[k] + 1]]
            for end, part in enumerate((mine[: ONWARD_FRAMES + 1], mine[-ONWARD_FRAMES - 1 :])):
                here, there = part[0], part[-1]
                frames = max(1, int(b.frame[there] - b.frame[here]))
                found[k, end] = (b.x[there] - b.x[here]) / frames, (b.y[there] - b.y[here]) / frames
    return found


@dataclass(frozen=True)
class Kept:
    """Who is where: per place `row` int64 of the graph, `individual` int64 from 0, `confidence` float64 that it is still the same one."""

    row: Ints
    individual: Ints
    confidence: Floats


def keep_numbers(
    graph: Graph,
    velocity: Floats,
    gaps: Ints,
    gap_costs: Floats,
    number: int,
    body_length_px: float,
    handed: Sequence[tuple[int, int, float]] = (),
) -> Kept:
    """Numbers 0..number - 1 for the animals of a graph, each along a path of its own.

    `velocity` (n, 2, 2) px per frame at the beginning and the end of each tracklet; `gaps` (k, 2), `gap_costs` (k,) from `gap_edges`.
    `handed`: row before, row after, and how surely, of animals that were followed through contacts; the others are joined by where they
    were going. Where not as many animals come out of a contact as went in, those that fit best go on. A path that ends without a
    continuation leaves its number to the next one that begins. Numbers beyond `number` are given only while more animals are in view.
    """
    n = len(graph)
    single = graph.animals == 1
    following, sure = np.full(n, -1, np.int64), np.ones(n)
    for before, after, surely in handed:
        following[before], sure[after] = after, surely
    followed = {after for _, after, _ in handed}
    contact = contacts(graph)
    for k in np.unique(contact[contact >= 0]):
        inside = contact == k
        entries = np.unique([a for a, b in graph.edges if single[a] and inside[b] and following[a] < 0]).astype(np.int64)
        exits = np.unique([b for a, b in graph.edges if single[b] and inside[a] and b not in followed]).astype(np.int64)
        _join(graph, velocity, entries, exits, body_length_px, following, sure)
    for parent in range(n):
        children = graph.edges[graph.edges[:, 0] == parent, 1]
        direct = children[single[children]]
        if single[parent] and following[parent] < 0 and len(direct) == 1:
            following[parent] = direct[0]
    taken = set(following[following >= 0].tolist())
    for a, b in gaps[np.argsort(gap_costs, kind="stable")].tolist():
        if single[a] and single[b] and following[a] < 0 and b not in taken:
            following[a] = b
            taken.add(b)
    return _give_numbers(graph, following, sure, contact, number)


def _join(graph: Graph, velocity: Floats, entries: Ints, exits: Ints, body_length_px: float, following: Ints, sure: Floats) -> None:
    """Assign those who enter a contact to those who come out of it, at the least total cost; fill `following` and how `sure` it is."""
    if not len(entries) or not len(exits):
        return
    wait = graph.first[exits] - graph.last[entries][:, None]
    onward = velocity[entries, 1][:, None] * np.minimum(wait, ONWARD_FRAMES)[:, :, None]
    away = np.linalg.norm(graph.start_xy[exits] - graph.end_xy[entries][:, None] - onward, axis=2) / body_length_px
    cost = PER_BODY_LENGTH * away + PER_TURN * _turn(velocity[entries, 1][:, None], velocity[exits, 0][None], body_length_px)
    cost = np.where(wait > 0, cost, IMPOSSIBLE_COST)
    row, column = linear_sum_assignment(cost)
    for i, j in zip(row.tolist(), column.tolist(), strict=True):
        if cost[i, j] >= IMPOSSIBLE_COST:
            continue
        others = [cost[i, q] + cost[p, j] - cost[i, j] - cost[p, q] for p, q in zip(row, column, strict=True) if p != i]
        following[entries[i]] = exits[j]
        sure[exits[j]] = 1 / (1 + np.exp(-np.clip(others, 0, 50)).sum())


def _turn(before: Floats, after: Floats, body_length_px: float) -> Floats:
    """0 for straight on, 1 for right round, and half of that where one of them stands still; velocities (..., 2)."""
    speeds = np.linalg.norm(before, axis=-1) * np.linalg.norm(after, axis=-1)
    cosine = (before * after).sum(axis=-1) / np.maximum(speeds, 1e-9)
    return np.where(speeds > (LEAST_SPEED * body_length_px) ** 2, (1 - cosine) / 2, 0.5)


def _give_numbers(graph: Graph, following: Ints, sure: Floats, contact: Ints, number: int) -> Kept:
    """Follow each path from its beginning and give it the number that has been free for the longest time."""
    single = graph.animals == 1
    begun = np.setdiff1d(np.flatnonzero(single), following[following >= 0])
    paths = []
    for start in begun.tolist():
        path = [start]
        while following[path[-1]] >= 0:
            path.append(int(following[path[-1]]))
        paths.append(path)
    paths.sort(key=lambda path: (graph.first[path[0]], path[0]))
    # Last frame of each number so far, and how sure it is that it is still the same animal.
    ends, chances = [-1] * number, [1.0] * number
    rows: list[tuple[int, int, float]] = []
    room = np.where(single, 0, graph.animals)
    for path in paths:
        begin = int(graph.first[path[0]])
        free = [k for k, end in enumerate(ends) if end < begin]
        if not free:
            ends.append(-1)
            chances.append(1.0)
            free = [len(ends) - 1]
        mine = min(free, key=lambda k: (ends[k], k))
        chance = chances[mine] if ends[mine] < 0 else chances[mine] / len(free)
        for before, here in zip([-1, *path[:-1]], path, strict=True):
            chance *= float(sure[here]) if before >= 0 else 1.0
            for between in _through(graph, before, here, contact, room) if before >= 0 else []:
                rows.append((between, mine, chance))
            rows.append((here, mine, chance))
        ends[mine], chances[mine] = int(graph.last[path[-1]]), chance
    row, individual, confidence = (np.array(part) for part in zip(*sorted(rows), strict=True)) if rows else (np.zeros(0),) * 3
    return Kept(row.astype(np.int64), individual.astype(np.int64), np.asarray(confidence, np.float64))


def _through(graph: Graph, before: int, after: int, contact: Ints, room: Ints) -> list[int]:
    """The tracklets of a contact on a way from one single tracklet to another, with room left; what is taken goes from `room`."""
    ways = {before: [before]}
    queue = [before]
    while queue:
        here = queue.pop(0)
        for child in graph.edges[graph.edges[:, 0] == here, 1].tolist():
            if child == after:
                inside = ways[here][1:]
                room[inside] -= 1
                return inside
            if child not in ways and contact[child] >= 0 and room[child] > 0:
                ways[child] = [*ways[here], child]
                queue.append(child)
    return []
