"""The artifact of stage pose: body points of named animals that the network found. Points are (x, y) px of the full-resolution frame."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact


@dataclass
class FoundPoints(Artifact):
    """Body points of one movie, found by a network in a crop of each animal.

    Of each frame, individual and point: `x`, `y` float64 px, NaN where unknown; `score` float32 0..1, how much of the probability its peak
    holds; `expected_error` float32 px, NaN where it cannot be told; `refused` bool: found, but expected to be farther off than wanted, or
    at the same place as the same point of another animal. Of each frame and individual: `heading` float32 rad, as its points tell it, NaN
    where it was not read; `turned` bool: opposite to that of its trajectory; `heading_confidence` float32, probability that
    `heading` is within 30 degrees of the true one, and `trajectory_confidence` float32, the same of the heading of its trajectory. Both are
    absent where labels were too few to tell it.
    """

    kind: ClassVar[str] = "pose"
    individuals: list[str]
    points: list[str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    score: NDArray[np.float32]
    expected_error: NDArray[np.float32]
    refused: NDArray[np.bool_]
    heading: NDArray[np.float32]
    turned: NDArray[np.bool_]
    heading_confidence: NDArray[np.float32] | None = None
    trajectory_confidence: NDArray[np.float32] | None = None
