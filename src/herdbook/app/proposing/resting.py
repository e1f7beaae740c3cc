"""Animals that rest: so long that they are part of the background, which then hides them and whoever comes to their place.

Images are (row, col) uint8; points are (x, y), px.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.app.proposing.clicks import LARGER
from herdbook.arrays import Pixels

# The level around an animal is the median in a window this many times as wide as the animal is long: most of it is ground then.
WINDOW = 4
# Of 8-bit images, medians of larger windows cannot be computed.
LARGEST_WINDOW = 255
# An animal is gone from its place where less than this share of its contrast is left.
GONE = 0.5


@dataclass(frozen=True)
class Resting:
    """Something of the size of an animal in the background, with its centre and its area, px.

    `share`: of the sampled frames in which it is there; 1 for an animal that never moves, or for a part of the scene that looks like one.
    """

    x: float
    y: float
    area: int
    share: float


def find_resting(
    background: Pixels, frames: Sequence[Pixels], inside: NDArray[np.bool_], settings: Mapping[str, Any], typical: float | None
) -> list[Resting]:
    """What rests in the arenas (`inside`) of a background, and how often it is there in these frames; the largest first.

    settings: those of the section segment; `typical`: area of an animal, px, None if it is not known.
    """
    if settings["method"] == "intensity":
        # There, the background hides nobody.
        return []
    smallest, largest = settings["area"]
    one = float(typical if typical is not None else np.sqrt(smallest * largest))
    window = min(LARGEST_WINDOW, 2 * round(WINDOW * np.sqrt(one) / 2) + 1)
    apart = _towards(background, cv2.medianBlur(background, max(3, window)), settings["polarity"])
    seen = ((apart >= settings["difference"]) & inside).astype(np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(seen, connectivity=8)
    found = []
    for number in range(1, count):
        area = int(stats[number, cv2.CC_STAT_AREA])
        if not smallest <= area <= min(largest, LARGER * one):
            continue
        x0, y0, width, height = stats[number, :4].tolist()
        place = slice(y0, y0 + height), slice(x0, x0 + width)
        mask = labels[place] == number
        level, depth = float(background[place][mask].mean()), float(apart[place][mask].mean())
        # Gone towards the ground: a darker animal that stands on a dark one has not left it.
        lighter = {"dark": 1.0, "bright": -1.0}.get(settings["polarity"])
        moved = np.array([float(frame[place][mask].mean()) - level for frame in frames])
        left = (np.abs(moved) if lighter is None else lighter * moved) > (1 - GONE) * depth
        found.append(Resting(float(centres[number, 0]), float(centres[number, 1]), area, float(1 - left.mean()) if len(frames) else 1.0))
    return sorted(found, key=lambda one: -one.area)


def _towards(image: Pixels, ground: Any, polarity: str) -> NDArray[np.int16]:
    """By how many levels each pixel differs from the ground in the direction of animals."""
    apart = image.astype(np.int16) - np.asarray(ground, np.int16)
    return np.asarray({"dark": -apart, "bright": apart}.get(polarity, np.abs(apart)), np.int16)
