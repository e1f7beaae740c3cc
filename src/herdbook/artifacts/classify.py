"""The artifact of stage classify: evidence for the identity of each tracklet, from its images."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact


@dataclass
class Evidence(Artifact):
    """Identity evidence of one movie's tracklets.

    Per tracklet: `log_likelihood` float32 (tracklets, classes), relative to "each class is equally probable" (0 where no image was
    classified); `images` int32, number of classified images; `labelled` int16, class that a person gave, or -1. Per classified image:
    `blob` int64 (m,), `blob_log_likelihood` float32 (m, classes).
    """

    kind: ClassVar[str] = "classify"
    classes: list[str]
    log_likelihood: NDArray[np.float32]
    images: NDArray[np.int32]
    labelled: NDArray[np.int16]
    blob: NDArray[np.int64]
    blob_log_likelihood: NDArray[np.float32]
