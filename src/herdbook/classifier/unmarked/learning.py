"""From images of tracklets without labels to a classifier of animals: embedding, clusters, answers, calibration. Imports Keras."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats, Ints, Mask
from herdbook.classifier.augmentation import Augmentation
from herdbook.classifier.calibration import Calibration, combine_images, fit_calibration, image_scores
from herdbook.classifier.network import predict_logits
from herdbook.classifier.unmarked.clusters import (
    MOST_IMAGES,
    SHARPNESS,
    collisions,
    error_of_collisions,
    exclude_together,
    find_clusters,
    mean_looks,
    named_gain,
    normalised,
    together_matrix,
)
from herdbook.classifier.unmarked.embedding import EXCLUDED_LOGIT, SCALE, Sample, build_embedding, few_images, train_embedding

# Steps between checks; a check looks at so many images of each tracklet.
CHECK_EVERY, CHECK_IMAGES = 40, 6
# Clusters are clean when, in two checks in turn, tracklets kept for validation collide this seldom, and the clusters have stayed as they
# are to this share.
CLEAN_COLLISIONS, SAME_SHARE = 0.005, 0.99
# Validation takes this many tracklets at least. Before a pair of tracklets is seen, this many are taken to have been read as expected.
LEAST_HELD, PRIOR_PAIRS = 4, 20.0
ANSWER_IMAGES = 30
# The second beginning is drawn from the seed and this.
SECOND_SEED = 1_000_003


@dataclass(frozen=True)
class Crowd:
    """What is known of the tracklets before anything is learned.

    `sample`: their images; `time_s` (n,) of each image; `pairs` (p, 2) that share a frame; per tracklet `arena`, `named` (column of the
    animal that a person named, -1 for none) and `frames`; `numbers` of animals in each arena, whose columns follow each other.
    """

    sample: Sample
    time_s: Floats
    pairs: Ints
    arena: Ints
    named: Ints
    frames: Floats
    numbers: Sequence[int]

    @property
    def possible(self) -> Mask:
        """Who can be in each tracklet, bool (tracklets, animals)."""
        return np.asarray(np.repeat(np.arange(len(self.numbers)), self.numbers) == self.arena[:, None])

    @property
    def images(self) -> Floats:
        """Number of images of each tracklet."""
        return np.bincount(self.sample.group, minlength=len(self.arena)).astype(np.float64)


@dataclass
class Learned:
    """Result: `network` with an answer for each animal, its `calibration`; per tracklet the `posterior` by images, labels and
    constraints, and `own`, by its images alone (tracklets, animals); `looks` (tracklets, d); `held` bool (tracklets,) kept for validation;
    `history` of the checks; `misread`: share of the tracklets that are misread for reasons that their images do not show; `clean`: whether
    the clusters became so; `disagreement`: share of the frames that go to another animal when all is learned again from another beginning,
    0 for clean clusters.
    """

    network: keras.Model
    calibration: Calibration
    posterior: Floats
    own: Floats
    looks: Floats
    held: Mask
    misread: float
    clean: bool
    history: dict[str, list[float]]
    disagreement: float = 0.0


def learn_animals(crowd: Crowd, how: Augmentation, seed: int, *, share: float, most_checks: int, patience: int) -> Learned:
    """Learn who is who. `share` of the tracklets is kept for validation; training ends when clusters are clean, after `most_checks`, or
    after `patience` checks without fewer collisions. Unless they became clean, all is done again from another beginning: what the two do
    not agree on is not known, whatever each says.
    """
    first = _learn_once(crowd, how, seed, share, most_checks, patience)
    if first.clean:
        return first
    second = _learn_once(crowd, how, seed + SECOND_SEED, share, most_checks, patience)
    better = second if second.clean or min(second.history["collisions"]) < min(first.history["collisions"]) else first
    better.disagreement = 1 - _same_share(first.posterior, second.posterior, crowd.frames)
    better.calibration = replace(better.calibration, doubt=max(better.calibration.doubt, better.disagreement))
    better.own, better.posterior = _read(better.network, crowd, better.calibration)
    return better


def _learn_once(crowd: Crowd, how: Augmentation, seed: int, share: float, most_checks: int, patience: int) -> Learned:
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    held = hold_out(crowd, share, rng)
    embedding = build_embedding(*crowd.sample.images.shape[1:3])
    watch = _Watch(crowd, embedding, held, patience, rng)
    together = together_matrix(crowd.pairs, len(crowd.arena))
    train_embedding(
        embedding, crowd.sample, together, ~held, watch.check, how, rng, most_steps=most_checks * CHECK_EVERY, check_every=CHECK_EVERY
    )
    if not watch.history["step"]:
        watch.check(0, float("nan"))
    network = _with_answers(embedding, watch.centres)
    calibration, misread = _calibrate(network, crowd, held)
    own, posterior = _read(network, crowd, calibration)
    return Learned(network, calibration, posterior, own, watch.looks, held, misread, watch.clean, watch.history)


def hold_out(crowd: Crowd, share: float, rng: np.random.Generator) -> Mask:
    """A share of the tracklets that are seen together with others, of all lengths alike, for validation."""
    meets = np.zeros(len(crowd.arena), bool)
    meets[crowd.pairs.ravel()] = True
    meets &= crowd.named < 0
    rows = np.flatnonzero(meets)[np.argsort(crowd.images[meets] + rng.random(meets.sum()), kind="stable")]
    count = max(LEAST_HELD, round(share * len(rows)))
    held = np.zeros(len(crowd.arena), bool)
    if count <= len(rows) // 2:
        # One at random of each stretch of the tracklets in order of length.
        held[[rng.choice(part) for part in np.array_split(rows, count)]] = True
    return held


class _Watch:
    """Clusters the tracklets again and again, and says when that is good enough."""

    def __init__(self, crowd: Crowd, embedding: keras.Model, held: Mask, patience: int, rng: np.random.Generator) -> None:
        self._crowd, self._embedding, self._patience, self._rng = crowd, embedding, patience, rng
        self._few = few_images(crowd.sample.group, len(held), CHECK_IMAGES)
        checked = held[crowd.pairs].any(axis=1)
        self._pairs = crowd.pairs[checked if checked.any() else slice(None)]
        self._best, self._since = np.inf, 0
        self.centres = np.zeros((0, 0))
        self.posterior = np.zeros(crowd.possible.shape)
        self.clean = self._now_clean = False
        self.history: dict[str, list[float]] = {"step": [], "loss": [], "collisions": [], "same": []}

    def check(self, steps: int, loss: float) -> bool:
        """Whether it is enough after these steps."""
        crowd, group = self._crowd, self._crowd.sample.group[self._few]
        self.looks = mean_looks(predict_logits(self._embedding, crowd.sample.images[self._few]), group, len(crowd.arena))
        before = self.posterior
        self.posterior, self.centres = cluster_arenas(crowd, self.looks, self.centres if len(self.centres) else None, self._rng)
        weight = np.minimum(crowd.images, MOST_IMAGES) ** 0.5
        own = normalised(np.where(crowd.possible, SHARPNESS * weight[:, None] * (self.looks @ self.centres.T), -np.inf))
        share, _ = collisions(own, self._pairs)
        same = _same_share(before, self.posterior, crowd.images) if before.any() else 0.0
        for name, value in zip(self.history, (float(steps), loss, share, same), strict=True):
            self.history[name].append(value)
        before_clean, self._now_clean = self._now_clean, not share > CLEAN_COLLISIONS and same >= SAME_SHARE
        self.clean = before_clean and self._now_clean
        self._since += 1
        if share < self._best:
            self._best, self._since = share, 0
        return self.clean or self._since >= self._patience


def cluster_arenas(crowd: Crowd, looks: Floats, start: Floats | None, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Posterior (tracklets, animals) and centres (animals, d) of the animals of all arenas."""
    posterior = np.zeros((len(looks), sum(crowd.numbers)))
    centres = np.zeros((sum(crowd.numbers), looks.shape[1]))
    first = 0
    for arena, number in enumerate(crowd.numbers):
        mine, columns = np.flatnonzero(crowd.arena == arena), slice(first, first + number)
        first += number
        if not len(mine):
            continue
        place = np.full(len(crowd.arena), -1)
        place[mine] = np.arange(len(mine))
        pairs = place[crowd.pairs]
        named = crowd.named[mine]
        found = find_clusters(
            looks[mine],
            crowd.images[mine],
            together_matrix(pairs[(pairs >= 0).all(axis=1)], len(mine)),
            number,
            np.where(named >= 0, named - columns.start, -1),
            rng,
            None if start is None else start[columns],
        )
        posterior[mine, columns], centres[columns] = found.posterior, found.centres
    return posterior, centres


