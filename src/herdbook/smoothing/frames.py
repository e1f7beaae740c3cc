"""Grey frames of a movie for LK-RSTC: any interval of them can be read repeatedly."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from herdbook.arrays import Image
from herdbook.artifacts.index import Index
from herdbook.movie.reading import read_frames
from herdbook.movie.scanning import MovieScan


class FrameSource(NamedTuple):
    """A movie of `n_frames` grey frames of `shape` (rows, columns); `read(first, end)` yields frames first .. end - 1, uint8 each.

    `starts`: frames at which reading can begin without decoding earlier ones, including 0.
    """

    n_frames: int
    shape: tuple[int, int]
    starts: tuple[int, ...]
    read: Callable[[int, int], Iterator[Image]]


def movie_source(path: Path, table: Index | MovieScan, first: int = 0, end: int | None = None) -> FrameSource:
    """Frames first .. end - 1 (end None: to the last) of a movie with this frame table, renumbered from 0.

    Grey values are exactly those of rgb24 -> `cv2.COLOR_RGB2GRAY`.
    """
    end = len(table.pts) if end is None else end

    def read(start: int, stop: int) -> Iterator[Image]:
        return (frame.grey() for frame in read_frames(path, table, first + start, first + stop))

    keyframes = np.flatnonzero(table.keyframe[first:end]).tolist()
    return FrameSource(end - first, (table.height, table.width), tuple(sorted({0, *keyframes})), read)
