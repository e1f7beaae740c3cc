"""HDF5 files on a full disk: the error is raised, and the process does not crash."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from herdbook.system.hdf5 import new_hdf5

# Writes two columns in turns into a file that may have so many bytes, and ends as any program does.
WRITING = """
import resource, sys
from pathlib import Path
import numpy as np
from herdbook.errors import HerdbookError
from herdbook.artifacts.store import Provenance, columns_writer

limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
rng = np.random.default_rng(0)
try:
    with columns_writer(Path(sys.argv[1]), "made", Provenance("made", 1)) as writer:
        for _ in range(20):
            writer.append("a", rng.random((1000, 3)))
            writer.append("b", rng.random(1000))
except HerdbookError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [100, 5_000, 100_001, 300_000, 548_000, 10_000_000])
def test_a_process_whose_file_may_not_grow_reports_it_and_ends_normally(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "made.h5"
    done = subprocess.run([sys.executable, "-c", WRITING, str(path), str(limit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if limit == 10_000_000:
        assert done.stdout == ""
        assert [entry.name for entry in tmp_path.iterdir()] == ["made.h5"]
    else:
        assert f"{path}: cannot be written: file too large" in done.stdout
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("newest", [False, True])
def test_what_is_written_is_read_back_and_the_same_data_makes_the_same_bytes(tmp_path: Path, newest: bool) -> None:
    values = np.random.default_rng(0).random((5000, 7))
    for name in ("one.h5", "other.h5"):
        with new_hdf5(tmp_path / name, newest=newest) as new:
            column = new.file.create_dataset("column", shape=(0, 7), maxshape=(None, 7), dtype="f8", chunks=(100, 7), compression="gzip")
            for start in range(0, 5000, 500):
                column.resize(start + 500, axis=0)
                column[start:] = values[start : start + 500]
            new.file.attrs["note"] = "ä" * 1000
    with h5py.File(tmp_path / "one.h5") as file:
        np.testing.assert_array_equal(file["column"][...], values)
        assert file.attrs["note"] == "ä" * 1000
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()
