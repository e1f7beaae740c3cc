"""`herdbook suggest`: points whose labels would help most, as a table to fill in, with a picture of each."""

import csv
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import BlobImages, Blobs, open_blob_images
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.classifier.crops import CropSpec, Light, crop_length, light_of, make_crops, spread_order
from herdbook.classifier.labelled import labelled_tracklets
from herdbook.commands.labelling.choice import Candidates, Suggestion, describe_looks, suggest_labels
from herdbook.commands.labelling.looks import look_at
from herdbook.drawing.montage import stack_looks
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.labels import Label, read_labels
from herdbook.geometry.ellipses import body_length
from herdbook.geometry.heads import head_directions
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

# Tracklets with fewer images are skipped; at most this number of the longest ones are compared, by this number of images each.
LEAST_IMAGES, MOST_CANDIDATES, IMAGES = 5, 1500, 4
# Number of frames of a tracklet among which the one with the most room around the animal is chosen.
FRAMES_COMPARED = 15


@dataclass(frozen=True)
class SuggestedPoint:
    """A row of suggested.csv: a label without its name, then the number of the tracklet's frames, the name with the highest probability by
    the classifier, this probability, the reason for the suggestion, and the file of the picture.
    """

    movie: str
    frame: int
    x: float
    y: float
    label: str
    frames: int
    guess: str
    probability: float
    reason: str
    image: str


SUGGESTED_COLUMNS = tuple(field.name for field in fields(SuggestedPoint))


@dataclass(frozen=True)
class _Part:
    """The candidates of one movie, and a place of each: (n, 3) frame, x, y."""

    movie: str
    candidates: Candidates
    places: NDArray[np.float64]


def suggest_points(experiment: Experiment, count: int, movies: Sequence[str] | None = None) -> tuple[list[SuggestedPoint], float]:
    """The points whose labels would help most, best first, in these movies (None: all), and the length of the animals (px).

    Results of the stages classify and propagate are used if they exist. Raises HerdbookError for animals without marks, and if blobs or
    tracklets are missing.
    """
    if experiment.animals.marking != "marked":
        raise HerdbookError(f"{experiment.experiment}: labels are for marked animals, but animals.marking is {experiment.animals.marking}.")
    labels = _labels_of(experiment)
    parts, lengths, start = [], [], 0
    for movie in experiment.movies:
        blobs = Blobs.load(experiment.artifact("segment", movie.name))
        lengths.append(body_length(blobs.moments))
        wanted = movies is None or movie.name in movies
        mine = [label for label in labels if label.movie == movie.name]
        parts.append(_part_of(experiment, movie.name, blobs, mine, lengths[-1], wanted, start))
        start += blobs.frames
    found = _join([part.candidates for part in parts])
    places = np.concatenate([part.places for part in parts])
    names = [part.movie for part in parts for _ in part.places]
    points = []
    for number, best in enumerate(suggest_labels(found, count)):
        frame, x, y = places[best.row].tolist()
        guess, probability = _guess(found, best.row, experiment)
        points.append(
            SuggestedPoint(
                movie=names[best.row],
                frame=int(frame),
                x=round(x, 1),
                y=round(y, 1),
                label="",
                frames=int(found.frames[best.row]),
                guess=guess,
                probability=round(probability, 3),
                reason=_reason(found, best),
                image=f"{number + 1:03d}_{names[best.row]}_{int(frame)}.png",
            )
        )
    return points, float(np.median(lengths))


