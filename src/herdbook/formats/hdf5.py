"""What readers of HDF5 files of other tools share: datasets no larger than what is stored, and lists of names."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.experiment.sheets.text import composed

# Packed a thousand times smaller at best; a small dataset may say what it will.
MOST_PACKED, LEAST_BYTES = 2000, 1 << 26


def whole_dataset(dataset: h5py.Dataset) -> NDArray[Any]:
    """The values of a dataset. Raises ValueError for one that says that it is far larger than what is stored."""
    if dataset.nbytes > max(LEAST_BYTES, MOST_PACKED * min(dataset.id.get_storage_size(), Path(dataset.file.filename).stat().st_size)):
        raise ValueError(f"{dataset.name} says that it holds {dataset.shape} values, which are not there")
    values: NDArray[Any] = dataset[...]
    return values


def dataset_names(dataset: h5py.Dataset) -> tuple[str, ...]:
    """The texts of a dataset of names, with composed letters."""
    return tuple(composed(entry.decode() if isinstance(entry, bytes) else str(entry)) for entry in np.atleast_1d(dataset[...]).tolist())


def dataset_text(value: Any) -> str:
    """The text of an attribute, "" if there is none."""
    single = np.ravel(value)[0] if isinstance(value, np.ndarray) and value.size else value
    return single.decode() if isinstance(single, bytes) else "" if single is None else str(single)
