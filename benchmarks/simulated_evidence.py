"""Evidence in place of a classifier's: the truth, or a weak classifier whose errors last."""

import numpy as np
from true_blobs import NOBODY, TrueBlobs

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.tracklets import SINGLE
from herdbook.classifier.calibration import Calibration, combine_images, fit_calibration, image_scores
from herdbook.classifier.crops import spread_rows

# Probability of another identity where the truth is the evidence.
TRUTH_DOUBT = 1e-6
# A weak classifier is right in this share of the frames, and stays right or wrong for so long (autocorrelation time).
ACCURACY, LASTING_S = 0.8, 2.0


def true_evidence(true: TrueBlobs, classes: list[str]) -> Evidence:
    """The animal that is in most frames of a tracklet, as good as certain."""
    main, _ = true.main_animal(len(classes))
    known = np.flatnonzero(main >= 0)
    found = np.zeros((len(main), len(classes)), np.float32)
    found[known] = np.log(len(classes) * TRUTH_DOUBT / (len(classes) - 1))
    found[known, main[known]] = np.log(len(classes) * (1 - TRUTH_DOUBT))
    return _evidence(classes, found, (main >= 0).astype(np.int32))


def simulate_votes(
    who: np.ndarray, frame: np.ndarray, tracklet: np.ndarray, fps: float, classes: int, rng: np.random.Generator
) -> np.ndarray:
    """What a weak classifier takes each image for, (n,); `who`, `frame`, `tracklet` (n,) of the images, in order of tracklet and frame.

    In each tracklet a process of two states, right or confused with one other identity, drawn once for the tracklet. After a wait of t
    the state is drawn anew with the probability 1 - exp(-t / LASTING_S).
    """
    start = np.concatenate([[True], np.diff(tracklet) != 0])
    wait_s = np.concatenate([[0.0], np.diff(frame)]) / fps
    drawn = start | (rng.random(len(who)) > np.exp(-wait_s / LASTING_S))
    state = (rng.random(len(who)) < ACCURACY)[np.flatnonzero(drawn)[np.cumsum(drawn) - 1]]
    other = rng.integers(1, classes, len(who))[np.flatnonzero(start)[np.cumsum(start) - 1]]
    return np.where(state, who, (who + other) % classes)


def vote_logits(vote: np.ndarray, classes: int) -> np.ndarray:
    """Log-probabilities (n, classes) of a classifier that is right as often as it says."""
    logits = np.full((len(vote), classes), np.log((1 - ACCURACY) / (classes - 1)), np.float32)
    logits[np.arange(len(vote)), vote] = np.log(ACCURACY)
    return logits


def learn_calibration(true: TrueBlobs, tracklets: int, images: int, classes: int, rng: np.random.Generator) -> Calibration:
    """What `train` would learn on so many tracklets of a movie, drawn by chance, from images that are voted on apart from all others."""
    main, _ = true.main_animal(classes)
    can = np.flatnonzero((main >= 0) & (true.tracklets.tracklet_kind == SINGLE))
    rows, tracklet = _looks(true, images, np.isin(np.arange(len(main)), rng.permutation(can)[:tracklets]))
    frame, fps = true.blobs.frame[rows], true.blobs.fps
    vote = simulate_votes(main[tracklet], frame, tracklet, fps, classes, rng)
    return fit_calibration(vote_logits(vote, classes), main[tracklet].astype(np.int32), tracklet.astype(np.int32), frame / fps)


def weak_evidence(
    true: TrueBlobs, classes: list[str], *, images: int, calibration: Calibration, rng: np.random.Generator, never: int = NOBODY
) -> Evidence:
    """A weak classifier's evidence from a spread sample of each single tracklet's images, combined as `classify` does.

    The images of the animal `never` cannot be read, nor is anybody taken for it, nor does the classifier know it.
    """
    known = [k for k in range(len(classes)) if k != never]
    main, _ = true.main_animal(len(classes))
    readable = (main >= 0) & (main != never) & (true.tracklets.tracklet_kind == SINGLE)
    rows, tracklet = _looks(true, images, readable)
    # Where another animal is seen alone in the middle of a tracklet, its images are voted on.
    who = np.where(np.isin(true.alone[rows], known), true.alone[rows], main[tracklet])
    frame, fps = true.blobs.frame[rows], true.blobs.fps
    vote = simulate_votes(np.searchsorted(known, who), frame, tracklet, fps, len(known), rng)
    score = image_scores(vote_logits(vote, len(known)), calibration.temperature)
    found = np.zeros((len(main), len(classes)), np.float32)
    found[:, known] = combine_images(score, np.ones(len(rows), np.float32), tracklet, frame / fps, len(main), calibration)
    return _evidence(classes, found, np.bincount(tracklet, minlength=len(main)).astype(np.int32))


def _looks(true: TrueBlobs, images: int, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blobs (n,) that are looked at and their tracklets (n,), at most `images` of each tracklet that is `wanted`, in order of both."""
    grouped, offsets = true.tracklets.blob_rows()
    usable = wanted[true.tracklets.blob_tracklet] & (true.blobs.image >= 0)
    rows = np.concatenate([*spread_rows(grouped, offsets, usable, images), np.zeros(0, np.int64)])
    return rows, true.tracklets.blob_tracklet[rows].astype(np.int64)


def _evidence(classes: list[str], log_likelihood: np.ndarray, images: np.ndarray) -> Evidence:
    return Evidence(
        classes=classes,
        log_likelihood=log_likelihood,
        images=images,
        labelled=np.full(len(images), -1, np.int16),
        blob=np.zeros(0, np.int64),
        blob_log_likelihood=np.zeros((0, len(classes)), np.float32),
    )
