"""The stage segment on small lossless movies whose animals are known to the pixel."""

import numpy as np
import pytest

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.store import artifact_fingerprint
from herdbook.artifacts.tracklets import Tracklets
from herdbook.geometry.runs import runs_to_mask
from herdbook.movie.frame import planes_to_bgr
from herdbook.movie.reading import read_frames
from herdbook.segmentation import pieces, stretches
from herdbook.segmentation.thresholds import luma_band
from herdbook.stages import background, index, segment, tracklets

SIZE, GROUND = (160, 120), 160
GREY = {"codec": "ffv1", "pixel_format": "gray"}  # full range: luma is grey
PASSING = [[(20 + 4 * t, 40, 12, 5, 20), (140 - 4 * t, 80, 12, 5, 0)] for t in range(30)]


def run(main, settings, *, threads=1, **files):
    """Run a stage on files by option, each one path or a list of them."""
    parts = [[f"--{name}", *map(str, paths if isinstance(paths, list) else [paths])] for name, paths in files.items()]
    main([*(part for option in parts for part in option), "--settings", settings, "--threads", str(threads)])


def paint(mask, level, ground=GROUND):
    return np.where(mask, level, ground).astype(np.uint8)


@pytest.fixture
def make(tmp_path, write_movie, stage_settings):
    """Index, background and segment artifacts of a movie of grey or colour images; the background may be another one."""

    def settings(stage, *, arenas=(), **segment):
        return stage_settings(stage, arenas=list(arenas), segment={"area": (1, 100_000)} | segment)

    def build(images, *, empty=None, options=None, **section):
        movie = write_movie("m.mkv", images, **(options or {}))
        source = movie if empty is None else write_movie("empty.mkv", [empty], **(options or {}))
        for path in (movie, source):
            run(index.main, settings("index"), movie=path, out=path.with_suffix(".h5"))
        times = source.with_suffix(".h5")
        files = {"movie": [source], "index": [times], "reference": times}
        run(background.main, settings("background", **section), **files, out=tmp_path / "background.h5")
        return again(**section)

    def again(*, threads=1, **section):
        files = {"movie": tmp_path / "m.mkv", "index": tmp_path / "m.h5", "background": tmp_path / "background.h5"}
        run(segment.main, settings("segment", **section), **files, out=tmp_path / "segment" / "m.h5", threads=threads)
        return tmp_path / "segment" / "m.h5"

    build.again = again
    return build


def masks_of(path):
    """The union of all blobs of each frame."""
    blobs = Blobs.load(path)
    masks = np.zeros((blobs.frames, blobs.height, blobs.width), bool)
    with open_blob_images(path) as images:
        runs, offsets = images.runs(0, len(blobs))
    for blob, frame in enumerate(blobs.frame):
        masks[frame] |= runs_to_mask(runs[offsets[blob] : offsets[blob + 1]], 0, 0, blobs.width, blobs.height)
    return masks


def patches(levels, ground=GROUND):
    """An image with a 10 px square of each level in a row, and the places (x) of the squares."""
    image = np.full(SIZE[::-1], ground, np.uint8)
    places = [8 + 15 * k for k in range(len(levels))]
    for x, level in zip(places, levels, strict=True):
        image[50:60, x : x + 10] = level
    return image, places


def levels_found(path, levels, places):
    return [level for level, x in zip(levels, places, strict=True) if np.isin(x + 4.5, Blobs.load(path).x)]


@pytest.mark.parametrize(("polarity", "found"), [("dark", [40]), ("bright", [250]), ("either", [40, 250])])
@pytest.mark.parametrize("options", [{}, GREY], ids=["colour", "grey"])
def test_polarity_decides_which_animals_are_found(make, polarity, found, options):
    image, places = patches([40, 250])
    path = make([image], empty=np.full_like(image, GROUND), options=options, polarity=polarity)
    assert levels_found(path, [40, 250], places) == found


