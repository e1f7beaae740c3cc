"""What stage trainset leaves: example images of tracklets, with labels or of unmarked animals."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

# Labels that are no identity and have a meaning of their own: a blob of more than one animal, and an animal that cannot be read.
SEVERAL, UNREADABLE = "several", "unreadable"


@dataclass
class TrainingSet(Artifact):
    """Labelled example images: `images` uint8 (n, height, width, 3) BGR; `label` int32 (n,) into `classes`; `group` int32 (n,), the
    tracklet (split between training and validation by group, never by image), whose place is `group_movie` and `group_tracklet`;
    `coexisting` int32 (p, 2): pairs of groups that are seen at the same time, hence two animals. `notes`: labels that were not used,
    each with its reason. `time_s` float64 (n,) from the beginning of the movie; `head` float32 (n,): probability that up is the head,
    0.5..1; `chroma` float32 (n,): how coloured the animal is, levels. `crops`: how the images were made (`CropSpec`, as JSON);
    `body_length_px` of the animals.
    """

    kind: ClassVar[str] = "trainset"
    classes: list[str]
    movies: list[str]
    notes: list[str]
    crops: str
    body_length_px: float
    images: NDArray[np.uint8]
    label: NDArray[np.int32]
    frame: NDArray[np.int32]
    time_s: NDArray[np.float64]
    head: NDArray[np.float32]
    chroma: NDArray[np.float32]
    group: NDArray[np.int32]
    group_movie: NDArray[np.int32]
    group_tracklet: NDArray[np.int32]
    coexisting: NDArray[np.int32]


@dataclass
class UnmarkedSet(TrainingSet):
    """A training set in which `label` is -1 where nobody named the tracklet.

    Per group: `group_arena` int16; `group_first` int32, the frame of its movie in which it begins; `group_frames` int32, blobs that it has.
    `seconds` float64 (arenas,): how long animals are seen alone, summed over them; `crowded` float64 (arenas,): share of the frames that
    show more single animals than there are.
    """

    group_arena: NDArray[np.int16]
    group_first: NDArray[np.int32]
    group_frames: NDArray[np.int32]
    seconds: NDArray[np.float64]
    crowded: NDArray[np.float64]
