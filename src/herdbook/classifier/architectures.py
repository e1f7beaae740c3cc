"""Networks that read crops, in Keras 3 without calls of one backend: images uint8 (n, height, width, 3) in, logits (n, classes) out."""

import json
import math
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import keras

from herdbook.classifier.given_models import check_model
from herdbook.errors import HerdbookError, parsing

# Keras is untyped: what layers take and give is a symbolic tensor.
Tensor = Any
# VGG16, the largest of the usual networks, has 138 million weights; 32 filters on images of 256 x 256 px give 2 million values.
MOST_WEIGHTS, MOST_VALUES, UNKNOWN_SIDE = 150_000_000, 1 << 23, 256
# Weights of the ImageNet as Keras itself keeps them; nothing is fetched.
MOBILENET_SIDE = 96
MOBILENET_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"


def build_network(architecture: str, height: int, width: int, classes: int) -> tuple[keras.Model, list[str]]:
    """An untrained network `small`, `wide`, `large` or `mobilenetv2`, and notes on how it was made."""
    build, notes = BUILDERS[architecture], []
    inputs = keras.Input((height, width, 3))
    features = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    if build is _mobilenet and not imagenet_weights().is_file():
        notes.append(
            f"mobilenetv2 starts from random weights: there are none of the ImageNet in {imagenet_weights()}; "
            "with few labels the network `small` is then the better choice"
        )
    # Sums of half precision are too coarse for the answer itself.
    return keras.Model(inputs, keras.layers.Dense(classes, dtype="float32", name="answer")(build(features))), notes


def custom_network(path: Path, height: int, width: int, classes: int) -> keras.Model:
    """The untrained network of a Keras model in JSON or .keras; a last softmax is taken off.

    Raises HerdbookError when it is no readable model, or does not take crops or give as many answers as there are classes.
    """
    model = load_model(path)
    expected = (None, height, width, 3)
    found = tuple(model.input_shape) if isinstance(model.input_shape, tuple) else None
    if found is None or len(found) != 4 or any(f not in (None, e) for f, e in zip(found, expected, strict=True)):
        raise HerdbookError(
            f"{path}: expected a model with one input of the shape (None, {height}, {width}, 3), found {model.input_shape}. "
            "Change its input, or trainset.size (width and height of the images)."
        )
    if model.output_shape != (None, classes):
        raise HerdbookError(
            f"{path}: expected an output of the shape (None, {classes}), one answer for each class, found {model.output_shape}. "
            f"End the model with Dense({classes})."
        )
    last = model.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs, last.input)
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    return model


def load_model(path: Path) -> keras.Model:
    """A Keras model from .keras or .json, without running code that may be in it. Raises HerdbookError when it cannot be read."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Expected a Keras model, as .keras or .json.")
    config = check_model(path)
    with parsing(path, "not a readable Keras 3 model", "Save it again."):
        _check_sizes(path, config)
        if path.suffix == ".json":
            model = keras.models.model_from_json(config.decode())
        else:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    if not isinstance(model, keras.Model):
        raise HerdbookError(f"{path}: not a readable Keras 3 model (found {type(model).__name__}).")
    return model


def _check_sizes(path: Path, config: bytes) -> None:
    """Raise HerdbookError for a network of more weights or larger layers than a network for crops has, before any of them is made."""
    # In a thread of its own: there Keras keeps its list of weights that are yet to be made, and forgets it with the thread.
    with ThreadPoolExecutor(1) as pool:
        weights, largest = pool.submit(_sizes_of, config).result()
    for what, count, most in (("weights", weights, MOST_WEIGHTS), ("values in one layer for one image", largest, MOST_VALUES)):
        if count > most:
            # A number of a thousand digits is no help.
            told = f"{count:,}" if count < 10**15 else "more than 10^15"
            raise HerdbookError(f"{path}: has {told} {what}; a network for crops has at most {most:,}. Make it smaller.")


def _sizes_of(config: bytes) -> tuple[int, int]:
    """How many weights a network has, and how many values its largest layer gives for one image; no weight is made."""
    described = json.loads(config)
    described.pop("compile_config", None)
    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(described)
    outputs = [part.shape for layer in _layers_of(model) for part in keras.tree.flatten(layer.output)]
    # A size that is not known, as that of the images, is of the images themselves, at most as large as those of an experiment.
    values = [math.prod(size or UNKNOWN_SIDE for size in shape[1:]) for shape in outputs]
    return sum(math.prod(weight.shape) for weight in model.variables), max(values, default=0)


def _layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """All layers of a network, also of the networks in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers_of(layer)


