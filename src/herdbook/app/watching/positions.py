"""Positions of animals by frame, small enough to hold those of hours: rows in order of frame, with the place where each frame begins."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import FROM_MERGED, FROM_SINGLE, Trajectories
from herdbook.artifacts.tracklets import NOISE, Tracklets

# Distance of marks from animals that were never seen alone, px.
USUAL_RADIUS = 12.0


@dataclass(frozen=True)
class FramePlaces:
    """Positions, one row for each animal in each frame in which it has one, sorted by frame.

    `individual` int32, `x`, `y` float32 px, `confidence` float32, `source` uint8 (index into `artifacts.smooth.SOURCES`), all (n,);
    `offsets` int64 (frames + 1,).
    """

    individual: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    confidence: NDArray[np.float32]
    source: NDArray[np.uint8]
    offsets: Ints

    def rows(self, frame: int) -> slice:
        """The rows of a frame."""
        return slice(int(self.offsets[frame]), int(self.offsets[frame + 1]))

    @property
    def frame(self) -> Ints:
        """The frame of each row."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


@dataclass(frozen=True)
class Unknown:
    """Blobs in which animals are whose names nobody knows, sorted by frame: `x`, `y`, `radius` float32 px, `count` int16, all (n,)."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    radius: NDArray[np.float32]
    count: NDArray[np.int16]
    offsets: Ints

    def on_frame(self, frame: int) -> list[list[float]]:
        """Those of a frame: x, y, count and radius of each."""
        columns = (self.x, self.y, self.count, self.radius)
        rows = slice(int(self.offsets[frame]), int(self.offsets[frame + 1]))
        return [[round(float(value), 1) for value in row] for row in zip(*(column[rows] for column in columns), strict=True)]


def read_positions(path: Path) -> tuple[FramePlaces, list[str]]:
    """The positions of a smooth artifact, and the names of all animals."""
    read = Trajectories.load(path, without=("x_raw", "y_raw", "heading", "disagreement", "jump"))
    offsets = np.searchsorted(read.frame, np.arange(read.frames + 1)).astype(np.int64)
    x, y = read.x.astype(np.float32), read.y.astype(np.float32)
    return FramePlaces(read.individual, x, y, read.confidence, read.source, offsets), read.individuals


def positions_of_blobs(blobs: Blobs, tracklets: Tracklets, identities: Identities, movie: str) -> FramePlaces:
    """Positions before any were computed: centres of the blobs in which animals are; of several in one blob, that of the blob."""
    mine = identities.movie == identities.movies.index(movie)
    tracklet, individual = identities.tracklet[mine], identities.individual[mine]
    rows, ends = tracklets.blob_rows()
    many = np.diff(ends)[tracklet]
    heads = np.repeat(ends[tracklet] - np.concatenate([[0], np.cumsum(many)[:-1]]), many) if len(many) else np.zeros(0, np.int64)
    blob = rows[heads + np.arange(int(many.sum()))]
    who, sure = np.repeat(individual, many), np.repeat(identities.confidence[mine], many)
    alone = np.repeat(identities.animals_of(movie)[tracklet] == 1, many)
    order = np.lexsort((who, blobs.frame[blob]))
    blob = blob[order]
    return FramePlaces(
        individual=who[order].astype(np.int32),
        x=blobs.x[blob].astype(np.float32),
        y=blobs.y[blob].astype(np.float32),
        confidence=sure[order].astype(np.float32),
        source=np.where(alone, FROM_SINGLE, FROM_MERGED)[order].astype(np.uint8),
        offsets=np.searchsorted(blobs.frame[blob], np.arange(blobs.frames + 1)).astype(np.int64),
    )


def unknown_animals(
    blobs: Blobs, tracklets: Tracklets, identities: Identities, movie: str, names: int
) -> tuple[Unknown, NDArray[np.float32]]:
    """The animals without a name, and how far from its centre each of `names` animals reaches, float32 (names,) px."""
    mine = identities.movie == identities.movies.index(movie)
    tracklet, animals = identities.tracklet[mine], identities.animals_of(movie)
    named = np.bincount(tracklet, minlength=len(tracklets))
    lacking = np.where(tracklets.tracklet_kind == NOISE, 0, np.maximum(0, animals - named))
    half = np.hypot(blobs.box[:, 2] - blobs.box[:, 0], blobs.box[:, 3] - blobs.box[:, 1]) / 2
    of_blob = tracklets.blob_tracklet
    count = np.where(of_blob >= 0, lacking[np.maximum(of_blob, 0)], 0) if len(lacking) else np.zeros(len(of_blob), np.int64)
    rows = np.flatnonzero(count > 0)
    unknown = Unknown(
        x=blobs.x[rows].astype(np.float32),
        y=blobs.y[rows].astype(np.float32),
        radius=half[rows].astype(np.float32),
        count=count[rows].astype(np.int16),
        offsets=np.searchsorted(blobs.frame[rows], np.arange(blobs.frames + 1)).astype(np.int64),
    )
    return unknown, _radii(half, tracklets, tracklet, identities.individual[mine], animals, names)


def _radii(
    half: NDArray[np.float64],
    tracklets: Tracklets,
    tracklet: NDArray[np.int32],
    individual: NDArray[np.int32],
    animals: NDArray[np.integer[Any]],
    names: int,
) -> NDArray[np.float32]:
    """How far each animal reaches when it is alone, as the median of half the diagonals of its boxes."""
    owner = np.full(len(tracklets) + 1, -1, np.int64)
    alone = animals[tracklet] == 1
    owner[tracklet[alone]] = individual[alone]
    who = owner[tracklets.blob_tracklet]
    order = np.argsort(who, kind="stable")
    order = order[np.searchsorted(who[order], 0) :]
    ends = np.searchsorted(who[order], np.arange(names + 1))
    usual = float(np.median(half[order])) if len(order) else USUAL_RADIUS
    medians = [np.median(half[order[a:b]]) if b > a else usual for a, b in pairwise(ends.tolist())]
    return np.array(medians, np.float32)
