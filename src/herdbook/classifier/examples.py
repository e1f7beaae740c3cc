"""Example images of tracklets: cut, chosen, and joined as the columns of a training set. Images are uint8 (n, h, w, 3)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.classifier.crops import CropSpec, Light, make_crops, spread_rows
from herdbook.geometry.heads import head_directions

Columns = dict[str, NDArray[Any]]

# An image is blurred if its edges are less than this share of the tracklet's median.
SHARP = 0.6
# Images that differ by less than this, in grey levels on average, are the same.
SAME_LEVELS = 0.5
# Differences are taken between images of this size (px): what is finer is noise.
SMALL = (12, 16)


class MovieImages(NamedTuple):
    """A movie from which example images are taken: its name, blobs, tracklets, the images of its blobs, and its light."""

    name: str
    blobs: Blobs
    tracklets: Tracklets
    images: BlobImages
    light: Light


def tracklet_examples(movie: MovieImages, wanted: Iterable[int], spec: CropSpec, body_length_px: float, most: int) -> Iterator[Columns]:
    """Example images of each `wanted` tracklet, at most so many and spread over it, as columns of a `TrainingSet`.

    Yields per tracklet `images`, `chroma`, `frame`, `time_s` and `head`, each (n, ...). `body_length_px`: usual length of an animal.
    """
    blobs = movie.blobs
    rows, offsets = movie.tracklets.blob_rows()
    direction, head = head_directions(rows, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, body_length_px)
    inside, anywhere = (spread_rows(rows, offsets, usable, most) for usable in ((blobs.image >= 0) & ~blobs.border, blobs.image >= 0))
    for tracklet in wanted:
        # An animal that is never apart from the border is better shown so than not at all.
        chosen = inside[tracklet] if len(inside[tracklet]) else anywhere[tracklet]
        images, chroma = make_crops(movie.images, blobs, chosen, direction, movie.light, spec)
        frame = blobs.frame[chosen]
        yield {"images": images, "chroma": chroma, "frame": frame, "time_s": frame / blobs.fps, "head": head[chosen]}


def join_examples(parts: Sequence[Columns], label: Sequence[int], spec: CropSpec) -> Columns:
    """The columns of all tracklets after each other, with the `label` int32 and the `group` int32, its place among `parts`, of each image.

    Columns of no tracklet are empty ones of the right kind. `spec`: how the images were made.
    """
    width, height = spec.size
    nothing: Columns = {
        "images": np.zeros((0, height, width, 3), np.uint8),
        "chroma": np.zeros(0, np.float32),
        "frame": np.zeros(0, np.int32),
        "time_s": np.zeros(0),
        "head": np.zeros(0, np.float32),
    }
    counts = [len(part["images"]) for part in parts]
    joined = {name: np.concatenate([empty, *(part[name] for part in parts)]) for name, empty in nothing.items()}
    groups = np.arange(len(parts), dtype=np.int32)
    return joined | {"label": np.repeat(np.array(label, np.int32), counts), "group": np.repeat(groups, counts)}


def coexisting_pairs(place: NDArray[np.integer], first: NDArray[np.integer], last: NDArray[np.integer]) -> NDArray[np.int32]:
    """Pairs (p, 2) of tracklets that share a place, such as a movie, and a frame, hence show two animals; those of a place together.

    `place`, `first` and `last` frame are (tracklets,).
    """
    pairs = [np.zeros((0, 2), np.int64)]
    for k in np.unique(place):
        mine = np.flatnonzero(place == k)
        together = (first[mine, None] <= last[mine]) & (first[mine] <= last[mine, None])
        pairs.append(mine[np.argwhere(np.triu(together, 1))])
    return np.concatenate(pairs).astype(np.int32)


def choose_examples(images: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """At most `count` of the images of one tracklet: places in order, at least one if there is any.

    They are sharp, none twice, and as different from each other as the tracklet offers. Blurred images go first. Of the others, beginning
    with the most typical, the one farthest from all that were taken is taken next (Gonzalez 1985, Theor. Comput. Sci. 38:293), until the
    next one is the same as one of them.
    """
    if not len(images):
        return np.zeros(0, np.int64)
    edges = np.array([cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).std() for image in images])
    sharp = np.flatnonzero(edges >= SHARP * np.median(edges))
    looks = np.stack([cv2.resize(images[k], SMALL, interpolation=cv2.INTER_AREA).ravel() for k in sharp]).astype(np.float32)
    taken = [int(np.abs(looks - np.median(looks, axis=0)).mean(axis=1).argmin())]
    nearest = np.abs(looks - looks[taken[0]]).mean(axis=1)
    while len(taken) < count and nearest.max() >= SAME_LEVELS:
        taken.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.abs(looks - looks[taken[-1]]).mean(axis=1))
    return np.sort(sharp[taken])
