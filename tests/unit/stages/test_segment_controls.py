"""Every control of the segmentation, on frames whose animals are known to the pixel."""

import csv
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from scipy import ndimage

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.geometry.runs import runs_to_mask
from herdbook.segmentation import changes, stretches
from herdbook.segmentation.excess import count_excess, first_frames
from herdbook.segmentation.light import LightMeter, at_unit_gain
from herdbook.segmentation.masks import clean_mask, expanded, filled, reduced
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.thresholds import NO_MARGIN, band_bounds, relative_light, signed_margins
from herdbook.stages import background, index, segment

SIZE, GROUND = (160, 120), 160
GREY = {"codec": "ffv1", "pixel_format": "gray"}  # full range: luma is grey


def still(image, at=0):
    """A frame of full range that shows an image (h, w) or (h, w, 3)."""
    colour = np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image
    luma = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return SimpleNamespace(index=at, luma=luma, bgr=lambda: colour)


def scene(*images, starts=(0,), noise=1.0, spread=1.0):
    """The background artifact of empty scenes (h, w) or (h, w, 3), one per window; noise in levels."""
    frames = [still(image) for image in images]
    luma, bgr = np.stack([frame.luma for frame in frames]), np.stack([frame.bgr() for frame in frames])
    eighths = (np.broadcast_to(noise, luma.shape) * 8).astype(np.uint8)
    noises = eighths, np.repeat(eighths[..., None], 3, axis=3)
    return Background(luma, bgr, np.array(starts), *noises, np.full(len(frames), spread), 10)


@pytest.fixture
def segmenter(stage_settings):
    """A segmenter with keys of the section segment by name; the background is an image or an artifact."""

    def build(empty, *, arenas=(), full_range=True, **section):
        settings = stage_settings("segment", arenas=list(arenas), segment={"area": (1, 100_000)} | section)
        return Segmenter(empty if isinstance(empty, Background) else scene(empty), json.loads(settings), full_range=full_range)

    return build


def mask_of(blobs, shape=SIZE[::-1]):
    return runs_to_mask(blobs.runs, 0, 0, shape[1], shape[0])


def empty(level=GROUND, shape=SIZE[::-1]):
    return np.full(shape, level, np.uint8)


def squares(levels, ground):
    """The ground with a 10 px square of each level (a number or BGR) in a row, and the mask of each."""
    image, masks = ground.copy(), []
    for k, level in enumerate(levels):
        place = np.s_[50:60, 8 + 15 * k : 18 + 15 * k]
        image[place] = level
        mask = np.zeros(ground.shape[:2], bool)
        mask[place] = True
        masks.append(mask)
    return image, masks


def found(blobs, masks):
    """Numbers of the masks of which every pixel was found; none of the others may be."""
    whole = mask_of(blobs)
    hit = [k for k, mask in enumerate(masks) if whole[mask].all()]
    assert not (whole & ~np.any([masks[k] for k in hit], axis=0)).any() if hit else not whole.any()
    return hit


# What is compared


PAINTS = [(90, 160, 160), (160, 90, 160), (160, 160, 90), (90, 90, 90), (230, 160, 160), (160, 160, 160)]


@pytest.mark.parametrize(
    ("channel", "polarity", "hits"),
    [
        ("blue", "dark", [0, 3]),
        ("green", "dark", [1, 3]),
        ("red", "dark", [2, 3]),
        ("colour", "dark", [0, 1, 2, 3]),
        ("blue", "bright", [4]),
        ("colour", "bright", [4]),
        ("colour", "either", [0, 1, 2, 3, 4]),
        ("grey", "dark", [1, 3]),  # a drop of 70 in green is one of 41 in grey, in red 21, in blue 8
    ],
)
def test_a_channel_sees_its_paints(segmenter, channel, polarity, hits):
    ground = empty(shape=(*SIZE[::-1], 3))
    image, masks = squares(PAINTS, ground)
    blobs = segmenter(ground, channel=channel, polarity=polarity, difference=30).blobs(still(image))
    assert found(blobs, masks) == hits


