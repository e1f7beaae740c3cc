"""Which frames of a movie are shown in one made from it, and when each of them is: stretches, every n-th frame, faster or slower."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ShownFrames:
    """The frames that are shown, in order: `frame` int64 (n,), their numbers in the movie; `shown_s` float64 (n,), when, from 0; `fps`."""

    frame: NDArray[np.int64]
    shown_s: NDArray[np.float64]
    fps: float

    def __len__(self) -> int:
        return len(self.frame)


def choose_frames(
    time_s: NDArray[np.float64],
    fps: float,
    *,
    every: int | None = None,
    speed: float = 1.0,
    intervals: Sequence[tuple[float, float]] = (),
    intervals_in: str = "frames",
) -> ShownFrames:
    """The frames that are shown of a movie whose frames have the times `time_s` (frames,), s, and the average rate `fps`, 1/s.

    `intervals` are beginnings and ends (exclusive) in frames or s ("frames", "s"), in order; what lies between them is left out, and so is
    the time. Of each interval every n-th frame is shown, from its first on; `every` None: as many are left out as `speed` asks for.
    Raises ValueError for an interval that holds no frame.
    """
    every = every or max(1, round(speed))
    clock = np.arange(len(time_s), dtype=np.float64) if intervals_in == "frames" else time_s
    stretches = []
    for first, end in intervals or [(0.0, np.inf)]:
        start, stop = np.searchsorted(clock, (first, end)).tolist()
        if start >= stop:
            unit = "" if intervals_in == "frames" else " s"
            raise ValueError(f"[{first:g}, {end:g}]{unit} holds no frame of a movie of {len(time_s)} frames in {time_s[-1]:.3f} s")
        stretches.append(np.arange(start, stop, every))
    frame = np.concatenate(stretches)
    steps = np.diff(time_s[frame])
    # From one stretch to the next it goes on as if nothing lay between them.
    steps[np.cumsum([len(stretch) for stretch in stretches])[:-1] - 1] = every / fps
    shown_s = np.concatenate([[0.0], np.cumsum(steps)]) / speed
    return ShownFrames(frame, shown_s, fps * speed / every)
