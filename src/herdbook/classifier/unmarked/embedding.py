"""An embedding of images that tells animals apart without labels, in Keras 3. Images are uint8 (n, height, width, 3) BGR.

Each tracklet has a proxy, a direction of its own. An image is drawn to the proxy of its tracklet and pushed away from those of the
tracklets that share a frame with it, by a softmax over these alone: all pairs that are known to differ count in every step, and nothing
keeps two tracklets of one animal apart. Keras is imported with this module.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy.sparse import csr_array

from herdbook.arrays import Floats, Ints, Pixels
from herdbook.classifier.augmentation import Augmentation, augment
from herdbook.classifier.network import predict_logits
from herdbook.classifier.unmarked.clusters import mean_looks

Tensor = Any

DIMENSIONS = 24
FILTERS = (16, 32, 64)
# The softmax of cosines needs a scale: that of normalised softmax losses (Zhai & Wu 2019, BMVC; Movshovitz-Attias et al. 2017, ICCV).
SCALE = 12.0
BATCH, RATE = 64, 2e-3
# A logit this low takes part in no softmax.
EXCLUDED_LOGIT = -30.0
# Tracklets that are told apart well are still drawn this often, in comparison with those that are not at all.
EASY_SHARE = 0.25


@dataclass(frozen=True)
class Sample:
    """Images to learn from: `images` (n, height, width, 3), `group` (n,) tracklet, `head` (n,) probability that up is the head."""

    images: Pixels
    group: Ints
    head: NDArray[np.float32]


@keras.saving.register_keras_serializable("herdbook")
class Proxies(keras.layers.Layer):  # type: ignore[misc]
    """Scaled cosines (n, count) between looks (n, d) and trained directions."""

    def __init__(self, count: int, **keys: Any) -> None:
        super().__init__(**keys)
        self.count = count

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the directions."""
        self.directions = self.add_weight(shape=(self.count, shape[-1]), initializer="random_normal", name="directions")

    def call(self, looks: Tensor) -> Tensor:
        """The cosines."""
        return SCALE * ops.matmul(looks, ops.transpose(ops.normalize(self.directions, axis=-1)))


def build_embedding(height: int, width: int) -> keras.Model:
    """An untrained network: images in, looks float32 (n, DIMENSIONS) out, unit vectors."""
    inputs = keras.Input((height, width, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for filters in FILTERS:
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(DIMENSIONS, use_bias=False)(keras.layers.Flatten()(x))
    x = keras.layers.BatchNormalization(momentum=0.9, center=False, scale=False, dtype="float32")(x)
    return keras.Model(inputs, keras.layers.UnitNormalization(dtype="float32", name="look")(x))


def train_embedding(
    embedding: keras.Model,
    sample: Sample,
    together: csr_array,
    learn: NDArray[np.bool_],
    check: Callable[[int, float], bool],
    how: Augmentation,
    rng: np.random.Generator,
    *,
    most_steps: int,
    check_every: int,
) -> None:
    """Train until `check(steps, loss)` says that it is enough, asked every `check_every` steps, or for `most_steps`.

    `together` (tracklets, tracklets) as in `clusters`; `learn` bool (tracklets,): the others are kept for validation, and take no part in
    any way. Tracklets count by the square root of their images, and more while they are not told apart.
    """
    count = len(learn)
    shown = together.multiply(learn[:, None]).multiply(learn[None, :]).tocsr()
    rows = np.flatnonzero((np.diff(shown.indptr) > 0)[sample.group])
    if not len(rows):
        return
    images = np.bincount(sample.group, minlength=count)
    proxies = Proxies(count)
    looks, allowed = embedding.output, keras.Input((count,))
    learner = keras.Model([embedding.input, allowed], keras.layers.Add(dtype="float32")([proxies(looks), allowed]))
    learner.compile(optimizer=keras.optimizers.AdamW(RATE), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    few = few_images(sample.group, count, 4)
    for step in range(0, most_steps, check_every):
        means = mean_looks(predict_logits(embedding, sample.images[few]), sample.group[few], count)
        if not step:
            proxies.directions.assign(means.astype(np.float32))
        chance = (EASY_SHARE + _confusion(means, shown))[sample.group[rows]] / np.sqrt(images[sample.group[rows]])
        loss = 0.0
        for _ in range(check_every):
            batch = rng.choice(rows, BATCH, p=chance / chance.sum())
            changed = augment(sample.images[batch], sample.head[batch], how, rng)
            loss += float(learner.train_on_batch([changed, _allowed(shown, sample.group[batch])], sample.group[batch]))
            learner.reset_metrics()
        if check(step + check_every, loss / check_every):
            return


def few_images(group: Ints, count: int, most: int) -> Ints:
    """Rows of at most `most` images of each tracklet, spread over it; `group` (n,) in order."""
    ends = np.searchsorted(group, np.arange(count + 1))
    spread = [np.unique(np.linspace(a, b - 1, min(most, b - a)).round()) for a, b in pairwise(ends) if b > a]
    return np.concatenate([*spread, np.zeros(0)]).astype(np.int64)


def _allowed(together: csr_array, group: Ints) -> NDArray[np.float32]:
    """0 where a proxy takes part for an image of each tracklet `group` (n,), EXCLUDED_LOGIT elsewhere, (n, tracklets)."""
    part = together[group].toarray() > 0
    part[np.arange(len(group)), group] = True
    return np.where(part, np.float32(0), np.float32(EXCLUDED_LOGIT))


def _confusion(means: Floats, together: csr_array) -> Floats:
    """Probability (tracklets,) that a tracklet's mean look is taken for one that shares a frame with it."""
    pairs = together.tocoo()
    cosine = (means[pairs.row] * means[pairs.col]).sum(axis=1)
    other = np.bincount(pairs.row, np.exp(SCALE * (cosine - 1)), minlength=len(means))
    return np.asarray(other / (1 + other))
