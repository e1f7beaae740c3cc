"""Segment artifacts for tests, written by the project's own writer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Runs
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.movie.frame import Coding
from herdbook.segmentation.pieces import Piece, PieceWriter

PLAIN = Coding("bgr", (0, 0), np.arange(256, dtype=np.uint8), np.zeros(4, np.float32))


def differences(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Samples of planes (3, h, w) as the artifact keeps them: differences along both axes, modulo 256."""
    down = np.diff(planes, axis=1, prepend=np.uint8(0))
    return np.diff(down, axis=2, prepend=np.uint8(0)).ravel()


def runs_contain(runs: Runs, x: float, y: float) -> bool:
    """Tell whether the pixel nearest to the point (x, y), px, belongs to the runs (R, 3)."""
    row, col = np.floor(y + 0.5), np.floor(x + 0.5)
    return bool(((runs[:, 0] == row) & (runs[:, 1] <= col) & (col <= runs[:, 2])).any())


def write_segment(
    path: Path,
    columns: dict[str, NDArray[Any]],
    runs: NDArray[Any],
    run_offsets: NDArray[Any],
    images: Sequence[tuple[int, Sequence[int], NDArray[np.uint8]]] = (),
    *,
    frames: int,
    width: int,
    height: int,
    fps: float,
    intervals: Sequence[tuple[int, int]] = (),
    provenance: Provenance | None = None,
) -> None:
    """Write columns, outlines and images, each (blob, box, pixels (h, w, 3) BGR); the column `image` follows from the images.

    `intervals` are the frames that are tracked, all if there is none.
    """
    samples = [differences(np.moveaxis(pixels, 2, 0)) for _, _, pixels in images]
    piece = Piece(
        frames=frames,
        columns={name: values for name, values in columns.items() if name != "image"},
        runs=np.asarray(runs, np.int32).reshape(-1, 3),
        run_offsets=np.asarray(run_offsets, np.int64),
        image_blob=np.array([blob for blob, _, _ in images], np.int64),
        image_box=np.array([box for _, box, _ in images], np.int32).reshape(-1, 4),
        image_offsets=np.cumsum([0, *(len(s) for s in samples)]).astype(np.int64),
        samples=np.concatenate([*samples, np.zeros(0, np.uint8)]),
        coding=PLAIN,
        broken=[],
    )
    with columns_writer(path, Blobs.kind, provenance or Provenance(Blobs.kind, 1)) as writer:
        store = PieceWriter(writer)
        store.add(piece)
        store.finish(np.array(intervals or [(0, frames)], np.int64), frames=frames, width=width, height=height, fps=fps)
