"""Artifacts of many movies, one in memory at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, overload

T = TypeVar("T")


class OneByOne(Sequence[T]):
    """A sequence that loads each path with `load` when it is accessed, and keeps only the last one."""

    def __init__(self, paths: Sequence[Path], load: Callable[[Path], T]) -> None:
        self._paths, self._load = list(paths), load
        self._last: tuple[Path, T] | None = None

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> "OneByOne[T]": ...

    def __getitem__(self, place: int | slice) -> "T | OneByOne[T]":
        if isinstance(place, slice):
            return OneByOne(self._paths[place], self._load)
        path = self._paths[place]
        if self._last is None or self._last[0] != path:
            # Released first, so that never two are in memory.
            self._last = None
            self._last = path, self._load(path)
        return self._last[1]
