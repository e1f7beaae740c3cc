"""HDF5 files that are being written, on disks that may be full.

HDF5 cannot close a file of which a write failed, and a process that holds such a file crashes when it ends. So HDF5 never learns of it: it
writes into a file that takes everything, keeps the first error, and is asked for it.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from herdbook.system.interrupts import CalledFromC, raise_interrupt


class _TakingFile(CalledFromC):
    """What h5py needs of a file. What the disk does not take any more is kept in memory, for HDF5 to read again until it is closed."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._lost: list[tuple[int, bytes]] = []
        self._place = 0
        self._length = 0
        self.error: OSError | None = None

    @property
    def _refuses(self) -> bool:
        """Whether nothing more is written: after an error, or in a job that ends while HDF5 is about to close its file."""
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
            # A disk may take a part of it.
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
        """All is written at once."""


class NewFile:
    """A new HDF5 file that is open for writing."""

    def __init__(self, file: h5py.File, below: _TakingFile) -> None:
        self.file, self._below = file, below

    def check(self) -> None:
        """Raise the OSError with which the disk refused something written so far, or KeyboardInterrupt if the job is to end."""
        raise_interrupt()
        if self._below.error:
            raise self._below.error


@contextmanager
def new_hdf5(path: Path, *, newest: bool = False) -> Iterator[NewFile]:
    """A new HDF5 file without the times of writing (same data, same bytes), in the `newest` format (attributes above 64 KB) or the one that
    all programs read.

    Raises OSError at the end, or when it is asked, if the disk did not take all.
    """
    with path.open("w+b", buffering=0) as opened:
        below = _TakingFile(opened)
        with _create(path, below, newest) as file:
            new = NewFile(file, below)
            yield new
        new.check()


def _create(path: Path, below: _TakingFile, newest: bool) -> h5py.File:
    # The lists of properties end with this function. One that an error's traceback kept until Python has ended would crash the process.
    creation, access = (h5py.h5p.create(kind) for kind in (h5py.h5p.FILE_CREATE, h5py.h5p.FILE_ACCESS))
    creation.set_obj_track_times(False)
    if newest:
        access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, below)
    return h5py.File(h5py.h5f.create(os.fsencode(path), h5py.h5f.ACC_TRUNC, creation, access))
