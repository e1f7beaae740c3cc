"""What a person said about places inside merged blobs, as evidence of who is where beside that of images."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.experiment.sheets.corrections import Correction
from herdbook.experiment.sheets.facts import IS, Fact
from herdbook.positions.passes import Evidence

# A person's word counts for more than all that images and movement say of a place, which is at most some 30 nats.
MOST_SAID_NATS = 60.0


class Answer(NamedTuple):
    """The animal `individual` is at (x, y) px in a frame."""

    frame: int
    individual: str
    x: float
    y: float


def answers_of(corrections: Iterable[Correction], facts: Iterable[Fact]) -> list[Answer]:
    """The places that corrections of animals and facts of one movie give."""
    placed = [Answer(c.frame, c.individual, c.x, c.y) for c in corrections if not c.point and not np.isnan(c.x)]
    return placed + [Answer(fact.frame, fact.name, fact.x, fact.y) for fact in facts if fact.kind == IS]


def with_answers(
    evidence: Evidence, frames: NDArray[np.integer[Any]], answers: Iterable[Answer], individuals: Sequence[str], width_px: float
) -> Evidence:
    """The evidence of images together with answers: a place far from where a person saw an animal is not its place.

    So one answer inside a contact decides the whole stay, for all that are in it. `frames` (blobs,) of the scene's blobs, `width_px` of an
    animal. An answer about a group says nothing here: its members are known by number only.
    """
    said: dict[int, dict[int, Floats]] = {}
    for answer in answers:
        if answer.individual in individuals:
            said.setdefault(answer.frame, {})[individuals.index(answer.individual)] = np.array([answer.x, answer.y])

    def both(blob: int, members: Sequence[int], places: Floats) -> Floats | None:
        seen, here = evidence(blob, members, places), said.get(int(frames[blob]), {})
        if not any(member in here for member in members):
            return seen
        gain = np.zeros((len(members), len(places))) if seen is None else seen.copy()
        for k, member in enumerate(members):
            if member in here:
                away = ((places[:, :2] - here[member]) ** 2).sum(axis=1)
                gain[k] -= np.minimum(away / (2 * width_px**2), MOST_SAID_NATS)
        return gain

    return both
