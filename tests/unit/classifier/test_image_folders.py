"""Training sets as folders of images and back, put together, with what contradicts itself."""

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier import image_folders
from herdbook.classifier.crops import CropSpec
from herdbook.classifier.image_folders import check_given_set, export_images, import_images, load_set
from herdbook.classifier.merging import (
    Example,
    assemble_set,
    blocks_of,
    class_differences,
    find_contradictions,
    fit_image,
    images_twice,
    labelled_part,
    list_examples,
    merge_sets,
)
from herdbook.drawing.montage import montage
from herdbook.errors import HerdbookError

SPEC = CropSpec(40.0, (16, 24), 127)


def example(tracklet: int, frame: int, label: str, movie: str = "m1.x") -> Example:
    return Example(movie, tracklet, frame, frame / 7, label, 0.75, 12.5)


def make_set(rng: np.random.Generator, rows: list[Example], classes: tuple[str, ...] = ("A", "B", "dirt")) -> TrainingSet:
    images = rng.integers(0, 255, (len(rows), 24, 16, 3)).astype(np.uint8)
    return assemble_set(images, rows, classes, SPEC, 32.0)


ROWS = [example(3, 9, "B"), example(3, 5, "B"), example(7, 1, "A"), example(0, 0, "A", "m2")]


def test_a_set_comes_back_from_its_folder_as_it_was(rng: np.random.Generator, tmp_path: Path) -> None:
    before = make_set(rng, ROWS)
    export_images(before, tmp_path / "images")
    assert (tmp_path / "images" / "B" / "m1.x.3.9.png").is_file()
    assert (tmp_path / "images" / "dirt").is_dir()
    after = import_images(tmp_path / "images")
    for name in vars(before):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name), err_msg=name)


@pytest.mark.parametrize("name", ["../up", "../../up", "/tmp/up", "..", "a/b"])
def test_no_name_in_a_given_set_leads_out_of_the_folder(rng: np.random.Generator, tmp_path: Path, name: str) -> None:
    for what, given in (
        ("label", make_set(rng, [*ROWS, example(9, 9, name)], ("A", "B", name))),
        ("movie", make_set(rng, [*ROWS, example(9, 9, "A", name)])),
    ):
        with pytest.raises(HerdbookError, match=f"the {what} '{name}' cannot be the name of a file"):
            export_images(given, tmp_path / "a" / "images")
        assert list(tmp_path.iterdir()) == []


def test_an_image_moved_to_another_label_takes_its_origin_along(rng: np.random.Generator, tmp_path: Path) -> None:
    export_images(make_set(rng, ROWS), tmp_path)
    (tmp_path / "B" / "m1.x.3.9.png").rename(tmp_path / "dirt" / "m1.x.3.9.png")
    rows = {str(row): row for row in list_examples(import_images(tmp_path))}
    assert replace(rows["dirt/m1.x.3.9"], label="B") == ROWS[0]


def test_images_of_another_program_are_taken_by_the_names_of_their_files(rng: np.random.Generator, tmp_path: Path) -> None:
    for name in ("BG/clip_t12.trj_id1.10.png", "BG/clip_t12.trj_id1.2.png", "OO/clip_t12.trj_id2.7.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture = np.full((48, 48, 3), 255, np.uint8)
        cv2.ellipse(picture, (24, 24), (4, 16), 0, 0, 360, rng.integers(0, 200, 3).tolist(), -1)
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / "OO" / "notes.txt").write_text("no image")
    found = import_images(tmp_path)
    assert found.classes == ["BG", "OO"]
    assert [(row.label, row.tracklet, row.frame) for row in list_examples(found)] == [("BG", 0, 2), ("BG", 0, 10), ("OO", 1, 7)]
    assert '"blank": 255' in found.crops
    assert '"length_px": 48.0' in found.crops
    assert found.body_length_px == pytest.approx(32, abs=2)


