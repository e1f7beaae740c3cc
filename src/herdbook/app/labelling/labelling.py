"""Labelling one experiment: answers are written at once by a thread of their own, pictures and suggestions are made by another one."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from herdbook.app.edits import Saved
from herdbook.app.labelling.answers import LEFT_OUT_FILE, LEFT_OUT_KEY, Answers
from herdbook.app.labelling.footage import LabelFootage, State
from herdbook.app.labelling.points import Wanted, names_of, point_of, points_of, tracklet_point
from herdbook.app.labelling.rounds import Rounds, answers_of_round, doubt_of, verdict
from herdbook.app.labelling.sheets import head_rows, head_sheet, loop_sheet, rows_sheet, small_heads
from herdbook.app.labelling.tags import tag_colours
from herdbook.app.labelling.together import everybody
from herdbook.app.live import FOLDER, Live
from herdbook.app.looks import packed
from herdbook.commands.labelling.candidates import classes_of, labels_of
from herdbook.drawing.colours import as_css, individual_colours
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.left_out import IMAGE

T = TypeVar("T")
# Reference images of each name, from as many tracklets; tracklets of a montage, images of each.
REFERENCES, MONTAGE_ROWS, MONTAGE_IMAGES = 2, 60, 8


class Labelling:
    """Labelling the experiment that is open; `opened` gives it. Methods are called in the server's loop unless they say otherwise."""

    def __init__(self, opened: Callable[[], Live]) -> None:
        self._opened = opened
        self._footage = LabelFootage()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._looker = ThreadPoolExecutor(1, thread_name_prefix="labelling")
        self._references: tuple[str, bytes] = ("", b"")
        self._file: Path | None = None

    def close(self) -> None:
        """Close all files."""
        self._looker.submit(self._footage.close).result()
        self._looker.shutdown()
        self._writer.shutdown()

    async def look(self, work: Callable[[Experiment, State], T]) -> T:
        """Do something with what is known of the tracklets."""
        experiment = self._opened().experiment
        return await asyncio.get_running_loop().run_in_executor(self._looker, lambda: work(experiment, self._state(experiment)))

    async def write(self, work: Callable[[Answers], T]) -> T:
        """Write answers."""
        experiment = self._opened().experiment
        return await asyncio.get_running_loop().run_in_executor(self._writer, lambda: work(Answers(experiment, experiment.folder / FOLDER)))

    def _state(self, experiment: Experiment) -> State:
        if self._opened().file.path != self._file:
            self._footage.close()
            self._file = self._opened().file.path
        return self._footage.state(experiment)

    def name_left_out(self) -> None:
        """Name the table of what is left out in the experiment file, if it is not named; saved at once unless other values wait to be.

        Called by the thread of the experiment.
        """
        live = self._opened()
        if live.experiment.trainset.left_out is not None:
            return
        labels = Path(str(live.file.values()["animals"]["labels"]))
        waiting = bool(live.file.draft)
        live.file.set_draft({LEFT_OUT_KEY: str(labels.with_name(LEFT_OUT_FILE))})
        if not waiting and not isinstance(live.file.save(live.file.revision), Saved):
            raise HerdbookError(f"{live.file.path} was changed meanwhile: save it, so that runs read what is left out.")
        live.refresh()

    # --- what the page shows; all of these are called by the thread of pictures

    def summary(self, experiment: Experiment, state: State) -> dict[str, Any]:
        """Names with their colours and labels, the rounds so far, and whether the next one is due."""
        names = classes_of(experiment)
        animals = experiment.animals
        colours = dict(zip(animals.individuals, as_css(individual_colours(animals.individuals)), strict=True))
        tags = tag_colours(animals.identities)
        labels = np.concatenate([known.label for known in state.known.values()])
        counts = Counter(names[k] for k in labels[labels >= 0].tolist())
        unlabelled = [name for name in animals.classes if not counts[name]]
        doubt = doubt_of(experiment)
        rounds = Rounds(experiment.folder / FOLDER)
        past = rounds.past() if doubt is None else rounds.take(doubt, self._learned(experiment, state))
        text, enough = verdict(doubt, past, unlabelled)
        fresh = self._fresh(experiment, state)
        needed = answers_of_round(len(animals.classes), len(past))
        usable = sum(bool(counts[name]) for name in animals.classes) >= min(2, len(animals.classes))
        return {
            "names": [
                {
                    "name": name,
                    "labels": counts[name],
                    "tags": tags.get(name, []),
                    "colour": colours.get(name, ""),
                    "other": name in animals.other_labels,
                }
                for name in names
            ],
            **{"made": state.made, "labels": int((labels >= 0).sum()), "fresh": fresh, "needed": needed, "due": usable and fresh >= needed},
            **{"usable": usable, "rounds": len(past), "told": text, "enough": enough, "learned": doubt is not None},
            **{"movies": [movie.name for movie in state.movies], "open": int((state.found.open & (state.found.label < 0)).sum())},
        }

    def points(self, experiment: Experiment, state: State, wanted: Wanted) -> dict[str, Any]:
        """The next points."""
        return {"made": state.made, "points": points_of(state, wanted, classes_of(experiment), experiment.seed)}

    def sheet(self, experiment: Experiment, state: State, movie: str, tracklet: int, page: int) -> bytes:
        """The large images of a tracklet and its loop, with the place of each image and whether it is left out."""
        one = state.movie(movie)
        if not 0 <= tracklet < len(one.tracklets):
            raise HerdbookError(f"{movie} has no tracklet {tracklet}")
        rows = head_rows(one, tracklet, page)
        blobs = one.blobs
        gone = {(left.frame, round(left.x, 1), round(left.y, 1)) for left in state.left_out if left.movie == movie and left.what == IMAGE}
        images: list[dict[str, Any]] = [
            {"frame": int(blobs.frame[k]), "x": round(float(blobs.x[k]), 2), "y": round(float(blobs.y[k]), 2)}
            | {"out": (int(blobs.frame[k]), round(round(float(blobs.x[k]), 2), 1), round(round(float(blobs.y[k]), 2), 1)) in gone}
            for k in rows.tolist()
        ]
        row = state.row_of(movie, tracklet)
        point = tracklet_point(state, classes_of(experiment), movie, tracklet, row)
        head = {"point": point, "images": images, "fps": blobs.fps, "reach": round(one.length_px, 1), "page": page}
        loop = loop_sheet(one, tracklet, images[len(images) // 2]["frame"] if images else 0)
        return packed(head, [head_sheet(one, rows), loop])

    def references(self, experiment: Experiment, state: State) -> bytes:
        """Small images of what is labelled, a row for each name that has some."""
        if self._references[0] == state.made:
            return self._references[1]
        names, rows, of = classes_of(experiment), [], []
        for number, name in enumerate(names):
            images = []
            for row in np.flatnonzero(state.found.label == number)[-REFERENCES:].tolist():
                movie = state.movies[state.owner[row]]
                images += list(small_heads(movie, movie.spread(int(state.tracklet[row]))[:1]))
            if images:
                of.append(name)
                rows.append(np.stack(images))
        head = {"names": of, "images": [len(images) for images in rows], "columns": REFERENCES}
        made = packed(head, [rows_sheet(rows, REFERENCES)])
        self._references = (state.made, made)
        return made

    def montage(self, experiment: Experiment, state: State, name: str) -> bytes:
        """Tracklets that have a name, by label or by the last run, the odd ones first; a row of small images of each."""
        names = classes_of(experiment)
        if name not in names:
            raise HerdbookError(f"there is no name {name!r}")
        number = names.index(name)
        rows = np.flatnonzero(names_of(state, names) == number)
        chance = self._agreement(state, rows, number)
        rows = rows[np.argsort(chance, kind="stable")][:MONTAGE_ROWS]
        entries, images = [], []
        for row in rows.tolist():
            movie, tracklet = state.movies[state.owner[row]], int(state.tracklet[row])
            entries.append(point_of(state, names, row))
            images.append(small_heads(movie, np.sort(movie.spread(tracklet)[:MONTAGE_IMAGES])))
        return packed({"name": name, "points": entries, "columns": MONTAGE_IMAGES}, [rows_sheet(images, MONTAGE_IMAGES)])

    def everybody(self, experiment: Experiment, state: State, movie: str, frame: int) -> list[dict[str, Any]]:
        """Everybody who is alone in a frame, by name."""
        identities = 0 if experiment.animals.groups else len(experiment.animals.identities)
        return everybody(state, classes_of(experiment), movie, frame, identities)

    def at(self, experiment: Experiment, state: State, movie: str, frame: int, x: float, y: float) -> dict[str, Any]:
        """The animal under a point, as a point that can be labelled there."""
        tracklet = state.tracklet_at(movie, frame, x, y)
        point = tracklet_point(state, classes_of(experiment), movie, tracklet, state.row_of(movie, tracklet))
        return point | {"frame": frame, "x": round(x, 2), "y": round(y, 2)}

    def points_at(self, experiment: Experiment, state: State, rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """The points on which rows of the tables lie, for those that lie on an animal."""
        found = []
        for row in rows:
            try:
                movie = row["movie"]
                tracklet = state.tracklet_at(movie, int(row["frame"]), float(row["x"]), float(row["y"]))
                found.append(tracklet_point(state, classes_of(experiment), movie, tracklet, state.row_of(movie, tracklet)))
            except (HerdbookError, KeyError, ValueError):
                continue
        return found

    def labels_on(self, experiment: Experiment, state: State, answer: Mapping[str, Any]) -> list[dict[str, str]]:
        """The rows of the labels that lie on the tracklet of an answer, by their values."""
        found = []
        for label in labels_of(experiment):
            try:
                if label.movie == answer["movie"] and state.tracklet_at(label.movie, label.frame, label.x, label.y) == answer["tracklet"]:
                    found.append(
                        {"movie": label.movie, "frame": str(label.frame), "x": str(label.x), "y": str(label.y), "label": label.label}
                    )
            except HerdbookError:
                continue
        return found

    def _agreement(self, state: State, rows: Any, number: int) -> Any:
        """How well each candidate fits a name: by the classifier, or without one by how near its look is to the usual one of the name."""
        if state.found.posterior is not None:
            return state.found.posterior[rows, number]
        if not len(rows):
            return np.zeros(0)
        looks = state.found.looks[rows]
        return -np.abs(looks - np.median(looks, axis=0)).mean(axis=1)

    def _learned(self, experiment: Experiment, state: State) -> int:
        """How many tracklets had labels when the last run learned."""
        return sum(int((_learned_labels(experiment, name, known.label) >= 0).sum()) for name, known in state.known.items())

    def _fresh(self, experiment: Experiment, state: State) -> int:
        """How many tracklets have another label than the last run knew of."""
        return sum(
            int(((known.label >= 0) & (_learned_labels(experiment, name, known.label) != known.label)).sum())
            for name, known in state.known.items()
        )


def _learned_labels(experiment: Experiment, movie: str, label: Any) -> Any:
    """The class (tracklets,) by which the last run knew each labelled tracklet of a movie, -1 for none."""
    from herdbook.artifacts.classify import Evidence

    path = experiment.artifact("classify", movie)
    nothing = np.full(len(label), -1, np.int64)
    if not path.is_file():
        return nothing
    evidence = Evidence.load(path, without=("blob", "blob_log_likelihood", "log_likelihood"))
    if len(evidence.labelled) != len(label):
        return nothing
    classes = classes_of(experiment)
    place = np.array([*(classes.index(name) if name in classes else -1 for name in evidence.classes), -1], np.int64)
    return place[evidence.labelled]
