"""HDF5 files on a full disk: the error is raised, and the process does not crash; files that lead elsewhere or lie are refused."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from herdbook.errors import HerdbookError
from herdbook.system import hdf5
from herdbook.system.hdf5 import list_objects, new_hdf5, open_hdf5, read_dataset

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


def put_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[...] = h5py.VirtualSource("other.h5", "/values", (4,))
    file.create_virtual_dataset("a", layout)


def put_second_name(file: h5py.File) -> None:
    file["a"] = np.zeros(3)
    file["b"] = file["a"]


def put_repeated_text(file: h5py.File) -> None:
    group = file.create_group("g")
    group.attrs.create("many", np.array(["x" * 60_000] * 4000, object), dtype=h5py.string_dtype())


FOREIGN = {
    "soft link": (lambda file: file.__setitem__("a", h5py.SoftLink("/b")), "/a is a link"),
    "external link": (lambda file: file.__setitem__("a", h5py.ExternalLink("other.h5", "/values")), "/a is a link"),
    "link in a group": (lambda file: file.create_group("g").__setitem__("a", h5py.SoftLink("/")), "/g/a is a link"),
    "external storage": (lambda file: file.create_dataset("a", (4,), "f8", external=[("raw", 0, 32)]), "/a has its values in other files"),
    "virtual dataset": (put_virtual, "/a has its values in other files"),
    "second name": (put_second_name, "/b is a dataset with several names"),
    "repeated text": (put_repeated_text, "the attribute many of /g is a list of 4000 texts"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_file_that_leads_elsewhere_is_refused(tmp_path: Path, case: str) -> None:
    make, expected = FOREIGN[case]
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        make(file)
    with pytest.raises(HerdbookError, match=rf"a\.h5: .*{expected}.*write the file again"), open_hdf5(tmp_path / "a.h5"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h5"]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_file_without_links_is_opened_and_a_group_may_hold_itself(tmp_path: Path, libver: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        for number in range(30):
            file[f"d{number}"] = np.arange(number)
            file.attrs[f"a{number}"] = "text"
        file["g/inner/d"] = [1.0]
        file["g/inner/up"] = file["g"]
        file.create_dataset("empty", data=h5py.Empty("f8"))
    with open_hdf5(tmp_path / "a.h5") as file:
        names = [part.name for part in list_objects(file)]
    assert len(names) == len(set(names)) == 35
    assert {"/", "/g", "/g/inner", "/g/inner/d", "/empty", "/d29"} <= set(names)


def test_values_that_are_not_there_are_not_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("unwritten", (2**40, 2**20), "f8", chunks=(64, 64))
        file.create_dataset("small", (1000,), "f8", chunks=(64,))
        file.create_dataset("overflow", (2**61, 2**61), "f8", chunks=(2, 2))
        file["text"] = np.array(["a"], object)
        file["number"] = 4
    with open_hdf5(tmp_path / "a.h5") as file:
        for name in ("unwritten", "overflow"):
            with pytest.raises(ValueError, match=f"/{name} says that it holds .* values, which are not there: 0 bytes are stored"):
                read_dataset(file[name])
        with pytest.raises(ValueError, match="variable length"):
            read_dataset(file["text"])
        assert read_dataset(file["small"]).tolist() == [0] * 1000
        assert read_dataset(file["number"]) == 4


def test_no_other_module_opens_an_hdf5_file() -> None:
    source = Path(hdf5.__file__).parents[1]
    opening = [path.relative_to(source).as_posix() for path in sorted(source.rglob("*.py")) if "h5py.File(" in path.read_text("utf-8")]
    assert opening == ["system/hdf5.py"]
