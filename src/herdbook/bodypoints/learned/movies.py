"""The body points of a whole movie: read crop by crop, then along a path over time, each with its expected error.

Points are (x, y) px of the movie, T frames, A animals, K readings of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from herdbook.arrays import Bools, Floats, Image, Ints
from herdbook.bodypoints.learned.headings import best_path, usual_changes
from herdbook.bodypoints.learned.reading import READINGS, PoseReader, Readings, ShownAnimals

# Frames in memory at a time (bytes): readings of several headings need a frame more than once.
CHUNK_BYTES = 64 << 20
# Two animals' same point within this distance (body lengths) is one point, which both found: that of the surer one.
SAME_BODY = 0.08


@dataclass(frozen=True)
class ReadPoints:
    """`xy` (T, A, J, 2) and `score` (T, A, J), NaN where an animal has no position; the `place` (T, A, 2) and `heading` (T, A) that the
    points tell, and their `fit` (T, A); whether that is not the given heading, `turned` (T, A): another was tried and fits better.
    """

    xy: Floats
    score: Floats
    place: Floats
    heading: Floats
    turned: Bools
    fit: Floats


def read_movie(
    frames: Iterator[Image],
    shape: tuple[int, int],
    place: Floats,
    heading: Floats,
    unsure: Bools,
    reader: PoseReader,
    usual_fit: float,
    body_px: float,
) -> ReadPoints:
    """Points of all animals with a `place` (T, A, 2) and `heading` (T, A) in the grey `frames`, T pictures of this shape (rows, columns).

    Where `unsure` (T, A), or where a reading fits worse than `usual_fit`, several headings are tried.
    """
    found, chunk = [], max(1, CHUNK_BYTES // (shape[0] * shape[1]))
    for first in range(0, len(place), chunk):
        pictures = list(islice(frames, min(chunk, len(place) - first)))
        part = slice(first, first + len(pictures))
        picture, who = np.nonzero(~np.isnan(heading[part]))
        scene = ShownAnimals(pictures, picture, place[part][picture, who], heading[part][picture, who], place[part], heading[part], who)
        reading = reader.several(scene, unsure[part][picture, who], usual_fit)
        found.append(_spread(reading, picture, who, len(pictures), place.shape[1]))
    every = Readings(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return _along_paths(every, heading, body_px)


def without_doubles(xy: Floats, score: Floats, body_px: float) -> Bools:
    """Which points (T, A, J) another animal has at the same place with a higher score: they are that one's."""
    taken = np.zeros(score.shape, bool)
    animals = xy.shape[1]
    for a in range(animals):
        for b in range(a + 1, animals):
            same = np.hypot(*np.moveaxis(xy[:, a] - xy[:, b], -1, 0)) < SAME_BODY * body_px
            lower = score[:, a] < score[:, b]
            taken[:, a] |= same & lower
            taken[:, b] |= same & ~lower
    return taken


def _spread(reading: Readings, picture: Ints, who: Ints, frames: int, animals: int) -> Readings:
    """Readings by frame and animal (frames, animals, K, ...), NaN where there is none."""
    spread = Readings(*(np.full((frames, animals, READINGS, *part.shape[2:]), np.nan) for part in reading))
    for target, values in zip(spread, reading, strict=True):
        target[picture, who] = values
    return spread


def _along_paths(every: Readings, given: Floats, body_px: float) -> ReadPoints:
    frames, animals = every.fit.shape[:2]
    alone = np.asarray(np.isnan(every.fit[:, :, 1:]).all(axis=2))
    sure_place = np.where(alone[..., None], every.place[:, :, 0], np.nan)
    sure_heading = np.where(alone, every.heading[:, :, 0], np.nan)
    chosen = np.full((frames, animals), -1)
    for a in range(animals):
        step, turn = usual_changes(sure_place[:, a], sure_heading[:, a], body_px)
        chosen[:, a] = best_path(every.fit[:, a], every.place[:, a], every.heading[:, a], step, turn)
    known = chosen >= 0
    at = (*np.nonzero(known), chosen[known])
    picked: list[Floats] = []
    for part in every:
        values = np.full((frames, animals, *part.shape[3:]), np.nan)
        values[known] = part[at]
        picked.append(values)
    points = Readings(*picked)
    turned = known & (np.cos(points.heading - given) < 0)
    return ReadPoints(points.points, points.score, points.place, points.heading, turned, points.fit)