def test_the_smallest_difference_counts(make):
    levels = [GROUND - 26, GROUND - 25, GROUND - 24, GROUND + 24, GROUND + 25, GROUND + 26]
    image, places = patches(levels)
    path = make([image], empty=np.full_like(image, GROUND), options=GREY, polarity="either", difference=25)
    assert levels_found(path, levels, places) == [134, 135, 185, 186]


def test_differences_are_grey_levels_in_movies_of_limited_range(make):
    levels = [GROUND - 27, GROUND - 23]  # luma spans 219 steps: 23 and 20 of luma
    image, places = patches(levels)
    path = make([image], empty=np.full_like(image, GROUND), difference=25)
    assert levels_found(path, levels, places) == [133]
    assert Blobs.load(path).contrast[0] == pytest.approx(27, abs=0.7)


@pytest.mark.parametrize(
    ("band", "found"),
    [((40, 90), [40, 65, 90]), ((0, 90), [20, 39, 40, 65, 90]), ((90, 255), [90, 91, 200, 255]), ((200, 200), [200])],
)
def test_a_band_of_intensities_selects_the_levels_inside_it(make, band, found):
    levels = [20, 39, 40, 65, 90, 91, 200, 255]
    image, places = patches(levels, ground=150 if band[1] < 150 else 5)
    path = make([image], options=GREY, method="intensity", intensity=band)
    assert levels_found(path, levels, places) == found


def test_a_band_is_in_grey_levels_in_movies_of_limited_range_too(make):
    levels = [30, 50, 80, 100]
    image, places = patches(levels)
    assert levels_found(make([image], method="intensity", intensity=(40, 90)), levels, places) == [50, 80]


def test_black_and_white_have_no_end_in_luma():
    assert luma_band((0, 255), full_range=False) == (0, 255)
    assert luma_band((40, 90), full_range=True) == (40, 90)
    assert luma_band((40, 90), full_range=False) == (51, 93)


def test_a_colour_as_bright_as_the_ground_is_found_by_its_channels(make, draw):
    mask = draw([(80, 60, 20, 10, 0)], SIZE)
    image = np.full((*SIZE[::-1], 3), 120, np.uint8)
    image[mask] = (240, 100, 114)  # luma of the ground
    options = {"pixel_format": "yuv444p"}
    path = make([image], empty=np.full_like(image, 120), options=options, channel="colour", polarity="either", difference=60)
    assert np.array_equal(masks_of(path)[0], mask)
    dot = image.copy()
    dot[4:8, 4:8] = 0
    assert len(Blobs.load(make([dot], empty=np.full_like(image, 120), options=options, channel="grey", difference=60))) == 1


def test_runs_reproduce_the_masks_of_the_animals(make, draw):
    masks = [draw(animals, SIZE) for animals in PASSING]
    path = make([paint(mask, 50) for mask in masks])
    assert np.array_equal(masks_of(path), masks)
    blobs = Blobs.load(path)
    assert blobs.area.sum() == np.sum(masks)
    assert (blobs.frames, blobs.width, blobs.height, blobs.fps) == (30, *SIZE, 20)
    assert blobs.frame.tolist() == sorted(blobs.frame.tolist())
    assert np.array_equal(blobs.frame_offsets, np.cumsum([0, *np.bincount(blobs.frame)]))


def test_only_what_lies_in_the_arena_is_found(make, draw):
    disc = {"ellipse": {"centre": [80, 60], "axes": [50, 50], "angle": 0}}
    hole = {"polygon": [[60, 40], [80, 40], [80, 60], [60, 60]]}
    animals = draw([(5, 5, 4, 4, 0), (32, 60, 9, 4, 0), (70, 50, 5, 5, 0), (110, 60, 6, 4, 0)], SIZE)
    arena = [{"name": "dish", "include": [disc], "exclude": [hole]}]
    path = make([paint(animals, 50)], empty=paint(animals, GROUND), arenas=arena)
    inside = draw([(80, 60, 50, 50, 0)], SIZE)
    inside[40:60, 60:80] = False
    assert np.array_equal(masks_of(path)[0], animals & inside)
    blobs = Blobs.load(path)
    assert (blobs.arena == 0).all()
    by_place = {round(float(x)): bool(border) for x, border in zip(blobs.x, blobs.border, strict=True)}
    assert by_place[110] is False
    assert [border for x, border in by_place.items() if x < 60] == [True]


