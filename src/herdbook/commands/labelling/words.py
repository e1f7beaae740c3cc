"""What is known of a tracklet before it is labelled, in plain words: who it may be, and how long it is seen."""

from collections.abc import Sequence

import numpy as np

from herdbook.arrays import Floats
from herdbook.commands.labelling.choice import Candidates, Resemblance

# From this probability on, a name is told as the only one; from that on, as one of several.
LIKELY, POSSIBLE, MOST_NAMED = 0.9, 0.15, 3
# Longer tracklets (s) are long, shorter ones short.
LONG_S, SHORT_S = 20.0, 2.0


class Guesses:
    """Who the candidates probably are: by the classifier, or before there is one by how much they look like what is labelled."""

    def __init__(self, found: Candidates, names: Sequence[str]) -> None:
        self._found, self._names = found, list(names)
        self._like: Floats | None = None
        labelled = np.flatnonzero(found.label >= 0)
        if found.posterior is None and len(labelled):
            same, like = Resemblance(found), np.zeros((len(found.label), len(self._names)))
            for row in labelled.tolist():
                column = like[:, found.label[row]]
                np.maximum(column, same.with_row(row), out=column)
            self._like = like

    def of(self, row: int) -> list[tuple[str, float]]:
        """The names with their probabilities, most likely first; without any evidence all are 0, in the order of the experiment."""
        if self._found.posterior is not None:
            chance = self._found.posterior[row]
        elif self._like is not None:
            chance = self._like[row]
        else:
            chance = np.zeros(len(self._names))
        order = np.argsort(-chance, kind="stable")
        return [(self._names[k], float(chance[k])) for k in order.tolist()]


def describe(guesses: Sequence[tuple[str, float]], seconds: float, *, learned: bool) -> str:
    """A few words: "likely OB or PB; long". `learned`: whether a classifier has read the tracklet."""
    length = "long" if seconds >= LONG_S else "short" if seconds < SHORT_S else f"seen for {seconds:.0f} s"
    return f"{_who(guesses, learned)}; {length}"


def _who(guesses: Sequence[tuple[str, float]], learned: bool) -> str:
    best = guesses[0][1] if guesses else 0.0
    if best >= LIKELY and learned:
        return f"very likely {guesses[0][0]}"
    named = [name for name, chance in guesses[:MOST_NAMED] if chance >= POSSIBLE]
    if named:
        return f"{'likely' if learned else 'looks like'} {' or '.join(named)}"
    return "could be anybody" if learned else "not seen before" if best else "nothing is known yet"
