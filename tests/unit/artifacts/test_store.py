"""Artifacts: complete or absent, the same bytes for the same data, and a clear message for a file that is not what it should be."""

import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import h5py
import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import Artifact, Provenance, artifact_fingerprint, columns_writer, open_artifact, read_attributes
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.errors import HerdbookError
from herdbook.system.files import replacing, write_text
from herdbook.system.fingerprints import file_fingerprint
from tests.conftest import dtype_of
from tests.support.segment_files import write_segment

IN_MEMORY = [Index, Background, Tracklets, TrainingSet, Evidence, Identities, Trajectories]
PROVENANCE = Provenance("stage", 3, '{"difference": 25}', 7, {"movie/m.mp4": "abc"})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_column_that_is_a_group_is_reported(tmp_path: Path) -> None:
    example(Index, 3).save(tmp_path / "a.h5", PROVENANCE)
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        del file["pts"]
        file.create_group("pts")
    for without in ((), ("pts",)):
        with pytest.raises(
            HerdbookError, match=r"a\.h5: not a readable artifact \(/pts holds other datasets.*the rule 'index' makes it again"
        ):
            Index.load(tmp_path / "a.h5", without=without)


def example(kind: type[Artifact], rows: int) -> Artifact:
    """An artifact with a random array, of the declared dtype, in every array field."""
    rng = np.random.default_rng(rows)
    shapes = {"luma": (6, 5), "bgr": (6, 5, 3), "images": (rows, 4, 4, 3), "edges": (rows, 2), "border_edges": (rows, 2)}
    shapes |= {"log_likelihood": (rows, 3), "blob_log_likelihood": (rows, 3), "coexisting": (rows, 2)}
    if kind is Evidence:
        shapes["images"] = (rows,)
    made: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        if name not in {item.name for item in fields(kind)}:
            continue
        plain = {int: 12, float: 29.97, str: "é µ", bool: True, list[str]: ["A", "B é", ""]}
        if hint in plain:
            made[name] = plain[hint]
        else:
            array = next((part for part in get_args(hint) if hasattr(part, "__args__")), hint) if type(None) in get_args(hint) else hint
            dtype = dtype_of(array)
            made[name] = rng.integers(0, 2 if dtype.kind == "b" else 100, shapes.get(name, (rows,))).astype(dtype)
    return kind(**made)


def assert_same(one: Artifact, other: Artifact) -> None:
    for item in fields(one):
        here, there = getattr(one, item.name), getattr(other, item.name)
        assert type(here) is type(there), item.name
        if isinstance(here, np.ndarray):
            assert here.dtype == there.dtype, item.name
            np.testing.assert_array_equal(here, there, err_msg=item.name)
        else:
            assert here == there, item.name


@pytest.mark.parametrize("rows", [0, 3, 30_000])
@pytest.mark.parametrize("kind", IN_MEMORY)
def test_what_is_saved_is_loaded(tmp_path: Path, kind: type[Artifact], rows: int) -> None:
    saved = example(kind, rows)
    saved.save(tmp_path / "a.h5", PROVENANCE)
    assert_same(saved, kind.load(tmp_path / "a.h5"))


def test_blobs_come_back_with_their_outlines_and_images(tmp_path: Path) -> None:
    path = tmp_path / "blobs.h5"
    numbers = {"frames": 3, "width": 9, "height": 8, "fps": 25.0}
    one_blob = {name: np.array([1], np.int32) for name in ("frame", "area", "arena")}
    one_blob |= {name: np.array([2.5]) for name in ("x", "y", "contrast", "intensity")}
    one_blob |= {"box": np.array([[2, 1, 4, 3]], np.int32), "moments": np.ones((1, 3)), "border": np.array([False]), "image": np.array([0])}
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    write_segment(path, one_blob, np.array([[1, 2, 3], [2, 3, 3]]), np.array([0, 2]), [(0, one_blob["box"][0], pixels)], **numbers)
    blobs = Blobs.load(path)
    assert {name: getattr(blobs, name) for name in numbers} == numbers
    for name, values in one_blob.items():
        np.testing.assert_array_equal(getattr(blobs, name), values)
    np.testing.assert_array_equal(blobs.frame_offsets, [0, 0, 1, 1])
    with open_blob_images(path) as stored:
        image = stored.image(0)
    np.testing.assert_array_equal(image.mask, [[True, True], [False, True]])
    np.testing.assert_array_equal(image.pixels.ravel(), np.arange(12))