def test_blobs_at_the_edge_of_the_frame_are_marked(make, draw):
    animals = [(0, 40, 8, 4, 0), (80, 4, 8, 4, 0), (80, 60, 8, 4, 0), (155, 90, 4, 4, 0), (40, 114, 4, 4, 0)]
    image = paint(draw(animals, SIZE), 50)
    blobs = Blobs.load(make([image], empty=paint(image > 0, GROUND)))
    assert dict(zip(blobs.y.round().astype(int).tolist(), blobs.border.tolist(), strict=True)) == {
        4: True,
        40: True,
        60: False,
        90: True,
        114: False,
    }


@pytest.mark.parametrize(("close", "number"), [(0, 2), (1, 1)])
def test_closing_joins_the_halves_of_an_animal(make, draw, close, number):
    mask = draw([(80, 60, 20, 10, 0)], SIZE)
    mask[:, 80] = False
    blobs = Blobs.load(make([paint(mask, 50)], empty=paint(mask, GROUND), close=close))
    assert len(blobs) == number


@pytest.mark.parametrize(("area", "found"), [((100, 1000), [40]), ((1, 99), [60]), ((99, 100), [40, 60])])
def test_areas_outside_of_the_bounds_are_no_blobs(make, area, found):
    image, places = patches([40, 60])
    image[59, places[1]] = GROUND  # 99 px
    path = make([image], empty=np.full_like(image, GROUND), options=GREY, area=area)
    assert Blobs.load(path).intensity.tolist() == found


def test_no_blob_at_all_is_a_clear_error_and_leaves_nothing(tmp_path, make, draw, capsys):
    with pytest.raises(SystemExit) as stopped:
        make([paint(draw(animals, SIZE), 50) for animals in PASSING], empty=np.full(SIZE[::-1], GROUND, np.uint8), polarity="bright")
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "m.mkv: no blob was found in 30 frames" in message
    assert "segment.polarity (bright)" in message
    assert not list((tmp_path / "segment").glob("*"))


def test_an_arena_outside_the_frame_is_a_clear_error(tmp_path, make, draw, capsys):
    arena = [{"name": "dish", "include": [{"ellipse": {"centre": [400, 300], "axes": [90, 90], "angle": 0}}]}]
    with pytest.raises(SystemExit) as stopped:
        make([paint(draw(PASSING[0], SIZE), 50)], arenas=arena)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "m.mkv: the arenas do not fit the frame" in message
    assert "arena 'dish', include 1 (ellipse)" in message
    assert not (tmp_path / "segment" / "m.h5").exists()


def test_a_movie_that_ends_early_leaves_no_artifact(tmp_path, make, draw, write_movie, capsys):
    images = [paint(draw(animals, SIZE), 50) for animals in PASSING]
    path = make(images)
    path.unlink()
    write_movie("m.mkv", images[:20])
    with pytest.raises(SystemExit) as stopped:
        make.again()
    assert stopped.value.code == 2
    assert "m.mkv" in capsys.readouterr().err
    assert not list(path.parent.glob("*.h5*"))


# Images of blobs


def walkers(rng, frames=60):
    """Animals that walk into and through each other, now and then unseen."""
    walks = np.array([80, 60]) + np.cumsum(rng.normal(0, 4, (frames, 4, 2)), axis=0)
    return [[(x, y, 10, 4, rng.uniform(0, 180)) for x, y in at if rng.random() < 0.95] for at in walks]


def test_every_tracklet_has_an_image_at_its_start_and_end(tmp_path, make, draw, rng, stage_settings):
    path = make([paint(draw(animals, SIZE), 50) for animals in walkers(rng)], empty=np.full(SIZE[::-1], GROUND, np.uint8))
    run(tracklets.main, stage_settings("tracklets"), blobs=path, out=tmp_path / "t.h5")
    blobs, found = Blobs.load(path), Tracklets.load(tmp_path / "t.h5")
    rows, offsets = found.blob_rows()
    ends = np.concatenate([rows[offsets[:-1]], rows[offsets[1:] - 1]])
    assert len(found) > 20
    assert (blobs.image[ends] >= 0).all()


