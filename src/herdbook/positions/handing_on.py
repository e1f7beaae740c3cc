"""Who comes out of a contact: each animal is followed through it by its place, from where it came in to where one comes out.

For animals that keep numbers by movement alone. An animal alone in a tracklet that enters a contact is followed through the merged blobs of
the contact by fits of templates. Where a merged blob splits, its animals are shared out among what comes of it by how near they are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats
from herdbook.positions.fits import Fit, no_fit
from herdbook.positions.merged import PIXELS_PER_ANIMAL, blob_pixels, fit_ellipses, spread_guess
from herdbook.positions.scene import RunsOf, Scene

# The movement of an animal inside a contact is expected to go on with this share of its velocity from frame to frame. With 0, 0.5, 0.8
# and 1, 14, 16, 14 and 14 of 489 ways through contacts of ants are wrong.
ONWARD = 0.8
# Nats for each body length between where an animal is followed to and where one comes out. Of 16 ants in two movies this expects 37 wrong
# ways through contacts, and 37 are; 2 or 4 expect 99 and 15. Which way is taken does not depend on it.
PER_BODY_LENGTH = 3.0
# A place in a merged blob that is already full costs this much more (body lengths); 1 or 6 give the same.
FULL = 3.0


class Handed(NamedTuple):
    """The animal of the single tracklet `before` goes on in the tracklet `after`, this surely: a single one, or a merged one."""

    before: int
    after: int
    sure: float


@dataclass
class _State:
    """Where an animal is (px, rad), by how much it is expected to move on (px per frame), and how surely it is this one."""

    x: float
    y: float
    angle: float
    vx: float
    vy: float
    sure: float


def follow_contacts(scene: Scene, runs_of: RunsOf, fit: Fit = no_fit, only: Collection[int] | None = None) -> list[Handed]:
    """Where the animal of each single tracklet goes on in contacts and after them; what cannot be followed is not in the list.

    `only`: the merged tracklets through which animals are followed; all of them without it.
    `fit` is asked for the animals of single tracklets: the individuals of its templates are the numbers of these.
    """
    return _Follower(scene, runs_of, fit).run(only)


class _Follower:
    def __init__(self, scene: Scene, runs_of: RunsOf, fit: Fit) -> None:
        self._scene, self._runs_of, self._fit = scene, runs_of, fit
        self._length = 4 * scene.variances[0] ** 0.5
        self._rows = _rows_of(scene)
        # What is known of the animals that come from one merged tracklet into another.
        self._incoming: dict[int, dict[int, _State]] = {}
        self._found: list[Handed] = []

    def run(self, only: Collection[int] | None) -> list[Handed]:
        """Merged tracklets in order of their first frame."""
        scene = self._scene
        first = {t: int(scene.frame[rows[0]]) for t, rows in self._rows.items()}
        for tracklet in sorted(first, key=lambda t: (first[t], t)):
            looked_at = scene.animals[tracklet] > 1 and (only is None or tracklet in only)
            if looked_at and (known := self._entered(tracklet)):
                self._follow(tracklet, known)
                self._share_out(tracklet, known)
        return self._found

    def _entered(self, tracklet: int) -> dict[int, _State]:
        """The animals of a merged tracklet by the single tracklets from which they came in; none if that is known of none of them."""
        scene = self._scene
        known = self._incoming.pop(tracklet, {})
        for parent in scene.parents.get(tracklet, ()):
            if scene.animals[parent] == 1 and parent in self._rows:
                known[parent] = self._coming(parent)
        return known | self._others(known, tracklet, int(scene.animals[tracklet]) - len(known)) if known else {}

    def _follow(self, tracklet: int, known: dict[int, _State]) -> None:
        """Follow the animals in a merged tracklet to its last frame."""
        scene, tokens = self._scene, list(known)
        for blob in self._rows[tracklet]:
            states = [known[token] for token in tokens]
            start = np.array([(s.x + s.vx, s.y + s.vy, s.angle) for s in states])
            runs = self._runs_of(blob)
            near = np.ones(len(tokens), bool)
            fitted = self._fit(runs, blob, int(scene.frame[blob]), tokens, start, near)
            if fitted is None:
                pixels = blob_pixels(runs, PIXELS_PER_ANIMAL * len(tokens))
                fitted = np.column_stack(fit_ellipses(pixels, start[:, :2], start[:, 2], scene.variances))
            for token, state, (x, y, angle) in zip(tokens, states, fitted.tolist(), strict=True):
                vx, vy = ONWARD * (0.5 * state.vx + 0.5 * (x - state.x)), ONWARD * (0.5 * state.vy + 0.5 * (y - state.y))
                known[token] = _State(x, y, angle, vx, vy, state.sure)

    def _others(self, known: Mapping[int, _State], tracklet: int, missing: int) -> dict[int, _State]:
        """Animals that are in a merged tracklet, too, but of which nobody knows where they came from; their numbers are negative."""
        if missing <= 0:
            return {}
        blob = self._rows[tracklet][0]
        pixels = blob_pixels(self._runs_of(blob), PIXELS_PER_ANIMAL * (len(known) + missing))
        guessed = spread_guess(pixels, np.array([(s.x, s.y) for s in known.values()]), missing)
        angle = float(self._scene.angle[blob])
        return {-1 - k: _State(x, y, angle, 0.0, 0.0, 0.0) for k, (x, y) in enumerate(guessed.tolist())}

    def _coming(self, single: int) -> _State:
        """The state of an animal at the end of its single tracklet."""
        scene, rows = self._scene, self._rows[single]
        last, before = rows[-1], rows[max(0, len(rows) - 4)]
        frames = max(1, int(scene.frame[last] - scene.frame[before]))
        vx, vy = (scene.x[last] - scene.x[before]) / frames, (scene.y[last] - scene.y[before]) / frames
        return _State(float(scene.x[last]), float(scene.y[last]), float(scene.angle[last]), float(vx), float(vy), 1.0)

    def _share_out(self, tracklet: int, known: Mapping[int, _State]) -> None:
        """Share the animals of a merged tracklet out among its children."""
        scene = self._scene
        children = [c for c in scene.children.get(tracklet, ()) if c in self._rows]
        if not children:
            return
        tokens = list(known)
        places: list[int] = []
        costs: list[Floats] = []
        for child in children:
            away = self._away(known, child)
            places += [child] * int(scene.animals[child])
            costs += [away] * int(scene.animals[child])
            if scene.animals[child] > 1:
                places += [child] * len(tokens)
                costs += [away + FULL] * len(tokens)
        cost = np.stack(costs, 1)
        row, column = linear_sum_assignment(cost)
        for i, j in zip(row.tolist(), column.tolist(), strict=True):
            child, state = places[j], known[tokens[i]]
            if tokens[i] < 0:
                continue
            others = [
                cost[i, q] + cost[p, j] - cost[i, j] - cost[p, q]
                for p, q in zip(row.tolist(), column.tolist(), strict=True)
                if p != i and places[q] != child
            ]
            sure = state.sure / (1 + np.exp(-PER_BODY_LENGTH * np.clip(others, 0, 20)).sum())
            # Where all go the same way, nothing was seen of who goes where.
            if scene.animals[child] == 1 or len(children) > 1:
                self._found.append(Handed(tokens[i], child, float(sure)))
            if scene.animals[child] > 1:
                self._incoming.setdefault(child, {})[tokens[i]] = replace(state, sure=float(sure))

    def _away(self, known: Mapping[int, _State], child: int) -> Floats:
        """Distance (tokens,) in body lengths from each animal, as it moves on, to the first blob of a tracklet."""
        scene, blob = self._scene, self._rows[child][0]
        states = list(known.values())
        expected = np.array([(s.x + s.vx, s.y + s.vy) for s in states])
        if scene.animals[child] == 1:
            return np.asarray(np.hypot(expected[:, 0] - scene.x[blob], expected[:, 1] - scene.y[blob]) / self._length)
        pixels = blob_pixels(self._runs_of(blob), PIXELS_PER_ANIMAL * int(scene.animals[child]))
        nearest = [float(((pixels - place) ** 2).sum(axis=1).min()) for place in expected]
        return np.asarray(np.sqrt(nearest) / self._length)


def _rows_of(scene: Scene) -> dict[int, list[int]]:
    """The blobs of each tracklet in order of frame."""
    rows: dict[int, list[int]] = {}
    for blob, tracklet in enumerate(scene.tracklet.tolist()):
        if tracklet >= 0:
            rows.setdefault(tracklet, []).append(blob)
    return rows
