"""The frames of movies and folders of images, each with its exact number.

A frame is identified by its presentation time stamp (pts), never by counting from the position of a seek. What a movie consists of, and how
its pictures are meant, is in its frame table (`scanning.MovieScan`, or the artifact of stage index), which every reader here obeys. Images
are (row, col[, channel]), colour is BGR, dtype uint8.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

from herdbook.errors import HerdbookError
from herdbook.movie.decoding import Decoder, FrameTable, stored_size
from herdbook.movie.frame import Frame, in_eight_bits
from herdbook.movie.images import image_name, is_of_images, open_images


def read_frames(path: Path, table: FrameTable, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """Frames start .. stop - 1 (stop None: to the last) of the movie with this frame table, each exactly once.

    Decoding begins at a keyframe at or before `start`, in one thread. Raises HerdbookError, which names file and frame, if a frame cannot
    be decoded, is missing, or is not in the table. Frames after the end of the table are not read: the table of a broken movie is shorter
    than the movie.
    """
    n_frames = len(table.pts)
    stop = n_frames if stop is None else stop
    if not 0 <= start <= stop <= n_frames:
        raise HerdbookError(f"{path} has frames 0..{n_frames - 1}; frames {start}..{stop - 1} were requested")
    if start == stop:
        return
    if is_of_images(path):
        yield from _read_images(path, table, range(start, stop))
        return
    # Frames between those of the table are decoded only if these depend on them.
    sampled = frozenset(table.pts[start:stop].tolist()) if table.every > 1 else None
    with closing(Decoder(path, table, sampled)) as decoder:
        decoder.start_at(start)
        expected = start
        for index, frame in decoder.frames():
            if index < start:
                continue
            yield decoder.checked(expected, index, frame)
            expected += 1
            if expected == stop:
                return
        raise decoder.missing(expected)


class MovieReader:
    """Reads one interval of frames after another, as `read_frames`; there is no seek if an interval begins where the last one ended."""

    def __init__(self, path: Path, table: FrameTable) -> None:
        self._path, self._table = path, table
        self._ahead: Iterator[Frame] = iter(())
        self._next = -1

    def frames(self, start: int, stop: int) -> Iterator[Frame]:
        """Frames start .. stop - 1."""
        if start != self._next:
            self._ahead = read_frames(self._path, self._table, start)
        self._next = start
        while self._next < stop:
            frame = next(self._ahead)
            self._next += 1
            yield frame


def read_frame_samples(path: Path, table: FrameTable, indices: Sequence[int]) -> Iterator[Frame]:
    """The frames at the strictly increasing `indices` only; errors are those of `read_frames`.

    The reader seeks if there is a keyframe between two of them, and does not decode other frames on which no frame depends.
    """
    pts, wanted = table.pts, np.asarray(indices, dtype=np.int64)
    if (np.diff(wanted) <= 0).any():
        raise ValueError("the indices of sampled frames must be strictly increasing")
    if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(pts):
        raise HerdbookError(f"{path} has frames 0..{len(pts) - 1}; frames {wanted[0]}..{wanted[-1]} were requested")
    if is_of_images(path):
        yield from _read_images(path, table, wanted.tolist())
        return
    if not len(wanted):
        return
    sampled = frozenset(pts[wanted].tolist())
    with closing(Decoder(path, table, sampled)) as decoder, closing(Decoder(path, table)) as scout:
        frames: Iterator[tuple[int, Any]] = iter(())
        last = -1
        for target in wanted.tolist():
            if last < 0 or (target > last + 1 and scout.start_at(target) > last):
                decoder.start_at(target)
                frames = decoder.frames()
            found = next((numbered for numbered in frames if numbered[0] >= target), None)
            if found is None:
                raise decoder.missing(target)
            yield decoder.checked(target, *found)
            last = target


def _read_images(path: Path, table: FrameTable, indices: Iterable[int]) -> Iterator[Frame]:
    reformatter, size = VideoReformatter(), stored_size(table)
    with open_images(path) as decode:
        for index in indices:
            number = int(table.pts[index])
            frame = decode(number)
            if (frame.width, frame.height) != size:
                found, expected = f"{frame.width}x{frame.height}", f"{size[0]}x{size[1]}"
                raise HerdbookError(f"{image_name(path, number)} is {found}, expected {expected}: all images must have the same size")
            try:
                frame = in_eight_bits(frame, table.bits)
            except OverflowError as error:
                raise HerdbookError(f"{image_name(path, number)}: {error}") from error
            yield Frame(index, frame, reformatter, table.orientation)
