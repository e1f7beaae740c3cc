"""The classifier of crops: a small convolutional network in Keras 3, its training, and its calibration.

Images are uint8 (n, height, width, 3) BGR. Keras is imported with this module: only train and classify pay for it.
"""

from dataclasses import dataclass

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Pixels = NDArray[np.uint8]

# The network's answer is mixed with this share of "any class", so that no single image can speak against an identity without bound.
DOUBT = 0.02
# Batches per epoch: few images are seen again and again in ever new forms, of many a part is enough.
LEAST_STEPS, MOST_STEPS = 40, 80


@dataclass(frozen=True)
class Training:
    """A trained network: `model` (gives logits), `temperature`, `history` per epoch, logits of the validation images (n, classes)."""

    model: keras.Model
    temperature: float
    history: dict[str, list[float]]
    validation_logits: NDArray[np.float32]


def use_threads(count: int) -> None:
    """Bound the threads of the network's arithmetic; call before the first network is built."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def build_network(height: int, width: int, classes: int) -> keras.Model:
    """The network `small`: three convolutions with batch normalisation and pooling, one dense layer; gives logits (n, classes)."""
    inputs = keras.Input((height, width, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for filters in (24, 48, 96):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.4)(x)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))


def split_groups(label: NDArray[np.int32], group: NDArray[np.int32], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which images (n,) are for validation: whole groups, about `share` of each class, never all of one."""
    held = np.zeros(len(label), bool)
    for number in np.unique(label):
        groups = np.unique(group[label == number])
        if len(groups) > 1:
            count = min(max(1, round(share * len(groups))), len(groups) - 1)
            held |= np.isin(group, rng.permutation(groups)[:count])
    return held


def augment(images: Pixels, rng: np.random.Generator) -> Pixels:
    """Each image turned a little and by half a turn or mirrored at random, shifted, and changed a little in brightness and tint."""
    height, width = images.shape[1:3]
    middle = ((width - 1) / 2, (height - 1) / 2)
    out = np.empty_like(images)
    for k, image in enumerate(images):
        turn = rng.normal(0, 8) + 180 * rng.integers(2)
        matrix = cv2.getRotationMatrix2D(middle, turn, float(np.exp(rng.normal(0, 0.05))))
        matrix[:, 2] += rng.normal(0, 0.02 * width, 2)
        if rng.integers(2):
            matrix = np.array([[1, 0, 0], [0, -1, height - 1]]) @ np.vstack([matrix, [0, 0, 1]])
        blank = tuple(int(v) for v in image[0, 0])
        turned = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=blank)
        gain = np.exp(rng.normal(0, 0.06) + rng.normal(0, 0.02, 3))
        out[k] = np.clip(turned * gain, 0, 255)
    return out


def train_network(
    images: Pixels,
    label: NDArray[np.int32],
    held: NDArray[np.bool_],
    classes: int,
    *,
    epochs: int,
    batch: int,
    patience: int,
    seed: int,
) -> Training:
    """Train on the images that are not `held`, stop when the held ones no longer improve, calibrate on the held ones.

    `images` (n, height, width, 3), `label` int32 (n,), `held` bool (n,). Each epoch draws images at random, all classes alike, so that rare
    classes count as much as frequent ones and a small set is seen often enough. Without held images the network trains for all epochs and
    the temperature stays at 1.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = build_network(images.shape[1], images.shape[2], classes)
    x, y = images[~held], label[~held]
    members = [np.flatnonzero(y == k) for k in np.unique(y)]
    steps = int(np.clip(len(y) // batch, LEAST_STEPS, MOST_STEPS))
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history: dict[str, list[float]] = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    best, best_weights, since = np.inf, model.get_weights(), 0
    for _ in range(epochs):
        totals = np.zeros(2)
        for _ in range(steps):
            drawn = rng.integers(len(members), size=batch)
            rows = np.array([rng.choice(members[k]) for k in drawn])
            totals += np.array(model.train_on_batch(augment(x[rows], rng), y[rows]))
            model.reset_metrics()
        loss, accuracy = totals / steps
        history["loss"].append(float(loss))
        history["accuracy"].append(float(accuracy))
        if not held.any():
            continue
        scores = log_softmax(predict_logits(model, images[held]), axis=1)
        value = -float(np.mean(scores[np.arange(len(scores)), label[held]]))
        history["val_loss"].append(value)
        history["val_accuracy"].append(float(np.mean(scores.argmax(1) == label[held])))
        since += 1
        if value < best:
            best, best_weights, since = value, model.get_weights(), 0
        if since >= patience:
            break
    if held.any():
        model.set_weights(best_weights)
    logits = predict_logits(model, images[held])
    return Training(model, fit_temperature(logits, label[held]), history, logits)


def predict_logits(model: keras.Model, images: Pixels, batch: int = 512) -> NDArray[np.float32]:
    """Logits float32 (n, classes) of images (n, height, width, 3), in batches."""
    parts = [np.asarray(model.predict_on_batch(images[k : k + batch])) for k in range(0, len(images), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, model.output_shape[1]), np.float32)


def fit_temperature(logits: NDArray[np.float32], label: NDArray[np.int32]) -> float:
    """The temperature at which the logits (n, classes) tell the labels (n,) best (Guo et al. 2017, arXiv:1706.04599); 1 without any."""
    if not len(label):
        return 1.0

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(np.mean(scores[np.arange(len(label)), label]))

    return float(np.exp(minimize_scalar(loss, bounds=(-1.5, 2.5), method="bounded").x))


def log_probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Calibrated log-probabilities (n, classes), kept away from minus infinity by DOUBT."""
    probabilities = np.exp(log_softmax(logits.astype(np.float64) / temperature, axis=1))
    return np.asarray(np.log((1 - DOUBT) * probabilities + DOUBT / logits.shape[1]), np.float32)
