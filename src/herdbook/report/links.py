"""What the report's page links to: tables, files for other tools and movies beside it. Paths are relative to the experiment's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.drawing.shown_frames import ShownFrames, choose_frames
from herdbook.drawing.tracked_movie import clock_time
from herdbook.errors import HerdbookError
from herdbook.experiment.layout import WRITTEN_MOVIES
from herdbook.formats.files import MOVIE_FILES, movie_files
from herdbook.report.page import Cell, PageSection, Table
from herdbook.report.summaries import Recording
from herdbook.tables.dictionary import EVERYTHING

SCORES = {"report/score.txt": "The figures of the section How right.", "report/score.json": "The same, for programmes."}
PAGE_FOLDER = "report"


@dataclass(frozen=True)
class PageLinks:
    """Links to what the experiment makes: `tables` of all movies; by movie `made`, paths by what they are made from, such as
    mot/{movie}.csv. `times_s` are those of the frames of each movie from its beginning, `overlays` the frames of the overlay movies.
    """

    tables: Sequence[str]
    made: Mapping[str, Mapping[str, str]]
    times_s: Mapping[str, NDArray[np.float64]]
    overlays: Mapping[str, ShownFrames]

    @property
    def templates(self) -> list[str]:
        """What there is of any movie."""
        return list(dict.fromkeys(template for files in self.made.values() for template in files))

    def moment(self, movie: str, frame: int) -> Cell:
        """The time of a frame in its movie, with a link to it in the overlay movie, or to the next frame that is shown there."""
        text = clock_time(float(self.times_s[movie][frame]))
        if movie not in self.overlays:
            return Cell(text)
        shown = self.overlays[movie]
        row = min(int(np.searchsorted(shown.frame, frame)), len(shown) - 1)
        return Cell(text, path=_beside(WRITTEN_MOVIES["overlay"].format(movie=movie)), fragment=f"t={shown.shown_s[row]:.1f}")

    def overlay(self, movie: str) -> Cell:
        """A link to the overlay movie, if there is one."""
        return _link(WRITTEN_MOVIES["overlay"].format(movie=movie) if movie in self.overlays else "")


def find_links(recordings: Sequence[Recording], files: Sequence[str], shown: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> PageLinks:
    """Sort what an experiment makes: paths of its tables and of files for other tools; `shown` are the frames that are shown of each movie
    that is written, as settings of `choose_frames`, by stage and movie. Raises HerdbookError for one that shows nothing.
    """
    facts = {movie.name: movie for recording in recordings for movie in recording.movies}
    known = movie_files(list(MOVIE_FILES), list(facts))
    made: dict[str, dict[str, str]] = {
        movie: {one: one.format(movie=movie) for stage, one in WRITTEN_MOVIES.items() if movie in shown.get(stage, {})} for movie in facts
    }
    tables = []
    for path in files:
        pure = PurePosixPath(path)
        if path in known:
            template, movie = known[path]
            made[movie][template] = path
        elif str(pure.parent) == "poses":
            made[pure.stem][f"poses/{{movie}}{pure.suffix}"] = path
        else:
            tables.append(path)
    times_s = {}
    for recording in recordings:
        ends = np.cumsum([movie.frames for movie in recording.movies])
        for one, times in zip(recording.movies, np.split(recording.time_s[:-1], ends[:-1]), strict=True):
            times_s[one.name] = times - times[0]
    try:
        overlays = {movie: choose_frames(times_s[movie], facts[movie].fps, **choice) for movie, choice in shown.get("overlay", {}).items()}
    except ValueError as error:
        raise HerdbookError(f"overlay.intervals: {error}") from error
    return PageLinks(tables, made, times_s, overlays)


def files_section(links: PageLinks, scored: bool) -> PageSection:
    """All files, with what each of them is."""
    about = _OTHERS | {description.file: description.about.replace("`", "") for description in EVERYTHING}
    rows = [[_link(path), Cell(about.get(path, ""), words=True)] for path in links.tables]
    rows += [[_link(path), Cell(text, words=True)] for path, text in SCORES.items() if scored]
    tables = [Table(("file", "what it is"), rows, "Tables")]
    if templates := links.templates:
        # What a file beside another one is stands with that one.
        kinds = [[Cell(name), Cell(about[name], words=True)] for name in map(_words, templates) if name in about]
        cells = [[Cell(movie), *(_link(files.get(one, "")) for one in templates)] for movie, files in links.made.items()]
        tables.append(Table(("file", "what it is"), kinds, "What there is of each movie"))
        tables.append(Table(("movie", *map(_words, templates)), cells, "Files of each movie"))
    sentence = "The links lead to files beside this page; they work as long as it stays in the experiment's folder."
    return PageSection("Tables and movies", [sentence], tables)


def _link(path: str) -> Cell:
    return Cell(PurePosixPath(path).name, path=_beside(path)) if path else Cell("–")


def _beside(path: str) -> str:
    """The path as the page needs it."""
    return path.removeprefix(f"{PAGE_FOLDER}/") if path.startswith(f"{PAGE_FOLDER}/") else f"../{path}"


def _words(template: str) -> str:
    return template.format(movie="<movie>")


_OTHERS = {
    _words(WRITTEN_MOVIES["overlay"]): "The movie with names and trails: look at it first.",
    _words(WRITTEN_MOVIES["closeups"]): "A folder with a movie of each animal, which stays in its middle.",
    _words(WRITTEN_MOVIES["mosaic"]): "One movie with a tile for each animal.",
}