def test_contrast_is_measured_in_what_was_compared(segmenter):
    ground = empty(shape=(*SIZE[::-1], 3))
    image, _ = squares([(90, 160, 160)], ground)
    for channel, contrast in (("blue", 70), ("colour", 70)):
        one = segmenter(ground, channel=channel)
        blobs = one.blobs(still(image))
        assert one.columns(np.zeros(1, np.int32), blobs)["contrast"] == pytest.approx(contrast)


@pytest.mark.parametrize(
    ("channel", "hits"), [("grey", [3]), ("blue", [0, 3]), ("green", [1, 3]), ("colour", [3])], ids=lambda value: str(value)
)
def test_a_band_of_intensities_counts_in_each_channel(segmenter, channel, hits):
    ground = empty(shape=(*SIZE[::-1], 3))
    image, masks = squares(PAINTS, ground)
    blobs = segmenter(ground, method="intensity", intensity=[80, 100], channel=channel).blobs(still(image))
    assert found(blobs, masks) == hits


@pytest.mark.parametrize("band", [(0, 90), (90, 255), (60, 200), (90, 90)])
@pytest.mark.parametrize("channels", [1, 3])
def test_bounds_of_a_band_hold_its_levels(band, channels):
    ramp = np.arange(256, dtype=np.uint8)[None]
    image = ramp if channels == 1 else np.stack([ramp, ramp, np.full_like(ramp, 90)], axis=2)
    bounds = band_bounds(band, np.ones(ramp.shape, np.float32), channels=channels)
    expected = (band[0] <= ramp) & (ramp <= band[1])
    between = (bounds.lowest <= image) & (image <= bounds.highest)
    assert np.array_equal((between.all(axis=2) if channels == 3 else between) == bounds.within, expected)
    assert np.array_equal(signed_margins(image, bounds) > NO_MARGIN, expected)


# Thresholds


def test_a_difference_in_units_of_the_noise_follows_the_noise(segmenter):
    noise = np.where(np.arange(SIZE[0]) < 80, 1.0, 4.0) * np.ones(SIZE[::-1])
    image, masks = squares([150, 150, 153, 130, 150, 150, 150, 130, 140], empty())
    blobs = segmenter(scene(empty(), noise=noise), difference_noise=8).blobs(still(image))
    assert found(blobs, masks) == [0, 1, 3, 4]  # 8 levels on the left, 32 on the right
    assert found(segmenter(scene(empty(), noise=noise), difference_noise=7).blobs(still(image)), masks) == [0, 1, 2, 3, 4, 7]


def vignette(least=0.3):
    y, x = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    return 1 - (1 - least) * np.clip((x**2 + y**2) / 2, 0, 1)


PLACES = [(12, 12, 5, 5, 0), (80, 60, 5, 5, 0), (146, 14, 5, 5, 0), (40, 90, 5, 5, 0), (14, 106, 5, 5, 0)]


def test_a_flat_field_finds_animals_in_the_shade_as_in_the_light(segmenter, draw):
    light = vignette()
    animals = draw(PLACES, SIZE)
    ground, image = np.rint(200 * light).astype(np.uint8), np.rint(200 * light * np.where(animals, 0.8, 1)).astype(np.uint8)
    assert np.array_equal(mask_of(segmenter(ground, difference=25, flat_field=True).blobs(still(image))), animals)
    plain = mask_of(segmenter(ground, difference=25).blobs(still(image)))
    assert plain[60, 80]
    assert not plain[:24, :24].any()


