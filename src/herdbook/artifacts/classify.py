"""What stage classify leaves: what the images of each tracklet say about who it is."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact


@dataclass
class Evidence(Artifact):
    """Identity evidence of one movie's tracklets: `log_likelihood` float32 (tracklets, classes), relative to "any of them with equal
    probability" (0 where nothing was looked at);
    `images` int32 (tracklets,) number of images behind it; `labelled` int16 (tracklets,) class that a person gave, or -1. Per image
    looked at: `blob` int64, `blob_log_likelihood` float32 (m, classes).
    """

    kind: ClassVar[str] = "classify"
    classes: list[str]
    log_likelihood: NDArray[np.float32]
    images: NDArray[np.int32]
    labelled: NDArray[np.int16]
    blob: NDArray[np.int64]
    blob_log_likelihood: NDArray[np.float32]
