"""Artifacts of many movies, of which one is in memory."""

from pathlib import Path

from herdbook.artifacts.one_by_one import OneByOne

PATHS = [Path(name) for name in "abc"]


def test_each_is_read_when_it_is_accessed_and_the_last_one_is_kept() -> None:
    read: list[str] = []

    def load(path: Path) -> str:
        read.append(path.name)
        return path.name * 2

    found = OneByOne(PATHS, load)
    assert (len(found), read) == (3, [])
    assert [found[1], found[1], found[-1]] == ["bb", "bb", "cc"]
    assert read == ["b", "c"]
    assert list(found) == ["aa", "bb", "cc"]
    assert list(found[1:]) == ["bb", "cc"]
