"""Reading the points of animals in pictures: one crop each where the heading is sure, several headings where it is not.

Arrays are (n, ...) for n animals; points are (x, y) px of the picture.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Bools, Floats, Image, Ints
from herdbook.bodypoints.learned.crops import SOFT, CropView, cut_crop, draw_ellipses, others_in_crop, to_movie
from herdbook.bodypoints.learned.network import Predictor
from herdbook.bodypoints.learned.peaks import find_peaks
from herdbook.bodypoints.learned.shapes import fit_poses

# Headings that are tried where it is not sure, off the given one: networks learn with turns of up to half of the step.
TRIED = (np.pi / 2, np.pi, -np.pi / 2)
# So many of them, and of the given one, are read again from where the points themselves put the animal, which is at most so far from where
# it was (in body lengths).
AGAIN, FARTHEST = 2, 0.5
# How many readings an animal has at most: the given one, and those that were read again.
READINGS = 1 + AGAIN
# Where the place or heading is unsure, a crop that fits is read again if its points turn it by more than most turns of the training (rad).
TURNED = np.radians(25)
# No score is so low that it tells more than this.
LEAST_SCORE = 1e-3
# Few at a time: what a layer makes of them stays in the cache of the processor.
BATCH = 32


class Readings(NamedTuple):
    """Readings of n animals: `points` (n, K, J, 2), `score` (n, K, J), `place` (n, K, 2) and `heading` (n, K) as the points tell them, and
    `fit` (n, K), the mean logarithm of the scores; NaN where there is none.
    """

    points: Floats
    score: Floats
    place: Floats
    heading: Floats
    fit: Floats


class ShownAnimals(NamedTuple):
    """Pictures, and the animals in them: `picture` (n,) the number of the picture of each, its `place` (n, 2) and `heading` (n,); where
    others are known to be: `all_places` (pictures, m, 2) and `all_headings` (pictures, m), of which `who` (n,) is each animal itself.
    """

    pictures: Sequence[Image]
    picture: Ints
    place: Floats
    heading: Floats
    all_places: Floats
    all_headings: Floats
    who: Ints


class PoseReader:
    """Reads points with a trained network; `shape` (J, 2) px typical places, `half_axes` of a body, px."""

    def __init__(self, predictor: Predictor, view: CropView, shape: Floats, half_axes: tuple[float, float]) -> None:
        self._predictor, self._view, self._shape, self._half_axes = predictor, view, shape, half_axes

    def once(self, scene: ShownAnimals, rows: Ints, place: Floats, heading: Floats) -> Readings:
        """One reading (K = 1) of the animals `rows` (n,) of a scene with crops at these places (n, 2) and headings (n,)."""
        parts = [self._once(scene, rows[k : k + BATCH], place[k : k + BATCH], heading[k : k + BATCH]) for k in range(0, len(rows), BATCH)]
        if not parts:
            joints = len(self._shape)
            return Readings(np.empty((0, 1, joints, 2)), np.empty((0, 1, joints)), np.empty((0, 1, 2)), np.empty((0, 1)), np.empty((0, 1)))
        return Readings(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def several(self, scene: ShownAnimals, unsure: Bools, usual_fit: float) -> Readings:
        """Readings of all animals of a scene: READINGS where the first one fits worse than is usual, and two where it is `unsure` and its
        points turn the animal by much; one of the others.
        """
        rows = np.arange(len(scene.place))
        first = self.once(scene, rows, scene.place, scene.heading)
        every = Readings(*(np.full((len(rows), READINGS, *part.shape[2:]), np.nan) for part in first))
        _put(every, first, rows, 0)
        turn = np.abs(np.angle(np.exp(1j * (first.heading[:, 0] - scene.heading))))
        poor = first.fit[:, 0] < usual_fit
        turned = np.flatnonzero(unsure & ~poor & (turn > TURNED))
        _put(every, self._again(scene, turned, first.place[turned, 0], first.heading[turned, 0]), turned, 1)
        weak = np.flatnonzero(poor)
        tried = [Readings(*(part[weak] for part in first))]
        tried += [self.once(scene, weak, scene.place[weak], scene.heading[weak] + angle) for angle in TRIED]
        found = Readings(*(np.concatenate(parts, axis=1) for parts in zip(*tried, strict=True)))
        order = np.argsort(-found.fit, axis=1)[:, :AGAIN]
        for k in range(AGAIN):
            at = np.arange(len(weak)), order[:, k]
            _put(every, self._again(scene, weak, found.place[at], found.heading[at]), weak, k + 1)
        return every

    def _again(self, scene: ShownAnimals, rows: Ints, place: Floats, heading: Floats) -> Readings:
        """One reading of the animals `rows` where points put them, but not too far from where they were."""
        off = place - scene.place[rows]
        most = FARTHEST * 2 * self._half_axes[0]
        share = np.minimum(1, most / np.maximum(np.hypot(*off.T), 1e-9))
        return self.once(scene, rows, scene.place[rows] + off * share[:, None], heading)

    def _once(self, scene: ShownAnimals, rows: Ints, place: Floats, heading: Floats) -> Readings:
        view = self._view
        crops = np.zeros((len(rows), view.size, view.size, 2), np.uint8)
        for k, row in enumerate(rows):
            number, who = scene.picture[row], scene.who[row]
            crops[k, ..., 0] = cut_crop(scene.pictures[number], place[k], float(heading[k]), view)
            places, headings = scene.all_places[number].copy(), scene.all_headings[number].copy()
            places[who], headings[who] = place[k], heading[k]
            shapes = others_in_crop(places, headings, int(who), self._half_axes, view)
            if len(shapes):
                other = np.zeros((view.size, view.size), np.uint8)
                draw_ellipses(shapes, *SOFT, other)
                crops[k, ..., 1] = other
        at, score = find_peaks(self._predictor.maps(crops), view.size)
        points = to_movie(at, place, heading, view)
        own_place, own_heading = fit_poses(points, score, self._shape)
        fit = np.log(np.clip(score, LEAST_SCORE, 1)).mean(axis=1)
        return Readings(points[:, None], score[:, None], own_place[:, None], own_heading[:, None], fit[:, None])


def _put(every: Readings, readings: Readings, rows: Ints, k: int) -> None:
    """Write one reading each (K = 1) of the animals `rows` as number `k` of all."""
    for target, values in zip(every, readings, strict=True):
        target[rows, k] = values[:, 0]
