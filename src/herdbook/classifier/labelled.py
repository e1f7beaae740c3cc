"""Which tracklets a person labelled, and the example images that they give."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from herdbook.artifacts.segment import BlobImages, Blobs, blob_at
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.examples import Columns, MovieImages, choose_examples, coexisting_pairs, join_examples, tracklet_examples
from herdbook.experiment.sheets.labels import Label
from herdbook.experiment.sheets.left_out import IMAGE, LeftOut
from herdbook.geometry.intervals import interval_of

# So many times the images that are wanted are looked at, to choose the best.
CANDIDATES = 3


@dataclass
class LabelReader:
    """Names tracklets by a person's labels; `homes` gives the numbers of the arenas where each identity lives.

    What is `left_out` is no example. `notes` collects the labels that could not be used, and why.
    """

    labels: Sequence[Label]
    homes: Mapping[str, Collection[int]]
    left_out: Sequence[LeftOut] = ()
    notes: list[str] = field(default_factory=list)

    def named_in(self, movie: str, blobs: Blobs, tracklets: Tracklets, images: BlobImages) -> dict[int, str]:
        """The label of each labelled tracklet of a movie."""
        mine = [label for label in self.labels if label.movie == movie]
        named, notes = labelled_tracklets(mine, blobs, tracklets, images, self.homes)
        self.notes += notes
        return named

    def examples_in(self, movie: str, blobs: Blobs, tracklets: Tracklets, images: BlobImages) -> Blobs:
        """The blobs of a movie, of which those that are no examples have no image."""
        mine = [one for one in self.left_out if one.movie == movie]
        return without_left_out(mine, blobs, tracklets, images) if mine else blobs


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
    parts: list[Columns] = []
    labels: list[int] = []
    groups: list[tuple[int, int, int, int]] = []
    names = []
    for number, movie in enumerate(movies):
        names.append(movie.name)
        named = reader.named_in(movie.name, movie.blobs, movie.tracklets, movie.images)
        movie = movie._replace(blobs=reader.examples_in(movie.name, movie.blobs, movie.tracklets, movie.images))
        wanted = sorted(named)
        candidates = tracklet_examples(movie, wanted, spec, body_length_px, CANDIDATES * images_per_tracklet)
        for tracklet, columns in zip(wanted, candidates, strict=True):
            best = choose_examples(columns["images"], images_per_tracklet)
            parts.append({name: values[best] for name, values in columns.items()})
            labels.append(classes.index(named[tracklet]))
            groups.append((number, tracklet, int(movie.tracklets.first[tracklet]), int(movie.tracklets.last[tracklet])))
    movie_of, tracklet_of, first, last = np.array(groups, np.int32).reshape(-1, 4).T
    return TrainingSet(
        classes=list(classes),
        movies=names,
        notes=[],
        crops=json.dumps(spec.as_dict()),
        body_length_px=body_length_px,
        group_movie=movie_of.copy(),
        group_tracklet=tracklet_of.copy(),
        coexisting=coexisting_pairs(movie_of, first, last),
        **join_examples(parts, labels, spec),
    )


def without_left_out(left_out: Sequence[LeftOut], blobs: Blobs, tracklets: Tracklets, images: BlobImages) -> Blobs:
    """The blobs of one movie, of which those that are no examples have no image: a single one, or all of a tracklet."""
    image = blobs.image.copy()
    for one in left_out:
        blob = blob_at(one.frame, one.x, one.y, blobs, images)
        if blob is not None:
            tracklet = tracklets.blob_tracklet[blob]
            image[[blob] if one.what == IMAGE or tracklet < 0 else tracklets.blob_tracklet == tracklet] = -1
    return replace(blobs, image=image)


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