def test_how_coloured_an_animal_is_does_not_count_the_ground(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    picture = np.full((48, 48, 3), 255, np.uint8)
    picture[12:36, 20:28] = (10, 60, 110)
    picture[24:36, 20:28] = (80, 80, 80)
    cv2.imwrite(str(tmp_path / "A" / "t.1.png"), picture)
    assert import_images(tmp_path).chroma == pytest.approx(100 / 2, abs=3)


def test_images_of_another_size_are_fitted_without_being_squeezed(tmp_path: Path) -> None:
    for k, side in enumerate((40, 40, 80)):
        (tmp_path / "A").mkdir(exist_ok=True)
        picture = np.zeros((side, side, 3), np.uint8)
        cv2.circle(picture, (side // 2, side // 2), side // 4, (0, 0, 255), -1)
        cv2.imwrite(str(tmp_path / "A" / f"t.{k}.png"), picture)
    found = import_images(tmp_path).images
    assert found.shape == (3, 40, 40, 3)
    areas = (found[..., 2] > 128).sum(axis=(1, 2))
    np.testing.assert_allclose(areas, np.pi * 10**2, rtol=0.1)


@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0])
def test_the_middle_of_an_image_stays_in_the_middle(zoom: float) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[8:12, 13:17] = 255
    fitted = fit_image(image, zoom, (41, 61), 0)[..., 0].astype(float)
    y, x = np.nonzero(fitted > 100)
    assert (x.mean(), y.mean()) == pytest.approx((20, 30), abs=0.6)
    assert fitted.sum() / 255 == pytest.approx(16 * zoom**2, rel=0.2)


def test_all_files_that_cannot_be_used_are_named(rng: np.random.Generator, tmp_path: Path) -> None:
    export_images(make_set(rng, ROWS), tmp_path)
    whole = (tmp_path / "A" / "m1.x.7.1.png").read_bytes()
    (tmp_path / "A" / "m1.x.7.1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "B" / "nothing.1.png").write_text("")
    (tmp_path / "B" / "unnumbered.png").write_bytes(whole)
    with pytest.raises(HerdbookError, match=r"(?s)3 files.*m1.x.7.1.png: not a readable.*nothing.1.png: not.*unnumbered.png: the name"):
        import_images(tmp_path)


def test_of_many_files_that_cannot_be_used_ten_are_named_and_the_others_counted(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    for k in range(12):
        (tmp_path / "A" / f"t.{k:02}.png").write_text("")
    with pytest.raises(HerdbookError, match=r"(?s)12 files cannot be used:.*t\.09\.png: not a readable[^\n]*\n  and 2 more$") as told:
        import_images(tmp_path)
    assert "t.10.png" not in str(told.value)


def test_a_folder_without_images_and_a_mixed_one_are_refused(rng: np.random.Generator, tmp_path: Path) -> None:
    (tmp_path / "empty" / "A").mkdir(parents=True)
    with pytest.raises(HerdbookError, match="holds no images"):
        import_images(tmp_path / "empty")
    with pytest.raises(HerdbookError, match="no such folder"):
        import_images(tmp_path / "none")
    export_images(make_set(rng, ROWS), tmp_path / "mixed")
    other = make_set(rng, [example(8, 8, "A")])
    other.body_length_px = 50.0
    export_images(other, tmp_path / "other")
    (tmp_path / "other" / "A" / "m1.x.8.8.png").rename(tmp_path / "mixed" / "A" / "m1.x.8.8.png")
    with pytest.raises(HerdbookError, match=r"m1.x.8.8.png: this image was made in another way.*trainset merge"):
        import_images(tmp_path / "mixed")


def test_images_are_not_mixed_with_old_ones(rng: np.random.Generator, tmp_path: Path) -> None:
    (tmp_path / "old.png").write_text("")
    with pytest.raises(HerdbookError, match="not an empty folder"):
        export_images(make_set(rng, ROWS), tmp_path)


def test_the_labelled_part_keeps_who_is_seen_together(rng: np.random.Generator) -> None:
    before = make_set(rng, [example(k, 0, "A") for k in range(5)])
    before.label = np.array([0, -1, 1, 1, 0], np.int32)
    before.coexisting = np.array([[0, 1], [0, 2], [2, 4], [3, 4]], np.int32)
    found = labelled_part(before)
    assert found.group_tracklet.tolist() == [0, 2, 3, 4]
    assert found.coexisting.tolist() == [[0, 1], [1, 3], [2, 3]]
    assert found.label.tolist() == [0, 1, 1, 0]


def test_contradictions_are_found_and_unreadable_images_are_none(rng: np.random.Generator) -> None:
    rows = [example(1, 0, "A"), example(1, 1, "B"), example(2, 0, "A"), example(2, 1, "unreadable"), example(3, 0, "A"), example(4, 0, "B")]
    images = rng.integers(0, 255, (6, 24, 16, 3)).astype(np.uint8)
    images[5] = images[4]
    found = find_contradictions(images, rows)
    assert list(found.values()) == [[0, 1], [4, 5]]
    told = list(found)
    assert told[0] == "tracklet 1 of m1.x: 1 images A and 1 images B"
    assert told[1] == "one image: A/m1.x.3.0 = B/m1.x.4.0"


def test_a_set_merged_with_itself_is_itself(rng: np.random.Generator) -> None:
    one = make_set(rng, ROWS)
    merged = merge_sets(one, one, rename={}, leave_out=False)
    assert len(merged.twice) == merged.left_out == len(ROWS)
    assert not merged.contradictions
    for name in vars(one):
        np.testing.assert_array_equal(getattr(merged.examples, name), getattr(one, name), err_msg=name)


def test_merging_keeps_all_images_and_new_labels_and_numbers_groups_anew(rng: np.random.Generator) -> None:
    a, b = make_set(rng, ROWS), make_set(rng, [example(3, 20, "C"), example(9, 1, "B")], ("C", "B"))
    assert class_differences(("a", "b"), a.classes, b.classes) == ["only in a: A, dirt", "only in b: C"]
    merged = merge_sets(a, b, rename={"m1.x": "m1.x (2)"}, leave_out=False)
    assert merged.examples.classes == ["A", "B", "dirt", "C"]
    rows = {str(row) for row in list_examples(merged.examples)}
    assert rows == {*map(str, ROWS), "C/m1.x (2).3.20", "B/m1.x (2).9.1"}
    assert merged.left_out == 0
    assert len(merged.examples.group_movie) == merged.examples.group.max() + 1 == 5


def test_contradictory_images_are_left_out_only_if_asked_for(rng: np.random.Generator) -> None:
    a, b = make_set(rng, ROWS), make_set(rng, [example(3, 20, "A")])
    kept = merge_sets(a, b, rename={}, leave_out=False)
    assert len(kept.contradictions) == 1
    assert len(kept.examples.label) == 5
    cleaned = merge_sets(a, b, rename={}, leave_out=True)
    assert {row.tracklet for row in list_examples(cleaned.examples)} == {7, 0}
    assert cleaned.left_out == 3


def test_images_of_larger_animals_are_fitted_to_those_of_the_first_set(rng: np.random.Generator) -> None:
    a = make_set(rng, ROWS)
    picture = np.full((1, 48, 32, 3), 127, np.uint8)
    picture[0, 14:34, 12:20] = (0, 0, 255)
    # Twice as long in px, on images of twice the size that show the same part of the body.
    b = assemble_set(picture, [example(1, 1, "A")], a.classes, CropSpec(80.0, (32, 48), 127), 64.0)
    merged = merge_sets(a, b, rename={}, leave_out=False).examples
    shown = merged.images[(merged.group_tracklet[merged.group] == 1)][0]
    y, x = np.nonzero(shown[..., 2].astype(int) - shown[..., 0] > 120)
    assert (np.ptp(y) + 1, np.ptp(x) + 1) == (10, 4)


def test_images_that_are_there_twice_are_found(rng: np.random.Generator) -> None:
    images = rng.integers(0, 255, (5, 4, 4, 3)).astype(np.uint8)
    images[3] = images[1]
    assert [same.tolist() for same in images_twice(images)] == [[1, 3]]


def test_a_given_set_must_show_all_animals(rng: np.random.Generator) -> None:
    found = make_set(rng, ROWS)
    check_given_set(found, Path("s.h5"), ["A", "B"])
    with pytest.raises(HerdbookError, match=r"s.h5: .* no images of dirt, C\. It has images of A, B"):
        check_given_set(found, Path("s.h5"), ["A", "dirt", "C"])


def test_a_montage_shows_every_image_under_its_tracklet(rng: np.random.Generator) -> None:
    found = make_set(rng, [*ROWS, example(7, 2, "B")])
    blocks = blocks_of(found, 1)
    assert [(caption.split(",")[1], len(images)) for caption, images in blocks] == [(" tracklet 3", 2), (" tracklet 7", 1)]
    assert blocks[1][0].endswith("also labelled A")
    picture = montage(blocks, columns=1, zoom=1)
    for image in np.concatenate([images for _, images in blocks]):
        assert any((picture[y : y + 24, 2:18] == image).all() for y in range(len(picture) - 23))


def write_header(path: Path, width: int, height: int) -> None:
    """A PNG whose header says another size than its pixels have."""
    data = path.read_bytes()
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    path.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])


def test_an_image_that_is_no_animal_is_not_decoded(tmp_path: Path, rng: np.random.Generator) -> None:
    export_images(make_set(rng, ROWS), tmp_path / "set")
    write_header(tmp_path / "set" / "A" / "m1.x.7.1.png", 30_000, 30_000)
    write_header(tmp_path / "set" / "B" / "m1.x.3.9.png", 12_000, 900)
    with pytest.raises(HerdbookError, match=r"(?s)2 files.*m1.x.7.1.png: .*\n.*m1.x.3.9.png: 12000 x 900 px; the image of an animal"):
        import_images(tmp_path / "set")


def test_pixels_of_all_images_are_bounded_before_any_is_read(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_images(make_set(rng, ROWS), tmp_path / "set")
    monkeypatch.setattr(image_folders, "MOST_PIXELS", 4 * 16 * 24 - 1)
    monkeypatch.setattr(image_folders, "_read", lambda path: pytest.fail("an image was decoded"))
    with pytest.raises(HerdbookError, match="set: its images have 0 million pixels, at most 0 million are read"):
        import_images(tmp_path / "set")


@pytest.mark.parametrize("size", [[10**6, 10**6], "x"])
def test_a_note_that_asks_for_huge_images_is_refused(tmp_path: Path, rng: np.random.Generator, size: object) -> None:
    export_images(make_set(rng, ROWS), tmp_path / "set")
    image = tmp_path / "set" / "A" / "m1.x.7.1.png"
    with PIL.Image.open(image) as picture:
        note = json.loads(picture.info["herdbook"])
        note["crops"]["size"] = size
        info = PngInfo()
        info.add_text("herdbook", json.dumps(note))
        picture.save(image, pnginfo=info)
    with pytest.raises(HerdbookError, match=r"1 files cannot be used:\n.*m1.x.7.1.png: not a readable image"):
        import_images(tmp_path / "set")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"label": np.array([0, 1, 2, 99], np.int32)}, "label from 0 to 99, there are 3"),
        ({"group": np.array([0, 1], np.int32)}, "their lengths are"),
        ({"group_movie": np.array([-1, 0, 0], np.int32)}, "group_movie from -1"),
        ({"images": np.zeros((4, 24, 16), np.uint8)}, "images of the shape"),
        ({"crops": "{}"}, "size"),
    ],
)
def test_a_given_set_that_does_not_fit_together_is_refused(
    tmp_path: Path, rng: np.random.Generator, changes: dict[str, Any], expected: str
) -> None:
    replace(make_set(rng, ROWS), **changes).save(tmp_path / "set.h5", Provenance("trainset", 1))
    with pytest.raises(HerdbookError, match=rf"set\.h5: the columns of the training set do not fit together \(.*{expected}"):
        load_set(tmp_path / "set.h5")


def test_a_given_set_of_packed_nothing_is_not_read(tmp_path: Path, rng: np.random.Generator) -> None:
    with columns_writer(tmp_path / "set.h5", "trainset", Provenance("trainset", 1)) as writer:
        for _ in range(20):
            writer.append("images", np.zeros((5000, 48, 32, 3), np.uint8))
    with pytest.raises(HerdbookError, match=r"set\.h5: .*/images says that it holds .* values, which are not there"):
        load_set(tmp_path / "set.h5")
