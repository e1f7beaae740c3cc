"""Which tracklets come next, in which order, and what the page is told of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from herdbook.app.labelling.footage import State
from herdbook.arrays import Bools, Floats, Ints
from herdbook.commands.labelling.choice import suggest_labels, suggest_together
from herdbook.commands.labelling.words import describe
from herdbook.errors import HerdbookError

ORDERS = ("suggested", "random", "longest", "unsure", "time")
MOST_POINTS = 200


@dataclass(frozen=True)
class Wanted:
    """Which points: their order, and only those of a movie, those that may have a name, with a probability of their best name from
    `least` to `most`; also those that are `labelled`.
    """

    order: str = "suggested"
    movie: str = ""
    name: str = ""
    least: float = 0.0
    most: float = 1.0
    labelled: bool = False
    count: int = 40

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Wanted":
        """What a page asked for. Raises HerdbookError for anything that is not understood."""
        try:
            wanted = cls(
                order=values.get("order", "suggested"),
                movie=values.get("movie", ""),
                name=values.get("name", ""),
                least=float(values.get("least") or 0),
                most=float(values.get("most") or 1),
                labelled=values.get("labelled") == "1",
                count=min(max(1, int(values.get("count") or 40)), MOST_POINTS),
            )
        except ValueError as error:
            raise HerdbookError(f"the page asked for points in a way that is not understood ({error})") from error
        if wanted.order not in ORDERS:
            raise HerdbookError(f"there is no order {wanted.order!r}; there are {', '.join(ORDERS)}")
        return wanted


def points_of(state: State, wanted: Wanted, names: list[str], seed: int) -> list[dict[str, Any]]:
    """The points that are wanted, first ones first."""
    found, rows = state.found, np.arange(len(state.owner))
    fits = _fits(state, wanted, names)
    if wanted.order == "suggested" and not wanted.labelled:
        order = [best.row for best in suggest_labels(found, MOST_POINTS if not fits.all() else wanted.count)]
        if found.posterior is None:
            # Nobody is forgotten if all of them are seen at once.
            first = suggest_together(found)
            order = [*first, *(row for row in order if row not in first)]
        order = [row for row in order if fits[row]]
    else:
        keys = {"random": np.random.default_rng(seed).random(len(rows)), "longest": -found.frames, "time": found.first}
        key = keys.get(wanted.order, _best(state))
        order = [int(row) for row in np.lexsort((found.first, key)) if fits[row]]
    return [point_of(state, names, row) for row in order[: wanted.count]]


def point_of(state: State, names: list[str], row: int) -> dict[str, Any]:
    """What the page is told of a candidate."""
    return tracklet_point(state, names, state.movies[state.owner[row]].name, int(state.tracklet[row]), row)


def tracklet_point(state: State, names: list[str], movie: str, tracklet: int, row: int = -1) -> dict[str, Any]:
    """What the page is told of a tracklet, which may be too short to be suggested."""
    one, known = state.movie(movie), state.known[movie]
    frame, x, y = one.place(tracklet)
    first, last = int(one.tracklets.first[tracklet]), int(one.tracklets.last[tracklet])
    seconds = (last - first + 1) / one.blobs.fps
    learned = known.posterior is not None
    if row >= 0:
        guesses = state.guesses.of(row)
    elif known.posterior is not None:
        guesses = [(names[k], float(known.posterior[tracklet, k])) for k in np.argsort(-known.posterior[tracklet], kind="stable").tolist()]
    else:
        guesses = [(name, 0.0) for name in names]
    present = int(known.name[tracklet])
    if present >= 0 and known.sure[tracklet] > guesses[0][1]:
        # What movement tells counts as well.
        guesses = _with_first(guesses, names[present], float(known.sure[tracklet]))
    label = int(known.label[tracklet])
    return {
        **{"movie": movie, "tracklet": tracklet, "first": first, "last": last, "seconds": round(seconds, 1)},
        **{"frame": int(frame), "x": round(x, 2), "y": round(y, 2), "label": names[label] if label >= 0 else ""},
        **{"present": names[present] if present >= 0 else "", "sure": round(float(known.sure[tracklet]), 3)},
        **{"guesses": [[name, round(chance, 3)] for name, chance in guesses], "words": describe(guesses, seconds, learned=learned)},
        "aside": bool(known.aside[tracklet]),
    }


def _with_first(guesses: list[tuple[str, float]], name: str, sure: float) -> list[tuple[str, float]]:
    """The guesses with this probability of one name; the others share what is left."""
    others = [pair for pair in guesses if pair[0] != name]
    rest = sum(chance for _, chance in others)
    return [(name, sure), *((other, chance * (1 - sure) / rest if rest else 0.0) for other, chance in others)]


def _best(state: State) -> Floats:
    """The probability (n,) of the best name of each candidate."""
    sure = 1 - state.found.doubt
    return sure if state.found.posterior is None else np.maximum(sure, state.found.posterior.max(axis=1))


def _fits(state: State, wanted: Wanted, names: list[str]) -> Bools:
    found = state.found
    fits = found.open.copy() if wanted.labelled else found.open & (found.label < 0)
    if wanted.movie:
        fits &= state.owner == [movie.name for movie in state.movies].index(state.movie(wanted.movie).name)
    best = _best(state)
    fits &= (best >= wanted.least) & (best <= wanted.most)
    if wanted.name:
        fits &= names_of(state, names) == _number(names, wanted.name)
    return np.asarray(fits)


def names_of(state: State, names: list[str]) -> Ints:
    """The name (n,) that each candidate has: by its label, or else by the last run, or else by its look; -1 if nothing is known."""
    found = np.full(len(state.owner), -1, np.int64)
    for row, (owner, tracklet) in enumerate(zip(state.owner.tolist(), state.tracklet.tolist(), strict=True)):
        known = state.known[state.movies[owner].name]
        guess, chance = state.guesses.of(row)[0]
        found[row] = max(int(known.label[tracklet]), -1) if known.label[tracklet] >= 0 else known.name[tracklet]
        if found[row] < 0 and chance > 0:
            found[row] = names.index(guess)
    return found


def _number(names: list[str], name: str) -> int:
    if name not in names:
        raise HerdbookError(f"there is no name {name!r}")
    return names.index(name)