def save_model(model: keras.Model, path: Path) -> None:
    """Write a Keras model as .keras; the same weights give the same bytes, for Keras adds the time and addresses of the memory."""
    model.save(path, include_optimizer=False)
    with ZipFile(path) as saved:
        parts = {name: saved.read(name) for name in saved.namelist()}
    known: dict[str, str] = {}
    config = re.sub(
        r'("shared_object_id": )(\d+)', lambda found: found[1] + known.setdefault(found[2], str(len(known))), parts["config.json"].decode()
    )
    metadata = json.loads(parts["metadata.json"])
    parts |= {"config.json": config.encode(), "metadata.json": json.dumps(metadata | {"date_saved": ""}).encode()}
    with ZipFile(path, "w") as written:
        for name, content in parts.items():
            written.writestr(ZipInfo(name), content)


def with_classes(model: keras.Model, known: list[str], classes: list[str]) -> keras.Model:
    """The network with one answer for each of `classes`: answers it has for a `known` class of that name, new ones for the others.

    Raises HerdbookError when it does not end with a dense layer.
    """
    if known == classes:
        return model
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense):
        raise HerdbookError(f"train.start: new classes need a network that ends with a dense layer, found {type(last).__name__}.")
    answer = keras.layers.Dense(len(classes), dtype="float32", name="answer")
    extended = keras.Model(model.inputs, answer(last.input))
    weights, offsets = (value.copy() for value in answer.get_weights())
    old_weights, old_offsets = last.get_weights()
    for k, name in enumerate(classes):
        if name in known:
            weights[:, k], offsets[k] = old_weights[:, known.index(name)], old_offsets[known.index(name)]
    answer.set_weights([weights, offsets])
    return extended


def imagenet_weights() -> Path:
    """Where weights of the ImageNet lie if there are any."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / MOBILENET_FILE


def _convolution(x: Tensor, filters: int) -> Tensor:
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def _small(x: Tensor) -> Tensor:
    for filters in (24, 48, 96):
        x = keras.layers.MaxPooling2D(2)(_convolution(x, filters))
    return keras.layers.Dropout(0.4)(keras.layers.Flatten()(x))


def _wide(x: Tensor) -> Tensor:
    for filters in (64, 128, 256):
        x = keras.layers.MaxPooling2D(2)(_convolution(x, filters))
    return keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))


def _large(x: Tensor) -> Tensor:
    for filters in (32, 64, 128):
        x = keras.layers.MaxPooling2D(2)(_convolution(_convolution(x, filters), filters))
    x = _convolution(x, 256)
    return keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))


def _mobilenet(x: Tensor) -> Tensor:
    weights = imagenet_weights()
    body = keras.applications.MobileNetV2(
        (MOBILENET_SIDE, MOBILENET_SIDE, 3), include_top=False, weights=str(weights) if weights.is_file() else None, pooling="avg"
    )
    return keras.layers.Dropout(0.3)(body(keras.layers.Resizing(MOBILENET_SIDE, MOBILENET_SIDE)(x)))


BUILDERS: dict[str, Callable[[Tensor], Tensor]] = {"small": _small, "wide": _wide, "large": _large, "mobilenetv2": _mobilenet}
