"""Which tracklets a person labelled, and the example images that they give."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.segment import BlobImages, Blobs, blob_at
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec, Light, make_crops, spread_rows
from herdbook.classifier.examples import choose_examples
from herdbook.experiment.sheets.labels import Label
from herdbook.geometry.heads import head_directions
from herdbook.geometry.intervals import interval_of

# So many times the images that are wanted are looked at, to choose the best.
CANDIDATES = 3


class MovieImages(NamedTuple):
    """A movie from which example images are taken: its name, blobs, tracklets, the images of its blobs, and its light."""

    name: str
    blobs: Blobs
    tracklets: Tracklets
    images: BlobImages
    light: Light


@dataclass
class LabelReader:
    """Names tracklets by a person's labels; `homes` gives the numbers of the arenas where each identity lives.

    `notes` collects the labels that could not be used, and why.
    """

    labels: Sequence[Label]
    homes: Mapping[str, Collection[int]]
    notes: list[str] = field(default_factory=list)

    def named_in(self, movie: str, blobs: Blobs, tracklets: Tracklets, images: BlobImages) -> dict[int, str]:
        """The label of each labelled tracklet of a movie."""
        mine = [label for label in self.labels if label.movie == movie]
        named, notes = labelled_tracklets(mine, blobs, tracklets, images, self.homes)
        self.notes += notes
        return named


def gather_labelled(
    movies: Iterable[MovieImages],
    classes: Sequence[str],
    spec: CropSpec,
    body_length_px: float,
    images_per_tracklet: int,
    reader: LabelReader,
) -> TrainingSet:
    """Example images of all labelled tracklets: sharp ones that differ, at most so many of each. Movies may be opened one by one.

    `body_length_px` is the usual length of an animal.
    """
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("images", "chroma", "label", "frame", "time_s", "head")}
    groups: list[tuple[int, int, int, int]] = []
    names = []
    for number, movie in enumerate(movies):
        names.append(movie.name)
        blobs, tracklets = movie.blobs, movie.tracklets
        named = reader.named_in(movie.name, blobs, tracklets, movie.images)
        rows, offsets = tracklets.blob_rows()
        direction, head = head_directions(rows, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, body_length_px)
        chosen = spread_rows(rows, offsets, (blobs.image >= 0) & ~blobs.border, CANDIDATES * images_per_tracklet)
        at_border = spread_rows(rows, offsets, blobs.image >= 0, CANDIDATES * images_per_tracklet)
        for tracklet, name in sorted(named.items()):
            # An animal that is never apart from the border is better shown so than not at all.
            candidates = chosen[tracklet] if len(chosen[tracklet]) else at_border[tracklet]
            images, chroma = make_crops(movie.images, blobs, candidates, direction, movie.light, spec)
            best = choose_examples(images, images_per_tracklet)
            kept = candidates[best]
            label = np.full(len(kept), classes.index(name), np.int32)
            columns: tuple[NDArray[Any], ...] = (
                images[best],
                chroma[best],
                label,
                blobs.frame[kept],
                blobs.frame[kept] / blobs.fps,
                head[kept],
            )
            for part, values in zip(parts.values(), columns, strict=True):
                part.append(values)
            groups.append((number, tracklet, int(tracklets.first[tracklet]), int(tracklets.last[tracklet])))
    movie_of, tracklet_of, first, last = np.array(groups, np.int32).reshape(-1, 4).T
    counts = [len(part) for part in parts["label"]]
    return TrainingSet(
        classes=list(classes),
        movies=names,
        notes=[],
        crops=json.dumps(spec.as_dict()),
        body_length_px=body_length_px,
        group=np.repeat(np.arange(len(groups), dtype=np.int32), counts),
        group_movie=movie_of.copy(),
        group_tracklet=tracklet_of.copy(),
        coexisting=coexisting_pairs(movie_of, first, last),
        **_joined(parts, spec),
    )


def _joined(parts: Mapping[str, Sequence[NDArray[Any]]], spec: CropSpec) -> dict[str, NDArray[Any]]:
    """The columns of all tracklets, empty ones of the right kind if there is none."""
    width, height = spec.size
    nothing = {"images": np.zeros((0, height, width, 3), np.uint8), "time_s": np.zeros(0)}
    nothing |= {name: np.zeros(0, np.float32) for name in ("chroma", "head")}
    return {name: np.concatenate([nothing.get(name, np.zeros(0, np.int32)), *values]) for name, values in parts.items()}


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
