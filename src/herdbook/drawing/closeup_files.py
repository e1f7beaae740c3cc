"""Files of the close-ups of a movie: a folder with a movie and a table for each animal, `<animal>.mp4` and `<animal>.csv`."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.drawing.views import ANGLE_DIGITS, PLACE_DIGITS, View
from herdbook.errors import HerdbookError, parsing
from herdbook.system.cells import as_cells, from_cell
from herdbook.system.files import write_text

COLUMNS = ("frame", "movie_frame", "time", "x0", "y0", "angle", "individual")


@dataclass(frozen=True)
class CloseupTable:
    """The table of a close-up: `movie_frame` int64 (n,), `time_s` float64 (n,) in the movie, `x0`, `y0` (n,) px, `angle` (n,) rad."""

    individual: str
    movie_frame: NDArray[np.int64]
    time_s: Floats
    x0: Floats
    y0: Floats
    angle: Floats


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path`; it takes its place when the block ends well, and is removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    except HerdbookError as error:
        # Nobody knows the folder under its other name.
        raise HerdbookError(str(error).replace(str(temporary), str(path))) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def file_stems(names: Sequence[str]) -> list[str]:
    """Names of files for animals with these names: what no file can be named with becomes _, and all differ, also where case does not."""
    stems: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r'[\x00-\x1f/\\:*?"<>|]|^[.-]', "_", name).rstrip(" .") or "_"
        stem, number = plain, 2
        while stem.casefold() in taken:
            stem, number = f"{plain}_{number}", number + 1
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def write_closeup_table(path: Path, view: View, individual: str, frame: NDArray[np.int64], time_s: Floats) -> None:
    """Write the table of a close-up; `frame` and `time_s` (shown frames,) are those of the movie."""
    # A third of a second to import, which movies without close-ups need not pay.
    import pandas as pd

    rows = slice(view.first, view.end)
    columns = [
        *(np.arange(len(view.x0)), frame[rows], np.round(time_s[frame[rows]], 6)),
        *(np.round(view.x0, PLACE_DIGITS), np.round(view.y0, PLACE_DIGITS), np.round(view.angle, ANGLE_DIGITS), individual),
    ]
    write_text(path, as_cells(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))).to_csv(index=False))


def read_closeup_table(path: Path) -> CloseupTable:
    """Read what `write_closeup_table` wrote; HerdbookError names the file and what it lacks."""
    import pandas as pd

    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such table of a close-up. The rule closeups writes it beside each movie.")
    # An animal may be called NA.
    with parsing(path, "not a table of a close-up", "The rule closeups writes it again."):
        table = pd.read_csv(path, dtype={"individual": str}, keep_default_na=False, na_values={c: [""] for c in COLUMNS[:-1]})
    missing = [name for name in COLUMNS if name not in table]
    if missing or not len(table):
        raise HerdbookError(f"{path}: not a table of a close-up: expected rows with the columns {', '.join(COLUMNS)}")
    with parsing(path, "not a table of a close-up", "The rule closeups writes it again."):
        places = [table[name].to_numpy(np.float64) for name in ("time", "x0", "y0", "angle")]
        return CloseupTable(from_cell(str(table["individual"].iloc[0])), table["movie_frame"].to_numpy(np.int64), *places)
