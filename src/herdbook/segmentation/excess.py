"""Frames with more blobs than animals: at least one blob in each is not an animal, or only a part of one."""

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints

COLUMNS = ("frame", "time", "blobs", "animals")


def count_excess(frame: NDArray[np.int32], arena: NDArray[np.int16], numbers: Sequence[int | None]) -> Ints:
    """Frames in which an arena has more blobs than animals, with both counts, summed over such arenas: int64 (m, 3) frame, blobs, animals.

    frame, arena: of each blob, sorted by frame. numbers: number of animals in each arena, None if unknown.
    """
    found: dict[int, tuple[int, int]] = {}
    for number, animals in enumerate(numbers):
        if animals is None:
            continue
        frames, counts = np.unique(frame[arena == number], return_counts=True)
        for at, blobs in zip(frames[counts > animals].tolist(), counts[counts > animals].tolist(), strict=True):
            before = found.get(at, (0, 0))
            found[at] = (before[0] + blobs, before[1] + animals)
    return np.array([(at, *found[at]) for at in sorted(found)], np.int64).reshape(-1, 3)


def excess_table(excess: Ints, time_s: NDArray[np.float64]) -> str:
    """CSV of the frames (m, 3) from `count_excess`; `time_s` is the time of each frame of the movie, s."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((frame, f"{time_s[frame]:.6g}", blobs, animals) for frame, blobs, animals in excess.tolist())
    return text.getvalue()


def first_frames(frames: Sequence[int], most: int = 10) -> str:
    """The first of these frames as text, consecutive ones as a range: 0-9, 14, 20 and 3 more."""
    stretches: list[list[int]] = []
    for frame in frames:
        if stretches and stretches[-1][1] == frame - 1:
            stretches[-1][1] = frame
        else:
            stretches.append([frame, frame])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in stretches[:most]]
    more = sum(last - first + 1 for first, last in stretches[most:])
    return ", ".join(texts) + (f" and {more} more" if more else "")