def test_a_lasting_blob_has_an_image_at_every_interval(make, draw):
    blobs = Blobs.load(make([paint(draw(animals, SIZE), 50) for animals in PASSING], images_per_s=2.5))
    assert sorted(set(blobs.frame[blobs.image >= 0].tolist())) == [0, 8, 16, 24, 29]
    assert blobs.image[blobs.image >= 0].tolist() == list(range(10))


@pytest.mark.parametrize("options", [{}, {"pixel_format": "yuv444p"}, GREY], ids=["yuv420p", "yuv444p", "grey"])
def test_images_are_the_pixels_of_the_frame(tmp_path, make, draw, rng, options):
    noise = rng.integers(0, 60, (*SIZE[::-1], 3), dtype=np.uint8)
    images = [np.where(draw(animals, SIZE)[:, :, None], noise, 200).astype(np.uint8) for animals in walkers(rng, 12)]
    if options == GREY:
        images = [image[:, :, 0] for image in images]
    path = make(images, empty=np.full_like(images[0], 200), options=options, images_per_s=20)
    blobs, times = Blobs.load(path), Index.load(tmp_path / "m.h5")
    assert (blobs.image >= 0).all()
    frames = [planes_to_bgr(frame.planes(), frame.coding) for frame in read_frames(tmp_path / "m.mkv", times)]
    with open_blob_images(path) as stored:
        for blob in range(len(blobs)):
            image = stored.image(int(blobs.image[blob]))
            height, width = image.mask.shape
            assert image.pixels.shape == (height, width, 3)
            runs = stored.runs(blob, blob + 1)[0]
            assert np.array_equal(image.mask, runs_to_mask(runs, image.x0, image.y0, image.x0 + width, image.y0 + height))
            assert image.mask.sum() == blobs.area[blob]
            there = frames[blobs.frame[blob]][image.y0 : image.y0 + height, image.x0 : image.x0 + width]
            assert np.array_equal(image.pixels[image.mask], there[image.mask])


def blobs_and_runs(path):
    blobs = Blobs.load(path)
    with open_blob_images(path) as images:
        return [getattr(blobs, name) for name in Blobs.columns if name != "image"], images.runs(0, len(blobs))


def test_neither_batches_nor_threads_change_the_artifact(make, draw, rng, monkeypatch):
    images = [paint(draw(animals, SIZE), 50) for animals in walkers(rng)]
    path = make(images, empty=np.full(SIZE[::-1], GROUND, np.uint8), options={"keyframe_interval": 5})
    whole, (columns, runs) = artifact_fingerprint(path), blobs_and_runs(path)
    monkeypatch.setattr(pieces, "BATCH_FRAMES", 7)
    assert artifact_fingerprint(make.again()) == whole
    # Stretches have images at their ends; all else is the same.
    monkeypatch.setattr(stretches, "STRETCH_FRAMES", 10)
    stretched = make.again().read_bytes()
    assert artifact_fingerprint(path) != whole
    for found, expected in zip([*blobs_and_runs(path)[0], *blobs_and_runs(path)[1]], [*columns, *runs], strict=True):
        assert np.array_equal(found, expected)
    assert make.again(threads=3).read_bytes() == stretched


def test_a_fault_in_a_thread_is_reported_as_any_other(make, draw, write_movie, monkeypatch, capsys):
    monkeypatch.setattr(stretches, "STRETCH_FRAMES", 5)
    images = [paint(draw(animals, SIZE), 50) for animals in PASSING]
    path = make(images, options={"keyframe_interval": 5})
    path.unlink()
    write_movie("m.mkv", images[:20], keyframe_interval=5)
    with pytest.raises(SystemExit) as stopped:
        make.again(threads=3)
    assert stopped.value.code == 2
    assert "m.mkv" in capsys.readouterr().err
    assert not list(path.parent.glob("*.h5*"))
