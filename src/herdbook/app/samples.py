"""Blobs of frames spread over a whole movie with the settings of the moment: as many as animals or not, and how large."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from herdbook.app.frames import Source
from herdbook.app.live import LiveBlobs, LiveMovie
from herdbook.arrays import Ints
from herdbook.geometry.intervals import tracked_intervals
from herdbook.movie.frame import Frame
from herdbook.segmentation.scenes import spread_frames
from herdbook.segmentation.segmenter import Segmenter

# What is held in memory of sampled frames.
MOST_FRAMES, MOST_BYTES = 60, 80 << 20
# Blobs of all samples whose areas are sent; of more, a part drawn evenly.
MOST_AREAS = 20_000


@dataclass(frozen=True)
class Counts:
    """Of each sampled frame: `frame`, `kept` and `dropped` blobs, int64 (n,), -1 for a broken frame; `right` bool (n,): as many as animals.

    `area` int32 (m,) and `reason` int8 (m,) of the blobs of all samples.
    """

    frame: Ints
    kept: Ints
    dropped: Ints
    right: Ints
    area: NDArray[np.int32]
    reason: NDArray[np.int8]


class Samples:
    """Frames spread over the tracked intervals of a movie, held so that they can be segmented again and again."""

    def __init__(self, movie: LiveMovie) -> None:
        self._movie = movie
        self.picks: list[int] = []
        self._held: dict[int, Frame] = {}
        self._key: object = None
        # A decoder of its own does not disturb the frames that are looked at. What is wanted is held here, once, and a decoder holds tens
        # of megabytes, so it is open only while frames are read.
        self._source: Source | None = None

    def close(self) -> None:
        """Release the frames."""
        self._held.clear()
        self._close_source()

    def _close_source(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    @property
    def size(self) -> int:
        """Number of frames that are held."""
        return len(self._held)

    @property
    def stale(self) -> bool:
        """Whether other frames than those held are needed, or some are not read yet."""
        return self._wanted() != self._key or len(self._held) < len(self.picks)

    def read(self, count: int) -> None:
        """Read at most `count` more frames."""
        key = self._wanted()
        if key != self._key:
            self._key = key
            self._held.clear()
            self.picks = self._choose()
        for number in [pick for pick in self.picks if pick not in self._held][:count]:
            if self._source is None:
                self._source = Source(self._movie.source.path, self._movie.index, kept_bytes=0, threads=1)
            frame = self._source.exact(number)
            grey = self._movie.settings["channel"] == "grey"
            held = SimpleNamespace(index=number, luma=frame.luma.copy()) if grey else frame
            self._held[number] = cast(Frame, held)
        if len(self._held) == len(self.picks):
            self._close_source()

    @property
    def frames(self) -> list[Frame]:
        """The frames that are held, in their order; of grey movies they have `index` and `luma` only."""
        return [self._held[number] for number in sorted(self._held)]

    def count(self, segmenter: Segmenter | None = None) -> Counts | None:
        """Blobs of the frames that are held, by another segmenter if it is given; None as long as there is no background."""
        rows, areas, reasons = [], [np.zeros(0, np.int32)], [np.zeros(0, np.int8)]
        for number in sorted(self._held):
            frame = self._held[number]
            found = self._movie.find(frame, segmenter)
            if isinstance(frame, Frame):
                frame.forget_colours()
            if found is None:
                return None
            rows.append((number, *_count(found, self._movie.numbers)))
            areas.append(found.blobs.area)
            reasons.append(found.reason.astype(np.int8))
        area, reason = np.concatenate(areas), np.concatenate(reasons)
        step = -(-len(area) // MOST_AREAS) or 1
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        return Counts(columns[0], columns[1], columns[2], columns[3], area[::step], reason[::step])

    def _wanted(self) -> object:
        settings = self._movie.settings
        return settings["channel"] == "grey", str(settings["intervals"])

    def _choose(self) -> list[int]:
        """Frames spread evenly, each moved to the keyframe near it if there is one, for which a single frame is decoded."""
        index = self._movie.index
        spans = tracked_intervals(self._movie.settings["intervals"], len(index), self._movie.source.path)
        tracked = np.concatenate([np.arange(*span) for span in spans])
        size = index.width * index.height * (1 if self._movie.settings["channel"] == "grey" else 2)
        number = max(10, min(MOST_FRAMES, MOST_BYTES // size))
        places = spread_frames(0, len(tracked), number)
        picks = tracked[places]
        keyframes = np.intersect1d(np.flatnonzero(index.keyframe), tracked)
        reach = len(tracked) / max(1, len(picks)) / 2
        if len(keyframes):
            nearest = keyframes[np.abs(keyframes[None] - picks[:, None]).argmin(axis=1)]
            picks = np.where(np.abs(nearest - picks) <= reach, nearest, picks)
        return [int(pick) for pick in np.unique(picks)]


def count_right(found: LiveBlobs, numbers: list[int | None]) -> bool:
    """Whether there are as many blobs as animals in each arena; where the number is unknown, any number is right."""
    kept = np.bincount(found.arena[found.reason < 0], minlength=len(numbers))
    return all(number is None or number == count for number, count in zip(numbers, kept.tolist(), strict=False))


def _count(found: LiveBlobs, numbers: list[int | None]) -> tuple[int, int, int]:
    if found.broken:
        return -1, -1, 0
    kept = int((found.reason < 0).sum())
    return kept, len(found.reason) - kept, int(count_right(found, numbers))


def as_message(counts: Counts, animals: int | None) -> tuple[dict[str, Any], list[bytes]]:
    """The head and the parts of the message that tells of the samples."""
    head = {name: getattr(counts, name).tolist() for name in ("frame", "kept", "dropped", "right")}
    parts = [counts.area.astype(np.int32).tobytes(), counts.reason.astype(np.int8).tobytes()]
    return {"type": "samples", "animals": animals, "blobs": len(counts.area), **head}, parts