def _with_answers(embedding: keras.Model, centres: Floats) -> keras.Model:
    """The network that answers with scaled cosines to the centres."""
    answer = keras.layers.Dense(len(centres), dtype="float32", name="answer")
    network = keras.Model(embedding.input, answer(embedding.output))
    answer.set_weights([SCALE * centres.T.astype(np.float32), np.zeros(len(centres), np.float32)])
    return network


def _logits(network: keras.Model, crowd: Crowd, rows: Ints) -> NDArray[np.float32]:
    logits = predict_logits(network, crowd.sample.images[rows])
    return np.where(crowd.possible[crowd.sample.group[rows]], logits, logits.min(axis=1, keepdims=True) + np.float32(EXCLUDED_LOGIT))


def _read(network: keras.Model, crowd: Crowd, calibration: Calibration) -> tuple[Floats, Floats]:
    """Posterior (tracklets, animals) by the images of each tracklet alone, and with labels under the constraints."""
    rows = few_images(crowd.sample.group, len(crowd.arena), ANSWER_IMAGES)
    score = image_scores(_logits(network, crowd, rows), calibration.temperature)
    evidence = combine_images(
        score, np.ones(len(rows), np.float32), crowd.sample.group[rows], crowd.time_s[rows], len(crowd.arena), calibration
    )
    gain = np.where(crowd.possible, evidence.astype(np.float64), -np.inf)
    own = normalised(gain)
    known = np.flatnonzero(crowd.named >= 0)
    gain[known, crowd.named[known]] += [named_gain(crowd.numbers[arena]) for arena in crowd.arena[known]]
    return own, exclude_together(gain, together_matrix(crowd.pairs, len(crowd.arena)))


