"""Stays in contact in which it is not sure who is where: rows of the review list beside those of `doubts`.

There the animals of a blob are known and their places are seen, but which animal is at which place may be exchanged. One fact about one
of them decides it for all animals of the stay (`herdbook.positions.answers`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED, Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.sheets.facts import IS
from herdbook.identity.doubts import LEAST_GAIN, MOST_OTHERS, MOST_SPANS, SETTLED_FROM, Doubt

# Positions of one animal that are not sure belong to one stay if at most so much time (s) lies between them.
MOST_BETWEEN_S = 1.0


@dataclass(frozen=True)
class _Stretch:
    """Positions `rows` (k,) of one animal in order of time, none of them sure, and the frames that are expected to be wrong.

    `blobs`: the tracklet and frame of each of the blobs in which it is there.
    """

    rows: Ints
    individual: int
    gain: float
    blobs: frozenset[tuple[int, int]]


def find_places(movie: str, trajectories: Trajectories, tracklets: Tracklets, identities: Identities, fps: float) -> list[Doubt]:
    """The stays of a movie in which an answer is expected to put at least half a frame right, best first.

    What is not sure about who is in a blob at all is left to `doubts`: counted is how much less sure a position is than that its animal is
    in the blob.
    """
    contact = np.isin(trajectories.source, (FROM_RESOLVED, FROM_MERGED)) & (trajectories.confidence < SETTLED_FROM)
    rows = np.flatnonzero(contact)
    tracklet, inside = _tracklets_of(movie, trajectories, rows, tracklets, identities)
    doubt = np.clip(inside - trajectories.confidence[rows], 0.0, None)
    unsure = doubt > 1 - SETTLED_FROM
    rows, tracklet, doubt = rows[unsure], tracklet[unsure], doubt[unsure]
    stays = _join(_stretches(trajectories, rows, tracklet, doubt, fps))
    described = [_describe(movie, stay, trajectories) for stay in stays]
    return sorted((one for one in described if one.gain >= LEAST_GAIN), key=lambda one: -one.gain)[:MOST_SPANS]


def _join(stretches: Sequence[_Stretch]) -> list[list[_Stretch]]:
    """Stretches that the same look decides, the one with the most to gain first.

    Those are the stretches of animals that are in doubt in the same blobs for half of the time of one of them or more.
    """
    stays: list[list[_Stretch]] = []
    of_tracklet: dict[int, list[list[_Stretch]]] = {}
    for one in sorted(stretches, key=lambda one: (-one.gain, one.individual)):
        own = sorted({tracklet for tracklet, _ in one.blobs})
        for stay in (stay for tracklet in own for stay in of_tracklet.get(tracklet, ())):
            if 2 * len(one.blobs & stay[0].blobs) >= min(len(one.blobs), len(stay[0].blobs)):
                stay.append(one)
                break
        else:
            stays.append([one])
            for tracklet in own:
                of_tracklet.setdefault(tracklet, []).append(stays[-1])
    return stays


def _tracklets_of(
    movie: str, trajectories: Trajectories, rows: Ints, tracklets: Tracklets, identities: Identities
) -> tuple[Ints, NDArray[np.float32]]:
    """The tracklet (k,) in which the animals of these positions are in their frames, -1 for none, and how surely they are in it (k,)."""
    mine = np.flatnonzero(identities.movie == identities.movies.index(movie))
    numbers = {name: k for k, name in enumerate(trajectories.individuals)}
    who = np.array([numbers.get(name, -1) for name in identities.individuals], np.int64)[identities.individual[mine]]
    first, last = tracklets.first[identities.tracklet[mine]], tracklets.last[identities.tracklet[mine]]
    if not len(mine):
        return np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.float32)
    # The tracklets of one animal follow each other in time: keys of animal and frame, animal by animal.
    order, frames = np.lexsort((first, who)), int(trajectories.frames) + 1
    wanted = trajectories.individual[rows].astype(np.int64) * frames + trajectories.frame[rows]
    chosen = order[np.maximum(np.searchsorted(who[order] * frames + first[order], wanted, side="right") - 1, 0)]
    there = (who[chosen] == trajectories.individual[rows]) & (last[chosen] >= trajectories.frame[rows])
    tracklet = np.where(there, identities.tracklet[mine][chosen], -1).astype(np.int64)
    return tracklet, np.where(there, identities.confidence[mine][chosen], 0.0).astype(np.float32)


def _stretches(trajectories: Trajectories, rows: Ints, tracklet: Ints, doubt: Floats, fps: float) -> list[_Stretch]:
    order = np.lexsort((trajectories.frame[rows], trajectories.individual[rows]))
    rows, tracklet, doubt = rows[order], tracklet[order], doubt[order]
    individual, frame = trajectories.individual[rows], trajectories.frame[rows]
    new = np.flatnonzero((np.diff(individual) != 0) | (np.diff(frame) > max(1.0, MOST_BETWEEN_S * fps))) + 1
    return [
        _Stretch(
            part,
            int(trajectories.individual[part[0]]),
            float(lost.sum()),
            frozenset(zip(inside.tolist(), trajectories.frame[part].tolist(), strict=True)),
        )
        for part, inside, lost in zip(*(np.split(values, new) for values in (rows, tracklet, doubt)), strict=True)
        if len(part)
    ]


def _describe(movie: str, stay: Sequence[_Stretch], trajectories: Trajectories) -> Doubt:
    rows = np.concatenate([one.rows for one in stay])
    first = stay[0]
    look = int(first.rows[trajectories.confidence[first.rows].argmin()])
    sure = float(trajectories.confidence[look])
    names = [trajectories.individuals[one.individual] for one in stay]
    return Doubt(
        movie=movie,
        frame=int(trajectories.frame[look]),
        x=round(float(trajectories.x[look]), 1),
        y=round(float(trajectories.y[look]), 1),
        fact=IS,
        name=names[0],
        last="",
        assigned=" ".join(names),
        probability=round(sure, 3),
        others="; ".join(f"{name} {(1 - sure) / (len(names) - 1):.2f}" for name in names[1 : 1 + MOST_OTHERS]),
        from_movie=movie,
        from_frame=int(trajectories.frame[rows].min()),
        to_movie=movie,
        to_frame=int(trajectories.frame[rows].max()),
        frames=len(rows),
        gain=round(sum(one.gain for one in stay), 1),
    )