def write_points(experiment: Experiment, points: Sequence[SuggestedPoint], length_px: float, folder: Path) -> None:
    """Write suggested.csv, a picture of each point and sheet.png, with all pictures, into a folder; old pictures are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("[0-9][0-9][0-9]_*.png"):
        old.unlink()
    looks = look_at(experiment, [(point.movie, point.frame, point.x, point.y) for point in points], length_px)
    for point, look in zip(points, looks, strict=True):
        cv2.imwrite(str(folder / point.image), look)
    captions = [
        f"{k + 1}  {point.movie}  frame {point.frame}  ({point.x:.0f}, {point.y:.0f})  {point.guess}" for k, point in enumerate(points)
    ]
    cv2.imwrite(str(folder / "sheet.png"), stack_looks(looks, captions, min(3, len(looks))))
    with replacing(folder / "suggested.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SUGGESTED_COLUMNS)
        writer.writerows([as_cell(value) if isinstance(value, str) else value for value in astuple(point)] for point in points)


def _labels_of(experiment: Experiment) -> list[Label]:
    animals = experiment.animals
    if animals.labels is None or not Path(animals.labels).is_file():
        return []
    return read_labels(Path(animals.labels), [movie.name for movie in experiment.movies], [*animals.classes, *animals.other_labels])


def _part_of(
    experiment: Experiment, movie: str, blobs: Blobs, labels: Sequence[Label], length_px: float, wanted: bool, start: int
) -> _Part:
    tracklets = Tracklets.load(experiment.artifact("tracklets", movie))
    unit = experiment.recording_of(movie) if experiment.background.scope == "recording" else movie
    light = light_of(Background.load(experiment.artifact("background", unit)))
    classes = [*experiment.animals.classes, *experiment.animals.other_labels]
    homes = json.loads(experiment.settings("trainset"))["homes"]
    living = {name: [k for k, names in enumerate(homes) if name in names] for name in experiment.animals.classes}
    usable = (blobs.image >= 0) & ~blobs.border & (tracklets.blob_tracklet >= 0)
    images = np.bincount(tracklets.blob_tracklet[usable], minlength=len(tracklets))
    open_ = (tracklets.tracklet_kind == SINGLE) & (images >= LEAST_IMAGES)
    with open_blob_images(blobs.path) as blob_images:
        named, _ = labelled_tracklets(labels, blobs, tracklets, blob_images, living)
        label = np.full(len(tracklets), -1, np.int64)
        for tracklet, name in named.items():
            label[tracklet] = classes.index(name)
        longest = np.argsort(np.where(open_, -images, 1), kind="stable")[:MOST_CANDIDATES]
        rows = np.union1d(longest[open_[longest]], np.flatnonzero((label >= 0) & (images > 0)))
        looks, places = _look_up(blobs, tracklets, blob_images, rows, usable, light, length_px)
    return _Part(
        movie,
        Candidates(
            first=tracklets.first[rows].astype(np.int64) + start,
            last=tracklets.last[rows].astype(np.int64) + start,
            frames=tracklets.last[rows].astype(np.int64) - tracklets.first[rows] + 1,
            arena=tracklets.arena[rows].astype(np.int64),
            looks=looks,
            label=label[rows],
            open=open_[rows] & wanted,
            posterior=_posterior(experiment.artifact("classify", movie), rows, len(tracklets), classes),
            doubt=_doubt(experiment, movie, rows, len(tracklets)),
            animals=experiment.number or len(experiment.animals.individuals),
        ),
        places,
    )


def _look_up(
    blobs: Blobs,
    tracklets: Tracklets,
    images: BlobImages,
    rows: NDArray[np.int64],
    usable: NDArray[np.bool_],
    light: Light,
    length_px: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Appearance (n, d) of tracklets, and a place of each (n, 3): frame, x, y of its blob that is farthest from all others."""
    grouped, offsets = tracklets.blob_rows()
    direction, _ = head_directions(grouped, offsets, blobs.frame, blobs.x, blobs.y, blobs.moments, length_px)
    spec = CropSpec(crop_length(length_px))
    looks, places = [], []
    for row in rows.tolist():
        mine = grouped[offsets[row] : offsets[row + 1]]
        mine = mine[usable[mine]]
        spread = mine[spread_order(len(mine))]
        looks.append(describe_looks(make_crops(images, blobs, spread[:IMAGES], direction, light, spec)[0]))
        best = max(np.sort(spread[:FRAMES_COMPARED]).tolist(), key=lambda blob: _room(blobs, blob))
        places.append((blobs.frame[best], blobs.x[best], blobs.y[best]))
    empty = np.zeros((0, describe_looks(np.zeros((1, 3, 2, 3), np.uint8)).size))
    return np.array(looks) if looks else empty, np.array(places, np.float64).reshape(-1, 3)


def _room(blobs: Blobs, row: int) -> float:
    """Distance (px) from a blob to the nearest other one of its frame."""
    start, stop = np.searchsorted(blobs.frame, (blobs.frame[row], blobs.frame[row] + 1)).tolist()
    away = np.hypot(blobs.x[start:stop] - blobs.x[row], blobs.y[start:stop] - blobs.y[row])
    away[row - start] = np.inf
    return float(away.min())


def _posterior(path: Path, rows: NDArray[np.int64], tracklets: int, classes: Sequence[str]) -> NDArray[np.float64] | None:
    """Probabilities by the classifier (n, classes); None if it has not run, or on other tracklets."""
    if not path.is_file():
        return None
    evidence = Evidence.load(path)
    if len(evidence.images) != tracklets:
        return None
    found = np.zeros((len(rows), len(classes)))
    for column, name in enumerate(evidence.classes):
        if name in classes:
            found[:, classes.index(name)] = np.exp(evidence.log_likelihood[rows, column].astype(np.float64))
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.maximum(total, 1e-30), 1 / len(classes))


def _doubt(experiment: Experiment, movie: str, rows: NDArray[np.int64], tracklets: int) -> NDArray[np.float64]:
    """The probability (n,) that a tracklet's identity is unknown or wrong after propagation, 1 before it."""
    path = experiment.artifact("propagate", experiment.recording_of(movie))
    sure = np.zeros(tracklets)
    if path.is_file():
        identities = Identities.load(path)
        number = identities.movies.index(movie) if movie in identities.movies else -1
        mine = (identities.movie == number) & (identities.tracklet < tracklets)
        np.maximum.at(sure, identities.tracklet[mine], identities.confidence[mine].astype(np.float64))
    return np.asarray(1 - sure[rows])


def _join(parts: Sequence[Candidates]) -> Candidates:
    posterior = [part.posterior for part in parts if part.posterior is not None]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    known = np.concatenate(posterior) if len(posterior) == len(parts) else None
    return Candidates(**columns, posterior=known, animals=parts[0].animals)


def _guess(found: Candidates, row: int, experiment: Experiment) -> tuple[str, float]:
    if found.posterior is None:
        return "", 0.0
    classes = [*experiment.animals.classes, *experiment.animals.other_labels]
    best = int(found.posterior[row].argmax())
    return classes[best], float(found.posterior[row, best])


def _reason(found: Candidates, best: Suggestion) -> str:
    reasons = [f"seen for {found.frames[best.row]} frames"]
    if found.posterior is not None:
        reasons.append(f"uncertainty of the classifier {best.unsure:.0%}")
        reasons.append(f"doubt that remains after propagation {best.doubt:.0%}")
    reasons.append(f"expected number of labels of this animal {best.labels:.1f}")
    return ", ".join(reasons)


_COLUMNS = ("first", "last", "frames", "arena", "looks", "label", "open", "doubt")