def test_a_flat_field_moves_the_band_of_intensities_with_the_light(segmenter, draw):
    light = vignette()
    animals = draw(PLACES, SIZE)
    ground, image = np.rint(200 * light).astype(np.uint8), np.rint(200 * light * np.where(animals, 0.5, 1)).astype(np.uint8)
    relative = relative_light(ground, np.ones(ground.shape, bool), 0)
    assert relative == pytest.approx(light / np.median(light), abs=0.1)
    settings = {"method": "intensity", "intensity": [0, 120]}
    assert np.array_equal(mask_of(segmenter(ground, **settings, flat_field=True).blobs(still(image))), animals)
    assert not np.array_equal(mask_of(segmenter(ground, **settings).blobs(still(image))), animals)


@pytest.mark.parametrize(("level", "black"), [(1, 0), (200, 0), (17, 16), (120, 16)])
def test_even_light_is_the_same_everywhere_however_dim(level, black):
    inside = np.ones(SIZE[::-1], bool)
    inside[:40] = False
    ground = np.where(inside, level, 255).astype(np.uint8)  # what is outside of the arena does not count
    assert relative_light(ground, inside, black)[inside] == pytest.approx(1.0, abs=1e-3)


def test_no_shade_is_deeper_than_a_quarter_of_the_light():
    ground = np.full(SIZE[::-1], 200, np.uint8)
    ground[:, :60] = 10
    relative = relative_light(ground, np.ones(ground.shape, bool), 0)
    assert relative.min() == 0.25
    assert relative[:, 100:] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("gain", [0.75, 0.9, 1.0, 1.2])
@pytest.mark.parametrize("section", [{}, {"channel": "colour"}, {"close": 1}], ids=["grey", "colour", "closed"])
def test_flicker_is_taken_out(segmenter, draw, rng, gain, section):
    ground = rng.integers(120, 180, (*SIZE[::-1], 1), dtype=np.uint8).repeat(3, axis=2)
    animals = draw(PLACES, SIZE)
    image = np.where(animals[:, :, None], 60, ground)
    frame = still(np.rint(image * gain).astype(np.uint8))
    one = segmenter(scene(ground), difference=30, flicker=True, polarity="either", **section)
    blobs = one.blobs(frame)
    assert np.array_equal(mask_of(blobs), animals)
    contrast = one.columns(np.zeros(len(blobs), np.int32), blobs)["contrast"]
    assert contrast == pytest.approx(np.full(5, 90.0), abs=5)
    if gain == 0.75:
        plain = segmenter(scene(ground), difference=30, polarity="either", **section).blobs(frame)
        assert plain is None or not np.array_equal(mask_of(plain), animals)


def test_the_gain_of_a_frame_is_that_of_its_light_not_of_its_animals(rng):
    ground = rng.integers(100, 200, (60, 80), dtype=np.uint8)
    meter = LightMeter(ground, np.ones(ground.shape, bool), black=16)
    frame = np.rint(16 + (ground - 16.0) * 0.8).astype(np.uint8)
    frame[10:40, 10:40] = 20  # a fifth of the pixels
    assert meter.gain(frame) == pytest.approx(0.8, abs=0.01)
    assert np.abs(at_unit_gain(frame, 0.8, 16).astype(int) - ground)[45:].max() <= 1
    assert meter.shift(ground) == 0
    dark = LightMeter(np.zeros((60, 80), np.uint8), np.ones((60, 80), bool))
    assert dark.gain(ground) == 1


# Masks


def test_a_blur_takes_away_the_noise_of_single_pixels(segmenter, draw, rng):
    animals = draw([(60, 60, 20, 12, 0)], SIZE)
    image = np.where(animals, 120, GROUND).astype(np.uint8)
    image[rng.random(image.shape) < 0.02] = 100
    plain, blurred = (segmenter(empty(), difference=25, blur=blur).blobs(still(image)) for blur in (0, 2))
    assert len(plain) > 50
    assert len(blurred) == 1
    expected = cv2.GaussianBlur(image, (0, 0), 2) <= GROUND - 25
    assert np.array_equal(mask_of(blurred), expected)


