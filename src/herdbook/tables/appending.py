"""Tables written part by part, as CSV or Parquet, that appear when they are whole."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from herdbook.system.cells import as_cells
from herdbook.system.files import replacing

Append = Callable[[pd.DataFrame], None]


# An empty column of objects would not say that it holds text.
_TEXTS = dict.fromkeys(("movie", "individual", "source", "clock", "arena"), "string")


def write_csv(path: Path, parts: Iterable[pd.DataFrame]) -> None:
    """Write tables of the same columns, one after the other, as one CSV."""
    with csv_parts(path) as append:
        for part in parts:
            append(part)


@contextmanager
def csv_parts(path: Path | None) -> Iterator[Append]:
    """Appends tables to a CSV, which takes its name when the block ends well; does nothing without a path."""
    if path is None:
        yield lambda _: None
        return
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        yield lambda part: as_cells(part).to_csv(file, index=False, header=file.tell() == 0)


@contextmanager
def parquet_parts(path: Path | None) -> Iterator[Append]:
    """Appends tables to a Parquet file, as `csv_parts`; the first one tells the types."""
    if path is None:
        yield lambda _: None
        return
    writers: list[ParquetWriter] = []
    with replacing(path) as temporary:

        def append(part: pd.DataFrame) -> None:
            if not writers:
                writers.append(
                    ParquetWriter(temporary, pa.Schema.from_pandas(part.astype(_TEXTS), preserve_index=False), compression="zstd")
                )
            writers[0].write_table(pa.Table.from_pandas(part.astype(_TEXTS), schema=writers[0].schema, preserve_index=False))

        try:
            yield append
        finally:
            for writer in writers:
                writer.close()
