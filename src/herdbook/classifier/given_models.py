"""Networks that others made: looked through before Keras reads them, so that none runs code or reads files of this machine.

Keras has a safe mode, and there have been ways around it. What a network for crops needs is little: layers of Keras, and arrays.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from herdbook.errors import HerdbookError

_REMEDY = "Save it again as .keras; in a folder of results delete it and run snakemake again: the rule 'train' makes it again."
# These run Python, load programs from other files, or read tables of words from a path.
_REFUSED = (
    "Lambda",
    "__lambda__",
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "StringLookup",
    "IntegerLookup",
    "TextVectorization",
)
_FUNCTIONS = ("keras.activations", "keras.src.activations")
MOST_BYTES = 1 << 30
# Weights are stored as they are; the least datasets may be packed.
_MOST_PACKED, _LEAST_BYTES = 100, 1 << 20


def check_model(path: Path) -> None:
    """Raise HerdbookError for a Keras model, .keras or .json, that is no plain network."""
    if path.suffix == ".json":
        _check_layers(path, path.read_bytes())
        return
    if path.suffix != ".keras":
        raise HerdbookError(f"{path}: expected a Keras model as .keras or .json. Other kinds can run code: save it again as .keras.")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                raise HerdbookError(f"{path}: holds {size >> 20} MB; a network for crops has at most {MOST_BYTES >> 20} MB.")
            _check_layers(path, archive.read("config.json"))
            _check_weights(path, archive.read("model.weights.h5"))
    except (OSError, KeyError, RuntimeError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise HerdbookError(f"{path}: not a readable Keras 3 model ({error}). {_REMEDY}") from error


def _check_layers(path: Path, config: bytes) -> None:
    try:
        layers = list(_objects(json.loads(config)))
    except (ValueError, RecursionError) as error:
        raise HerdbookError(f"{path}: not a readable Keras 3 model ({error}). {_REMEDY}") from error
    for name, module in layers:
        foreign = not (module is None or module == "builtins" or module.split(".")[0] == "keras")
        function = name == "function" and not str(module).startswith(_FUNCTIONS)
        if name in _REFUSED or foreign or function:
            raise HerdbookError(
                f"{path}: holds {name} of {module or 'no module'}, which can run code or read files of whoever made it. "
                "Make the network of Keras's own layers."
            )


def _objects(value: Any) -> Iterator[tuple[str, str | None]]:
    """Class and module of everything in a configuration that Keras would make an object of."""
    if isinstance(value, list):
        for part in value:
            yield from _objects(part)
    elif isinstance(value, dict):
        if "class_name" in value:
            module = value.get("module")
            yield str(value["class_name"]), None if module is None else str(module)
        for part in value.values():
            yield from _objects(part)


def _check_weights(path: Path, weights: bytes) -> None:
    with h5py.File(io.BytesIO(weights), "r") as file:
        _check_group(path, file, len(weights))


def _check_group(path: Path, group: h5py.Group, stored_bytes: int) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        part = group.get(name) if isinstance(link, h5py.HardLink) else None
        if isinstance(part, h5py.Group):
            _check_group(path, part, stored_bytes)
        elif not isinstance(part, h5py.Dataset) or part.external or part.is_virtual:
            raise HerdbookError(f"{path}: its weights {group.name}/{name} lie in another file. Save it again as .keras.")
        elif part.nbytes > max(_LEAST_BYTES, _MOST_PACKED * stored_bytes):
            raise HerdbookError(f"{path}: its weights {group.name}/{name} of the shape {part.shape} are not there. Copy it again.")
