"""The artifact of stage background: images of the empty scene. Images are (row, col[, channel]), colour is BGR."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact


@dataclass
class Background(Artifact):
    """The empty scene in k windows of time, usually one: `luma` uint8 (k, height, width), `bgr` uint8 (k, height, width, 3).

    `first_frame` int64 (k,): frame with which each window begins, 0 for the first. `luma_noise` uint8 (k, height, width) and `bgr_noise`
    uint8 (k, height, width, 3): robust standard deviation of each pixel, in eighths of a level, at most 255. `spread` float64 (k,): that of
    the frames' mean luma. `frames_used`: number of frames from which the images were made.

    Only if the scene changes for good within the movie, c times (a window then begins at each change, and within one that takes time):
    `change` int64 (c, 2), first frame that is changed and first frame after the change; `change_shift` float64 (c, 2), by how much the
    middle of the picture moved (x, y; px), and `change_turn` float64 (c,), by how much it turned (degrees), NaN where it did not move;
    `change_light` float64 (c,), by how many levels of luma the light changed; `change_share` float64 (c,), in which share of the picture.
    """

    kind: ClassVar[str] = "background"
    luma: NDArray[np.uint8]
    bgr: NDArray[np.uint8]
    first_frame: NDArray[np.int64]
    luma_noise: NDArray[np.uint8]
    bgr_noise: NDArray[np.uint8]
    spread: NDArray[np.float64]
    frames_used: int
    change: NDArray[np.int64] | None = None
    change_shift: NDArray[np.float64] | None = None
    change_turn: NDArray[np.float64] | None = None
    change_light: NDArray[np.float64] | None = None
    change_share: NDArray[np.float64] | None = None

    def window_at(self, frame: int) -> int:
        """The window of time in which a frame lies."""
        return int(np.searchsorted(self.first_frame, frame, side="right")) - 1
