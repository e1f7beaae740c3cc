"""The artifact of stage tracklets: which blobs form a tracklet, how tracklets merge and split, and how many animals each holds."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

SINGLE, MULTIPLE, NOISE = 0, 1, 2
KINDS = ("single", "multiple", "noise")


@dataclass
class Tracklets(Artifact):
    """Tracklets: runs of one blob without merge or split, and the edges between them.

    `blob_tracklet` int32 (blobs,): tracklet of each blob of the movie. Per tracklet: `first`, `last` int32 frame; `animals` int16, number
    of animals in it as counted in this movie alone, `animals_margin` float32 (additional cost of the next best number); `tracklet_kind`
    uint8 (index into KINDS); `arena` int16; `size` float32, its median area in units of the area of one animal.
    `edges` int32 (e, 2) parent, child; `edge_weight` float32 (e,). `border_edges` int64 (b, 2): blob row in the previous movie of the
    recording, blob row in this one.

    The seam to that movie, see `tracklets.seams`: `seam_animals` blobs that were compared, 0 if it could not be told or there is no such
    movie; by how much they moved, and below which movement almost all moments stay, body lengths. Nothing is linked across a broken seam.
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
    # With defaults, since tracklets of earlier versions lack them.
    seam_animals: int = 0
    seam_moved: float = 0.0
    seam_usual: float = 0.0
    seam_broken: bool = False

    def __len__(self) -> int:
        return len(self.first)

    def blob_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of the blobs that are in a tracklet, grouped by tracklet, in order of frame: rows int64 (r,), offsets int64 (n + 1,)."""
        rows = np.argsort(self.blob_tracklet, kind="stable")
        rows = rows[np.searchsorted(self.blob_tracklet[rows], 0) :]
        offsets = np.searchsorted(self.blob_tracklet[rows], np.arange(len(self) + 1))
        return rows.astype(np.int64), offsets.astype(np.int64)
