"""Colours that change: stretches of a movie without any, and marks that fade, followed by tracklets whose answer is sure."""

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Logits
from herdbook.classifier.calibration import Calibration, combine_images, image_scores

# Colour is judged in stretches of this length (s), for one image tells little.
STRETCH_S = 10.0
# Animals less coloured than this (levels) are not told apart by colour; a stretch is without it when they show less than this share.
COLOURED_LEVELS, LEAST_SHARE = 8.0, 0.35
# A tracklet is sure at this probability; what a class looked like in training counts as so many tracklets.
SURE_POSTERIOR, PRIOR_TRACKLETS = 0.98, 3.0


def colourless_frames(
    frame: NDArray[np.int32], chroma: NDArray[np.float32], fps: float, expected: float
) -> tuple[NDArray[np.bool_], list[tuple[int, int]]]:
    """Which images (n,) lie in a stretch that shows the colour of the marks, and the first and last frames of those that do not.

    `frame` (n,) and `chroma` (n,), how coloured each image is, levels; `expected` is that of the training images. Under infrared light
    paint has no colour, and what a classifier then says of it is false.
    """
    if expected < COLOURED_LEVELS or not len(frame):
        return np.ones(len(frame), bool), []
    stretch_frames = max(1, round(STRETCH_S * fps))
    stretch = frame // stretch_frames
    valid = np.ones(len(frame), bool)
    spans: list[tuple[int, int]] = []
    for k in np.unique(stretch).tolist():
        mine = stretch == k
        if np.median(chroma[mine]) >= LEAST_SHARE * expected:
            continue
        valid[mine] = False
        first, last = k * stretch_frames, (k + 1) * stretch_frames - 1
        if spans and spans[-1][1] == first - 1:
            first = spans.pop()[0]
        spans.append((first, last))
    return valid, spans


def follow_drift(
    logits: Logits, valid: NDArray[np.bool_], tracklet: NDArray[np.int64], time_s: Floats, prototypes: Floats, calibration: Calibration
) -> Logits:
    """Logits (n, classes) as they would be without the drift of the marks.

    The prototype of a class is the mean of its logits: `prototypes` (classes, classes) those of the validation images, NaN for none. It is
    estimated again from the tracklets that are sure now, the old one counting as PRIOR_TRACKLETS, and each image is moved back by the
    drift of the class that it looks like, over all classes in their probability. Resembles the adjustment of templates at test time by
    Iwasawa & Matsuo 2021 (NeurIPS), but with whole tracklets, whose answer is much surer than that of an image.
    """
    known = np.isfinite(prototypes).all(axis=1)
    numbers, number = np.unique(tracklet, return_inverse=True)
    if not known.any() or not len(numbers):
        return logits
    scores = image_scores(logits, calibration.temperature)
    evidence = combine_images(scores, valid.astype(np.float32), number, time_s, len(numbers), calibration)
    posterior = np.exp(evidence.astype(np.float64)) / logits.shape[1]
    sure = posterior.max(axis=1) >= SURE_POSTERIOR * (1 - calibration.doubt)
    means = np.zeros((len(numbers), logits.shape[1]))
    np.add.at(means, number[valid], logits[valid].astype(np.float64))
    means /= np.maximum(np.bincount(number[valid], minlength=len(numbers)), 1)[:, None]
    drift = np.zeros(prototypes.shape)
    for k in np.flatnonzero(known):
        mine = sure & (posterior.argmax(axis=1) == k)
        drift[k] = (means[mine] - prototypes[k]).sum(axis=0) / (mine.sum() + PRIOR_TRACKLETS)
    return np.asarray(logits - posterior[number] @ drift, np.float32)