def test_appended_rows_equal_rows_written_at_once(tmp_path: Path, rng: np.random.Generator) -> None:
    values = rng.integers(0, 255, (1000, 3)).astype(np.int32)
    with columns_writer(tmp_path / "a.h5", "kind", PROVENANCE) as writer:
        for part in np.split(values, [0, 1, 1, 700]):
            writer.append("values", part)
    with open_artifact(tmp_path / "a.h5", "kind") as file:
        np.testing.assert_array_equal(file["values"][...], values)


def test_the_file_names_its_origin(tmp_path: Path) -> None:
    example(Index, 3).save(tmp_path / "a.h5", PROVENANCE)
    with h5py.File(tmp_path / "a.h5") as file:
        attributes = read_attributes(file)
    assert attributes["artifact"] == "index"
    for name, value in PROVENANCE.attributes().items():
        assert attributes[name] == value


def test_a_long_list_of_notes_fits(tmp_path: Path) -> None:
    saved = example(TrainingSet, 3)
    assert isinstance(saved, TrainingSet)
    saved.notes = [f"line {line}: no blob here" for line in range(20_000)]
    saved.save(tmp_path / "a.h5", PROVENANCE)
    assert TrainingSet.load(tmp_path / "a.h5").notes == saved.notes


def test_a_small_artifact_is_a_small_file(tmp_path: Path) -> None:
    example(Tracklets, 3).save(tmp_path / "a.h5", PROVENANCE)
    assert (tmp_path / "a.h5").stat().st_size < 32_000


def test_the_same_data_make_the_same_bytes_at_any_time(tmp_path: Path) -> None:
    for kind in IN_MEMORY:
        example(kind, 30_000).save(tmp_path / "a" / f"{kind.kind}.h5", PROVENANCE)
    time.sleep(1.1)  # HDF5 counts time in whole seconds
    for kind in IN_MEMORY:
        example(kind, 30_000).save(tmp_path / "b" / f"{kind.kind}.h5", PROVENANCE)
        one, other = (tmp_path / folder / f"{kind.kind}.h5" for folder in "ab")
        assert one.read_bytes() == other.read_bytes()
        assert artifact_fingerprint(one) == artifact_fingerprint(other)


@pytest.mark.parametrize("change", ["value", "dtype", "column", "text", "settings"])
def test_any_difference_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    def write(path: Path, changed: bool) -> str:
        values = np.arange(5, dtype=np.int64 if changed and change == "dtype" else np.int32)
        values[2] += changed and change == "value"
        settings = "{}" if changed and change == "settings" else PROVENANCE.settings
        with columns_writer(path, "kind", Provenance("stage", 3, settings)) as writer:
            writer.append("b" if changed and change == "column" else "a", values)
            writer.attribute("text", "new" if changed and change == "text" else "old")
        return artifact_fingerprint(path)

    assert write(tmp_path / "a.h5", False) == write(tmp_path / "b.h5", False)
    assert write(tmp_path / "a.h5", False) != write(tmp_path / "b.h5", True)


def fail_in_columns(path: Path) -> None:
    with columns_writer(path, "kind", PROVENANCE) as writer:
        writer.append("a", np.arange(3))
        raise RuntimeError("killed")


