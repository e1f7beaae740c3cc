"""Fingerprints cover the whole content of a file; a large file that has not changed is read once."""

import os
from pathlib import Path

import numpy as np
import pytest

from herdbook.system import fingerprints
from herdbook.system.fingerprints import (
    READ_AT_ONCE_BYTES,
    SAMPLE_DIGITS,
    SMALL_BYTES,
    content_mark,
    file_fingerprint,
    fingerprints_in,
    same_content,
    sample_fingerprint,
)

# Between the first two of the 16 blocks of a sample.
UNSAMPLED = fingerprints.BLOCK_BYTES + 1
LARGE, HUGE = 2 * SMALL_BYTES, READ_AT_ONCE_BYTES + SMALL_BYTES
LONG_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory):
    """Fingerprints are kept in a folder of results."""
    results = tmp_path_factory.mktemp("results")
    with fingerprints_in(results):
        yield results


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read as a whole."""
    found: list[Path] = []
    files_of = fingerprints._bytes_of
    monkeypatch.setattr(fingerprints, "_bytes_of", lambda path: found.append(path) or files_of(path))
    return found


def written(path: Path, size: int, *, changed: bool = False, seconds: int = LONG_AGO) -> Path:
    """A file of this size and time; a change is in a part that a sample leaves out."""
    with path.open("wb") as file:
        file.truncate(size)
        if changed:
            file.seek(UNSAMPLED)
            file.write(b"1")
    os.utime(path, (seconds, seconds))
    return path


@pytest.mark.parametrize("size", [0, 1, fingerprints.BLOCK_BYTES + 2, SMALL_BYTES, SMALL_BYTES + 1, LARGE])
def test_every_byte_counts(tmp_path: Path, rng: np.random.Generator, size: int) -> None:
    content, path = bytearray(rng.bytes(size)), tmp_path / "a"
    path.write_bytes(content)
    before = file_fingerprint(path)
    for place in rng.integers(0, size, 8) if size else ():
        content[place] ^= 1
        path.write_bytes(content)
        assert file_fingerprint(path) != before
        content[place] ^= 1
    path.write_bytes(content)
    assert file_fingerprint(path) == before
    path.write_bytes(content + b"0")
    assert file_fingerprint(path) != before


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    path = written(tmp_path / "a", LARGE)
    assert len({file_fingerprint(path) for _ in range(3)}) == 1
    assert reads == [path]


def test_a_file_that_has_just_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(LARGE))
    before, time_ns = file_fingerprint(path), path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.seek(UNSAMPLED)
        file.write(b"1")
    os.utime(path, ns=(time_ns, time_ns))
    assert file_fingerprint(path) != before


def test_results_of_earlier_versions_know_a_file_by_a_sample(tmp_path: Path) -> None:
    path = written(tmp_path / "a", LARGE)
    sample, whole = sample_fingerprint(path), file_fingerprint(path)
    assert len(sample) == SAMPLE_DIGITS != len(whole)
    assert same_content(path, sample)
    assert same_content(path, whole)
    written(path, LARGE, changed=True)
    assert same_content(path, sample)
    assert not same_content(path, whole)


@pytest.mark.parametrize("size", [10, LARGE])
@pytest.mark.parametrize("seconds", [LONG_AGO - 1000, LONG_AGO, LONG_AGO + 1000])
def test_a_mark_goes_by_the_content_and_not_by_the_time(tmp_path: Path, size: int, seconds: int) -> None:
    path = written(tmp_path / "a", size)
    before = content_mark(path)
    os.utime(path, (seconds, seconds))
    assert content_mark(path) == before
    path.write_bytes(b"1" * size)
    os.utime(path, (seconds, seconds))
    assert content_mark(path) != before
    written(path, size, seconds=seconds)
    assert content_mark(path) == before, "a change that was taken back"


def test_a_huge_file_is_left_to_its_first_job(tmp_path: Path, reads: list[Path]) -> None:
    path = written(tmp_path / "a", HUGE)
    planned = content_mark(path)
    assert planned == sample_fingerprint(path)
    reads.clear()
    # The job.
    file_fingerprint(path)
    assert content_mark(path) == planned
    assert reads.count(path) == 1
    written(path, HUGE, changed=True, seconds=LONG_AGO - 1)
    assert content_mark(path) != planned


def test_a_half_copied_file_that_is_replaced_by_the_whole_one_is_another(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1" * SMALL_BYTES + bytes(HUGE - SMALL_BYTES))
    planned, read = content_mark(path), file_fingerprint(path)
    path.write_bytes(b"1" * HUGE)
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert content_mark(path) != planned
    assert not same_content(path, read)


def test_a_folder_of_images_is_known_by_the_content_of_its_files(tmp_path: Path) -> None:
    for k in range(2):
        (tmp_path / f"{k}.png").write_bytes(b"123")
    before, sample, planned = file_fingerprint(tmp_path), sample_fingerprint(tmp_path), content_mark(tmp_path)
    (tmp_path / "1.png").write_bytes(b"124")
    assert file_fingerprint(tmp_path) != before
    assert content_mark(tmp_path) != planned
    assert same_content(tmp_path, sample)
    (tmp_path / "1.png").write_bytes(b"123")
    assert (file_fingerprint(tmp_path), content_mark(tmp_path)) == (before, planned)


@pytest.mark.parametrize("content", ["", "{}", '{"whole": 3, "marks": 4}', "[]"])
def test_a_damaged_note_is_as_good_as_none(tmp_path: Path, kept: Path, content: str) -> None:
    path = written(tmp_path / "a", LARGE)
    before = file_fingerprint(path)
    (note,) = kept.rglob("*.json")
    note.write_text(content)
    assert file_fingerprint(path) == before


def test_where_nothing_can_be_kept_files_are_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "a", LARGE)
    before = file_fingerprint(path)
    (tmp_path / "file").touch()
    with fingerprints_in(tmp_path / "file"):
        assert file_fingerprint(path) == before
