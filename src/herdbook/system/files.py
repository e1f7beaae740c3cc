"""Files that are written beside and renamed into place, fingerprints of files, and full disks."""

import errno
import glob
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from herdbook.errors import HerdbookError
from herdbook.system.interrupts import raise_interrupt

FINGERPRINT_BLOCK_BYTES = 1 << 16
# What to do when the system says that nothing more can be written, which reading never makes it say.
_FULL_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space there, or choose a folder on another disk (results)"),
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or choose a folder on another disk (results)",
    errno.EROFS: "Make the folder writable, or choose another one (results)",
}


@contextmanager
def replacing(path: Path, suffix: str = ".part") -> Iterator[Path]:
    """A temporary name beside `path`; renamed to `path` when the block ends well, removed when it does not.

    `suffix` ends the temporary name, for libraries that take the kind of a file from it. Raises HerdbookError if
    the folder cannot be written to, or when the disk is full.
    """
    make_writable_folder(path.parent)
    # What a killed job left behind: only one job at a time makes a file.
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*{suffix}"):
        leftover.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{suffix}")
    try:
        with full_disk_as_error(path):
            yield temporary
            raise_interrupt()
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def make_writable_folder(folder: Path) -> None:
    """Make a folder that files are to be written into; HerdbookError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HerdbookError(f"{folder}: the folder cannot be made ({error.strerror}). {_FULL_REMEDIES[errno.EROFS]}.") from error
    if not os.access(folder, os.W_OK):
        raise HerdbookError(f"{folder}: nothing can be written into the folder. {_FULL_REMEDIES[errno.EROFS]}.")


@contextmanager
def full_disk_as_error(path: Path | None = None) -> Iterator[None]:
    """Raise HerdbookError for an error that means that the disk takes no more, however the library words it; `path` is what is written."""
    try:
        yield
    except Exception as error:
        # Libraries in C, such as HDF5, put the number into their text.
        number = re.search(r"errno = (\d+)", str(error))
        code = (error.errno if isinstance(error, OSError) else None) or (int(number[1]) if number else 0)
        if code not in _FULL_REMEDIES:
            raise
        name = path or getattr(error, "filename", None) or Path.cwd()
        raise HerdbookError(f"{name}: cannot be written: {os.strerror(code).lower()}. {_FULL_REMEDIES[code]}, then run again.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) beside and rename it into place."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_fingerprint(path: Path) -> str:
    """Fingerprint of a file: its size and 16 blocks of 64 KiB spread over it, so that a 10 GB movie costs milliseconds."""
    if path.is_dir():
        digest = hashlib.sha256()
        for entry in sorted(path.iterdir()):
            digest.update(f"{entry.name} {entry.stat().st_size} ".encode())
        return digest.hexdigest()[:32]
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in sorted({int(s) for s in np.linspace(0, max(0, size - FINGERPRINT_BLOCK_BYTES), 16)}):
            file.seek(start)
            digest.update(file.read(FINGERPRINT_BLOCK_BYTES))
    return digest.hexdigest()[:32]
