"""What readers and writers of HDF5 files of other tools share: values no larger than what is stored, names, and copies made of values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.experiment.sheets.text import composed
from herdbook.system.hdf5 import LEAST_BYTES, list_objects, open_hdf5, read_dataset, size_bytes

# All values of a file, as they are calculated with (8 bytes at least): where most are missing they pack up to a thousand times smaller, but
# so few bytes should not ask for more than this. Places that are known pack to half at best, whole numbers of few bits to a tenth.
MOST_MISSING_BYTES, MOST_PACKED = 1 << 28, 16
# Names of animals, points and images, and other texts.
MOST_TEXT_BYTES, MOST_TEXTS = 1 << 24, 100_000
# How a dimension is known; in a copy these are references into the file itself, and are made anew.
_SCALE_ATTRIBUTES = ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST")


@contextmanager
def open_values(path: Path) -> Iterator[h5py.File]:
    """Open a file of another tool as `open_hdf5` does. Raises ValueError too if all its values are far more than what is stored."""
    with open_hdf5(path) as file:
        asked, stored = sum(_calculated_bytes(dataset) for dataset in _datasets(file)), path.stat().st_size
        if asked > max(LEAST_BYTES, min(MOST_MISSING_BYTES, 1000 * stored), MOST_PACKED * stored):
            raise ValueError(f"it says that it holds {asked >> 20} MB of values, in {stored} bytes")
        yield file


def read_values(dataset: h5py.Dataset) -> NDArray[Any]:
    """All values of a dataset of a file that `open_values` opened. Raises ValueError for one that is larger than what is stored."""
    return read_dataset(dataset, 1000)


def read_texts(dataset: h5py.Dataset) -> list[str]:
    """The texts of a dataset, or its numbers as texts. Raises ValueError for too many."""
    return [entry.decode() if isinstance(entry, bytes) else str(entry) for entry in _entries(dataset)]


def dataset_names(dataset: h5py.Dataset) -> tuple[str, ...]:
    """The texts of a dataset of names, with composed letters."""
    return tuple(composed(name) for name in read_texts(dataset))


def dataset_text(value: Any) -> str:
    """The text of an attribute, "" if there is none."""
    single = np.ravel(value)[0] if isinstance(value, np.ndarray) and value.size else value
    return single.decode() if isinstance(single, bytes) else "" if single is None else str(single)


def copy_values(source: h5py.File, target: h5py.File, instead: Mapping[str, NDArray[Any]]) -> None:
    """Write all groups, datasets and attributes of a file that `open_values` opened into a new one, value by value; `instead` gives other
    values to the datasets of these names. Nothing of how the source stores them is taken over but the strength of deflate.
    """
    for part in list_objects(source):
        _copy_part(part, target, instead.get(part.name.removeprefix("/")))
    for dataset in _datasets(source):
        for axis, dimension in enumerate(dataset.dims):
            for scale in dimension.values():
                target[dataset.name].dims[axis].attach_scale(target[scale.name])


def _copy_part(part: h5py.Group | h5py.Dataset | h5py.Datatype, target: h5py.File, values: NDArray[Any] | None) -> None:
    if isinstance(part, h5py.Datatype):
        return
    if isinstance(part, h5py.Group):
        copy: Any = target.require_group(part.name)
    elif part.shape is None:
        copy = target.create_dataset(part.name, data=h5py.Empty(part.dtype))
    else:
        packed = {"compression": "gzip", "compression_opts": 1} if part.compression and part.size else {}
        copy = target.create_dataset(part.name, data=_content(part) if values is None else values, dtype=part.dtype, **packed)
        if part.is_scale:
            copy.make_scale(part.attrs.get("NAME", part.name.rsplit("/", 1)[-1]))
    _copy_attributes(part, copy)


def _copy_attributes(part: h5py.Group | h5py.Dataset, copy: Any) -> None:
    for name in part.attrs:
        if name in _SCALE_ATTRIBUTES:
            continue
        kind = part.attrs.get_id(name).dtype
        if h5py.check_ref_dtype(kind):
            raise ValueError(f"the attribute {name} of {part.name} refers to another part of the file, which cannot be copied")
        value = part.attrs[name]
        copy.attrs.create(name, value, dtype=None if isinstance(value, h5py.Empty) else kind)


def _content(dataset: h5py.Dataset) -> NDArray[Any]:
    if not dataset.dtype.hasobject:
        return read_values(dataset)
    return np.array(_entries(dataset), object).reshape(dataset.shape)


def _entries(dataset: h5py.Dataset) -> list[Any]:
    """The texts or numbers of a dataset, in order; texts of variable length one by one, for many may be one and the same long text."""
    if dataset.shape is None or size_bytes(dataset) > LEAST_BYTES:
        raise ValueError(f"{dataset.name} holds {dataset.shape} values, where names are expected")
    if not dataset.dtype.hasobject:
        return np.atleast_1d(read_values(dataset)).ravel().tolist()
    if h5py.check_string_dtype(dataset.dtype) is None:
        raise ValueError(f"{dataset.name} holds {dataset.dtype} where texts are expected")
    if dataset.size > MOST_TEXTS:
        raise ValueError(f"{dataset.name} holds {dataset.size} texts, at most {MOST_TEXTS:,} are read")
    found, total = [], 0
    for place in np.ndindex(dataset.shape):
        found.append(dataset[place])
        total += len(found[-1])
        if total > MOST_TEXT_BYTES:
            raise ValueError(f"{dataset.name} holds more than {MOST_TEXT_BYTES >> 20} MB of texts")
    return found


def _datasets(file: h5py.File) -> list[h5py.Dataset]:
    return [part for part in list_objects(file) if isinstance(part, h5py.Dataset)]


def _calculated_bytes(dataset: h5py.Dataset) -> int:
    return size_bytes(dataset) * max(1, 8 // max(1, int(dataset.id.get_type().get_size())))
