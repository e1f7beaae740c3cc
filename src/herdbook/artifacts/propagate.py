"""The artifact of stage propagate: who is in which tracklet of a recording, with which confidence, and how this is known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

LABELLED, CLASSIFIED, PROPAGATED, ELIMINATED, ASSUMED = range(5)
HOW_KNOWN = ("labelled", "classified", "propagated", "eliminated", "assumed")


@dataclass
class Identities(Artifact):
    """Who is in which tracklet, over one recording: one row per tracklet and individual in it.

    `movie` int32 (into `movies`), `tracklet` int32, `individual` int32 (into `individuals`), `confidence` float32 0..1, `how` uint8
    (index into HOW_KNOWN). Sorted by movie, tracklet, individual. `animals` int16 (all tracklets, movie after movie): number of animals in
    each tracklet, counted over the recording; those of movie k begin at `animals_offsets`[k], int64 (movies + 1,). `gap` float64: how far
    the solution may be from the optimum, as a share of its cost.

    At the seam before each movie, if the animals have names, see `identity.contradictions`: (movies, 2) of images and of names,
    `seam_pairs` int64, `seam_contradicted` int64, `seam_expected` float64.
    """

    kind: ClassVar[str] = "propagate"
    movies: list[str]
    individuals: list[str]
    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    individual: NDArray[np.int32]
    confidence: NDArray[np.float32]
    how: NDArray[np.uint8]
    animals: NDArray[np.int16]
    animals_offsets: NDArray[np.int64]
    gap: float
    # Identities of earlier versions lack them.
    seam_pairs: NDArray[np.int64] | None = None
    seam_contradicted: NDArray[np.int64] | None = None
    seam_expected: NDArray[np.float64] | None = None

    def animals_of(self, movie: str) -> NDArray[np.int16]:
        """How many animals each tracklet of a movie holds."""
        number = self.movies.index(movie)
        return self.animals[self.animals_offsets[number] : self.animals_offsets[number + 1]]
