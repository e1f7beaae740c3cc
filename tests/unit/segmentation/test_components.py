import cv2
import numpy as np
import pytest

from herdbook.geometry.runs import runs_to_mask
from herdbook.segmentation.components import Labeller
from tests.support.segment_files import runs_contain

SIZES = [(1, 1), (1, 7), (1, 8), (1, 9), (1, 64), (7, 1), (33, 1), (2, 3), (16, 16), (17, 31), (40, 65), (64, 127)]
DENSITIES = [0.0, 0.01, 0.1, 0.3, 0.41, 0.5, 0.6, 0.9, 0.99, 1.0]


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def spiral(size):
    mask = np.zeros((size, size), np.uint8)
    for inset in range(1, size // 2, 4):
        cv2.rectangle(mask, (inset, inset), (size - 1 - inset, size - 1 - inset), 1)
        mask[inset + 1, inset] = 0
        mask[inset + 2, max(inset - 3, 0) : inset + 1] = 1
    return mask


def structured_masks():
    rows, cols = np.mgrid[0:41, 0:53]
    u_shape = np.zeros((20, 30), np.uint8)
    u_shape[2:18, 3] = u_shape[2:18, 20] = u_shape[17, 3:21] = 1
    u_shape[4, 10] = u_shape[5, 25] = 1
    comb = ((cols % 2 == 0) | (rows == 40)).astype(np.uint8)
    grid = ((rows % 3 == 0) | (cols % 3 == 0)).astype(np.uint8)
    diagonals = ((rows + cols) % 4 == 0).astype(np.uint8)
    return {
        "spiral": spiral(45),
        "checkerboard": ((rows + cols) % 2).astype(np.uint8),
        "isolated pixels": ((rows % 2 == 0) & (cols % 2 == 0)).astype(np.uint8),
        "U and two dots": u_shape,
        "upside-down U": u_shape[::-1].copy(),
        "comb joined in its last row": comb,
        "comb joined in its first row": comb[::-1].copy(),
        "stripes": (rows % 2).astype(np.uint8),
        "grid": grid,
        "holes": 1 - (rows % 3 == 1) * (cols % 3 == 1).astype(np.uint8),
        "diagonals": diagonals,
        "counter-diagonals": diagonals[:, ::-1].copy(),
    }


STRUCTURED = structured_masks()


def check_against_opencv(mask, blobs):
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    assert len(blobs) == count - 1
    assert blobs.run_offsets[0] == 0
    assert blobs.run_offsets[-1] == len(blobs.runs)
    first_pixels = [int(np.flatnonzero(labels.ravel() == label)[0]) for label in range(1, count)]
    for blob, label in enumerate(1 + np.argsort(np.array(first_pixels, dtype=np.int64))):
        left, top, width, height, area = stats[label]
        box = (blobs.x0[blob], blobs.y0[blob], blobs.x1[blob], blobs.y1[blob])
        assert box == (left, top, left + width, top + height)
        assert blobs.area[blob] == area
        assert (blobs.x[blob], blobs.y[blob]) == pytest.approx(tuple(centroids[label]), abs=1e-6)
        rows, cols = np.nonzero(labels == label)
        moments = np.cov(cols, rows, bias=True) if area > 1 else np.zeros((2, 2))
        found = (blobs.mxx[blob], blobs.mxy[blob], blobs.myy[blob])
        assert found == pytest.approx((moments[0, 0], moments[0, 1], moments[1, 1]), abs=1e-6)
        runs = blobs.runs_of(blob)
        assert np.array_equal(runs, runs[np.lexsort((runs[:, 1], runs[:, 0]))])
        painted = runs_to_mask(runs, 0, 0, mask.shape[1], mask.shape[0])
        assert np.array_equal(painted, labels == label)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("density", DENSITIES)
def test_random_masks_give_the_components_of_opencv(rng, size, density):
    labeller = Labeller(*size)
    for _ in range(3):
        mask = rng.random(size) < density
        check_against_opencv(mask, labeller.label_mask(mask))


@pytest.mark.parametrize("name", STRUCTURED)
def test_structured_masks_give_the_components_of_opencv(name):
    mask = STRUCTURED[name]
    check_against_opencv(mask, Labeller(*mask.shape).label_mask(mask))


def test_large_blobs_far_from_the_origin_keep_exact_moments():
    mask = np.zeros((700, 1300), np.uint8)
    cv2.ellipse(mask, (1100, 560), (150, 40), 30, 0, 360, 1, -1)
    check_against_opencv(mask, Labeller(700, 1300).label_mask(mask))


def test_work_buffers_grow_for_a_frame_with_the_most_runs_possible():
    height, width = 301, 257
    rows, cols = np.mgrid[0:height, 0:width]
    isolated = (rows % 2 == 0) & (cols % 2 == 0)
    labeller = Labeller(height, width)
    assert len(labeller.label_mask(isolated)) == 151 * 129
    stripes = cols % 2 == 0
    blobs = labeller.label_mask(stripes)
    assert len(blobs) == 129
    assert len(blobs.runs) == height * 129


def test_a_frame_does_not_depend_on_the_frame_before(rng):
    labeller = Labeller(30, 40)
    labeller.label_mask(np.ones((30, 40), bool))
    empty = labeller.label_mask(np.zeros((30, 40), bool))
    assert len(empty) == 0
    assert empty.runs.shape == (0, 3)
    assert empty.run_offsets.tolist() == [0]
    first = rng.random((30, 40)) < 0.3
    blobs = labeller.label_mask(first)
    runs, x = blobs.runs.copy(), blobs.x.copy()
    labeller.label_mask(rng.random((30, 40)) < 0.5)
    assert np.array_equal(blobs.runs, runs)
    assert np.array_equal(blobs.x, x)


@pytest.mark.parametrize("polarity", ["dark", "bright", "either", "arena"])
def test_thresholds_select_the_pixels_beyond_them(rng, polarity):
    luma = rng.integers(0, 256, (37, 50), dtype=np.uint8)
    low = rng.integers(0, 128, luma.shape, dtype=np.uint8)
    high = rng.integers(128, 256, luma.shape, dtype=np.uint8)
    if polarity == "dark":
        high[:] = 255
    elif polarity == "bright":
        low[:] = 0
    elif polarity == "arena":
        low[:, :25], high[:, :25] = 0, 255
    blobs = Labeller(37, 50).label(luma, low, high)
    expected = (luma < low) | (luma > high)
    check_against_opencv(expected, blobs)
    if polarity == "arena":
        assert (blobs.x0 >= 25).all()


def test_rows_with_padding_and_any_other_layout_give_the_same_blobs(rng):
    wide = rng.integers(0, 256, (30, 96), dtype=np.uint8)
    low, high = np.full((30, 75), 60, np.uint8), np.full((30, 75), 220, np.uint8)
    labeller = Labeller(30, 75)
    plain = labeller.label(wide[:, :75].copy(), low, high, low)
    layouts = [
        wide[:, :75],
        np.asfortranarray(wide[:, :75]),
        wide[:, :75].copy()[::-1][::-1],
        np.repeat(wide[:, :75], 2, axis=1)[:, ::2],
    ]
    for luma in layouts:
        strided_low = np.hstack([low, low])[:, :75]
        blobs = labeller.label(luma, strided_low, np.broadcast_to(np.uint8(220), (30, 75)), low)
        assert np.array_equal(blobs.runs, plain.runs)
        assert np.array_equal(blobs.contrast_sum, plain.contrast_sum)
    frozen = wide[:, :75].copy()
    frozen.flags.writeable = False
    assert np.array_equal(labeller.label(frozen, low, high).runs, plain.runs)


def test_area_bounds_are_inclusive_and_leave_the_other_blobs_as_they_are(rng):
    mask = rng.random((60, 80)) < 0.35
    labeller = Labeller(60, 80)
    everything = labeller.label_mask(mask)
    some = labeller.label_mask(mask, min_area=3, max_area=12)
    keep = np.flatnonzero((everything.area >= 3) & (everything.area <= 12))
    assert {3, 12} <= set(some.area.tolist())
    assert np.array_equal(some.area, everything.area[keep])
    assert np.array_equal(some.mxy, everything.mxy[keep])
    for blob, original in enumerate(keep):
        assert np.array_equal(some.runs_of(blob), everything.runs_of(original))
    assert len(labeller.label_mask(mask, min_area=60 * 80)) == 0


def test_sums_of_luma_and_contrast_are_those_of_the_pixels(rng):
    luma = rng.integers(0, 256, (33, 41), dtype=np.uint8)
    reference = rng.integers(0, 256, (33, 41), dtype=np.uint8)
    mask = rng.random((33, 41)) < 0.3
    blobs = Labeller(33, 41).label_mask(mask, luma, reference)
    contrast = np.abs(luma.astype(int) - reference.astype(int))
    for blob in range(len(blobs)):
        pixels = runs_to_mask(blobs.runs_of(blob), 0, 0, 41, 33)
        assert blobs.intensity_sum[blob] == luma[pixels].sum()
        assert blobs.contrast_sum[blob] == contrast[pixels].sum()


def test_sums_are_unknown_without_their_images(rng):
    mask = rng.random((20, 20)) < 0.3
    blobs = Labeller(20, 20).label_mask(mask)
    assert np.isnan(blobs.intensity_sum).all()
    assert np.isnan(blobs.contrast_sum).all()


@pytest.mark.parametrize("luma", [np.zeros((10, 13), np.uint8), np.zeros((12, 10), np.uint8), np.zeros((10, 12), np.int32)])
def test_images_of_another_size_or_type_are_refused(luma):
    bound = np.zeros((10, 12), np.uint8)
    with pytest.raises(ValueError, match=r"\(10, 12\) uint8"):
        Labeller(10, 12).label(luma, bound, bound)


def test_runs_to_mask_omits_pixels_outside_of_the_box(rng):
    mask = rng.random((30, 40)) < 0.6
    blobs = Labeller(30, 40).label_mask(mask)
    largest = int(blobs.area.argmax())
    whole = runs_to_mask(blobs.runs_of(largest), 0, 0, 40, 30)
    padded = np.pad(whole, 6)
    for x0, y0, x1, y1 in [(5, 7, 20, 19), (-6, -6, 46, 36), (-3, 10, 12, 33), (39, 29, 44, 35)]:
        expected = padded[y0 + 6 : y1 + 6, x0 + 6 : x1 + 6]
        assert np.array_equal(runs_to_mask(blobs.runs_of(largest), x0, y0, x1, y1), expected)


def test_runs_contain_exactly_the_pixels_of_the_blob(rng):
    mask = rng.random((12, 15)) < 0.5
    blobs = Labeller(12, 15).label_mask(mask)
    for blob in range(len(blobs)):
        painted = runs_to_mask(blobs.runs_of(blob), 0, 0, 15, 12)
        dx, dy = rng.uniform(-0.49, 0.49, 2)
        found = [[runs_contain(blobs.runs_of(blob), x + dx, y + dy) for x in range(15)] for y in range(12)]
        assert np.array_equal(found, painted)
