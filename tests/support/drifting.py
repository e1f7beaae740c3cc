"""A textured movie whose motion is known exactly, as arrays and as a source of frames."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.smoothing.frames import FrameSource

VELOCITY = np.array([0.7, -0.45])  # px per frame
FLOW_ERROR_PX = 0.03  # the step at which the flow ends its search
START = np.array([[60.0, 80.0], [90.25, 70.5], [75.5, 100.75]])


def drifting(n: int, rng: np.random.Generator) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """A texture that moves by VELOCITY per frame, and the true positions (n, 3, 2) of three of its points.

    It is a sum of plane waves, whose motion by a fraction of a px is exact: that of cv2.warpAffine is 0.05 px off.
    """
    angle, period_px, phase = rng.uniform(0, np.pi, 40), rng.uniform(9, 60, 40), rng.uniform(0, 2 * np.pi, 40)
    k = 2 * np.pi / period_px * np.array([np.cos(angle), np.sin(angle)])
    waves = np.exp(1j * (np.multiply.outer(k[1], np.arange(160))[:, :, None] + np.multiply.outer(k[0], np.arange(180))[:, None]))
    frames = []
    for t in range(n):
        moved = np.exp(1j * (phase - VELOCITY * t @ k))
        frames.append(np.clip(127 + 20 * np.tensordot(moved, waves, 1).real, 0, 255).round().astype(np.uint8))
    return frames, START + VELOCITY * np.arange(n)[:, None, None]


class Source:
    """Frames as a FrameSource, and the numbers of those that were read."""

    def __init__(self, frames: Sequence[NDArray[np.uint8]], starts: tuple[int, ...] = (0,)) -> None:
        self.read_frames: list[int] = []
        self._frames = frames
        self.source = FrameSource(len(frames), (frames[0].shape[0], frames[0].shape[1]), starts, self._read)

    def _read(self, first: int, end: int) -> Iterator[NDArray[np.uint8]]:
        for t in range(first, end):
            self.read_frames.append(t)
            yield self._frames[t]