def _calibrate(network: keras.Model, crowd: Crowd, held: Mask) -> tuple[Calibration, float]:
    """Calibration on the tracklets kept for validation, whose animal follows from the constraints, and the share that is misread.

    Where tracklets that are seen together get the same answer more often than their posteriors expect, one of them is misread for reasons
    that its images do not show: that becomes the doubt of every tracklet.
    """
    if not held.any():
        return Calibration(), 0.0
    _, posterior = _read(network, crowd, Calibration())
    group = crowd.sample.group
    rows = np.flatnonzero(held[group])
    logits, label = _logits(network, crowd, rows), posterior.argmax(axis=1)[group[rows]]
    calibration = fit_calibration(logits, label.astype(np.int32), group[rows].astype(np.int32), crowd.time_s[rows])
    own, _ = _read(network, crowd, calibration)
    pairs = crowd.pairs[held[crowd.pairs].any(axis=1)]
    share, expected = collisions(own, pairs)
    unexpected = max(0.0, share - expected) * len(pairs) / (len(pairs) + PRIOR_PAIRS)
    error = error_of_collisions(unexpected, int(np.median(crowd.numbers)))
    return replace(calibration, doubt=max(calibration.doubt, error)), error


def _same_share(before: Floats, now: Floats, images: Floats) -> float:
    """Share of the images whose animal is the same, under the best permutation of the animals."""
    counts = np.zeros((before.shape[1], now.shape[1]))
    np.add.at(counts, (before.argmax(axis=1), now.argmax(axis=1)), images)
    row, column = linear_sum_assignment(-counts)
    return float(counts[row, column].sum() / counts.sum())
