"""The artifact of stage repair: body points handed to the animals they belong to. Points are (x, y) in px of the full-resolution frame."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

# What was wrong with a detected point of a pose tool; `switched` to `refused` are counted as mistakes.
MISTAKES = ("missing", "kept", "switched", "drifted", "jumped", "refused")
MISSING, KEPT, SWITCHED, DRIFTED, JUMPED, REFUSED = range(len(MISTAKES))


@dataclass
class RepairedPoints(Artifact):
    """Body points of one movie under the names of its animals, and what was wrong with those of the file, whose animals or tracks are
    slots.

    Of each frame, individual and point: `x`, `y` float64 px, NaN where unknown; `likelihood` float32 as given in the file; `slot` int16
    (into `slots`), whose detection it is, -1 for none; `sure` float32 0..1, how likely it is this animal's. `held` int16 (frames,
    individuals): the slot that holds the whole animal, -1 for none. `stands` int32 (slots,): the individual that each slot is named
    after, or that it holds in most frames, -1 for none. `mistake` uint8 (frames, slots, points): index into MISTAKES.

    `by_hour` int64 (slots, hours, MISTAKES): how many points of each kind. `moments` int32 (k, 8), the worst moments, worst first: slot,
    first, last and worst frame, and how many points are switched, drifted, jumped and refused. `given_frames` is the number of frames of
    the file of body points.
    """

    kind: ClassVar[str] = "repair"
    individuals: list[str]
    points: list[str]
    slots: list[str]
    given_frames: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    likelihood: NDArray[np.float32]
    slot: NDArray[np.int16]
    sure: NDArray[np.float32]
    held: NDArray[np.int16]
    stands: NDArray[np.int32]
    mistake: NDArray[np.uint8]
    by_hour: NDArray[np.int64]
    moments: NDArray[np.int32]

    @property
    def moved(self) -> NDArray[np.bool_]:
        """Which points (frames, individuals, points) are detections of a slot that stands for another animal."""
        stands = np.append(self.stands, -1)[self.slot]
        return np.asarray((self.slot >= 0) & (stands != np.arange(len(self.individuals))[:, None]))

    @property
    def worst(self) -> tuple[int, int, str] | None:
        """The worst moment of an animal, if there is one: how many of its points are wrong, the worst frame, its name."""
        for slot, _, _, frame, *counts in self.moments.tolist():
            if self.stands[slot] >= 0:
                return sum(counts), frame, self.individuals[self.stands[slot]]
        return None
