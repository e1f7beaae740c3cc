"""The artifact of stage trainset: example images of tracklets, labelled or of unmarked animals."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact

# Labels that are no identity: a blob of more than one animal, and an animal that cannot be recognised.
SEVERAL, UNREADABLE = "several", "unreadable"


@dataclass
class TrainingSet(Artifact):
    """Labelled example images. A group is one tracklet; training and validation are split by group, never by image.

    Per image: `images` uint8 (n, height, width, 3) BGR; `label` int32 (n,) into `classes`; `frame` int32 (n,) of its movie; `time_s`
    float64 (n,) from the beginning of the movie; `head` float32 (n,), probability that up is the head, 0.5..1; `chroma` float32 (n,), how
    coloured the animal is, levels; `group` int32 (n,). Per group: `group_movie` int32 (into `movies`), `group_tracklet` int32.
    `coexisting` int32 (p, 2): pairs of groups that are seen at the same time, hence two animals. `notes`: labels that were not used, each
    with its reason. `crops`: how the images were made (`CropSpec`, as JSON); `body_length_px` of the animals.
    """

    kind: ClassVar[str] = "trainset"
    # A training set may come from anybody; images of animals pack to a third, and their largest sets are as large as the memory.
    most_packed = 20
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

    def verify(self) -> None:
        """Raise ValueError unless each image has its label and its group, and each group its movie: a set may come from anybody."""
        for columns in (("images", "label", "frame", "time_s", "head", "chroma", "group"), ("group_movie", "group_tracklet")):
            lengths = {name: len(getattr(self, name)) for name in columns}
            if len(set(lengths.values())) > 1:
                raise ValueError(f"their lengths are {lengths}")
        if self.images.ndim != 4 or self.images.shape[3] != 3 or self.images.dtype != np.uint8:
            raise ValueError(f"images of the shape {self.images.shape} and the kind {self.images.dtype}")
        groups = len(self.group_movie)
        for name, count in {"group": groups, "coexisting": groups, "group_movie": len(self.movies), "label": len(self.classes)}.items():
            values = getattr(self, name)
            least = -1 if name == "label" else 0
            if values.size and not least <= values.min() <= values.max() < count:
                raise ValueError(f"{name} from {values.min()} to {values.max()}, there are {count}")


@dataclass
class UnmarkedSet(TrainingSet):
    """A training set in which most tracklets have no label: there `label` is -1.

    Per group: `group_arena` int16; `group_first` int32, first frame in its movie; `group_frames` int32, number of its blobs. Per arena:
    `seconds` float64, how long animals are seen alone, summed over the animals; `crowded` float64, share of the frames that show more
    single animals than there are.
    """

    group_arena: NDArray[np.int16]
    group_first: NDArray[np.int32]
    group_frames: NDArray[np.int32]
    seconds: NDArray[np.float64]
    crowded: NDArray[np.float64]
