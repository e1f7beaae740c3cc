"""Tables of DeepLabCut in HDF5, as pandas writes them, read without pandas: that would unpickle what the file holds, and so could run code
of whoever made it.

pandas keeps a table in one of two ways: "fixed", whose names of columns are columns of text themselves, or "table", whose names stand in an
attribute as a pickle of lists and texts. Of that the lists and texts are read, and nothing else is done.
"""

import pickletools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.formats.hdf5 import open_values, read_values

KEY = "df_with_missing"
LEVELS = (["scorer", "bodyparts", "coords"], ["scorer", "individuals", "bodyparts", "coords"])
# Two days of movie at 25 frames/s; as Python objects, a name each, they take a gigabyte. A hundred animals have fewer columns.
MOST_ROWS, MOST_COLUMNS = 5_000_000, 100_000
_MARK = object()
_TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1")


def read_hdf5_table(path: Path) -> pd.DataFrame:
    """The table of a file, columns as in LEVELS, rows as they are named there. Raises HerdbookError for a file that holds no such table."""
    try:
        with open_values(path) as file:
            group = file[KEY]
            encoding = _text(group.attrs.get("encoding", b"UTF-8"), "ascii")
            values, columns, index = (_read_rows if "table" in group else _read_fixed)(group, encoding)
        names = next((levels for levels in LEVELS if all(len(column) == len(levels) for column in columns)), None)
        if names is None or not columns:
            raise ValueError(f"its columns have no names of {', '.join(LEVELS[1])}")
        return pd.DataFrame(values, index=index, columns=pd.MultiIndex.from_tuples(columns, names=names))
    except (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError, LookupError) as error:
        raise HerdbookError(
            f"{path}: expected a table of DeepLabCut, found something else ({error}). Write it again, or as .csv: DeepLabCut can do both."
        ) from error


def plain_names(pickled: bytes) -> Any:
    """Lists, tuples, texts and numbers of a pickle. Raises ValueError for one that holds anything else, such as a call.

    One and the same list may be named many times in it, so that what is small here is huge when it is copied or written out: take of it
    what has the right shape, as `_plain_columns` does.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(pickled):
        name, place = opcode.name, int(argument) if isinstance(argument, int) else -1
        if name == "STOP":
            return stack.pop()
        if name == "MARK":
            stack.append(_MARK)
        elif name in _TEXTS or name in _NUMBERS:
            stack.append(argument)
        elif name in ("NONE", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"NONE": None, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[name])
        elif name in ("LIST", "TUPLE"):
            stack.append((list if name == "LIST" else tuple)(_since_mark(stack)))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("APPEND", "APPENDS"):
            added = [stack.pop()] if name == "APPEND" else _since_mark(stack)
            stack[-1].extend(added)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else place] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[place])
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"names of columns cannot be a {name}")
    raise ValueError("names of columns that do not end")


def _since_mark(stack: list[Any]) -> list[Any]:
    place = len(stack) - 1 - next(k for k, value in enumerate(reversed(stack)) if value is _MARK)
    found = stack[place + 1 :]
    del stack[place:]
    return found


def _read_rows(group: h5py.Group, encoding: str) -> tuple[NDArray[np.float64], list[tuple[str, ...]], list[Any]]:
    """A "table": a dataset of rows, whose fields are the index and blocks of columns."""
    stored = group["table"]
    _check_count(stored.shape[0], MOST_ROWS, "rows")
    rows = read_values(stored)
    blocks = sorted(name for name in rows.dtype.names or () if name.startswith("values_block_"))
    columns = [column for name in blocks for column in _plain_columns(plain_names(bytes(stored.attrs[f"{name}_kind"])))]
    values = np.concatenate([np.asarray(rows[name], np.float64).reshape(len(rows), -1) for name in blocks], axis=1)
    whole = _plain_columns(plain_names(bytes(group.attrs["non_index_axes"]))[0][1])
    return values[:, _order(columns, whole)], whole, _decoded(rows["index"], encoding)


def _read_fixed(group: h5py.Group, encoding: str) -> tuple[NDArray[np.float64], list[tuple[str, ...]], list[Any]]:
    """A "fixed" table: blocks of columns, each with its own names."""
    # Each block has a dataset of its own: a number of blocks that the file cannot hold is not counted to its end.
    blocks = [f"block{k}" for k in range(_check_count(int(group.attrs["nblocks"]), len(group), "blocks"))]
    columns = [tuple(map(str, name)) for block in blocks for name in _names(group, f"{block}_items", encoding, MOST_COLUMNS)]
    index = _names(group, "axis1", encoding, MOST_ROWS)
    # Without rows there is no array of the right shape.
    values = [np.asarray(read_values(group[f"{block}_values"]), np.float64).reshape(len(index), -1) for block in blocks]
    whole = [tuple(map(str, name)) for name in _names(group, "axis0", encoding, MOST_COLUMNS)]
    rows = [name[0] if len(name) == 1 else name for name in index]
    return np.concatenate(values, axis=1)[:, _order(columns, whole)], whole, rows


def _names(group: h5py.Group, axis: str, encoding: str, most: int) -> list[tuple[Any, ...]]:
    """The names along an axis, one tuple each."""
    if _text(group.attrs[f"{axis}_variety"], "ascii") != "multi":
        _check_count(group[axis].size, most, "names")
        return [(name,) for name in _decoded(read_values(group[axis]), encoding)]
    levels: list[Callable[[int], Any]] = []
    codes = []
    for k in range(_check_count(int(group.attrs[f"{axis}_nlevels"]), len(group), "levels")):
        level, code = group[f"{axis}_level{k}"], group[f"{axis}_label{k}"]
        for part in (level, code):
            _check_count(part.size, most, "names")
        levels.append(_decoded(read_values(level), encoding).__getitem__)
        codes.append(read_values(code).tolist())
    return [tuple(level(code) for level, code in zip(levels, row, strict=True)) for row in zip(*codes, strict=True)]


def _check_count(count: int, most: int, what: str) -> int:
    if not 0 <= count <= most:
        raise ValueError(f"it says that it has {count} {what}, at most {most} are read")
    return count


def _order(columns: Sequence[tuple[str, ...]], whole: Sequence[tuple[str, ...]]) -> list[int]:
    """Where each column of the whole table stands among those of its blocks."""
    place = {column: k for k, column in enumerate(columns)}
    return [place[column] for column in whole]


def _plain_columns(names: Any) -> list[tuple[str, ...]]:
    """Names of columns, each of a few texts or numbers."""
    found = []
    for name in names[: MOST_COLUMNS + 1]:
        parts = (name,) if isinstance(name, str) else name
        if not isinstance(parts, list | tuple) or len(parts) > len(LEVELS[1]) or not all(isinstance(p, str | int | float) for p in parts):
            raise ValueError("names of columns that are no texts")
        found.append(tuple(map(str, parts)))
    _check_count(len(found), MOST_COLUMNS, "columns")
    return found


def _decoded(values: NDArray[Any], encoding: str) -> list[Any]:
    if values.dtype.kind not in "iufS":
        raise ValueError(f"names of the kind {values.dtype}; save the table as .csv")
    return [_text(value, encoding) if isinstance(value, bytes) else value for value in values.tolist()]


def _text(value: Any, encoding: str) -> str:
    return value.decode(encoding) if isinstance(value, bytes) else str(value)
