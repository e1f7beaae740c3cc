"""The network that finds body points: a crop of two channels in, a map for each point out. In Keras 3 without calls of one backend.

Keras is imported with this module: only jobs that need a network pay for it.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Pixels
from herdbook.classifier.architectures import load_model
from herdbook.errors import HerdbookError

Tensor = Any
# Filters at a half, a quarter, ... of the size. Depth-wise separable convolutions took 0.6 times the CPU time of plain ones.
FILTERS = (24, 48, 64, 96)
# Of a batch: as the networks that read merged animals; with 0.99, Keras' own, a network of few hundred steps answers nonsense.
MOMENTUM = 0.9


def build_network(size: int, points: int) -> keras.Model:
    """An untrained network: uint8 (n, size, size, 2) in, logits (n, size / 2, size / 2, points) out. `size` is a multiple of 16."""
    inputs = keras.Input((size, size, 2))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = _active(keras.layers.Conv2D(FILTERS[0], 5, strides=2, padding="same", use_bias=False)(x))
    levels = [_block(x, FILTERS[0])]
    for filters in FILTERS[1:]:
        levels.append(_block(_block(keras.layers.MaxPooling2D(2)(levels[-1]), filters), filters))
    x = levels.pop()
    while levels:
        beside = levels.pop()
        filters = beside.shape[-1]
        x = keras.layers.UpSampling2D(2)(keras.layers.Conv2D(filters, 1, use_bias=False)(x))
        x = _block(keras.layers.Add()([x, beside]), filters)
    return keras.Model(inputs, keras.layers.Conv2D(points, 1, dtype="float32", name="maps")(x))


def _block(x: Tensor, filters: int) -> Tensor:
    return _active(keras.layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x))


def _active(x: Tensor) -> Tensor:
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=MOMENTUM)(x))


def map_loss(wanted: Tensor, logits: Tensor) -> Tensor:
    """Cross entropy of a softmax over all cells of a map, the mean over points; the `wanted` map of a point without a label is 0."""
    cells, points = logits.shape[1] * logits.shape[2], logits.shape[3]
    flat = keras.ops.log_softmax(keras.ops.reshape(logits, (-1, cells, points)), axis=1)
    return -keras.ops.mean(keras.ops.sum(keras.ops.reshape(wanted, (-1, cells, points)) * flat, axis=1))


class Predictor:
    """A trained network that gives for each crop and point the probability of each cell."""

    def __init__(self, model: keras.Model) -> None:
        outputs = model.outputs[0]
        cells, points = outputs.shape[1] * outputs.shape[2], outputs.shape[3]
        flat = keras.layers.Softmax(axis=1)(keras.layers.Reshape((cells, points))(outputs))
        self._model, self._shape = keras.Model(model.inputs, flat), (outputs.shape[1], outputs.shape[2], points)

    def maps(self, crops: Pixels) -> NDArray[np.float32]:
        """Probabilities float32 (n, rows, columns, points) for crops uint8 (n, size, size, 2)."""
        return np.asarray(self._model.predict_on_batch(crops), np.float32).reshape(-1, *self._shape)


def load_network(path: Path, size: int, points: int) -> keras.Model:
    """A trained network, which code that may be in its file cannot use to run. Raises HerdbookError unless it fits its card."""
    model = load_model(path)
    expected = (None, size // 2, size // 2, points)
    if model.input_shape != (None, size, size, 2) or model.output_shape != expected:
        raise HerdbookError(
            f"{path}: expected a network from (None, {size}, {size}, 2) to {expected}, as its card says, found {model.input_shape} to "
            f"{model.output_shape}. Copy the network and its card together."
        )
    return model
