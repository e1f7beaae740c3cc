"""How sure a classifier may be of an image, and of a tracklet with many that resemble each other: learned from validation tracklets."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from herdbook.arrays import Floats, Logits

# An image's answer is mixed with this share of "any class", so that no single image can count against an identity without limit.
IMAGE_DOUBT = 0.02
# What is known before any validation tracklet is seen, and how many tracklets it counts for. The correlation that lasts and its decay are
# those of coloured ants and painted mice; one tracklet in a hundred is misread for reasons that its images do not show.
PRIOR_TRACKLETS = 10.0
PRIOR_LASTING, PRIOR_DECAY_S = 0.3, 0.5
PRIOR_DOUBT, DOUBT_TRACKLETS = 0.01, 20.0
# A temperature fitted to some 24 tracklets tells little of others: in five folds of tagged ants those that fitted the validation
# tracklets best (2.3, 1.0, 2.3, 1.2, 1.4) had nothing in common with those that fitted the tested ones best (1.1, 2.3, 1.4, 0.5, 1.2).
LOG_TEMPERATURE_SPREAD = 0.2
DECAYS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# Pairs of images of one tracklet beyond this number tell nothing new.
MOST_IMAGES = 100


@dataclass(frozen=True)
class Calibration:
    """`temperature` of the logits; the errors of two images of one tracklet, s seconds apart, correlate by
    `lasting` + (1 - `lasting`) exp(-s / `decay_s`); `doubt` is the probability that a tracklet is misread for another reason.
    """

    temperature: float = 1.0
    lasting: float = PRIOR_LASTING
    decay_s: float = PRIOR_DECAY_S
    doubt: float = PRIOR_DOUBT

    def as_dict(self) -> dict[str, Any]:
        """The calibration as JSON can hold it."""
        return asdict(self)


def fit_calibration(logits: Logits, label: NDArray[np.int32], group: NDArray[np.int32], time_s: Floats) -> Calibration:
    """Calibration from images of tracklets that the network was not trained on; that of no knowledge without any.

    `logits` (n, classes), `label` (n,), `group` (n,) tracklet, `time_s` (n,). All tracklets count alike, however many images they have.
    """
    if not len(label):
        return Calibration()
    temperature = fit_temperature(logits, label, group)
    score = image_scores(logits, temperature)
    lasting, decay_s = fit_correlation(score[np.arange(len(label)), label].astype(np.float64), group, time_s)
    plain = Calibration(temperature, lasting, decay_s, 0.0)
    tracklets, posterior = tracklet_posteriors(score, group, time_s, plain)
    truth = np.array([label[group == k][0] for k in tracklets])
    wrong = float((posterior.argmax(axis=1) != truth).sum())
    unexpected = max(0.0, wrong - float((1 - posterior.max(axis=1)).sum()))
    doubt = (unexpected + PRIOR_DOUBT * DOUBT_TRACKLETS) / (len(tracklets) + DOUBT_TRACKLETS)
    return Calibration(temperature, lasting, decay_s, doubt)


def fit_temperature(logits: Logits, label: NDArray[np.int32], group: NDArray[np.int32]) -> float:
    """The temperature at which the logits (n, classes) tell the labels (n,) best (Guo et al. 2017, arXiv:1706.04599).

    Each `group` counts as one observation, against a prior of one at temperature 1: few tracklets that are all right would ask for
    certainty.
    """
    weight = 1 / np.bincount(group)[group]

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return -float((weight * scores[np.arange(len(label)), label]).sum()) + (log_temperature / LOG_TEMPERATURE_SPREAD) ** 2 / 2

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 2.5), method="bounded").x))


def image_scores(logits: Logits, temperature: float) -> NDArray[np.float32]:
    """Calibrated log-probabilities (n, classes), kept away from minus infinity by IMAGE_DOUBT."""
    probabilities = np.exp(log_softmax(logits.astype(np.float64) / temperature, axis=1))
    return np.asarray(np.log((1 - IMAGE_DOUBT) * probabilities + IMAGE_DOUBT / logits.shape[1]), np.float32)


def fit_correlation(score: Floats, group: NDArray[np.int32], time_s: Floats) -> tuple[float, float]:
    """How the scores (n,) of images of one tracklet correlate: what lasts (0..1), and the time (s) in which the rest decays.

    The products of the deviations from the mean over all tracklets are fitted by least squares over the pairs of each tracklet, the prior
    counting as PRIOR_TRACKLETS.
    """
    tracklets = [np.flatnonzero(group == k)[:MOST_IMAGES] for k in np.unique(group)]
    mean = np.mean([score[rows].mean() for rows in tracklets])
    spread = np.mean([((score[rows] - mean) ** 2).mean() for rows in tracklets])
    pairs = [rows for rows in tracklets if len(rows) > 1]
    if not pairs or spread < 1e-12:
        return PRIOR_LASTING, PRIOR_DECAY_S
    product, lag, weight = [], [], []
    for rows in pairs:
        a, b = np.triu_indices(len(rows), 1)
        product.append((score[rows[a]] - mean) * (score[rows[b]] - mean) / spread)
        lag.append(np.abs(time_s[rows[a]] - time_s[rows[b]]))
        weight.append(np.full(len(a), 1 / len(a)))
    c, s, w = (np.concatenate(part) for part in (product, lag, weight))
    # Least squares of c - e = lasting (1 - e), with e the decay and pseudo-observations of the prior.
    best = (np.inf, PRIOR_LASTING, PRIOR_DECAY_S)
    for decay_s in DECAYS_S:
        e = np.exp(-s / decay_s)
        lasting = (w @ ((1 - e) * (c - e)) + PRIOR_TRACKLETS * PRIOR_LASTING) / (w @ (1 - e) ** 2 + PRIOR_TRACKLETS)
        lasting = float(np.clip(lasting, 0.0, 1.0))
        error = float(w @ (c - e - lasting * (1 - e)) ** 2) + PRIOR_TRACKLETS * (lasting - PRIOR_LASTING) ** 2
        best = min(best, (error, lasting, decay_s))
    return best[1], best[2]


def independent_images(time_s: Floats, calibration: Calibration) -> float:
    """How many independent images those taken at these times (n,) are worth: n over the mean of their correlations' row sums."""
    lag = np.abs(time_s[:, None] - time_s)
    correlation = calibration.lasting + (1 - calibration.lasting) * np.exp(-lag / calibration.decay_s)
    return float(len(time_s) ** 2 / correlation.sum())


