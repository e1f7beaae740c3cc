"""The classifier of crops: its training, in Keras 3, and its answers. Images are uint8 (n, height, width, 3) BGR.

Keras is imported with this module: only jobs that need a network pay for it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from herdbook.arrays import Pixels
from herdbook.classifier.augmentation import Augmentation, augment

Labels = NDArray[np.int32]

# Batches per epoch: few images are seen again and again in ever new forms, of many a part is enough.
LEAST_STEPS, MOST_STEPS = 40, 80
# What was learned without the validation tracklets is at last shown them too, for this share of the epochs and at this share of the rate.
FINISH_EPOCHS, FINISH_RATE = 0.3, 0.25


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: most `epochs`, images per `batch`, `patience` in epochs, first learning `rate`; `balance`: classes count
    alike, however many images they have; the changes of `augmentation`; `seed`.
    """

    epochs: int = 20
    batch: int = 64
    patience: int = 4
    rate: float = 2e-3
    balance: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0


@dataclass(frozen=True)
class Examples:
    """Images (n, height, width, 3) with their classes int32 (n,) and the probability that up is the head, float32 (n,)."""

    images: Pixels
    label: Labels
    head: NDArray[np.float32]

    def take(self, rows: NDArray[np.bool_]) -> "Examples":
        """Some of the examples."""
        return Examples(self.images[rows], self.label[rows], self.head[rows])


def use_threads(count: int) -> bool:
    """Bound the threads of the network's arithmetic; call before the first network is built. Returns whether there is a GPU, which then
    calculates in mixed precision.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if tf.config.list_physical_devices("GPU"):
            tf.config.experimental.enable_op_determinism()
    gpu = bool(keras.distribution.list_devices("gpu"))
    keras.mixed_precision.set_global_policy("mixed_float16" if gpu else "float32")
    return gpu


def train_network(model: keras.Model, examples: Examples, held: NDArray[np.bool_], recipe: Recipe) -> dict[str, list[float]]:
    """Train a network on the examples that are not `held` (n,) until the held ones no longer improve, and keep its best state.

    Returns loss and accuracy of each epoch, on the training images as they were changed and on the held ones. Without held images it trains
    for all epochs.
    """
    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    shown, kept = examples.take(~held), examples.take(held)
    steps = _steps(len(shown.label), recipe.batch)
    _compile(model, recipe.rate, recipe.epochs * steps)
    history: dict[str, list[float]] = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    best, best_weights, since = np.inf, model.get_weights(), 0
    for _ in range(recipe.epochs):
        loss, accuracy = _epoch(model, shown, steps, recipe, rng)
        history["loss"].append(loss)
        history["accuracy"].append(accuracy)
        if not len(kept.label):
            continue
        scores = log_softmax(predict_logits(model, kept.images).astype(np.float64), axis=1)
        value = -float(np.mean(scores[np.arange(len(scores)), kept.label]))
        history["val_loss"].append(value)
        history["val_accuracy"].append(float(np.mean(scores.argmax(1) == kept.label)))
        since += 1
        if value < best:
            best, best_weights, since = value, model.get_weights(), 0
        if since >= recipe.patience:
            break
    if len(kept.label):
        model.set_weights(best_weights)
    return history


def finish_network(model: keras.Model, examples: Examples, epochs: int, recipe: Recipe) -> None:
    """Go on with all examples, for a share of the `epochs` that it took to train: what was kept for validation is too good to lose."""
    rng = np.random.default_rng([recipe.seed, 1])
    steps = _steps(len(examples.label), recipe.batch)
    more = int(np.ceil(FINISH_EPOCHS * epochs))
    _compile(model, FINISH_RATE * recipe.rate, more * steps)
    for _ in range(more):
        _epoch(model, examples, steps, recipe, rng)


def predict_logits(model: keras.Model, images: Pixels, batch: int = 512) -> NDArray[np.float32]:
    """Logits float32 (n, classes) of images (n, height, width, 3), in batches."""
    parts = [np.asarray(model.predict_on_batch(images[k : k + batch]), np.float32) for k in range(0, len(images), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, model.output_shape[1]), np.float32)


def split_groups(label: Labels, group: Labels, movie: Labels, share: float, rng: np.random.Generator) -> tuple[NDArray[np.bool_], str]:
    """Which images (n,) are for validation, about a `share` of them, and whether whole movies or tracklets were taken.

    `group` (n,) is the tracklet of each image, `movie` (n,) its movie. Where several movies are labelled, a movie is taken if the others
    hold at least half of the tracklets and all classes: only that tells what another light does. Else whole tracklets are, of each class
    about its share, never all of one.
    """
    tracklets = {int(k): len(np.unique(group[movie == k])) for k in np.unique(movie)}
    total = sum(tracklets.values())
    fit = [k for k, count in tracklets.items() if 2 * count <= total and set(label[movie != k]) == set(label)]
    if fit:
        chosen = min(fit, key=lambda k: (abs(tracklets[k] / total - share), k))
        return movie == chosen, "movie"
    held = np.zeros(len(label), bool)
    for number in np.unique(label):
        groups = np.unique(group[label == number])
        if len(groups) > 1:
            count = min(max(1, round(share * len(groups))), len(groups) - 1)
            held |= np.isin(group, rng.permutation(groups)[:count])
    return held, "tracklet"


def _compile(model: keras.Model, rate: float, steps: int) -> None:
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(rate, steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def _steps(images: int, batch: int) -> int:
    return int(np.clip(images // batch, LEAST_STEPS, MOST_STEPS))


def _epoch(model: keras.Model, examples: Examples, steps: int, recipe: Recipe, rng: np.random.Generator) -> tuple[float, float]:
    totals = np.zeros(2)
    for images, label in _batches(examples, steps, recipe, rng):
        totals += np.array(model.train_on_batch(images, label))
        model.reset_metrics()
    loss, accuracy = totals / steps
    return float(loss), float(accuracy)


def _batches(examples: Examples, steps: int, recipe: Recipe, rng: np.random.Generator) -> Iterator[tuple[Pixels, Labels]]:
    """Changed images and their labels; the next batch is made by another thread, always one and in order, while the last one is learned."""
    members = [np.flatnonzero(examples.label == k) for k in np.unique(examples.label)]

    def draw() -> tuple[Pixels, Labels]:
        if recipe.balance:
            rows = np.array([rng.choice(members[k]) for k in rng.integers(len(members), size=recipe.batch)])
        else:
            rows = rng.integers(len(examples.label), size=recipe.batch)
        return augment(examples.images[rows], examples.head[rows], recipe.augmentation, rng), examples.label[rows]

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(draw)
        for step in range(steps):
            batch = following.result()
            if step + 1 < steps:
                following = pool.submit(draw)
            yield batch
