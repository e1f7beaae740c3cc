"""What of a movie is needed to locate its animals: blobs, tracklets, identities, and images of animals seen alone."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.ellipses import orientation
from herdbook.positions.appearance import Alone

RunsOf = Callable[[int], NDArray[np.int32]]

# An animal is known for sure from this confidence on.
KNOWN_CONFIDENCE = 0.9


@dataclass
class Positions:
    """Positions as columns, one row per individual and frame."""

    frame: NDArray[np.int64]
    individual: NDArray[np.int64]
    x: Floats
    y: Floats
    angle: Floats
    confidence: Floats
    source: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: NDArray[np.int64]) -> "Positions":
        """The rows in the order given."""
        return Positions(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Scene:
    """One movie's blobs as far as positions need them, in order of frame.

    `frame`, `x`, `y`, `angle` (blobs,); `tracklet` (blobs,); `animals` (tracklets,); `occupants`: individuals of each tracklet with their
    confidence; `parents`, `children`: neighbouring tracklets of each tracklet.
    """

    frame: NDArray[np.int64]
    x: Floats
    y: Floats
    angle: Floats
    tracklet: NDArray[np.int64]
    animals: NDArray[np.int64]
    occupants: dict[int, list[tuple[int, float]]]
    parents: dict[int, list[int]]
    children: dict[int, list[int]]
    variances: tuple[float, float]


def make_scene(blobs: Blobs, tracklets: Tracklets, identities: Identities, movie: str) -> Scene:
    """What positions need to know of a movie."""
    occupants: dict[int, list[tuple[int, float]]] = defaultdict(list)
    mine = identities.movie == identities.movies.index(movie)
    columns = (identities.tracklet[mine], identities.individual[mine], identities.confidence[mine])
    for tracklet, individual, confidence in zip(*columns, strict=True):
        occupants[int(tracklet)].append((int(individual), float(confidence)))
    parents, children = defaultdict(list), defaultdict(list)
    for parent, child in tracklets.edges:
        parents[int(child)].append(int(parent))
        children[int(parent)].append(int(child))
    xx, xy, yy = blobs.moments.T
    middle, half = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    animals = identities.animals_of(movie)
    alone = animals[tracklets.blob_tracklet] == 1
    if not alone.any():
        alone = np.ones(len(blobs), bool)
    variances = (float(np.median((middle + half)[alone])), float(np.median((middle - half)[alone])) + 1e-6) if len(blobs) else (1.0, 1.0)
    return Scene(
        frame=blobs.frame.astype(np.int64),
        x=blobs.x,
        y=blobs.y,
        angle=np.asarray(orientation(xx, xy, yy)),
        tracklet=tracklets.blob_tracklet.astype(np.int64),
        animals=animals.astype(np.int64),
        occupants=dict(occupants),
        parents=dict(parents),
        children=dict(children),
        variances=variances,
    )


def cut_scene(scene: Scene, start: int, stop: int) -> Scene:
    """The scene of the blobs start .. stop - 1 alone."""
    return replace(scene, **{name: getattr(scene, name)[start:stop] for name in ("frame", "x", "y", "angle", "tracklet")})


def alone_images(scene: Scene, blobs: Blobs, individuals: int) -> list[Alone]:
    """The images of each individual by itself, where it is known for sure."""
    owner = np.full(int(max([len(scene.animals) - 1, *scene.occupants], default=0)) + 1, -1)
    for tracklet, who in scene.occupants.items():
        if len(who) == 1 and who[0][1] >= KNOWN_CONFIDENCE:
            owner[tracklet] = who[0][0]
    pictured = np.flatnonzero((blobs.image >= 0) & (scene.animals[scene.tracklet] == 1))
    columns = np.stack([pictured, *(column[pictured] for column in (scene.x, scene.y, scene.angle, scene.frame))], 1)
    return [columns[owner[scene.tracklet[pictured]] == individual] for individual in range(individuals)]


def tracklet_images(scene: Scene, blobs: Blobs) -> list[Alone]:
    """The images of each tracklet that holds one animal; none of the others."""
    pictured = np.flatnonzero((blobs.image >= 0) & (scene.tracklet >= 0) & (scene.animals[scene.tracklet] == 1))
    pictured = pictured[np.argsort(scene.tracklet[pictured], kind="stable")]
    columns = np.stack([pictured, *(column[pictured] for column in (scene.x, scene.y, scene.angle, scene.frame))], 1)
    return np.split(columns, np.searchsorted(scene.tracklet[pictured], np.arange(1, len(scene.animals))))
