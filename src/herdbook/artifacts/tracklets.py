"""What stage tracklets leaves: which blobs are one tracklet, how tracklets join, and how many animals each holds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

SINGLE, MULTIPLE, NOISE = 0, 1, 2
KINDS = ("single", "multiple", "noise")


@dataclass
class Tracklets(Artifact):
    """Runs of one blob without merge or split, and how they join.

    `blob_tracklet` int32 (blobs,): tracklet of each blob of the movie. Per tracklet: `first`, `last` int32 frame; `animals` int16,
    how many it holds as far as this movie tells, `animals_margin` float32 (cost of the next best number); `tracklet_kind` uint8 (index
    into KINDS); `arena` int16; `size` float32, its median area in units of one animal's.
    `edges` int32 (e, 2) parent, child; `edge_weight` float32 (e,). `border_edges` int64 (b, 2): blob row in the previous movie of the
    recording, blob row in this one.
    """

    kind: ClassVar[str] = "tracklets"
    frames: int
    blob_tracklet: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    animals: NDArray[np.int16]
    animals_margin: NDArray[np.float32]
    tracklet_kind: NDArray[np.uint8]
    arena: NDArray[np.int16]
    size: NDArray[np.float32]
    edges: NDArray[np.int32]
    edge_weight: NDArray[np.float32]
    border_edges: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    def blob_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Blob rows grouped by tracklet, in order of frame: (rows, offsets (n + 1,))."""
        rows = np.argsort(self.blob_tracklet, kind="stable")
        rows = rows[np.searchsorted(self.blob_tracklet[rows], 0) :]
        offsets = np.searchsorted(self.blob_tracklet[rows], np.arange(len(self) + 1))
        return rows.astype(np.int64), offsets.astype(np.int64)
