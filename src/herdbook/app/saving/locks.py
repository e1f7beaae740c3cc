"""Locks between processes as files, which also hold on network drives; one that a dead process left is taken away."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from herdbook.errors import HerdbookError
from herdbook.system.alive import process_start
from herdbook.system.files import full_disk_as_error

WAIT_S, PAUSE_S = 10.0, 0.01
# A lock without an owner is one whose maker was killed between two lines; no process takes so long for them.
NAMELESS_S = 5.0


@contextmanager
def locked(path: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Within the block, no other process or thread is in a block for the same path.

    Raises HerdbookError, which names the owner, if the lock is not free after `wait_s`.
    """
    lock = path.with_name(f".{path.name}.lock")
    until = time.monotonic() + wait_s
    while not _taken(lock):
        owner = _owner(lock)
        if owner is not None and _dead(lock, owner):
            _break(lock, owner)
        elif time.monotonic() > until:
            raise HerdbookError(
                f"{path}: another process ({owner or 'unknown'}) is writing it. Wait for it; if it no longer runs, delete {lock}."
            )
        else:
            time.sleep(PAUSE_S)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _taken(lock: Path) -> bool:
    """Whether this process could make the lock."""
    try:
        with full_disk_as_error(lock):
            handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise HerdbookError(f"{lock.parent}: nothing can be written into the folder ({error.strerror}).") from error
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "start": process_start(os.getpid()), "thread": threading.get_ident()}
    try:
        os.write(handle, json.dumps(owner).encode())
    finally:
        os.close(handle)
    return True


def _owner(lock: Path) -> str | None:
    """What stands in a lock, None if it is no longer there."""
    try:
        return lock.read_text(encoding="utf-8")
    except OSError:
        return None


def _dead(lock: Path, owner: str) -> bool:
    try:
        values = json.loads(owner)
        return bool(values["host"] == socket.gethostname() and process_start(int(values["pid"])) != values["start"])
    except (ValueError, KeyError, TypeError):
        with suppress(OSError):
            return time.time() - lock.stat().st_mtime > NAMELESS_S
        return False


def _break(lock: Path, owner: str) -> None:
    """Take away the lock of a dead owner: by one process alone, for another might take away the lock of a living one that came after it."""
    breaking = lock.with_name(f"{lock.name}.break")
    try:
        os.close(os.open(breaking, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        with suppress(OSError):
            if time.time() - breaking.stat().st_mtime > NAMELESS_S:
                breaking.unlink()
        time.sleep(PAUSE_S)
        return
    try:
        if _owner(lock) == owner:
            lock.unlink(missing_ok=True)
    finally:
        breaking.unlink(missing_ok=True)
