"""What the expected error rests on: each assumption tested on what the movies show, in one table, and what is said where one fails.

The expected error comes from confidences, and these hold if the experiment file says the truth about the recording, and if the movies go on
as they began. Each test takes facts that stages left in their artifacts; none looks at a truth.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.arrays import Floats
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import open_artifact, read_column
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import parsing
from herdbook.experiment.layout import EXPECTED_ERROR
from herdbook.identity.contradictions import contradicts
from herdbook.report.expected import ExpectedError
from herdbook.report.page import Cell, PageSection, Table
from herdbook.report.scene_notes import scene_notes
from herdbook.system.files import read_json
from herdbook.tracklets.excess import LEAST_SIZE, lasting_excess
from herdbook.tracklets.seams import Seam, seam_sentence
from herdbook.tracklets.shown import animals_shown, join_shown, too_large

Files = Mapping[str, Mapping[str, Path]]

HOLDS, FAILS, UNTESTED = "holds", "fails", "cannot be tested"
# Rates that differ by less are one rate: cameras give 24.9 for 25 and 29.97 for 30.
RATE_SHARE = 0.05
# Two movies are one if so many frames of 20 that are compared have the same blobs, within a pixel, and animals move between these frames.
COMPARED, SAME_SHARE, SAME_PX = 20, 0.9, 1.0
# Sentences on causes of one kind; the sections of the page have more.
MOST_CAUSES = 3
# Columns of tracklets that no test needs.
UNREAD = ("blob_tracklet", "animals", "animals_margin", "tracklet_kind", "edges", "edge_weight", "border_edges")


@dataclass(frozen=True)
class Assumption:
    """An assumption (`name`), how it was `tested`, its `state`, the `cause` in a sentence where it does not hold or could not be tested;
    `withholds`: whether the expected error cannot be told where it fails.
    """

    name: str
    tested: str
    state: str
    cause: str = ""
    withholds: bool = True


@dataclass(frozen=True)
class Given:
    """What the experiment file says: the `recordings` with their movies, the `numbers` of animals in each arena (None where unknown) and
    the names of the `arenas` ([] for none), the `names` of animals ([] for none).
    """

    recordings: Mapping[str, Sequence[str]]
    numbers: Sequence[int | None]
    arenas: Sequence[str]
    names: Sequence[str]


def check_assumptions(given: Given, files: Files) -> list[Assumption]:
    """All assumptions, in the order in which they are told; `files` are paths by artifact and file stem."""
    return [
        _fewer_animals(given, files),
        _more_animals(given, files),
        _names(given),
        _order(given, files),
        _looks(given, files),
        _scene(given, files),
        _rates(given, files),
        _twice(given, files),
    ]


def failing(assumptions: Sequence[Assumption]) -> list[Assumption]:
    """Those that fail."""
    return [one for one in assumptions if one.state == FAILS]


def withheld(assumptions: Sequence[Assumption]) -> list[Assumption]:
    """Those because of which the expected error cannot be told."""
    return [one for one in failing(assumptions) if one.withholds]


def told_first(assumptions: Sequence[Assumption], named: bool) -> list[str]:
    """What is said first, on the page and on the terminal: what fails, and that the error of `named` animals therefore cannot be told."""
    lacking = withheld(assumptions) if named else []
    reasons = " and ".join(one.name for one in lacking)
    last = f"How many positions are another animal's cannot be told, because this does not hold: {reasons}."
    return [*(one.cause for one in failing(assumptions)), *([last] if lacking else [])]


def as_json(assumptions: Sequence[Assumption], error: ExpectedError | None) -> str:
    """The expected error, None for a value that is not known, whether it can be told, and the assumptions, as a text."""
    whole = {name: float(value) if np.isfinite(value) else None for name, value in error.whole._asdict().items()} if error else None
    values = {"expected_error": whole, "told": not withheld(assumptions), "assumptions": [asdict(one) for one in assumptions]}
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def read_expected_error(folder: Path) -> tuple[list[str], bool]:
    """What fails, a sentence each, and whether the expected error can be told, as the report of a folder of results says; [] without one.

    Raises HerdbookError if the file is not as the report writes it.
    """
    path = folder / EXPECTED_ERROR
    if not path.exists():
        return [], True
    with parsing(path, "not what the report writes", "Delete it and run snakemake again: the rule 'report' makes it again."):
        values = read_json(path)
        causes = [str(one["cause"]) for one in values["assumptions"] if one["state"] == FAILS]
        return causes, bool(values["told"])


def assumptions_section(assumptions: Sequence[Assumption]) -> PageSection:
    """The table on the page."""
    rows = [[Cell(one.name, words=True), Cell(one.tested, words=True), Cell(one.state), Cell(one.cause, words=True)] for one in assumptions]
    sentence = "The expected error holds if these assumptions do. Each is tested on what the movies show."
    return PageSection("What it rests on", [sentence], [Table(("assumption", "tested", "state", "cause"), rows, "Assumptions")])


def _result(name: str, tested: str, causes: Sequence[str], untested: str = "", *, withholds: bool = True) -> Assumption:
    """The assumption fails for the causes; without any it holds, or could not be tested for a reason."""
    state = FAILS if causes else UNTESTED if untested else HOLDS
    told = list(causes[:MOST_CAUSES]) or ([untested] if untested else [])
    words = " ".join(cause[0].upper() + cause[1:] for cause in told)
    words += f" And so in {len(causes) - MOST_CAUSES} more cases." if len(causes) > MOST_CAUSES else ""
    return Assumption(name, tested, state, words, withholds)


def _movies(given: Given) -> Iterator[str]:
    for movies in given.recordings.values():
        yield from movies


def _spans(tracklets: Tracklets) -> tuple[Any, ...]:
    return (*(getattr(tracklets, name).astype(np.int64) for name in ("first", "last", "arena")), tracklets.size.astype(np.float64))


def _place(given: Given, arena: int) -> str:
    return f" in arena {given.arenas[arena]}" if given.arenas else ""


def _fewer_animals(given: Given, files: Files) -> Assumption:
    """No more animals than the number."""
    name, tested = "no more animals than animals.number", "blobs that last a second and are as large as an animal, counted at each moment"
    if all(number is None for number in given.numbers):
        return _result(name, tested, [], "the number of animals is not known.")
    causes = []
    for movie in _movies(given):
        tracklets, fps = _tracklets(files, movie), _rate(files, movie)
        for excess in lasting_excess(*_spans(tracklets), numbers=given.numbers, frames=tracklets.frames, fps=fps):
            causes.append(
                f"movie {movie} shows up to {excess.most} animals at once{_place(given, excess.arena)}, in {len(excess.frames):,} frames "
                f"more than the {excess.animals} of animals.number, first in frame {excess.frames[0]}: the number is too "
                "small, or an animal that is none of the names is there."
            )
    return _result(name, tested, causes)


def _more_animals(given: Given, files: Files) -> Assumption:
    """No fewer animals than the number."""
    name, tested = "no fewer animals than animals.number", "the most blobs at once where none is as large as two animals"
    causes, unclear = [], False
    for recording, movies in given.recordings.items():
        shown, seen = [], set[int]()
        for movie in movies:
            tracklets = _tracklets(files, movie)
            seen |= set(tracklets.arena[tracklets.size >= LEAST_SIZE].tolist())
            shown.append(animals_shown(*_spans(tracklets), arenas=len(given.numbers), frames=tracklets.frames, fps=_rate(files, movie)))
        for arena, (one, number) in enumerate(zip(join_shown(shown), given.numbers, strict=True)):
            large = None if number is None else too_large(one, number)
            unclear |= large is None and (number is None or arena in seen)
            if number and arena not in seen:
                causes.append(f"no animal is ever seen{_place(given, arena)} in recording {recording}.")
            elif large:
                causes.append(
                    f"the recording {recording} never shows more than {one.most} animals at once{_place(given, arena)}, though in "
                    f"{one.spells} spells none touches another, but animals.number is {number}: the number is too large, or "
                    "an animal is never seen."
                )
    return _result(name, tested, causes, "animals touch or hide too often to tell, or their number is not known." if unclear else "")


def _names(given: Given) -> Assumption:
    """Each animal has a name."""
    name, tested = "each animal has a name", "animals.number against the names"
    known = [number for number in given.numbers if number is not None]
    lacking = sum(known) - len(given.names) if len(known) == len(given.numbers) and given.names else 0
    cause = f"there are {sum(known)} animals, but {len(given.names)} names: {lacking} {'has' if lacking == 1 else 'have'} none."
    return _result(name, tested, [cause] if lacking > 0 else [], withholds=False)


def _order(given: Given, files: Files) -> Assumption:
    """Each movie goes on where the one before it ended."""
    name = "movies follow each other in this order, without a break"
    tested = "places of all blobs at the end of a movie and at the beginning of the next, against how far they move in a moment"
    causes, told = [], True
    for before, after in _pairs(given):
        tracklets = _tracklets(files, after)
        told &= tracklets.seam_animals > 0
        if tracklets.seam_broken:
            causes.append(seam_sentence(before, after, Seam(tracklets.seam_animals, tracklets.seam_moved, tracklets.seam_usual)))
    return _result(name, tested, causes, "" if told else "at some seams there are too few blobs.", withholds=False)


def _looks(given: Given, files: Files) -> Assumption:
    """Animals look in each movie as in the others."""
    name = "each animal looks the same in all movies"
    tested = "names of animals that are followed from one movie into the next by their place, in images and in the end"
    causes, told = [], True
    for recording, movies in given.recordings.items():
        found = Identities.load(files["identities"][recording])
        if found.seam_pairs is None or found.seam_contradicted is None or found.seam_expected is None:
            told &= len(movies) < 2
            continue
        for k, (before, after) in enumerate(pairwise(movies), 1):
            pairs, differ = found.seam_pairs[k].tolist(), found.seam_contradicted[k].tolist()
            told &= any(pairs)
            if any(map(contradicts, differ, found.seam_expected[k].tolist())):
                most = int(np.argmax(differ))
                causes.append(
                    f"of {pairs[most]} animals that are followed from {before} into {after} by their place, {differ[most]} "
                    f"{'has' if differ[most] == 1 else 'have'} another name there: marks or colours were "
                    "exchanged or have changed, or the movies do not belong together."
                )
    return _result(name, tested, causes, "" if told else "at some seams no animal is alone on both sides, or none has a name.")


def _scene(given: Given, files: Files) -> Assumption:
    """Camera and light stay."""
    tested = "changes of the background within a movie, and its place from one movie to the next"
    return _result("camera and light stay", tested, scene_notes(given.recordings, files), withholds=False)


def _rates(given: Given, files: Files) -> Assumption:
    """All movies of a recording have one rate."""
    causes = []
    for before, after in _pairs(given):
        one, other = _rate(files, before), _rate(files, after)
        if abs(one - other) > RATE_SHARE * one:
            causes.append(
                f"movie {before} has {one:g} frames per second and {after} {other:g}: one of the rates may be wrong (movies[].fps)."
            )
    return _result("movies of a recording have one frame rate", "the rates of the movies", causes, withholds=False)


def _twice(given: Given, files: Files) -> Assumption:
    """No movie is given twice."""
    causes = []
    for movies in given.recordings.values():
        known: dict[str, str] = {}
        alike: dict[tuple[int, ...], list[tuple[str, list[Floats]]]] = {}
        for movie in movies:
            same = known.setdefault(_index(files, movie).movie_fingerprint, movie)
            places = _sampled_places(files["blobs"][movie])
            # Only movies with as many blobs in each sampled frame are compared: of a thousand movies hardly any two are.
            others = alike.setdefault(tuple(map(len, places)), [])
            same = same if same != movie else next((other for other, theirs in others if same_places(places, theirs)), movie)
            others.append((movie, places))
            if same != movie:
                causes.append(f"the movies {same} and {movie} are the same.")
    return _result("each movie was filmed once", "fingerprints of the files, and the places of blobs", causes)


def same_places(one: Sequence[Floats], other: Sequence[Floats]) -> bool:
    """Whether sampled frames of two movies show the same blobs, at places (n, 2) px, and these move from one sample to the next."""
    same = [_alike(a, b) for a, b in zip(one, other, strict=True)]
    moving = [not _alike(a, b) for a, b in pairwise(one)]
    return bool(min(np.mean(same), np.mean(moving or [False])) >= SAME_SHARE)


def _sampled_places(path: Path) -> list[Floats]:
    """Places (n, 2) of the blobs in frames spread over a movie."""
    with open_artifact(path, Blobs.kind) as file:
        frame, x, y = (read_column(file, name) for name in ("frame", "x", "y"))
        frames = int(file.attrs["frames"])
    bounds = [np.searchsorted(frame, (at, at + 1)) for at in np.linspace(0, frames - 1, COMPARED).astype(np.int64)]
    return [np.stack([x[a:b], y[a:b]], 1).astype(np.float64) for a, b in bounds]


def _alike(one: Floats, other: Floats) -> bool:
    return one.shape == other.shape and len(one) > 0 and bool((np.abs(one - other) <= SAME_PX).all())


def _pairs(given: Given) -> Iterator[tuple[str, str]]:
    """Movies of a recording that follow each other."""
    for movies in given.recordings.values():
        yield from pairwise(movies)


def _tracklets(files: Files, movie: str) -> Tracklets:
    return Tracklets.load(files["tracklets"][movie], without=UNREAD)


def _index(files: Files, movie: str) -> Index:
    return Index.load(files["index"][movie], without=("pts", "time_s", "keyframe"))


def _rate(files: Files, movie: str) -> float:
    return _index(files, movie).fps