def fail_in_replacing(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("killed")


def fail_in_save(path: Path) -> None:
    broken = example(Index, 3)
    broken.codec = object()  # type: ignore[attr-defined]
    broken.save(path, PROVENANCE)


@pytest.mark.parametrize("fail", [fail_in_columns, fail_in_replacing, fail_in_save])
@pytest.mark.parametrize("before", [None, b"the last good one"])
def test_a_writer_that_fails_leaves_all_as_it_was(tmp_path: Path, fail: Callable[[Path], None], before: bytes | None) -> None:
    path = tmp_path / "a.h5"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises((RuntimeError, TypeError)):
        fail(path)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_file_being_written_does_not_have_its_final_name(tmp_path: Path) -> None:
    with columns_writer(tmp_path / "a.h5", "kind", PROVENANCE) as writer:
        writer.append("a", np.arange(3))
        assert not list(tmp_path.glob("*.h5"))
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.h5"]


def test_text_is_written_with_its_folders(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.csv", "é\n")
    assert (tmp_path / "new" / "a.csv").read_bytes() == "é\n".encode()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_names_the_rule_that_makes_it(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.h5"
    example(Tracklets, 20_000).save(path, PROVENANCE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(HerdbookError, match=r"a\.h5: not a readable artifact .* the rule 'tracklets' makes it again"):
        Tracklets.load(path)
    with pytest.raises(HerdbookError, match=r"a\.h5: not a readable artifact"):
        artifact_fingerprint(path)


def test_a_file_with_a_broken_byte_is_reported_or_harmless(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "a.h5"
    example(Index, 20_000).save(path, PROVENANCE)
    whole = path.read_bytes()
    reported = 0
    for place in rng.integers(0, len(whole), 150):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            Index.load(path)
        except HerdbookError as error:
            reported += "the rule 'index' makes it again" in str(error)
    assert reported > 100


def test_an_artifact_of_another_kind_is_reported(tmp_path: Path) -> None:
    example(Index, 3).save(tmp_path / "a.h5", PROVENANCE)
    with pytest.raises(HerdbookError, match="expected an artifact of 'tracklets', found 'index'"):
        Tracklets.load(tmp_path / "a.h5")


def test_a_foreign_hdf5_file_is_reported(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["values"] = np.arange(3)
    with pytest.raises(HerdbookError, match="expected an artifact of 'index', found 'something else'"):
        Index.load(tmp_path / "a.h5")


@pytest.mark.parametrize("kind", [Index, Blobs])
def test_a_missing_file_names_the_rule_that_makes_it(tmp_path: Path, kind: type[Index | Blobs]) -> None:
    with pytest.raises(HerdbookError, match=f"no such file.*'{kind.kind}'"):
        kind.load(tmp_path / "a.h5")


@pytest.mark.parametrize("kind", [Index, Blobs])
def test_missing_columns_name_the_rule_that_makes_them(tmp_path: Path, kind: type[Index | Blobs]) -> None:
    with columns_writer(tmp_path / "a.h5", kind.kind, PROVENANCE) as writer:
        writer.append("frame", np.arange(3))
    with pytest.raises(HerdbookError, match=f"the rule '{kind.kind}' makes it again"):
        kind.load(tmp_path / "a.h5")


def test_a_fault_of_the_reader_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    example(Index, 3).save(tmp_path / "a.h5", PROVENANCE)
    for fault in (KeyError("difference"), OSError(28, "No space left on device"), OSError("Can't synchronously write data")):
        with pytest.raises(type(fault)) as caught, open_artifact(tmp_path / "a.h5", "index"):
            raise fault
        assert caught.value is fault


def test_a_movie_is_identified_by_its_content(tmp_path: Path, rng: np.random.Generator) -> None:
    path, copy = tmp_path / "a.mp4", tmp_path / "b.mp4"
    content = bytearray(rng.bytes(300_000))
    path.write_bytes(content)
    copy.write_bytes(content)
    assert file_fingerprint(path) == file_fingerprint(copy) == artifact_fingerprint(path)
    content[-1] ^= 1
    copy.write_bytes(content)
    assert file_fingerprint(path) != file_fingerprint(copy)
    copy.write_bytes(content[:-1])
    assert file_fingerprint(path) != file_fingerprint(copy)


def test_a_change_anywhere_in_a_movie_of_a_mebibyte_is_seen(tmp_path: Path) -> None:
    path, block = tmp_path / "a.mp4", 64 * 1024
    path.write_bytes(bytes(16 * block))
    seen = {file_fingerprint(path)}
    for k in range(16):
        content = bytearray(16 * block)
        content[k * block + 17 * k] = 1
        path.write_bytes(content)
        seen.add(file_fingerprint(path))
    assert len(seen) == 17


def test_the_end_of_a_long_movie_is_seen(tmp_path: Path) -> None:
    path, content = tmp_path / "a.mp4", bytearray(3 * 1024 * 1024)
    path.write_bytes(content)
    before = file_fingerprint(path)
    content[-1] = 1
    path.write_bytes(content)
    assert file_fingerprint(path) != before


def test_a_folder_of_images_is_identified_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"123")
    before = file_fingerprint(tmp_path)
    assert file_fingerprint(tmp_path) == before
    (tmp_path / "1.png").write_bytes(b"123")
    assert file_fingerprint(tmp_path) != before
