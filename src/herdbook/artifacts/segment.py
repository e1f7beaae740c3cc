"""The artifact of stage segment: blobs, their outlines and images. Points are (x, y) in px of the full-resolution frame."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.images import unpack_image
from herdbook.artifacts.outlines import RUN_COLUMNS, unpack_runs
from herdbook.artifacts.store import open_artifact, read_column, read_stored
from herdbook.geometry.runs import runs_to_mask
from herdbook.movie.frame import Coding

# A click at most this far (px) from a blob means this blob, if it is the nearest one.
REACH_PX = 10.0
# Why blobs were dropped: the area is below the smallest, but nearly reaches it, or above the largest; too little contrast; at the border.
LOST_AS = ("small", "large", "faint", "border")
LOST_SMALL, LOST_LARGE, LOST_FAINT, LOST_BORDER = range(len(LOST_AS))


@dataclass
class Blobs:
    """Blobs of one movie, ordered by frame (columns that fit into memory; outlines and images stay in the file, see `BlobImages`).

    Per blob: `frame` int32 from 0; `x`, `y` float64 centroid, px; `area` int32, px; `box` int32 (n, 4) x0, y0, x1, y1 (exclusive);
    `moments` float32 (n, 3) central second moments xx, xy, yy, px²; `contrast` float32 mean distance from the background in grey
    levels; `intensity` float32 mean grey level; `arena` int16; `border` bool, touches the frame's or arena's edge.
    `image` int64: row of its image in the file, -1 for none. `frames` is the number of frames in the movie, `intervals` int64 (k, 2) first
    and end (exclusive) frame of each tracked interval; frames outside of them were not analysed. What was dropped says `read_lost`.
    """

    kind: ClassVar[str] = "segment"
    columns: ClassVar[tuple[str, ...]] = (
        "frame", "x", "y", "area", "box", "moments", "contrast", "intensity", "arena", "border", "image",
    )  # fmt: skip
    path: Path
    frames: int
    width: int
    height: int
    fps: float
    intervals: NDArray[np.int64]
    frame: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.int32]
    box: NDArray[np.int32]
    moments: NDArray[np.float32]
    contrast: NDArray[np.float32]
    intensity: NDArray[np.float32]
    arena: NDArray[np.int16]
    border: NDArray[np.bool_]
    image: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def frame_offsets(self) -> NDArray[np.int64]:
        """(frames + 1,): the blobs of frame f are the rows offsets[f]:offsets[f + 1]."""
        return np.searchsorted(self.frame, np.arange(self.frames + 1)).astype(np.int64)

    @classmethod
    def load(cls, path: Path, *, without: Collection[str] = ()) -> "Blobs":
        """Read the columns of a segment artifact; those `without` stay empty."""
        with open_artifact(path, cls.kind) as file:
            numbers = {name: file.attrs[name].item() for name in ("frames", "width", "height", "fps")}
            read: dict[str, Any] = {
                name: file[name][:0] if name in without else read_column(file, name) for name in ("intervals", *cls.columns)
            }
            return cls(path=path, **numbers, **read)


def read_lost(path: Path) -> NDArray[np.int32]:
    """What a segment artifact says of dropped blobs, int32 (k, 4): frame, arena, reason (index into LOST_AS), number of blobs.

    Empty for artifacts of earlier versions.
    """
    with open_artifact(path, Blobs.kind) as file:
        lost: NDArray[np.int32] = read_column(file, "lost") if "lost" in file else np.zeros((0, 4), np.int32)
        return lost


@dataclass(frozen=True)
class BlobImage:
    """One blob's image: `pixels` uint8 (h, w, 3) BGR, `mask` bool (h, w) of the blob, `x0`, `y0` of its top left corner in the frame."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    x0: int
    y0: int


class BlobImages:
    """Outlines (runs) and images of the blobs in an open segment artifact."""

    def __init__(self, file: h5py.File) -> None:
        # Kept open: a dataset that is opened again starts with an empty chunk cache.
        self._runs, self._pixels, self._boxes = [file[name] for name in RUN_COLUMNS], file["image_pixels"], file["box"]
        self._run_offsets: NDArray[np.int64] = read_stored(file, "run_offsets")
        self._image_offsets: NDArray[np.int64] = read_stored(file, "image_offsets")
        self._image_box: NDArray[np.int32] = read_stored(file, "image_box")
        self._image_blob: NDArray[np.int64] = read_stored(file, "image_blob")
        kind, rows, columns = json.loads(file.attrs["image_coding"])
        self._coding = Coding(kind, (rows, columns), read_stored(file, "image_grey"), read_stored(file, "image_terms"))

    def runs(self, first: int, last: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Runs of the blobs first..last-1: int32 (r, 3) row, first column, last column (inclusive), and offsets (last-first+1,)."""
        offsets = self._run_offsets[first : last + 1]
        steps = [column[offsets[0] : offsets[-1]] for column in self._runs]
        offsets = offsets - offsets[0]
        return unpack_runs(steps, offsets), offsets

    def boxes(self, first: int, last: int) -> NDArray[np.int32]:
        """Boxes (last - first, 4) of the blobs first..last-1, as `Blobs.box`."""
        boxes: NDArray[np.int32] = self._boxes[first:last]
        return boxes

    def image(self, row: int) -> BlobImage:
        """The image stored at this row (`Blobs.image`)."""
        x0, y0, x1, y1 = (int(v) for v in self._image_box[row])
        start, stop = self._image_offsets[row : row + 2]
        pixels = unpack_image(self._pixels[start:stop], (x0, y0, x1, y1), self._coding)
        blob = int(self._image_blob[row])
        return BlobImage(pixels, runs_to_mask(self.runs(blob, blob + 1)[0], x0, y0, x1, y1), x0, y0)


@contextmanager
def open_blob_images(path: Path) -> Iterator[BlobImages]:
    """Open a segment artifact for its outlines and images."""
    with open_artifact(path, Blobs.kind) as file:
        yield BlobImages(file)


def blob_at(frame: int, x: float, y: float, blobs: Blobs, images: BlobImages) -> int | None:
    """The blob of a frame under a point, or else the nearest one within REACH_PX; `images` are those of the blobs' file."""
    start, stop = np.searchsorted(blobs.frame, (frame, frame + 1)).tolist()
    x0, y0, x1, y1 = blobs.box[start:stop].T
    away = np.hypot(np.maximum(0, np.maximum(x0 - x, x - x1 + 1)), np.maximum(0, np.maximum(y0 - y, y - y1 + 1)))
    candidates = (start + np.flatnonzero(away <= REACH_PX)).tolist()
    near = {blob: _distance(images.runs(blob, blob + 1)[0], x, y) for blob in candidates}
    nearest = min(near, key=near.__getitem__, default=None)
    return nearest if nearest is not None and near[nearest] <= REACH_PX else None


def _distance(runs: NDArray[np.int32], x: float, y: float) -> float:
    """Distance (px) from a point to the nearest pixel of a blob, given as runs (r, 3): row, first column, last column."""
    row, first, last = runs.T
    return float(np.hypot(np.maximum(0, np.maximum(first - x, x - last)), row - y).min())
