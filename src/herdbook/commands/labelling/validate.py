"""`herdbook validate`: random points of the results as a questionnaire in one HTML file."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import HOW_KNOWN, Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import FROM_INTERPOLATED, SOURCES, Trajectories
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands.labelling.looks import look_at
from herdbook.commands.labelling.rates import draw_cells
from herdbook.drawing.montage import montage
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.answers import NOT_ASSIGNED, POINT_COLUMNS, Point, answer_cells, farthest_px, read_answers, write_answers
from herdbook.geometry.ellipses import body_length
from herdbook.report.page import fill_template
from herdbook.system.files import write_text
from herdbook.tables.positions import recording_starts

SHEET, TABLE = "validate.html", "answers.csv"
# Number of example images of each animal, shown for comparison.
EXAMPLES = 8


def draw_points(experiment: Experiment, count: int, seed: int) -> tuple[list[Point], float]:
    """`count` random pairs of individual and tracked frame, in order of time, and the length of the animals (px).

    Raises HerdbookError for animals without names, and if results are missing.
    """
    if experiment.animals.marking == "none":
        raise HerdbookError(f"{experiment.experiment}: animals.marking is none: there are no names to judge.")
    individuals = experiment.animals.individuals
    order = [movie for members in experiment.recordings.values() for movie in members]
    frames, lengths = [], []
    for number, movie in enumerate(order):
        blobs = Blobs.load(experiment.artifact("segment", movie))
        lengths.append(body_length(blobs.moments))
        tracked = np.concatenate([np.arange(first, end) for first, end in blobs.intervals])
        frames.append(np.stack([np.full(len(tracked), number), tracked], 1))
    every = np.concatenate(frames)
    places, names = draw_cells(np.arange(len(every)), len(individuals), count, np.random.default_rng(seed))
    points: list[Point] = []
    indices = {movie: Index.load(experiment.artifact("index", movie)) for movie in order}
    starts = recording_starts(experiment.recordings, indices)
    for number, movie in enumerate(order):
        mine = [(int(every[place, 1]), individuals[name]) for place, name in zip(places, names, strict=True) if every[place, 0] == number]
        points += _points_of(experiment, movie, mine, starts[movie], len(points)) if mine else []
    return points, float(np.median(lengths))


def write_sheet(experiment: Experiment, points: Sequence[Point], length_px: float, folder: Path) -> None:
    """Write validate.html and the empty table answers.csv into a folder. Raises HerdbookError if there are answers in it already."""
    table = folder / TABLE
    if table.is_file() and any(point.answer for point in read_answers(table)):
        raise HerdbookError(f"{table}: contains answers, and is not overwritten. Give another folder with --out, or delete it.")
    shown = [point for point in points if point.assigned]
    looks = look_at(experiment, [(point.movie, point.frame, point.x, point.y) for point in shown], length_px)
    cards = [
        {"row": place, "point": points[place], "picture": _uri(look, ".jpg")}
        for place, look in zip((k for k, point in enumerate(points) if point.assigned), looks, strict=True)
    ]
    cells = [answer_cells(point) for point in points]
    page = fill_template(
        "herdbook.commands.labelling",
        "validate.html.j2",
        title=experiment.experiment,
        cards=cards,
        examples={name: _uri(picture, ".png") for name, picture in _examples(experiment).items()},
        table=[list(POINT_COLUMNS), *cells],
        file=TABLE,
        mark=hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16],
    )
    write_text(folder / SHEET, page)
    write_answers(table, points)


def count_moved(experiment: Experiment, points: Sequence[Point]) -> int:
    """Number of points whose position has changed since they were drawn: their answers are about older results."""
    known = {movie.name for movie in experiment.movies}
    moved = sum(point.movie not in known or point.individual not in experiment.animals.individuals for point in points)
    for movie in known:
        mine = [point for point in points if point.movie == movie and point.individual in experiment.animals.individuals]
        if not mine:
            continue
        farthest = farthest_px(body_length(Blobs.load(experiment.artifact("segment", movie)).moments))
        now = _points_of(experiment, movie, [(point.frame, point.individual) for point in mine], 0.0, 0)
        for old, new in zip(mine, now, strict=True):
            moved += old.assigned != new.assigned or (old.assigned and np.hypot(old.x - new.x, old.y - new.y) > farthest)
    return int(moved)


def _points_of(experiment: Experiment, movie: str, cells: Sequence[tuple[int, str]], start_s: float, done: int) -> list[Point]:
    """The points of one movie at these `cells` (frame, individual); `done` is the number of points before them."""
    recording = experiment.recording_of(movie)
    index = Index.load(experiment.artifact("index", movie))
    found = Trajectories.load(experiment.artifact("smooth", movie))
    tracklets = Tracklets.load(experiment.artifact("tracklets", movie))
    identities = Identities.load(experiment.artifact("propagate", recording))
    points = []
    for number, (frame, name) in enumerate(cells):
        individual = found.individuals.index(name) if name in found.individuals else -1
        first, end = np.searchsorted(found.frame, (frame, frame + 1)).tolist()
        rows = first + np.flatnonzero(found.individual[first:end] == individual)
        x = y = confidence = float("nan")
        source, known = "", NOT_ASSIGNED
        if len(rows):
            row = int(rows[0])
            x, y, confidence = float(found.x[row]), float(found.y[row]), float(found.confidence[row])
            source = SOURCES[found.source[row]]
            known = _known(identities, tracklets, movie, name, frame)
        time_s = start_s + float(index.time_s[frame]) if frame < len(index) else float("nan")
        points.append(Point(done + number + 1, recording, movie, frame, time_s, name, x, y, confidence, source, known))
    return points


def _known(identities: Identities, tracklets: Tracklets, movie: str, name: str, frame: int) -> str:
    """How an individual's identity is known in a frame: that of its tracklet there, or interpolated between tracklets."""
    mine = identities.movie == identities.movies.index(movie)
    mine &= identities.individual == identities.individuals.index(name)
    tracklet = identities.tracklet[mine]
    here = (tracklets.first[tracklet] <= frame) & (tracklets.last[tracklet] >= frame)
    return HOW_KNOWN[int(identities.how[mine][here][0])] if here.any() else SOURCES[FROM_INTERPOLATED]


def _examples(experiment: Experiment) -> dict[str, NDArray[np.uint8]]:
    """Some example images of each name, if there is a training set."""
    path = experiment.artifact("trainset")
    if experiment.animals.marking != "marked" or not path.is_file():
        return {}
    examples = TrainingSet.load(path)
    pictures = {}
    for number, name in enumerate(examples.classes):
        rows = np.flatnonzero(examples.label == number)
        if len(rows):
            spread = rows[np.unique(np.linspace(0, len(rows) - 1, EXAMPLES).astype(int))]
            pictures[name] = montage([(name, examples.images[spread])], columns=EXAMPLES)
    return pictures


def _uri(picture: NDArray[np.uint8], kind: str) -> str:
    """A picture as a data URI."""
    name = {".jpg": "jpeg", ".png": "png"}[kind]
    return f"data:image/{name};base64,{b64encode(cv2.imencode(kind, picture)[1].tobytes()).decode()}"
