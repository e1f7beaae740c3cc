"""Which movies have labelled body points: light enough for a dry run, which does not read the labels themselves."""

import re
from collections.abc import Sequence
from pathlib import Path

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.experiment.sheets.text import read_text


def is_points_table(path: Path) -> bool:
    """Whether a file of labels is a table with a line for each point, as corrections are, and not a file of a pose tool."""
    if path.suffix.lower() == ".json":
        return read_text(path).lstrip().startswith("[")
    if path.suffix.lower() != ".csv":
        return False
    # Tables of DeepLabCut begin with a line of the scorer's name, which has neither.
    first = next(iter(read_text(path).splitlines()), "")
    return {"movie", "point"} <= {cell.strip().strip('"') for cell in re.split("[,;\t]", first)}


def movie_of_file(path: Path, movies: Sequence[str]) -> str:
    """The movie that a file of a pose tool is of: that of its name or of its folder's, as in labeled-data/movie01, or the only one.

    Raises HerdbookError if none is.
    """
    for name in (path.stem, path.parent.name):
        if name in movies:
            return name
    if len(movies) == 1:
        return movies[0]
    raise HerdbookError(
        f"{path}: expected the name of a movie as the name of this file or of its folder, found {path.stem!r} in {path.parent.name!r}. "
        f"Rename one of them, e.g. to {movies[0]!r}: nothing in the file says of which movie its labels are."
    )


def labelled_movies(paths: Sequence[str], movies: Sequence[str]) -> list[str]:
    """The movies with labelled body points, in the order of the experiment. Raises HerdbookError for movies that it does not have."""
    found: set[str] = set()
    for path in map(Path, paths):
        if is_points_table(path):
            # Places of whole animals are corrections, which say nothing of their points.
            rows = [row for row in read_corrections(path) if row.point]
            strangers = [row for row in rows if row.movie not in movies]
            if strangers:
                raise HerdbookError(
                    f"{path}: {strangers[0].place}: there is no movie {strangers[0].movie!r}; expected one of {', '.join(movies[:5])}"
                )
            found |= {row.movie for row in rows}
        else:
            found.add(movie_of_file(path, movies))
    return [movie for movie in movies if movie in found]
