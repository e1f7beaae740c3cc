"""Fingerprints of files: texts that differ if the contents do. Those of large files are kept, so that none is read again without a change.

A file is known to be the same by its path, size, times and inode. What is known of a path stands in one small file of the folder that
`fingerprints_in` or the environment variable names; without such a folder nothing is kept.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# The workflow sets it for its jobs.
VARIABLE = "HERDBOOK_FINGERPRINTS"
FOLDER = ".fingerprints"

BLOCKS, BLOCK_BYTES = 16, 1 << 16
# Up to this size the 16 blocks of a sample cover the whole file.
SMALL_BYTES = BLOCKS * BLOCK_BYTES
# A dry run reads a file up to this size, which takes some 10 ms; larger ones are read by their first job, which needs them anyway.
READ_AT_ONCE_BYTES = 1 << 24
READ_BYTES = 1 << 22
# Fingerprints of whole large files are longer than those of samples, which earlier results hold.
SAMPLE_DIGITS, WHOLE_DIGITS = 32, 40
# File systems round times, the coarsest ones (FAT) to 2 s: within this time of a change, another one may not show.
SETTLED_S = 2.0
# States of a file that are remembered, for changes that are taken back.
MOST_REMEMBERED = 50

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def fingerprints_in(results: Path) -> Iterator[None]:
    """Within the block, fingerprints are kept in this folder of results."""
    before = _folder.set(results / FOLDER)
    try:
        yield
    finally:
        _folder.reset(before)


def file_fingerprint(path: Path) -> str:
    """Fingerprint of the whole content of a file, or of the names and contents of the files in a folder."""
    return sample_fingerprint(path) if _is_small(path) else _whole_fingerprint(path, _Known.of(path))


def same_content(path: Path, fingerprint: str) -> bool:
    """Whether a file has this fingerprint; one that an earlier version made of a sample of the file is compared with such a sample."""
    sampled = len(fingerprint) == SAMPLE_DIGITS
    return (sample_fingerprint(path) if sampled else file_fingerprint(path)) == fingerprint


def content_mark(path: Path) -> str:
    """A text by which a workflow notices that the content of a file changed, at the cost of a look at its size and times.

    A large file that no job has read yet is not read now: its mark is that of a sample. Once the whole of it is known, another content gets
    another mark, and the same content the same one, whatever the time of the file.
    """
    if _is_small(path):
        return sample_fingerprint(path)
    known = _Known.of(path)
    if not known.marks and _bytes_of(path) > READ_AT_ONCE_BYTES:
        return sample_fingerprint(path)
    fingerprint = _whole_fingerprint(path, known)
    return known.marks.get(fingerprint, fingerprint)


def sample_fingerprint(path: Path) -> str:
    """Fingerprint of a file from its size and 16 blocks of 64 KiB spread over it, or of a folder from the names and sizes of its files."""
    if path.is_dir():
        digest = hashlib.sha256()
        for entry in sorted(path.iterdir()):
            digest.update(f"{entry.name} {entry.stat().st_size} ".encode())
        return digest.hexdigest()[:SAMPLE_DIGITS]
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    last = size - BLOCK_BYTES
    with path.open("rb") as file:
        for start in sorted({int(s) for s in np.linspace(0, last, BLOCKS)}) if last > 0 else (0,):
            file.seek(start)
            digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()[:SAMPLE_DIGITS]


@dataclass
class _Known:
    """What is known of the file at a path: `whole` its fingerprint by state (size, times, inode), `marks` its mark by fingerprint."""

    store: Path | None
    whole: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> "_Known":
        folder = _folder.get() or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if folder is None:
            return cls(None)
        store = folder / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:SAMPLE_DIGITS]}.json"
        try:
            values = json.loads(store.read_text(encoding="utf-8"))
            return cls(store, dict(values["whole"]), dict(values["marks"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls(store)

    def remember(self, path: Path, state: str, fingerprint: str, settled: bool) -> None:
        """Add a fingerprint to what is known; a file that may still change is not known by its state."""
        if fingerprint not in self.marks:
            # The first content keeps the mark that it had before it was read as a whole.
            self.marks[fingerprint] = fingerprint if self.marks else sample_fingerprint(path)
        if settled:
            self.whole[state] = fingerprint
        if self.store is None:
            return
        values = {
            "path": str(path.resolve()),
            "whole": dict(list(self.whole.items())[-MOST_REMEMBERED:]),
            "marks": dict(list(self.marks.items())[-MOST_REMEMBERED:]),
        }
        # What cannot be kept is only found again.
        with suppress(OSError):
            self.store.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.store.with_name(f".{self.store.name}.{os.getpid()}")
            temporary.write_text(json.dumps(values), encoding="utf-8")
            temporary.replace(self.store)


def _whole_fingerprint(path: Path, known: _Known) -> str:
    state = _state_of(path)
    if state in known.whole:
        return known.whole[state]
    began = time.time()
    digest = hashlib.sha256(str(_bytes_of(path)).encode())
    for part in _files_of(path):
        if part != path:
            digest.update(f"{part.name} {part.stat().st_size} ".encode())
        with part.open("rb", buffering=0) as file:
            while block := file.read(READ_BYTES):
                digest.update(block)
    fingerprint = digest.hexdigest()[:WHOLE_DIGITS]
    latest = max((part.stat().st_mtime for part in _files_of(path)), default=0.0)
    known.remember(path, state, fingerprint, settled=abs(began - latest) > SETTLED_S and _state_of(path) == state)
    return fingerprint


def _files_of(path: Path) -> list[Path]:
    return sorted(part for part in path.iterdir() if part.is_file()) if path.is_dir() else [path]


def _bytes_of(path: Path) -> int:
    return sum(part.stat().st_size for part in _files_of(path))


def _is_small(path: Path) -> bool:
    return not path.is_dir() and path.stat().st_size <= SMALL_BYTES


def _state_of(path: Path) -> str:
    """Size, times of content and entry, and inode; of a folder those of its files."""
    states = [(part.name, part.stat()) for part in _files_of(path)]
    # The time of the entry changes also where a program sets that of the content back, as cp -p and rsync do.
    texts = [f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}" for name, stat in states]
    return texts[0] if len(texts) == 1 and not path.is_dir() else hashlib.sha256("\n".join(texts).encode()).hexdigest()
