"""Training sets put together: from single images, from two sets; images that are there twice, labels that contradict each other."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import cv2
import numpy as np

from herdbook.arrays import Ints, Pixels
from herdbook.artifacts.trainset import UNREADABLE, TrainingSet
from herdbook.classifier.crops import CropSpec

# So many images of each label show what a contradiction is about.
SHOWN_OF_LABEL = 4


@dataclass(frozen=True)
class Example:
    """Where an image comes from and what its label says: movie, tracklet in it, frame, time (s), label; probability that up is the
    head; how coloured it is (levels).
    """

    movie: str
    tracklet: int
    frame: int
    time_s: float
    label: str
    head: float
    chroma: float

    def __str__(self) -> str:
        return f"{self.label}/{self.movie}.{self.tracklet}.{self.frame}"


@dataclass
class Merged:
    """Two training sets in one, and what was found: `twice`, one text for each image that is there more than once; `contradictions`, one
    for each tracklet or image that has two labels; `contradicting`, some images of each of these (n, height, width, 3), and their labels;
    `left_out`, the number of images that this cost.
    """

    examples: TrainingSet
    twice: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    contradicting: list[tuple[Pixels, list[str]]] = field(default_factory=list)
    left_out: int = 0


def labelled_part(examples: TrainingSet) -> TrainingSet:
    """The images that have a label; the set of an embedding has images of tracklets that nobody named, too (label -1)."""
    kept = examples.label >= 0
    if kept.all():
        return examples
    groups = np.unique(examples.group[kept])
    place = np.full(len(examples.group_movie), -1, np.int32)
    place[groups] = np.arange(len(groups))
    pairs = place[examples.coexisting].reshape(-1, 2)
    images = {name: getattr(examples, name)[kept] for name in ("images", "label", "frame", "time_s", "head", "chroma")}
    return TrainingSet(
        classes=examples.classes,
        movies=examples.movies,
        notes=examples.notes,
        crops=examples.crops,
        body_length_px=examples.body_length_px,
        **images,
        group=place[examples.group[kept]],
        group_movie=examples.group_movie[groups],
        group_tracklet=examples.group_tracklet[groups],
        coexisting=pairs[(pairs >= 0).all(axis=1)],
    )


def list_examples(examples: TrainingSet) -> list[Example]:
    """Each image of a training set, in order."""
    movie, tracklet = examples.group_movie[examples.group], examples.group_tracklet[examples.group]
    columns = (movie, tracklet, examples.frame, examples.time_s, examples.label, examples.head, examples.chroma)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Example(examples.movies[m], t, f, s, examples.classes[k], h, c) for m, t, f, s, k, h, c in rows]


def assemble_set(
    images: Pixels, rows: Sequence[Example], classes: Sequence[str], spec: CropSpec, body_length_px: float, notes: Sequence[str] = ()
) -> TrainingSet:
    """The training set of images uint8 (n, height, width, 3) made by `spec`, ordered by movie, tracklet, label and frame.

    Images of one tracklet with different labels are groups of their own. Which tracklets coexist is not known of images alone.
    """
    order = sorted(range(len(rows)), key=lambda k: (rows[k].movie, rows[k].tracklet, rows[k].label, rows[k].frame))
    mine = [rows[k] for k in order]
    movies = sorted({row.movie for row in mine})
    groups = list(dict.fromkeys((row.movie, row.tracklet, row.label) for row in mine))
    place = {group: k for k, group in enumerate(groups)}
    return TrainingSet(
        classes=list(classes),
        movies=movies,
        notes=list(notes),
        crops=json.dumps(spec.as_dict()),
        body_length_px=body_length_px,
        images=images[np.array(order, np.int64)],
        label=np.array([classes.index(row.label) for row in mine], np.int32),
        frame=np.array([row.frame for row in mine], np.int32),
        time_s=np.array([row.time_s for row in mine], np.float64),
        head=np.array([row.head for row in mine], np.float32),
        chroma=np.array([row.chroma for row in mine], np.float32),
        group=np.array([place[row.movie, row.tracklet, row.label] for row in mine], np.int32),
        group_movie=np.array([movies.index(movie) for movie, _, _ in groups], np.int32),
        group_tracklet=np.array([tracklet for _, tracklet, _ in groups], np.int32),
        coexisting=np.zeros((0, 2), np.int32),
    )


def fit_image(image: Pixels, zoom: float, size: tuple[int, int], blank: int) -> Pixels:
    """An image enlarged by a factor about its middle, on a ground of `size` (width, height) px and grey level `blank`."""
    (height, width), (new_width, new_height) = image.shape[:2], size
    if zoom == 1 and (width, height) == size:
        return image
    if zoom < 1:
        # What is made smaller is averaged; the rest of the way is less than a pixel.
        small = (max(1, round(width * zoom)), max(1, round(height * zoom)))
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        zoom, (height, width) = 1.0, image.shape[:2]
    shift = np.array([(new_width - 1 - zoom * (width - 1)) / 2, (new_height - 1 - zoom * (height - 1)) / 2])
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return np.asarray(cv2.warpAffine(image, matrix, size, borderValue=(blank, blank, blank)), np.uint8)


def images_twice(images: Pixels) -> list[Ints]:
    """Places (k,), k > 1, of images that are the same to the last bit."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for k, image in enumerate(images):
        places[sha256(np.ascontiguousarray(image).tobytes()).digest()].append(k)
    return [np.array(same) for same in places.values() if len(same) > 1]


