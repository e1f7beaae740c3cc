"""Files that are written under a temporary name and then renamed, and errors of full disks."""

import errno
import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError
from herdbook.system.interrupts import raise_interrupt

# As Python objects JSON takes up to twenty times its size; a million points take half of this.
MOST_JSON_BYTES = 1 << 26
# Remedies by number of error, for errors that occur only in writing.
_FULL_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Free some space there, or choose a folder on another disk (results)"),
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or choose a folder on another disk (results)",
    errno.EROFS: "Make the folder writable, or choose another one (results)",
}


@contextmanager
def replacing(path: Path, suffix: str = ".part") -> Iterator[Path]:
    """A temporary file name in the folder of `path`; renamed to `path` when the block ends without error, otherwise removed.

    `suffix` ends the temporary name, for libraries that choose the format by it. Raises HerdbookError if the folder cannot be written to,
    or if the disk is full.
    """
    make_writable_folder(path.parent)
    # Files left by killed jobs; they are not in use, since only one job at a time makes a file.
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
    """Make a folder for files that will be written. Raises HerdbookError if it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HerdbookError(f"{folder}: the folder cannot be made ({error.strerror}). {_FULL_REMEDIES[errno.EROFS]}.") from error
    if not os.access(folder, os.W_OK):
        raise HerdbookError(f"{folder}: nothing can be written into the folder. {_FULL_REMEDIES[errno.EROFS]}.")


@contextmanager
def full_disk_as_error(path: Path | None = None) -> Iterator[None]:
    """Turn errors of a full or read-only disk into HerdbookError, whichever library raises them; `path` is the file that is written."""
    try:
        yield
    except Exception as error:
        # Libraries in C, such as HDF5, give the number only in the text of the error.
        number = re.search(r"errno = (\d+)", str(error))
        code = (error.errno if isinstance(error, OSError) else None) or (int(number[1]) if number else 0)
        if code not in _FULL_REMEDIES:
            raise
        name = path or getattr(error, "filename", None) or Path.cwd()
        raise HerdbookError(f"{name}: cannot be written: {os.strerror(code).lower()}. {_FULL_REMEDIES[code]}, then run again.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), which appears only when it is complete."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_durably(path: Path, data: bytes) -> None:
    """Put a whole file in place of one, which is either the old or the new one, also after a crash; its permissions stay."""
    with replacing(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            _write_all(handle, data)
        finally:
            os.close(handle)
        if path.exists():
            shutil.copymode(path, temporary)
    sync_folder(path.parent)


def append_durably(path: Path, data: bytes) -> None:
    """Append to a file, which is made if it is not there; when this returns, the data are on the disk."""
    new = not path.exists()
    with full_disk_as_error(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            _write_all(handle, data)
        finally:
            os.close(handle)
    if new:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names of files in a folder to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
    os.fsync(handle)


def read_json(path: Path, of_pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = None) -> Any:
    """The content of a JSON file that was given; `of_pairs` makes the dict of each object from its keys and values.

    Raises ValueError or RecursionError for other content, or for a file that is too large.
    """
    size = path.stat().st_size
    if size > MOST_JSON_BYTES:
        raise ValueError(f"it has {size >> 20} MB, at most {MOST_JSON_BYTES >> 20} MB are read")
    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=of_pairs)
