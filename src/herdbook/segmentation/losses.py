"""What is lost when blobs are dropped: how often an arena then has fewer blobs than animals, and words for it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints
from herdbook.artifacts.segment import LOST_AS, LOST_LARGE
from herdbook.segmentation.excess import first_frames

# Told are reasons that cost animals in more than this share of the tracked frames, or that dropped blobs in more than this share of them
# where the number of animals is not known. Blobs that are too large are always told: they hold animals, or hide them.
MANY_LACKING, MANY_DROPPED = 0.01, 0.1
_WORDS = {
    "small": "they are a little smaller than the smallest segment.area ({})",
    "large": "they are larger than the largest segment.area ({})",
    "faint": "their contrast is below segment.min_contrast ({})",
    "border": "they touch the border of frame or arena (segment.drop_border)",
}
_REMEDIES = {
    "small": "Lower it if they are animals.",
    "large": "Animals in them have no position: raise it if they are animals that touch.",
    "faint": "Lower it if they are animals.",
    "border": "Animals there have no position.",
}


class Loss(NamedTuple):
    """Blobs dropped for one reason (index into LOST_AS): their number, the frames with such blobs (k,), and in how many of these frames an
    arena with such a blob has fewer blobs than animals, None if the number of animals is not known.
    """

    reason: int
    blobs: int
    frames: Ints
    lacking: int | None


def sum_losses(lost: NDArray[np.int32], lacking: NDArray[np.bool_] | None = None) -> list[Loss]:
    """The losses of a movie by reason, those that occur.

    lost: as `read_lost` gives it, (k, 4); lacking: whether each of its arenas has fewer blobs than animals in its frame, (k,), if known.
    """
    found = []
    for reason in np.unique(lost[:, 2]).tolist():
        mine = lost[:, 2] == reason
        frames = np.unique(lost[mine, 0]).astype(np.int64)
        few = None if lacking is None else len(np.unique(lost[mine & lacking, 0]))
        found.append(Loss(reason, int(lost[mine, 3].sum()), frames, few))
    return found


def lacks_animals(lost: NDArray[np.int32], frame: NDArray[np.int32], arena: NDArray[np.int16], numbers: Sequence[int]) -> NDArray[np.bool_]:
    """Whether the arena of each row of `lost` (k, 4) has fewer blobs than animals in its frame, bool (k,).

    frame, arena: of each blob that was kept, sorted by frame; numbers: number of animals in each arena.
    """
    many = len(numbers)
    cells, counts = np.unique(frame.astype(np.int64) * many + arena, return_counts=True)
    cell = lost[:, 0].astype(np.int64) * many + lost[:, 1]
    at = np.searchsorted(cells, cell)
    inside = at < len(cells)
    kept = np.zeros(len(cell), np.int64)
    kept[inside] = np.where(cells[at[inside]] == cell[inside], counts[at[inside]], 0)
    return np.asarray(kept < np.array(numbers)[lost[:, 1]])


def loss_words(losses: Sequence[Loss], tracked: int, area: Sequence[int], contrast: float) -> list[str]:
    """A sentence for each loss that may have cost positions of animals.

    tracked: number of tracked frames; area, contrast: settings of the section segment.
    """
    values = {"small": f"{area[0]} px", "large": f"{area[1]} px", "faint": f"{contrast:g}", "border": ""}
    lines = []
    for loss in losses:
        name = LOST_AS[loss.reason]
        many = len(loss.frames) > MANY_DROPPED * tracked if loss.lacking is None else loss.lacking > MANY_LACKING * tracked
        if not many and loss.reason != LOST_LARGE:
            continue
        lacking = "" if loss.lacking is None else f"; in {loss.lacking:,} of these frames there are fewer blobs than animals"
        lines.append(
            f"{loss.blobs:,} blobs in {len(loss.frames):,} of {tracked:,} frames were dropped because "
            f"{_WORDS[name].format(values[name])}{lacking}: frames {first_frames(loss.frames.tolist(), 5)}. {_REMEDIES[name]}"
        )
    return lines