def find_contradictions(images: Pixels, rows: Sequence[Example]) -> dict[str, list[int]]:
    """Images of a tracklet, or of one and the same picture, with two labels: the labels, and the places of all images concerned.

    UNREADABLE contradicts nobody: marks are hidden now and then.
    """
    found: dict[str, list[int]] = {}
    tracklets: dict[tuple[str, int], list[int]] = defaultdict(list)
    for k, row in enumerate(rows):
        tracklets[row.movie, row.tracklet].append(k)
    for (movie, tracklet), places in tracklets.items():
        labels = sorted({rows[k].label for k in places} - {UNREADABLE})
        if len(labels) > 1:
            counts = " and ".join(f"{sum(rows[k].label == name for k in places)} images {name}" for name in labels)
            found[f"tracklet {tracklet} of {movie}: {counts}"] = places
    for same in images_twice(images):
        if len({rows[k].label for k in same}) > 1:
            found[f"one image: {' = '.join(str(rows[k]) for k in same)}"] = same.tolist()
    return found


def class_differences(names: tuple[str, str], a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Which labels only one of two sets has, as texts; `names` of the two."""
    pairs = ((names[0], [k for k in a if k not in b]), (names[1], [k for k in b if k not in a]))
    return [f"only in {name}: {', '.join(only)}" for name, only in pairs if only]


def crop_differences(a: TrainingSet, b: TrainingSet) -> list[str]:
    """How the images of two sets were made differently, one text per setting; size and scale are none, for images are fitted."""
    ours, theirs = json.loads(a.crops), json.loads(b.crops)
    return [f"{key}: {ours[key]} and {theirs[key]}" for key in ("blank", "neighbours", "white_balance") if ours[key] != theirs[key]]


def merge_sets(a: TrainingSet, b: TrainingSet, *, rename: Mapping[str, str], leave_out: bool) -> Merged:
    """Both sets in one, the images of `b` fitted to how those of `a` were made. Images that are there twice are kept once.

    `rename` gives movies of `b` another name. With `leave_out` images that contradict each other are left out, all of them.
    """
    ours, theirs = (CropSpec.from_dict(json.loads(part.crops)) for part in (a, b))
    zoom = (ours.size[1] * theirs.length_px / b.body_length_px) / (theirs.size[1] * ours.length_px / a.body_length_px)
    zoom = 1.0 if abs(zoom - 1) < 1e-3 else zoom
    fitted = [fit_image(image, zoom, ours.size, ours.blank) for image in b.images]
    images = np.concatenate([a.images, np.stack(fitted)]) if fitted else a.images
    moved = [Example(**{**vars(row), "movie": rename.get(row.movie, row.movie)}) for row in list_examples(b)]
    rows = [*list_examples(a), *moved]
    kept = np.ones(len(rows), bool)
    contradictions = find_contradictions(images, rows)
    if leave_out:
        kept[[k for places in contradictions.values() for k in places]] = False
    twice = []
    for same in images_twice(images):
        twice.append(" = ".join(str(rows[k]) for k in same))
        kept[same[1:]] = False
    classes = [*a.classes, *(name for name in b.classes if name not in a.classes)]
    left = [row for row, keep in zip(rows, kept, strict=True) if keep]
    merged = assemble_set(images[kept], left, classes, ours, a.body_length_px, [*a.notes, *b.notes])
    shown = [_some_of_each(places, rows) for places in contradictions.values()]
    pictures = [(images[places], [rows[k].label for k in places]) for places in shown]
    return Merged(merged, twice, list(contradictions), pictures, int((~kept).sum()))


def _some_of_each(places: Sequence[int], rows: Sequence[Example]) -> list[int]:
    """At most four of these images for each label, label after label."""
    by_label: dict[str, list[int]] = defaultdict(list)
    for k in places:
        by_label[rows[k].label].append(k)
    return [k for name in sorted(by_label) for k in by_label[name][:SHOWN_OF_LABEL]]


def count_labels(examples: TrainingSet) -> Iterator[tuple[str, int, int]]:
    """Each label of a set, how many images it has, and how many tracklets."""
    for k, name in enumerate(examples.classes):
        mine = examples.label == k
        yield name, int(mine.sum()), len(np.unique(examples.group[mine]))


def blocks_of(examples: TrainingSet, number: int) -> list[tuple[str, Pixels]]:
    """The images of a label by tracklet, in order of time, each with its name; those of a tracklet that has other labels too say so."""
    labels: dict[tuple[int, int], set[str]] = defaultdict(set)
    for group in np.unique(examples.group).tolist():
        place = (int(examples.group_movie[group]), int(examples.group_tracklet[group]))
        labels[place] |= {examples.classes[k] for k in np.unique(examples.label[examples.group == group])}
    blocks = []
    for group in np.unique(examples.group[examples.label == number]).tolist():
        rows = np.flatnonzero((examples.group == group) & (examples.label == number))
        movie, tracklet = int(examples.group_movie[group]), int(examples.group_tracklet[group])
        others = sorted(labels[movie, tracklet] - {examples.classes[number]})
        note = f", also labelled {', '.join(others)}" if others else ""
        frames = f"frames {examples.frame[rows].min()} to {examples.frame[rows].max()}"
        blocks.append((f"{examples.movies[movie]}, tracklet {tracklet}, {frames}, {len(rows)} images{note}", examples.images[rows]))
    return blocks
