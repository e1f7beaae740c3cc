"""In which way each assignment is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.propagate import ASSUMED, CLASSIFIED, ELIMINATED, LABELLED, PROPAGATED

# A tracklet is called classified when its own images alone give its identity at least this probability.
CLASSIFIED_FROM = 0.9


def own_probability(evidence: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Probability (n, columns) of each identity by the tracklet's own evidence alone, 0 where nobody can be."""
    highest = np.max(evidence, axis=1, keepdims=True, initial=-np.inf)
    weight = np.exp(evidence - np.where(np.isfinite(highest), highest, 0))
    total = weight.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weight, total, out=np.zeros_like(weight), where=total > 0))


def tell_how(
    held: NDArray[np.bool_], evidence: NDArray[np.floating[Any]], informed: NDArray[np.bool_], said: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """How it is known (n, columns), an index into HOW_KNOWN, that an identity is in a tracklet, where it is `held`.

    `evidence` (n, columns) nats and `informed` bool (n,) as in `Read`; `said` bool (n, columns): a person said so. Tracklets are in
    order of time.
    """
    own = own_probability(evidence)
    how = np.full(held.shape, PROPAGATED, np.uint8)
    for column in range(held.shape[1]):
        path = np.flatnonzero(held[:, column])
        mine, read = own[path, column], informed[path]
        classified = read & (mine >= CLASSIFIED_FROM)
        # More than two to one for somebody else.
        against = read & (mine < own[path].max(axis=1, initial=0) / 2)
        seen = bool((said[path, column] | classified).any())
        how[path, column] = np.select(
            [said[path, column], classified, against], [LABELLED, CLASSIFIED, ASSUMED], PROPAGATED if seen else ELIMINATED
        )
    return how
