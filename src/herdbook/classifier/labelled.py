"""Which tracklets a person labelled, and the example images that they give."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import BlobImages, Blobs, blob_at
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.experiment.sheets.labels import Label
from herdbook.geometry.intervals import interval_of

# So many times the images that are wanted are looked at, to choose the best.
CANDIDATES = 3


@dataclass
class Gathered:
    """Example images of the tracklets so far: a part of each column per tracklet; of groups: movie, tracklet, first and last frame."""

    images: list[NDArray[np.uint8]] = field(default_factory=list)
    label: list[NDArray[np.int32]] = field(default_factory=list)
    frame: list[NDArray[np.int32]] = field(default_factory=list)
    time_s: list[NDArray[np.float64]] = field(default_factory=list)
    head: list[NDArray[np.float32]] = field(default_factory=list)
    chroma: list[NDArray[np.float32]] = field(default_factory=list)
    groups: list[tuple[int, int, int, int]] = field(default_factory=list)


def labelled_tracklets(
    labels: Sequence[Label], blobs: Blobs, tracklets: Tracklets, images: BlobImages, homes: Mapping[str, Collection[int]]
) -> tuple[dict[int, str], list[str]]:
    """The label of each labelled tracklet of one movie, and the notes on labels that could not be used.

    A point belongs to the blob that `blob_at` finds. `homes` tells the numbers of the arenas where each identity lives; only labels that
    are no identity may name a tracklet that holds more or less than one animal.
    """
    found: dict[int, dict[str, Label]] = defaultdict(dict)
    notes = []
    for label in labels:
        where = f"line {label.line} ({label.movie}, frame {label.frame}, {label.label})"
        if interval_of(label.frame, blobs.intervals) < 0:
            notes.append(f"{where}: the frame is outside of segment.intervals")
            continue
        blob = blob_at(label.frame, label.x, label.y, blobs, images)
        if blob is None:
            notes.append(f"{where}: there is no blob at ({label.x:g}, {label.y:g})")
            continue
        if label.label in homes and blobs.arena[blob] not in homes[label.label]:
            notes.append(f"{where}: the animal lives in another arena")
            continue
        tracklet = int(tracklets.blob_tracklet[blob])
        if tracklets.tracklet_kind[tracklet] != SINGLE and label.label in homes:
            notes.append(f"{where}: the blob holds {tracklets.animals[tracklet]} animals, not one")
            continue
        found[tracklet][label.label] = label
    for named in found.values():
        if len(named) > 1:
            lines = ", ".join(f"line {label.line} says {name}" for name, label in named.items())
            notes.append(f"contradictory labels on one tracklet of {next(iter(named.values())).movie}: {lines}; none is used")
    return {tracklet: next(iter(named)) for tracklet, named in found.items() if len(named) == 1}, notes


def coexisting_pairs(movie: NDArray[np.int32], first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.int32]:
    """Pairs (p, 2) of groups of one movie that share a frame, hence show two animals."""
    together = (movie[:, None] == movie) & (first[:, None] <= last) & (first <= last[:, None])
    return np.argwhere(np.triu(together, 1)).astype(np.int32)
