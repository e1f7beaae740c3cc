"""Writer of a first experiment file for given movies: it can be used as it is, and lists all other settings with their defaults."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from herdbook.errors import HerdbookError
from herdbook.experiment.animals import Animals
from herdbook.experiment.arenas import Arena
from herdbook.experiment.base import Section
from herdbook.experiment.docs import Key, as_yaml, keys_of, summary
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.model import Experiment
from herdbook.experiment.movies import Movie, SimulateSection
from herdbook.experiment.output import ScaleSection, ScoreSection
from herdbook.experiment.sheets.labels import LABEL_COLUMNS
from herdbook.system.files import write_text

LABELS_FILE = "labels.csv"
_INTRODUCTION = """\
# Experiment file of Herdbook. Paths are relative to this file. All keys are explained in config/README.md.
# A line such as "#  area: ..." shows a setting with its default. To change it, remove the # there and before the name of its section.
"""
_ARENA_EXAMPLE = """\
#arenas:
#  - name: dish
#    include: [{ellipse: {centre: [320, 240], axes: [200, 200], angle: 0}}]
#    exclude: [{polygon: [[300, 60], [340, 60], [340, 100], [300, 100]]}]"""
_MEANING_COLUMN = 34


@dataclass(frozen=True)
class NewAnimals:
    """What is known about the animals: marking, names and number."""

    marking: str
    identities: tuple[str, ...] = ()
    number: int | None = None


def find_movies(patterns: Sequence[str]) -> list[Path]:
    """The files that match the patterns, each once, in natural order (movie2 before movie10).

    Raises HerdbookError for a pattern that matches nothing.
    """
    found: set[Path] = set()
    for pattern in patterns:
        matches = [Path(match) for match in glob.glob(str(Path(pattern).expanduser()), recursive=True)]  # noqa: PTH207 (absolute patterns)
        if not matches:
            raise HerdbookError(
                f"no movie matches the pattern {pattern!r} (seen from {Path.cwd()}). "
                "Give the path of the movies in quotes, such as --movies 'videos/*.mp4'."
            )
        # A link is not resolved: its name may be the intended name of the movie.
        found |= {match.parent.resolve() / match.name for match in matches}
    return sorted(found, key=lambda path: (natural_order(path), str(path)))


def write_experiment(
    folder: Path, movies: Sequence[Path], animals: NewAnimals, *, name: str | None = None, one_recording: bool = False
) -> list[Path]:
    """Write `<folder>/<name>.yaml`, and for marked animals an empty labels.csv unless there is one; return the paths of written files.

    `name` is that of the folder by default. Raises HerdbookError if the file exists or its content would not be valid.
    """
    folder = folder.resolve()
    name = folder.name if name is None else name
    path = folder / f"{name}.yaml"
    text = experiment_text(name, _named(movies, folder), animals, recording=name if one_recording else None)
    parse_experiment(yaml.safe_load(text), path)
    if path.exists():
        raise HerdbookError(f"{path} exists and is not overwritten. Delete it, or give another --name.")
    written = {path: text}
    if animals.marking == "marked" and not (folder / LABELS_FILE).exists():
        written[folder / LABELS_FILE] = ",".join(LABEL_COLUMNS) + "\n"
    for target, content in written.items():
        try:
            write_text(target, content)
        except OSError as error:
            raise HerdbookError(f"{target} cannot be written: {error.strerror}. Give a folder with write permission.") from error
    return list(written)


def experiment_text(name: str, movies: dict[str, str], animals: NewAnimals, recording: str | None = None) -> str:
    """The text of an experiment file; `movies` maps names to paths relative to it, `recording` is the recording of all movies."""
    given: dict[str, Any] = {"experiment": name}
    top = [_setting(key, given) for key in keys_of(Experiment) if key.inner is None]
    listed = [{"name": movie, "file": file} | ({"recording": recording} if recording else {}) for movie, file in movies.items()]
    recording_key = next(key for key in keys_of(Movie) if key.name == "recording")
    parts = [
        _INTRODUCTION + "\n" + "\n".join(top),
        "# The movies. override: settings of single stages for one movie, such as override: {segment: {difference: 30}}.\n"
        f"# recording: {recording_key.meaning}.\n" + "movies:\n" + "\n".join(f"  - {as_yaml(movie)}" for movie in listed),
        f"# {summary(Animals)}\nanimals:\n" + "\n".join(_indented(Animals, _given_animals(animals))),
        f"# {summary(Arena)}\n{_ARENA_EXAMPLE}",
        *_sections(),
        "# For simulated recordings there is a section simulate: see config/README.md.",
    ]
    return "\n\n".join(parts) + "\n"


def _sections() -> Iterator[str]:
    for key in keys_of(Experiment):
        if key.inner is None or key.inner in (Movie, Animals, Arena, SimulateSection):
            continue
        examples: dict[Any, dict[str, Any]] = {ScoreSection: {"truth": "truth.csv"}, ScaleSection: {"px_per_mm": 10.0}}
        example = examples.get(key.inner, {})
        lines = (f"#{line.removeprefix('#')}" for line in _indented(key.inner, example))
        yield f"# {summary(key.inner)}\n#{key.name}:\n" + "\n".join(lines)


def _indented(model: type[Section], given: dict[str, Any]) -> list[str]:
    return [_setting(key, given, "  ") for key in keys_of(model)]


def _setting(key: Key, given: dict[str, Any], indent: str = "") -> str:
    """The line of one key: with its given value, or commented out with its default."""
    mark, value = ("", as_yaml(given[key.name])) if key.name in given else ("#", key.default or ("{}" if key.inner else ""))
    return f"{f'{mark}{indent}{key.name}: {value}':<{_MEANING_COLUMN}} # {key.meaning}"


def _given_animals(animals: NewAnimals) -> dict[str, Any]:
    given: dict[str, Any] = {"marking": animals.marking}
    if animals.identities:
        given["identities"] = list(animals.identities)
    if animals.number is not None:
        given["number"] = animals.number
    if animals.marking == "marked":
        given["labels"] = LABELS_FILE
    return given


def _named(movies: Sequence[Path], folder: Path) -> dict[str, str]:
    """Paths relative to the folder, by name of the movie: the file's stem, preceded by the name of its folder where stems are equal."""
    stems = Counter(path.stem for path in movies)
    named: dict[str, str] = {}
    for path in movies:
        name = path.stem if stems[path.stem] == 1 else f"{path.parent.name}_{path.stem}"
        name = name.lstrip("-.") or "movie"
        if name in named:
            raise HerdbookError(f"{path} and {folder / named[name]} would both be named {name!r}. Rename one of the files.")
        named[name] = os.path.relpath(path, folder)
    return named


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sorts movie2 before movie10."""
    return [(int(digits or -1), text.casefold()) for digits, text in re.findall(r"(\d+)|(\D+)", str(path))]
