"""The artifact of stage pose_trainset: crops of animals whose body points a person labelled."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact


@dataclass
class PoseExamples(Artifact):
    """Labelled crops, wider than those of the network, so that they can be turned; in each its animal's heading is up.

    Per crop: `pictures` uint8 (n, wide, wide) grey; `masks` uint8 of the same shape, 1 for the animal's pixels where it is alone; `alone`
    bool (n,); `xy` float64 (n, points, 2) px of the crop, NaN without a label; `movie` int32 (into `movies`), `frame` int32, `individual`
    int32 (into `individuals`); `place` float64 (n, 2) px and `heading` float64 (n,) rad, where its points put the animal, in which the crop
    was made; `seen_place` and `seen_heading`, those of the trajectories, and `single`, whether these found it alone. `others` float64
    (m, 5): ellipses of other animals, middle x, y, half axes along and across, crop px, and angle, rad; those of crop i from
    `other_offsets[i]` to `other_offsets[i + 1]`. `shape` float64 (points, 2): typical place of each point to the right of and below the
    animal's place, px of the movie, heading up. `mirrored` int32 (points,): the point that each becomes in a mirror; empty if crops must
    not be mirrored.

    `side_px` of the movie on `size` px is what the network gets; `half_axes` float64 (2,) of a body along and across, px of the movie;
    `body_px` its length. `notes`: labels that were not used, and what is odd.
    """

    kind: ClassVar[str] = "pose_trainset"
    # Masks, and grounds without noise, pack well.
    most_packed = 1000
    points: list[str]
    movies: list[str]
    individuals: list[str]
    notes: list[str]
    side_px: float
    size: int
    body_px: float
    half_axes: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    alone: NDArray[np.bool_]
    xy: NDArray[np.float64]
    movie: NDArray[np.int32]
    frame: NDArray[np.int32]
    individual: NDArray[np.int32]
    place: NDArray[np.float64]
    heading: NDArray[np.float64]
    seen_place: NDArray[np.float64]
    seen_heading: NDArray[np.float64]
    single: NDArray[np.bool_]
    others: NDArray[np.float64]
    other_offsets: NDArray[np.int64]
    shape: NDArray[np.float64]
    mirrored: NDArray[np.int32]
