"""Writing of HDF5 files on disks that may be full.

HDF5 cannot close a file after a failed write, and a process with such a file crashes when it ends. Therefore errors are hidden from HDF5:
it writes to a file object that accepts everything and stores the first error, which is raised outside of HDF5.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from herdbook.system.interrupts import CalledFromC, raise_interrupt


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
