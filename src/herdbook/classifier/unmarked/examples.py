"""Example images of animals without labels: of single tracklets of all movies, and which of them are seen at the same time."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints, Mask
from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import BlobImages, Blobs, open_blob_images
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.crops import CropSpec, light_of
from herdbook.classifier.examples import Columns, MovieImages, coexisting_pairs, join_examples, tracklet_examples

# More images and tracklets than these tell nothing new, and training is to take seconds.
MOST_IMAGES, MOST_TRACKLETS = 12_000, 1200


@dataclass(frozen=True)
class Singles:
    """Single tracklets with images: per tracklet `movie`, `tracklet` in it, `arena`, `first`, `last` frame, `images` that can be used."""

    movie: Ints
    tracklet: Ints
    arena: Ints
    first: Ints
    last: Ints
    images: Ints

    def __len__(self) -> int:
        return len(self.movie)


def find_singles(blobs: Sequence[Blobs], tracklets: Sequence[Tracklets]) -> Singles:
    """All single tracklets of the movies that have an image."""
    columns = []
    for number, (b, t) in enumerate(zip(blobs, tracklets, strict=True)):
        linked = (t.blob_tracklet >= 0) & (b.image >= 0)
        images = np.bincount(t.blob_tracklet[linked], minlength=len(t))
        mine = np.flatnonzero((t.tracklet_kind == SINGLE) & (images > 0))
        columns.append(np.stack([np.full(len(mine), number), mine, t.arena[mine], t.first[mine], t.last[mine], images[mine]]))
    return Singles(*np.concatenate(columns, axis=1).astype(np.int64))


def choose_tracklets(singles: Singles, most: int, rng: np.random.Generator, labelled: Mask | None = None) -> Ints:
    """Rows of at most about `most` tracklets: all that are seen at random moments of random movies, for who is seen together must stay so.

    A moment is the beginning of a tracklet, drawn by its images, so that long tracklets and short ones come. All `labelled` ones
    (tracklets,) are among them.
    """
    if len(singles) <= most:
        return np.arange(len(singles))
    chosen = np.zeros(len(singles), bool) if labelled is None else labelled.copy()
    order = rng.choice(len(singles), len(singles), replace=False, p=np.sqrt(singles.images) / np.sqrt(singles.images).sum())
    for k in order.tolist():
        if chosen.sum() >= most:
            break
        chosen |= (singles.movie == singles.movie[k]) & (singles.first <= singles.first[k]) & (singles.last >= singles.first[k])
    return np.flatnonzero(chosen)


def images_each(images: Ints, most_each: int, most: int) -> int:
    """How many images of each tracklet make at most `most` together, at least 1 and at most `most_each`."""
    fits = [each for each in range(1, most_each + 1) if np.minimum(images, each).sum() <= most]
    return max(fits, default=1)


def coexisting(singles: Singles) -> NDArray[np.int32]:
    """Pairs (p, 2) of tracklets of one movie and arena that share a frame, hence show two animals."""
    return coexisting_pairs(singles.movie * (singles.arena.max(initial=0) + 1) + singles.arena, singles.first, singles.last)


def crowded_shares(blobs: Sequence[Blobs], tracklets: Sequence[Tracklets], numbers: Sequence[int]) -> tuple[list[float], list[float]]:
    """Per arena: how long animals are seen alone, s, summed over them; and the share of frames with more single animals than there are."""
    seconds, crowded, frames = np.zeros(len(numbers)), np.zeros(len(numbers)), 0
    for b, t in zip(blobs, tracklets, strict=True):
        alone = (t.blob_tracklet >= 0) & (t.tracklet_kind[t.blob_tracklet] == SINGLE)
        frames += int(np.diff(b.intervals).sum())
        for arena, number in enumerate(numbers):
            mine = alone & (b.arena == arena)
            seconds[arena] += mine.sum() / b.fps
            crowded[arena] += (np.bincount(b.frame[mine]) > number).sum()
    return seconds.tolist(), (crowded / max(1, frames)).tolist()


def gather_unmarked(
    paths: Sequence[tuple[Path, Path, Path]],
    classes: list[str],
    numbers: Sequence[int],
    spec: CropSpec,
    body_length_px: float,
    most_each: int,
    seed: int,
    named_in: Callable[[str, Blobs, Tracklets, BlobImages], Mapping[int, str]],
    examples_in: Callable[[str, Blobs, Tracklets, BlobImages], Blobs] | None = None,
) -> UnmarkedSet:
    """Images of tracklets of all movies; `paths` are segment, tracklets and background of each.

    `numbers` of animals in each arena; at most `most_each` images of a tracklet; `named_in` gives the names that a person gave to
    tracklets of a movie, `examples_in` its blobs without the images that are no examples.
    """
    blobs, tracklets = [Blobs.load(path) for path, _, _ in paths], [Tracklets.load(path) for _, path, _ in paths]
    named = []
    for number, (path, _, _) in enumerate(paths):
        with open_blob_images(path) as images:
            named.append(named_in(path.stem, blobs[number], tracklets[number], images))
            if examples_in is not None:
                blobs[number] = examples_in(path.stem, blobs[number], tracklets[number], images)
    singles = find_singles(blobs, tracklets)
    places = zip(singles.movie.tolist(), singles.tracklet.tolist(), strict=True)
    labelled = np.array([tracklet in named[movie] for movie, tracklet in places], bool)
    kept = choose_tracklets(singles, MOST_TRACKLETS, np.random.default_rng(seed), labelled)
    singles = Singles(*(getattr(singles, name)[kept] for name in Singles.__dataclass_fields__))
    each = images_each(singles.images, most_each, MOST_IMAGES)
    parts: list[Columns] = []
    labels: list[int] = []
    frames = [np.zeros(0, np.int64)]
    for number, (path, _, background) in enumerate(paths):
        mine = singles.tracklet[singles.movie == number]
        frames.append(np.diff(tracklets[number].blob_rows()[1])[mine])
        light = light_of(Background.load(background), spec.white_balance)
        with open_blob_images(path) as images:
            movie = MovieImages(path.stem, blobs[number], tracklets[number], images, light)
            labels += [classes.index(named[number][tracklet]) if tracklet in named[number] else -1 for tracklet in mine.tolist()]
            parts += tracklet_examples(movie, mine.tolist(), spec, body_length_px, each)
    seconds, crowded = crowded_shares(blobs, tracklets, numbers)
    return UnmarkedSet(
        classes=classes,
        movies=[path.stem for path, _, _ in paths],
        notes=[],
        crops=json.dumps(spec.as_dict()),
        body_length_px=body_length_px,
        group_movie=singles.movie.astype(np.int32),
        group_tracklet=singles.tracklet.astype(np.int32),
        coexisting=coexisting(singles),
        group_arena=singles.arena.astype(np.int16),
        group_first=singles.first.astype(np.int32),
        group_frames=np.concatenate(frames).astype(np.int32),
        seconds=np.array(seconds),
        crowded=np.array(crowded),
        **join_examples(parts, labels, spec),
    )
