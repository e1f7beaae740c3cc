"""An experiment that is looked at: its settings with all that is tried out, and its movies, ready to give frames and blobs.

All methods of one `Live` are called by one thread.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.app.edits import ExperimentFile
from herdbook.app.frames import Source
from herdbook.app.keys import with_all
from herdbook.app.scenes import SceneMaker
from herdbook.app.watching.results import RunResults, Watched
from herdbook.arrays import Ints
from herdbook.artifacts.index import Index
from herdbook.commands.movie_scans import scan_of
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.frame_faults import arena_faults
from herdbook.experiment.model import Experiment
from herdbook.movie.frame import Frame
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.tables import no_blobs

# Smaller specks are never animals, and there may be thousands of them.
LEAST_PX = 3
# Folder of what the page keeps, in the results of the experiment.
FOLDER = "app"


@dataclass(frozen=True)
class LiveBlobs:
    """The blobs of a frame, all of at least `LEAST_PX`, and why each is dropped (n,): index into `artifacts.segment.LOST_AS`, or -1.

    `broken`: the frame is black or unlike the background as a whole.
    """

    blobs: FrameBlobs
    reason: Ints
    arena: Ints
    broken: bool = False


class LiveMovie:
    """A movie of the experiment: frames by number, and the blobs of each with the settings of the moment."""

    def __init__(self, name: str, path: Path, index: Index, folder: Path) -> None:
        self.name, self.index = name, index
        self.source = Source(path, index)
        self.maker = SceneMaker(name, folder)
        self.settings: dict[str, Any] = {}
        self.faults: list[str] = []
        self.numbers: list[int | None] = [None]
        # Changes whenever other blobs may be found.
        self.version = 0
        self._masks: list[Path] = []
        self._segmenter: Segmenter | None = None
        # Whether the segmenter has these settings.
        self._current = False

    def tune(self, experiment: Experiment, raw: Mapping[str, Any], path: Path) -> None:
        """Take over the settings of an experiment, which was made of `raw`, the content of the file at `path`."""
        settings = json.loads(experiment.settings("segment", self.name))
        self.maker.want(experiment, raw, path)
        self.numbers = experiment.population
        masks = [Path(mask) for mask in experiment.masks.values()]
        if (settings, masks) != (self.settings, self._masks):
            self.settings, self._masks = settings, masks
            self._current = False

    def poll(self) -> bool:
        """Whether a new background has come."""
        return self.maker.poll()

    def close(self) -> None:
        """Close the movie and end what is being computed for it."""
        self.source.close()
        self.maker.close()

    def segmenter(self) -> Segmenter | None:
        """What finds blobs now; None without a background, or if the arenas are at fault, which `faults` then says."""
        background = self.maker.scene.background
        if background is None:
            return None
        if not self._current or self._segmenter is None or not self._segmenter.uses(background):
            self._current = True
            self.version += 1
            self.faults = arena_faults(self.settings["arenas"], self.index.width, self.index.height)
            try:
                same = self._segmenter is not None and self._segmenter.uses(background)
                if same and self._segmenter is not None:
                    self._segmenter = self._segmenter.retuned(self.settings, self._masks)
                else:
                    self._segmenter = Segmenter(background, self.settings, self.index.full_range, self._masks)
            except HerdbookError as error:
                self.faults += str(error).split("; ")
        return self._segmenter

    def find(self, frame: Frame, other: Segmenter | None = None) -> LiveBlobs | None:
        """The blobs of a frame, by another segmenter if it is given; None as long as there is no background."""
        segmenter = other or self.segmenter()
        if segmenter is None:
            return None
        judged = segmenter.judged(frame, LEAST_PX)
        if judged is None:
            return LiveBlobs(no_blobs(), np.zeros(0, np.int64), np.zeros(0, np.int64), broken=True)
        blobs, reason = judged
        heads = blobs.runs[blobs.run_offsets[:-1]]
        return LiveBlobs(blobs, reason, segmenter.arena[heads[:, 0], heads[:, 1]].astype(np.int64))


class Live:
    """An experiment file with its draft, and what is being tried out on top of it: `pending`, values that are still moving."""

    def __init__(self, path: Path) -> None:
        self.file = ExperimentFile(path)
        self.pending: dict[str, Any] = {}
        self.fault = ""
        self.movies: dict[str, LiveMovie] = {}
        self._results = RunResults()
        self._experiment: Experiment | None = None
        self._raw: dict[str, Any] = {}
        self.refresh()
        if self._experiment is None:
            raise HerdbookError(self.fault)

    @property
    def experiment(self) -> Experiment:
        """The last valid state of the experiment."""
        assert self._experiment is not None
        return self._experiment

    @property
    def drafted(self) -> dict[str, Any]:
        """What the file would contain with all that is tried out, valid or not."""
        return dict(with_all(self.file.drafted_values(), self.pending))

    def try_out(self, changes: Mapping[str, Any]) -> None:
        """Use other values by dotted key at once; `settle` makes them a step of the draft."""
        self.pending |= changes
        self.refresh()

    def settle(self) -> None:
        """Make what was tried out a step of the draft that can be undone."""
        if self.pending:
            changes, self.pending = self.pending, {}
            self.file.set_draft(changes)
            self.refresh()

    def refresh(self) -> None:
        """Read the values again; those that are not valid together change nothing but `fault`."""
        try:
            raw = self.drafted
            self._experiment, self._raw = parse_experiment(raw, self.file.path), raw
            self.fault = ""
        except HerdbookError as error:
            self.fault = str(error)
            return
        for name in [name for name in self.movies if name not in {movie.name for movie in self._experiment.movies}]:
            self.movies.pop(name).close()
        for movie in self.movies.values():
            movie.tune(self._experiment, raw, self.file.path)

    def movie(self, name: str) -> LiveMovie:
        """A movie, opened if it is not yet. Raises HerdbookError if there is none of this name, or if it cannot be read."""
        if name not in self.movies:
            self.movie_exists(name)
            index, path = _index_of(self.experiment, name), Path(self.experiment.movie(name).file)
            self.movies[name] = LiveMovie(name, path, index, self.experiment.folder / FOLDER)
            self.movies[name].tune(self.experiment, self._raw, self.file.path)
        return self.movies[name]

    def movie_exists(self, name: str) -> None:
        """Raises HerdbookError if there is no movie of this name."""
        if name not in {movie.name for movie in self.experiment.movies}:
            raise HerdbookError(f"{self.file.path}: there is no movie {name!r}")

    def watched(self, name: str) -> Watched:
        """What a run found in a movie. Raises HerdbookError if there is nothing yet, or if it is of another state of the movie."""
        return self._results.of(self.experiment, self.movie(name).name, len(self.movie(name).index))

    def results_are_new(self) -> None:
        """What was found in movies has changed: it is read again at the next call."""
        self._results.look_again()

    def close(self) -> None:
        """Close all movies."""
        self._results.close()
        for movie in self.movies.values():
            movie.close()
        self.movies.clear()


def _index_of(experiment: Experiment, movie: str) -> Index:
    """The frames of a movie: of the index that the workflow made, if it is of this file, or else found by reading the movie."""
    path = experiment.artifact("index", movie)
    if path.is_file():
        try:
            index = Index.load(path)
            index.check_movie(Path(experiment.movie(movie).file))
            return index
        except HerdbookError:
            pass
    return Index.from_scan(scan_of(experiment, movie), movie_fingerprint="")
