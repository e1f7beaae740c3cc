"""Pieces of consecutive frames, appended to one artifact."""

from pathlib import Path

import h5py
import numpy as np

from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.segmentation.pieces import Piece, PieceWriter
from tests.support.segment_files import PLAIN


def piece_of(blobs: int, images: list[int]) -> Piece:
    """Blobs of one pixel each in one frame; those in `images` have an image of one pixel, that is three samples."""
    runs = np.column_stack([np.arange(blobs), np.arange(blobs), np.arange(blobs)]).astype(np.int32)
    return Piece(
        frames=1,
        broken=[],
        columns={"area": np.ones(blobs, np.int32)},
        runs=runs,
        run_offsets=np.arange(blobs + 1),
        image_blob=np.array(images, np.int64),
        image_box=np.array([(k, k, k + 1, k + 1) for k in images], np.int32).reshape(-1, 4),
        image_offsets=3 * np.arange(len(images) + 1),
        samples=np.array([10 * k for k in images for _ in range(3)], np.uint8),
        coding=PLAIN,
    )


def test_rows_of_later_pieces_are_numbered_on(tmp_path: Path) -> None:
    with columns_writer(tmp_path / "m.h5", Blobs.kind, Provenance(Blobs.kind, 1)) as writer:
        store = PieceWriter(writer)
        for piece in (piece_of(4, [0, 1, 3]), piece_of(0, []), piece_of(5, [1, 2, 3, 4]), piece_of(2, [1])):
            store.add(piece)
        store.finish(np.array([[0, 4]]))
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["image"][:].tolist() == [0, 1, -1, 2, -1, 3, 4, 5, 6, -1, 7]
        assert file["image_blob"][:].tolist() == [0, 1, 3, 5, 6, 7, 8, 10]
        assert file["run_offsets"][:].tolist() == list(range(12))
        assert file["image_offsets"][:].tolist() == list(range(0, 25, 3))