def ragged(rng):
    """A mask with specks, holes and gaps."""
    field = ndimage.gaussian_filter(rng.standard_normal(SIZE[::-1]), 2.5)
    mask = field > 0.6 * field.std()
    mask ^= rng.random(mask.shape) < 0.03
    return mask


@pytest.mark.parametrize("radius", [1, 2, 5])
@pytest.mark.parametrize(("key", "operation"), [("close", cv2.MORPH_CLOSE), ("open", cv2.MORPH_OPEN)])
def test_closing_and_opening_are_those_of_opencv(segmenter, rng, key, operation, radius):
    mask = ragged(rng)
    blobs = segmenter(empty(), **{key: radius}).blobs(still(np.where(mask, 60, GROUND).astype(np.uint8)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    assert np.array_equal(mask_of(blobs), cv2.morphologyEx(mask.astype(np.uint8), operation, disc) > 0)


def test_holes_are_filled_and_nothing_else(segmenter, rng):
    mask = ragged(rng)
    blobs = segmenter(empty(), fill_holes=True).blobs(still(np.where(mask, 60, GROUND).astype(np.uint8)))
    assert np.array_equal(mask_of(blobs), ndimage.binary_fill_holes(mask))
    assert np.array_equal(filled(np.zeros((5, 7), np.uint8)), np.zeros((5, 7)))


def test_closing_comes_before_opening_and_opening_before_holes(rng):
    mask = ragged(rng).astype(np.uint8)
    steps = clean_mask(clean_mask(clean_mask(mask, close=2), open_=3), fill_holes=True)
    assert np.array_equal(clean_mask(mask, 2, 3, True) > 0, steps > 0)


def test_closing_stays_inside_the_arena(segmenter):
    arena = {"name": "box", "include": [{"polygon": [[20, 20], [80, 20], [80, 90], [20, 90]]}]}
    image = empty()
    image[30:60, 10:40], image[30:60, 44:70] = 60, 60
    blobs = segmenter(empty(), arenas=[arena], close=5).blobs(still(image))
    assert len(blobs) == 1
    assert (blobs.x0[0], blobs.x1[0]) == (20, 70)


def test_features_are_those_that_opencv_measures(segmenter, draw, rng):
    ground = rng.integers(120, 200, (*SIZE[::-1], 3), dtype=np.uint8)
    image = np.where(draw([(50, 60, 20, 8, 30), (110, 50, 9, 15, 70)], SIZE)[:, :, None], ground // 3, ground)
    image[58:61] = ground[58:61]  # a gap that closing bridges
    one = segmenter(scene(ground), channel="colour", polarity="dark", difference=40, close=3)
    blobs = one.blobs(still(image))
    difference = (ground.astype(int) - image).max(axis=2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
    mask = cv2.morphologyEx((difference >= 40).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    order = np.argsort([np.flatnonzero(labels.ravel() == k)[0] for k in range(1, count)]) + 1
    assert count - 1 == len(blobs) == 2
    assert np.array_equal(blobs.area, stats[order, cv2.CC_STAT_AREA])
    assert np.stack([blobs.x, blobs.y], 1) == pytest.approx(centroids[order])
    assert np.array_equal(np.stack([blobs.x0, blobs.y0], 1), stats[order, :2])
    contrast = one.columns(np.zeros(2, np.int32), blobs)["contrast"]
    assert contrast == pytest.approx([np.abs(difference)[labels == k].mean() for k in order], rel=0.02)


# Which blobs count


def test_blobs_without_enough_contrast_are_dropped(segmenter):
    levels = [130, 120, 110, 60]
    image, masks = squares(levels, empty())
    assert found(segmenter(empty(), difference=20).blobs(still(image)), masks) == [0, 1, 2, 3]
    assert found(segmenter(empty(), difference=20, min_contrast=40).blobs(still(image)), masks) == [1, 2, 3]
    assert found(segmenter(empty(), difference=20, min_contrast=40.5, close=1).blobs(still(image)), masks) == [2, 3]


@pytest.mark.parametrize("cleaned", [{}, {"close": 1}], ids=["in one pass", "by a mask"])
def test_contrast_is_in_grey_levels_also_in_limited_range(segmenter, cleaned):
    # 40 levels of luma are 46.6 grey levels.
    image, masks = squares([GROUND - 30, GROUND - 40], empty())
    for least, kept in ((34.5, [0, 1]), (46, [1]), (47, [])):
        one = segmenter(empty(), full_range=False, difference=20, min_contrast=least, **cleaned)
        blobs = one.blobs(still(image))
        assert found(blobs, masks) == kept
        contrast = one.columns(np.zeros(len(blobs), np.int32), blobs)["contrast"]
        assert contrast == pytest.approx(np.array([30, 40])[kept] * 255 / 219, abs=0.2)


@pytest.mark.parametrize("section", [{}, {"reduce": 2}, {"fill_holes": True}], ids=["plain", "reduced", "filled"])
def test_blobs_at_the_border_are_dropped(segmenter, draw, section):
    animals = [(0, 60, 8, 4, 0), (60, 60, 8, 4, 0), (106, 60, 8, 4, 0), (80, 119, 4, 4, 0)]
    image = np.where(draw(animals, SIZE), 60, GROUND).astype(np.uint8)
    kept = segmenter(empty(), drop_border=True, **section).blobs(still(image))
    assert kept.x.round().tolist() == [60, 106]
    arena = {"name": "dish", "include": [{"polygon": [[20, 10], [110, 10], [110, 110], [20, 110]]}]}
    kept = segmenter(empty(), arenas=[arena], drop_border=True, **section).blobs(still(image))
    assert kept.x.round().tolist() == [60]
    assert len(segmenter(empty(), arenas=[arena], **section).blobs(still(image))) == 2


# Reduced resolution


@pytest.mark.parametrize("factor", [2, 3, 4, 5])
def test_reduced_frames_give_places_and_areas_of_the_movie(segmenter, draw, factor):
    places = [(41.3, 30.7, 14, 8, 25), (100.2, 77.6, 16, 9, 110), (148, 20, 12, 8, 0)]
    image = np.where(draw(places, SIZE), 60, GROUND).astype(np.uint8)
    exact, coarse = (segmenter(empty(), difference=50, reduce=n).blobs(still(image)) for n in (1, factor))
    assert len(exact) == len(coarse) == 3
    order = np.argsort(coarse.x)[np.argsort(np.argsort(exact.x))]
    assert np.hypot(coarse.x[order] - exact.x, coarse.y[order] - exact.y).max() < 0.5
    assert np.abs(coarse.area[order] / exact.area - 1).max() < 0.12
    assert np.abs(coarse.x1[order] - exact.x1).max() <= factor
    assert coarse.x1.max() <= SIZE[0]
    assert coarse.runs.max() < SIZE[0]


def test_a_reduced_image_is_the_mean_of_squares(rng):
    image = rng.integers(0, 256, (61, 83), dtype=np.uint8)
    small = reduced(image, 4)
    assert small.shape == (16, 21)
    assert np.abs(small[:15, :20] - image[:60, :80].reshape(15, 4, 20, 4).mean(axis=(1, 3))).max() <= 0.5
    assert np.array_equal(expanded(small, 4, image.shape), small.repeat(4, axis=0).repeat(4, axis=1)[:61, :83])
    assert reduced(image, 1) is image


# Stages: windows, broken frames, tables


@pytest.fixture
def make(tmp_path, write_movie, stage_settings):
    """Index, background and segment artifacts of a movie of images."""

    def stage(module, settings, **files):
        given = [part for name, path in files.items() for part in (f"--{name}", str(tmp_path / path))]
        module.main([*given, "--settings", settings])

    def build(images, *, number=None, background_section=None, arenas=(), options=GREY, **section):
        write_movie("m.mkv", images, **options)
        keys = {
            "number": number,
            "background": background_section or {},
            "arenas": list(arenas),
            "segment": {"area": (1, 100_000)} | section,
        }
        stage(index, stage_settings("index", **keys), movie="m.mkv", out="m.h5")
        stage(background, stage_settings("background", **keys), movie="m.mkv", index="m.h5", reference="m.h5", out="b.h5")
        return again(**keys)

    def again(threads=1, **keys):
        options = {"movie": "m.mkv", "index": "m.h5", "background": "b.h5", "out": "segment/m.h5"}
        given = [part for name, path in options.items() for part in (f"--{name}", str(tmp_path / path))]
        segment.main([*given, "--settings", stage_settings("segment", **keys), "--threads", str(threads)])
        return tmp_path / "segment" / "m.h5"

    build.again = again
    return build


def walk(draw, frames, ground=GROUND):
    """Frames in which two animals walk; `ground` is one level, or one per frame."""
    levels = np.broadcast_to(ground, frames)
    masks = [draw([(20 + 100 * t / frames, 40, 12, 5, 20), (140 - 100 * t / frames, 80, 12, 5, 0)], SIZE) for t in range(frames)]
    return masks, [np.where(mask, level - 60, level).astype(np.uint8) for mask, level in zip(masks, levels, strict=True)]


@pytest.mark.parametrize("section", [{}, {"close": 1, "flat_field": True}], ids=["swift", "masks"])
def test_each_window_has_its_own_background_whatever_the_threads(make, draw, monkeypatch, section):
    monkeypatch.setattr(stretches, "STRETCH_FRAMES", 7)
    # These 4 s stand for an hour: a drift, which takes longer than any lamp.
    monkeypatch.setattr(changes, "LONGEST_FADE_S", 0.5)
    masks, images = walk(draw, 80, np.linspace(100, 180, 80).round())
    options = GREY | {"keyframe_interval": 5}
    keys = {"background_section": {"scope": "window", "window_s": 1.0}, "options": options, "polarity": "dark", "difference": 30}
    path = make(images, **keys, **section)
    blobs = Blobs.load(path)
    assert np.bincount(blobs.frame, minlength=80).tolist() == [2] * 80
    assert blobs.area.sum() == pytest.approx(np.sum(masks), rel=0.04)
    once = path.read_bytes()
    sections = {"segment": {"area": (1, 100_000), "polarity": "dark", "difference": 30} | section}
    assert make.again(threads=3, **sections).read_bytes() == once
    alone = Blobs.load(make(images, **keys | {"background_section": {}}, **section))
    assert (np.bincount(alone.frame, minlength=80) != 2).mean() > 0.2


def test_black_frames_are_not_segmented_and_reported(make, draw, capsys):
    _, images = walk(draw, 30)
    for frame in (*range(10), 21):
        images[frame] = np.zeros_like(images[frame])
    for section in ({}, {"flicker": True}, {"channel": "colour", "close": 1}, {"method": "intensity", "intensity": [0, 110]}):
        blobs = Blobs.load(make(images, **section))
        assert sorted(set(blobs.frame.tolist())) == [*range(10, 21), *range(22, 30)]
        printed = capsys.readouterr().err
        assert "11 of 30 frames were not segmented, because they are black" in printed
        assert "frames 0-9, 21." in printed


def test_an_animal_that_fills_a_third_of_the_arena_breaks_no_frame(segmenter, draw):
    image = np.where(draw([(80, 60, 60, 40, 0)], SIZE), 20, GROUND).astype(np.uint8)
    blobs = segmenter(empty()).blobs(still(image))
    assert blobs is not None
    assert blobs.area.tolist() == [int((image == 20).sum())]


def test_light_that_varies_in_the_sample_breaks_no_frame(segmenter):
    image, masks = squares([20], empty(GROUND - 40))
    assert segmenter(scene(empty()), difference=30).blobs(still(image)) is None
    steady = segmenter(scene(empty(), spread=8), difference=50).blobs(still(image))
    assert found(steady, masks) == [0]


@pytest.mark.parametrize(
    ("section", "shift", "broken"),
    [
        ({"polarity": "dark"}, -40, True),
        ({"polarity": "dark"}, 40, False),
        ({"polarity": "bright"}, 40, True),
        ({"polarity": "bright"}, -40, False),
        ({"polarity": "bright"}, -GROUND, True),
        ({"polarity": "either"}, -40, True),
        ({"polarity": "either"}, 40, True),
        ({"method": "intensity", "intensity": [0, 130]}, -40, True),
        ({"method": "intensity", "intensity": [0, 130]}, 40, False),
        ({"method": "intensity", "intensity": [190, 255]}, 40, True),
    ],
)
def test_a_frame_is_broken_if_its_ground_looks_like_animals_or_is_black(segmenter, section, shift, broken):
    assert (segmenter(empty(), difference=30, **section).blobs(still(empty(GROUND + shift))) is None) == broken


def excess_of(path):
    with path.with_suffix(".excess.csv").open() as file:
        return list(csv.reader(file))


def crowded(draw):
    """30 frames with two animals, and a speck in three of them."""
    _, images = walk(draw, 30)
    for frame in (4, 5, 17):
        images[frame][100:104, 20:24] = 40
    return images


@pytest.mark.parametrize("on_excess", ["ignore", "warn"])
def test_frames_with_more_blobs_than_animals_are_listed(make, draw, capsys, on_excess):
    path = make(crowded(draw), number=2, on_excess=on_excess)
    rows = [["4", "0.2", "3", "2"], ["5", "0.25", "3", "2"], ["17", "0.85", "3", "2"]]
    assert excess_of(path) == [["frame", "time", "blobs", "animals"], *(rows if on_excess == "warn" else [])]
    printed = capsys.readouterr().err
    assert ("more blobs than animals in frames 4-5, 17 (3 blobs and 2 animals in the first)" in printed) == (on_excess == "warn")


def test_a_frame_with_more_blobs_than_animals_may_stop_the_run(make, draw, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        make(crowded(draw), number=2, on_excess="stop")
    assert stopped.value.code == 2
    assert "m.mkv: there are more blobs than animals in frames 4-5, 17" in capsys.readouterr().err
    assert not list((tmp_path / "segment").glob("*"))
    assert excess_of(make(crowded(draw), number=2, on_excess="stop", area=(30, 1000)))[1:] == []


def test_an_unknown_number_of_animals_is_never_exceeded(make, draw):
    assert excess_of(make(crowded(draw), on_excess="stop"))[1:] == []


def test_excess_is_counted_in_each_arena():
    frame, arena = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2]), np.array([0, 0, 1, 0, 1, 1, 0, 0, 1, 1])
    assert count_excess(frame, arena, [1, 1]).tolist() == [[0, 2, 1], [1, 2, 1], [2, 4, 2]]
    assert count_excess(frame, arena, [2, 1]).tolist() == [[1, 2, 1], [2, 2, 1]]
    assert count_excess(frame, arena, [None, 5]).tolist() == []
    assert first_frames([0, 1, 2, 5, 8, 9], most=2) == "0-2, 5 and 2 more"


def test_images_of_reduced_frames_are_those_of_the_movie(make, draw, rng):
    _, images = walk(draw, 6)
    images = [np.where(image < 120, rng.integers(20, 100, image.shape), image).astype(np.uint8) for image in images]
    path = make(images, reduce=4, images_per_s=20)
    blobs = Blobs.load(path)

    with open_blob_images(path) as stored:
        for blob in range(len(blobs)):
            image = stored.image(int(blobs.image[blob]))
            height, width = image.mask.shape
            there = images[blobs.frame[blob]][image.y0 : image.y0 + height, image.x0 : image.x0 + width]
            assert np.array_equal(image.pixels[image.mask][:, 0], there[image.mask])
            assert image.mask.sum() == blobs.area[blob]
