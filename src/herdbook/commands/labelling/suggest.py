"""`herdbook suggest`: points whose labels would help most, as a table to fill in, with pictures of each."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path

import cv2
import numpy as np

from herdbook.arrays import Image, Ints
from herdbook.classifier.crops import CropSpec, crop_length
from herdbook.commands.labelling.candidates import (
    LabelMovie,
    candidates_of,
    classes_of,
    join_candidates,
    known_of,
    labels_of,
    left_out_of,
)
from herdbook.commands.labelling.choice import Candidates, Suggestion, suggest_labels
from herdbook.commands.labelling.looks import look_at
from herdbook.commands.labelling.words import Guesses, describe
from herdbook.drawing.montage import GAP, LOOK_PX, caption_strip, stack_looks
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.system.cells import as_cell
from herdbook.system.files import replacing

# Images of a tracklet head up, and of what is labelled with the most likely names, below the picture of a point: this wide each (px).
HEADS, REFERENCES, HEAD_PX = 5, 3, (84, 126)


@dataclass(frozen=True)
class SuggestedPoint:
    """A row of suggested.csv: a label without its name, then what is known in words, the number of the tracklet's frames, the most likely
    name and its probability by the classifier, why this point was chosen, and the file of the picture.
    """

    movie: str
    frame: int
    x: float
    y: float
    label: str
    words: str
    frames: int
    guess: str
    probability: float
    reason: str
    image: str


SUGGESTED_COLUMNS = tuple(field.name for field in fields(SuggestedPoint))


@dataclass
class Suggested:
    """Suggested points, best first, the length of the animals (px), and of each point images (n, height, width, 3) of its tracklet head up;
    `references` are such images of what is labelled, by name.
    """

    points: list[SuggestedPoint]
    length_px: float
    heads: list[Image] = field(default_factory=list)
    references: dict[str, Image] = field(default_factory=dict)


def suggest_points(experiment: Experiment, count: int, movies: Sequence[str] | None = None) -> Suggested:
    """The points whose labels would help most, in these movies (None: all).

    Results of the stages classify and propagate are used if they exist. Raises HerdbookError for animals without marks, and if blobs or
    tracklets are missing.
    """
    if experiment.animals.marking != "marked":
        raise HerdbookError(f"{experiment.experiment}: labels are for marked animals, but animals.marking is {experiment.animals.marking}.")
    labels, left_out = labels_of(experiment), left_out_of(experiment)
    with ExitStack() as stack:
        opened, parts, rows, start = [], [], [], 0
        for movie in experiment.movies:
            one = LabelMovie(experiment, movie.name)
            stack.callback(one.close)
            wanted = movies is None or movie.name in movies
            part, tracklets = candidates_of(experiment, one, known_of(experiment, one, labels, left_out), start, wanted=wanted)
            opened.append(one)
            parts.append(part)
            rows.append(tracklets)
            start += one.blobs.frames
        found = join_candidates(parts)
        owner = np.repeat(np.arange(len(opened)), [len(part) for part in rows])
        return _described(experiment, opened, found, owner, np.concatenate(rows), suggest_labels(found, count))


def _described(
    experiment: Experiment, opened: Sequence[LabelMovie], found: Candidates, owner: Ints, tracklets: Ints, chosen: Sequence[Suggestion]
) -> Suggested:
    names = classes_of(experiment)
    guesses = Guesses(found, names)
    made = Suggested([], float(np.median([movie.length_px for movie in opened])))
    spec = CropSpec(crop_length(made.length_px), HEAD_PX)
    for number, best in enumerate(chosen):
        movie, tracklet = opened[owner[best.row]], int(tracklets[best.row])
        frame, x, y = movie.place(tracklet)
        likely = guesses.of(best.row)
        learned, frames = found.posterior is not None, int(found.frames[best.row])
        made.points.append(
            SuggestedPoint(
                movie=movie.name,
                frame=int(frame),
                x=round(x, 1),
                y=round(y, 1),
                label="",
                words=describe(likely, frames / movie.blobs.fps, learned=learned),
                frames=frames,
                guess=likely[0][0] if likely[0][1] else "",
                probability=round(likely[0][1], 3),
                reason=_reason(found, best),
                image=f"{number + 1:03d}_{movie.name}_{int(frame)}.png",
            )
        )
        made.heads.append(movie.crops(np.sort(movie.spread(tracklet)[:HEADS]), spec))
    for row in np.flatnonzero(found.label >= 0).tolist():
        movie = opened[owner[row]]
        made.references.setdefault(names[found.label[row]], movie.crops(movie.spread(int(tracklets[row]))[:1], spec))
    return made


def write_points(experiment: Experiment, suggested: Suggested, folder: Path) -> Path | None:
    """Write suggested.csv, a picture of each point and sheet.png, with all pictures, into a folder.

    A table there with names that a person has filled in is kept, with its pictures, in a folder of its own, which is returned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = _keep_answers(folder)
    for old in folder.glob("[0-9][0-9][0-9]_*.png"):
        old.unlink()
    points = suggested.points
    looks = look_at(experiment, [(point.movie, point.frame, point.x, point.y) for point in points], suggested.length_px)
    pictures = [
        _picture(look, heads, point, suggested.references) for look, heads, point in zip(looks, suggested.heads, points, strict=True)
    ]
    for point, picture in zip(points, pictures, strict=True):
        cv2.imwrite(str(folder / point.image), picture)
    captions = [
        f"{k + 1}  {point.movie}  frame {point.frame}  ({point.x:.0f}, {point.y:.0f})  {point.words}" for k, point in enumerate(points)
    ]
    cv2.imwrite(str(folder / "sheet.png"), stack_looks(pictures, captions, min(3, len(pictures))))
    with replacing(folder / "suggested.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SUGGESTED_COLUMNS)
        writer.writerows([as_cell(value) if isinstance(value, str) else value for value in astuple(point)] for point in points)
    return kept


def filled_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table of suggestions in which a person has written something into the column label."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return [row for row in csv.DictReader(file, restkey="more") if (row.get("label") or "").strip()]


def _keep_answers(folder: Path) -> Path | None:
    """Move a table with answers, and its pictures, into the folder of its round."""
    if not filled_rows(folder / "suggested.csv"):
        return None
    number = 1
    while (folder / f"round{number}").exists():
        number += 1
    place = folder / f"round{number}"
    place.mkdir()
    for path in (*folder.glob("[0-9][0-9][0-9]_*.png"), folder / "sheet.png", folder / "suggested.csv"):
        if path.exists():
            path.rename(place / path.name)
    return place


def _picture(look: Image, heads: Image, point: SuggestedPoint, references: Mapping[str, Image]) -> Image:
    """The surroundings of a point, and below them its tracklet head up, beside what is labelled with the names that it may have."""
    row = np.full((HEAD_PX[1], 2 * LOOK_PX + GAP, 3), 60, np.uint8)
    names = [name for name in references if name in point.words.replace(";", " ").split()][:REFERENCES]
    shown = [*heads, *(references[name][0] for name in names)]
    for place, image in enumerate(shown):
        # What is labelled stands on the right.
        left = place * (HEAD_PX[0] + GAP) if place < len(heads) else row.shape[1] - (len(shown) - place) * (HEAD_PX[0] + GAP)
        row[:, left : left + HEAD_PX[0]] = image
    text = f"head up{'; labelled ' + ', '.join(names) + ' on the right' if names else ''}"
    return np.concatenate([look, caption_strip(text, row.shape[1]), row])


def _reason(found: Candidates, best: Suggestion) -> str:
    reasons = [f"seen for {found.frames[best.row]} frames"]
    if found.posterior is not None:
        reasons.append(f"uncertainty of the classifier {best.unsure:.0%}")
        reasons.append(f"doubt that remains after propagation {best.doubt:.0%}")
    reasons.append(f"expected number of labels of this animal {best.labels:.1f}")
    return ", ".join(reasons)
