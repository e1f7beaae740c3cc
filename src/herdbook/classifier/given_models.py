"""Networks that others made: looked through before Keras reads them, so that none runs code or reads files of this machine.

Keras has a safe mode, and there have been ways around it. What a network for crops needs is little: layers of Keras, and arrays.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from herdbook.errors import HerdbookError, parsing
from herdbook.system.hdf5 import list_objects, open_hdf5, size_bytes

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
_PARTS = ("config.json", "metadata.json", "model.weights.h5")
# Of a whole model, and of its description: VGG16, the largest of the usual ones, has 528 MB of weights, and a description of 30 KB.
MOST_BYTES, MOST_CONFIG_BYTES = 640 << 20, 1 << 23
# Weights are stored as they are; what is small may be packed.
_MOST_PACKED, _LEAST_BYTES = 10, 1 << 22


def check_model(path: Path) -> bytes:
    """The description of a Keras model, .keras or .json. Raises HerdbookError for one that is no plain network."""
    if path.suffix == ".json":
        _check_config_size(path, path.stat().st_size)
        config = path.read_bytes()
        _check_layers(path, config)
        return config
    if path.suffix != ".keras":
        raise HerdbookError(f"{path}: expected a Keras model as .keras or .json. Other kinds can run code: save it again as .keras.")
    with parsing(path, "not a readable Keras 3 model", _REMEDY), zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        if len(sizes) < len(archive.infolist()):
            raise ValueError("several parts have one name")
        size = sum(sizes.values())
        if size > min(MOST_BYTES, max(_LEAST_BYTES, _MOST_PACKED * path.stat().st_size)):
            raise HerdbookError(
                f"{path}: says that it holds {size >> 20} MB, in {path.stat().st_size >> 20} MB; a network for crops has at most "
                f"{MOST_BYTES >> 20} MB, which do not pack. Save it again as .keras."
            )
        foreign = [name for name in sizes if name not in _PARTS]
        if foreign:
            raise HerdbookError(f"{path}: holds {foreign[0]!r}, which no network for crops has. Save it again as .keras.")
        _check_config_size(path, sizes.get("config.json", 0))
        config = archive.read("config.json")
        _check_layers(path, config)
        _check_weights(path, archive.read("model.weights.h5"))
        return config


def _check_config_size(path: Path, size: int) -> None:
    if size > MOST_CONFIG_BYTES:
        raise HerdbookError(
            f"{path}: its description has {size >> 20} MB; that of a network for crops has at most {MOST_CONFIG_BYTES >> 20} MB."
        )


def _check_layers(path: Path, config: bytes) -> None:
    with parsing(path, "not a readable Keras 3 model", _REMEDY):
        layers = list(_objects(json.loads(config)))
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
    with open_hdf5(path, weights) as file:
        size = sum(size_bytes(part) for part in list_objects(file, path) if isinstance(part, h5py.Dataset))
    if size > max(_LEAST_BYTES, _MOST_PACKED * len(weights)):
        raise HerdbookError(f"{path}: says that it has {size >> 20} MB of weights, which are not there. Copy it again.")
