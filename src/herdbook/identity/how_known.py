"""How each assignment is known: by a label, by the tracklet's own images, by movement, by elimination, or assumed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Bools
from herdbook.artifacts.propagate import ASSUMED, CLASSIFIED, ELIMINATED, LABELLED, PROPAGATED

# A tracklet is called classified when its own images alone give its identity at least this probability.
CLASSIFIED_FROM = 0.9


def own_probability(evidence: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Probability (n, columns) of each identity by the tracklet's own evidence (n, columns; nats) alone, 0 where nobody can be."""
    highest = np.max(evidence, axis=1, keepdims=True, initial=-np.inf)
    weight = np.exp(evidence - np.where(np.isfinite(highest), highest, 0))
    total = weight.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0))


def how_known(held: Bools, evidence: NDArray[np.floating[Any]], informed: Bools, stated: Bools) -> NDArray[np.uint8]:
    """How it is known, uint8 (n, columns), an index into HOW_KNOWN, that an identity is in a tracklet; valid where it is `held`.

    `held` (n, columns) who is in each tracklet; `evidence` (n, columns) nats and `informed` (n,) as in `RecordingEvidence`; `stated`
    (n, columns) whether a person's label or fact says so. Tracklets are in order of their first frame.
    """
    own = own_probability(evidence)
    how = np.full(held.shape, PROPAGATED, np.uint8)
    for column in range(held.shape[1]):
        path = np.flatnonzero(held[:, column])
        mine, read = own[path, column], informed[path]
        classified = read & (mine >= CLASSIFIED_FROM)
        # The images favour another identity by more than two to one.
        against = read & (mine < own[path].max(axis=1, initial=0) / 2)
        seen = bool((stated[path, column] | classified).any())
        how[path, column] = np.select(
            [stated[path, column], classified, against], [LABELLED, CLASSIFIED, ASSUMED], PROPAGATED if seen else ELIMINATED
        )
    return how
