"""Arguments and options that several commands share, and functions that read them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from herdbook.errors import HerdbookError, nearest

if TYPE_CHECKING:
    from herdbook.experiment.model import Experiment

ExperimentFile = Annotated[Path, typer.Argument(metavar="FILE", help="the experiment file")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def split_list(text: str) -> list[str]:
    """The parts of a text that are separated by commas, without surrounding blanks and without empty parts."""
    return [part for part in (part.strip() for part in text.split(",")) if part]


def check_movies(names: Iterable[str], experiment: "Experiment", file: Path) -> None:
    """Raise HerdbookError for a name that is not a movie of the experiment; `file` is for the message."""
    known = [movie.name for movie in experiment.movies]
    for name in names:
        if name not in known:
            raise HerdbookError(f"{file}: there is no movie {name!r}; {nearest(name, known)}")
