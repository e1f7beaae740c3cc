"""HDF5 files: the only place that opens one for reading, and writing on disks that may be full.

A file from elsewhere may name other files as places of its data, and may say that it holds far more than it does; `open_hdf5` refuses both.

HDF5 cannot close a file after a failed write, and a process with such a file crashes when it ends. Therefore errors are hidden from HDF5:
it writes to a file object that accepts everything and stores the first error, which is raised outside of HDF5.
"""

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.system.interrupts import CalledFromC, raise_interrupt

_INSIDE = "Herdbook reads only what is in the file itself: write the file again without them."
# Files of results have tens of objects, networks a few thousand.
MOST_OBJECTS = 100_000
# So much may be said of a dataset without being stored: unwritten parts, and what packs well.
LEAST_BYTES = 1 << 26
# Deflate packs at most 1032 times smaller.
MOST_PACKED = 1100
# A text or list of variable length may be named again and again, at 16 bytes each, and every time is read anew.
LEAST_REPEATED, MOST_REPEATED_BYTES = 16, 1 << 28


@contextmanager
def open_hdf5(path: Path, content: bytes | None = None) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; `content`: the bytes of a file inside of the file at `path`.

    Raises HerdbookError for a file with links (soft or external), with data that lie in other files (external or virtual datasets), or in
    which a dataset has several names; OSError for a file that is damaged.
    """
    size = path.stat().st_size if content is None else len(content)
    with h5py.File(path if content is None else io.BytesIO(content), "r") as file:
        try:
            _check_objects(file, path, size)
        except HerdbookError:
            raise
        except Exception as error:  # HDF5 words damage in many ways
            raise OSError(f"{error}" or type(error).__name__) from error
        yield file


def read_dataset(dataset: h5py.Dataset, most_packed: int = MOST_PACKED) -> NDArray[Any]:
    """All values of a dataset. Raises ValueError for one that says that it holds more than LEAST_BYTES and more than `most_packed` times as
    much as is stored, or for values of variable length.
    """
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{dataset.name} holds other datasets, where numbers are expected")
    stored = dataset.id.get_storage_size()
    if dataset.dtype.hasobject:
        raise ValueError(f"{dataset.name} holds values of variable length, where numbers are expected")
    if size_bytes(dataset) > max(LEAST_BYTES, most_packed * stored):
        raise ValueError(f"{dataset.name} says that it holds {dataset.shape} values, which are not there: {stored} bytes are stored")
    values: NDArray[Any] = dataset[()]
    return values


def size_bytes(dataset: h5py.Dataset) -> int:
    """What the values of a dataset take in memory, by its header."""
    # h5py's own nbytes overflows.
    return 0 if dataset.shape is None else math.prod(dataset.shape) * int(dataset.id.get_type().get_size())


def list_objects(file: h5py.File, path: Path | None = None) -> list[h5py.Group | h5py.Dataset | h5py.Datatype]:
    """Everything in a file, each object once, groups before what is in them; `path` of the file for messages, by default its own.

    Raises HerdbookError for a link or a dataset with several names, OSError for damage.
    """
    found: list[Any] = [file]
    seen = {h5py.h5o.get_info(file.id).addr}
    for group in found:
        for name in _link_names(group) if isinstance(group, h5py.Group) else ():
            place = f"{path or file.filename}: {group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise HerdbookError(f"{place} is a link. {_INSIDE}")
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen and not isinstance(part, h5py.Group):
                raise HerdbookError(f"{place} is a dataset with several names. {_INSIDE}")
            # A group may hold itself; it is looked through once.
            found += [] if address in seen else [part]
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise HerdbookError(f"{place}: there are more than {MOST_OBJECTS:,} datasets and groups, as in no file of positions.")
    return found


def _link_names(group: h5py.Group) -> list[str]:
    """The names in a group, sorted.

    As they lie in the file: any other order HDF5 makes in a table as long as the group says, and corrupts the memory where it is damaged.
    """
    names: list[bytes] = []
    group.id.links.iterate(names.append, order=h5py.h5.ITER_NATIVE)
    if len(names) != len(group):
        raise OSError(f"{group.name} says that it holds {len(group)} objects, there are {len(names)}")
    return sorted(name.decode("utf-8", "surrogateescape") for name in names)


def _check_objects(file: h5py.File, path: Path, size: int) -> None:
    """Refuse links, storage elsewhere, datasets of several names, and lists in attributes that repeat what is stored once."""
    for part in list_objects(file, path):
        if isinstance(part, h5py.Dataset) and (part.external or part.is_virtual):
            raise HerdbookError(f"{path}: {part.name} has its values in other files. {_INSIDE}")
        _check_attributes(part, path, size)


def _check_attributes(part: h5py.Group | h5py.Dataset | h5py.Datatype, path: Path, size: int) -> None:
    names: list[bytes] = []
    # As for names of links.
    h5py.h5a.iterate(part.id, names.append, order=h5py.h5.ITER_NATIVE)
    if len(names) != h5py.h5a.get_num_attrs(part.id):
        raise OSError(f"{part.name} says that it has {h5py.h5a.get_num_attrs(part.id)} attributes, there are {len(names)}")
    for name in names:
        attribute = h5py.h5a.open(part.id, name)
        kind = attribute.get_type()
        repeats = kind.detect_class(h5py.h5t.VLEN) or (kind.detect_class(h5py.h5t.STRING) and _has_variable_text(kind))
        count = math.prod(attribute.shape or (1,))
        if repeats and count > LEAST_REPEATED and count * size > MOST_REPEATED_BYTES:
            shown = name.decode(errors="replace")
            raise HerdbookError(f"{path}: the attribute {shown} of {part.name} is a list of {count} texts, too long for one. {_INSIDE}")


def _has_variable_text(kind: Any) -> bool:
    return bool(kind.is_variable_str()) if isinstance(kind, h5py.h5t.TypeStringID) else bool(kind.dtype.hasobject)


class _ErrorKeepingFile(CalledFromC):
    """A file object for h5py. Data that cannot be written to disk are kept in memory, for HDF5 to read again until it closes the file."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._lost: list[tuple[int, bytes]] = []
        self._place = 0
        self._length = 0
        self.error: OSError | None = None

    @property
    def _refuses(self) -> bool:
        """Whether nothing more is written: after an error, or if the job is ending and the file is already closed."""
        return self.error is not None or self._file.closed

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + (self._length if whence == os.SEEK_END else 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def write(self, data: memoryview) -> int:
        content, start = memoryview(data).cast("B"), self._place
        done = 0
        try:
            # A full disk may accept a part of it.
            while not self._refuses and done < len(content):
                self._file.seek(start + done)
                done += self._file.write(content[done:])
        except OSError as error:
            self.error = error
        if done < len(content):
            self._lost.append((start + done, bytes(content[done:])))
        self._place = start + len(content)
        self._length = max(self._length, self._place)
        return len(content)

    def readinto(self, data: memoryview) -> int:
        content, start = memoryview(data).cast("B"), self._place
        content[:] = bytes(len(content))
        if not self._file.closed:
            self._file.seek(start)
            self._file.readinto(content)
        for place, lost in self._lost:
            first, end = max(start, place), min(start + len(content), place + len(lost))
            if first < end:
                content[first - start : end - start] = lost[first - place : end - place]
        self._place = start + len(content)
        return len(content)

    def truncate(self, size: int) -> int:
        self._length = size
        try:
            if not self._refuses:
                self._file.truncate(size)
        except OSError as error:
            self.error = error
        return size

    def flush(self) -> None:
        """Nothing to do: data are written immediately."""


class NewFile:
    """A new HDF5 file, open for writing."""

    def __init__(self, file: h5py.File, below: _ErrorKeepingFile) -> None:
        self.file, self._below = file, below

    def check(self) -> None:
        """Raise the first OSError of writing so far, or KeyboardInterrupt if the job is to end."""
        raise_interrupt()
        if self._below.error:
            raise self._below.error


@contextmanager
def new_hdf5(path: Path, *, newest: bool = False) -> Iterator[NewFile]:
    """A new HDF5 file without times of writing (same data, same bytes).

    `newest`: in the newest format, whose attributes may exceed 64 KB, otherwise in the one that all programs read. Raises OSError at the
    end of the block, or in `NewFile.check`, if not all data could be written.
    """
    with path.open("w+b", buffering=0) as opened:
        below = _ErrorKeepingFile(opened)
        with _create(path, below, newest) as file:
            new = NewFile(file, below)
            yield new
        new.check()


def _create(path: Path, below: _ErrorKeepingFile, newest: bool) -> h5py.File:
    # The property lists must be released with this function: one kept by a traceback until Python exits would crash the process.
    creation, access = (h5py.h5p.create(kind) for kind in (h5py.h5p.FILE_CREATE, h5py.h5p.FILE_ACCESS))
    creation.set_obj_track_times(False)
    if newest:
        access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, below)
    return h5py.File(h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_TRUNC, creation, access))
