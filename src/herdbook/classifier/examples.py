"""Choosing example images: sharp, none twice, and as different from each other as the tracklet offers. Images are uint8 (n, h, w, 3)."""

import cv2
import numpy as np
from numpy.typing import NDArray

# An image is blurred if its edges are less than this share of the tracklet's median.
SHARP = 0.6
# Images that differ by less than this, in grey levels on average, are the same.
SAME_LEVELS = 0.5
# Differences are taken between images of this size (px): what is finer is noise.
SMALL = (12, 16)


def choose_examples(images: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """At most `count` of the images of one tracklet: places in order, at least one if there is any.

    Blurred images go first. Of the others, beginning with the most typical, the one farthest from all that were taken is taken next
    (Gonzalez 1985, Theor. Comput. Sci. 38:293), until the next one is the same as one of them.
    """
    if not len(images):
        return np.zeros(0, np.int64)
    edges = np.array([cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_32F).std() for image in images])
    sharp = np.flatnonzero(edges >= SHARP * np.median(edges))
    looks = np.stack([cv2.resize(images[k], SMALL, interpolation=cv2.INTER_AREA).ravel() for k in sharp]).astype(np.float32)
    taken = [int(np.abs(looks - np.median(looks, axis=0)).mean(axis=1).argmin())]
    nearest = np.abs(looks - looks[taken[0]]).mean(axis=1)
    while len(taken) < count and nearest.max() >= SAME_LEVELS:
        taken.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.abs(looks - looks[taken[-1]]).mean(axis=1))
    return np.sort(sharp[taken])