def combine_images(
    score: NDArray[np.float32],
    weight: NDArray[np.float32],
    tracklet: NDArray[np.int64],
    time_s: Floats,
    tracklets: int,
    calibration: Calibration,
) -> NDArray[np.float32]:
    """Evidence per tracklet, float32 (tracklets, classes): the log-likelihood relative to "any class", 0 where there is no image.

    `score` (n, classes) of images; `weight` (n,) 0..1, how readable each is; `tracklet` (n,). The images' mean, as many times as they are
    independent, is normalised and mixed with the doubt.
    """
    found = np.zeros((tracklets, score.shape[1]), np.float32)
    for k, rows in _grouped(tracklet):
        share = weight[rows].astype(np.float64)
        if share.sum() <= 0:
            continue
        mean = share @ score[rows] / len(rows)
        found[k] = _with_doubt(independent_images(time_s[rows], calibration) * mean, calibration.doubt)
    return found


def tracklet_posteriors(
    score: NDArray[np.float32], group: NDArray[np.int32], time_s: Floats, calibration: Calibration
) -> tuple[NDArray[np.int64], Floats]:
    """The tracklets (t,) among `group` and the probability of each class (t, classes) from the scores of their images."""
    tracklets = np.unique(group)
    number = np.searchsorted(tracklets, group)
    evidence = combine_images(score, np.ones(len(score), np.float32), number, time_s, len(tracklets), calibration)
    return tracklets.astype(np.int64), np.exp(evidence.astype(np.float64)) / score.shape[1]


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> dict[str, Any]:
    """How right answers are that claim a probability: bins of equal width with their `count`, mean `confidence` and `accuracy`, and `ece`,
    the expected calibration error (Naeini et al. 2015, AAAI); None where nothing was claimed.
    """
    place = np.clip((confidence * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    some = np.maximum(count, 1)
    claimed = np.bincount(place, confidence, minlength=bins) / some
    true = np.bincount(place, right.astype(np.float64), minlength=bins) / some
    error = float((count * np.abs(claimed - true)).sum() / len(confidence)) if len(confidence) else None
    return {"count": count.tolist(), "confidence": claimed.tolist(), "accuracy": true.tolist(), "ece": error}


def _with_doubt(total: Floats, doubt: float) -> Floats:
    posterior = np.exp(log_softmax(total))
    return np.asarray(np.log(np.maximum((1 - doubt) * posterior + doubt / len(total), 1e-30)) + np.log(len(total)))


def _grouped(number: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    order = np.argsort(number, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        if len(rows):
            yield int(number[rows[0]]), rows
