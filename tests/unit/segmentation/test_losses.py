"""Blobs that are dropped are counted by frame, arena and reason, and reported where animals are lost."""

from types import SimpleNamespace

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import LOST_BORDER, LOST_FAINT, LOST_LARGE, LOST_SMALL
from herdbook.experiment.scene import SegmentSection
from herdbook.segmentation.losses import Loss, lacks_animals, loss_words, sum_losses
from herdbook.segmentation.segmenter import Segmenter

GROUND, ANIMAL, PALE = 160, 60, 130
HEIGHT, WIDTH = 60, 100
HALVES = [
    {"name": name, "include": [{"polygon": [[x, -1], [x + 50, -1], [x + 50, HEIGHT], [x, HEIGHT]]}]}
    for name, x in (("left", -1), ("right", 49))
]


def separate(squares, arenas=(), **section):
    """The areas of blobs of dark squares (x, y, side, level) on an empty ground, and what was dropped."""
    ground = np.full((1, HEIGHT, WIDTH), GROUND, np.uint8)
    colours = np.repeat(ground[..., None], 3, axis=3)
    background = Background(ground, colours, np.zeros(1, np.int64), np.zeros_like(ground), np.zeros_like(colours), np.ones(1), 10)
    settings = SegmentSection(**({"area": (40, 200)} | section)).model_dump() | {"arenas": list(arenas)}
    image = ground[0].copy()
    for x, y, side, level in squares:
        image[y : y + side, x : x + side] = level
    colour = np.repeat(image[..., None], 3, axis=2)
    frame = SimpleNamespace(index=7, luma=image, bgr=lambda: colour)
    segmenter = Segmenter(background, settings, True)
    blobs, lost = segmenter.separate(frame)
    assert segmenter.blobs(frame).area.tolist() == blobs.area.tolist()
    return blobs.area.tolist(), [tuple(row) for row in lost.tolist()]


def test_each_reason_is_counted_in_its_arena():
    squares = [(10, 10, 10, ANIMAL), (30, 10, 6, ANIMAL), (70, 20, 20, ANIMAL), (10, 40, 10, PALE), (92, 40, 8, ANIMAL)]
    kept, lost = separate(squares, HALVES, min_contrast=50, drop_border=True)
    assert kept == [100]
    assert lost == [(0, LOST_SMALL, 1), (0, LOST_FAINT, 1), (1, LOST_LARGE, 1), (1, LOST_BORDER, 1)]


def test_specks_far_below_the_smallest_area_are_no_loss():
    assert separate([(10, 10, 10, ANIMAL), (30, 10, 4, ANIMAL), (50, 10, 1, ANIMAL)]) == ([100], [])


def test_the_same_is_counted_where_masks_are_cleaned():
    kept, lost = separate([(10, 10, 10, ANIMAL), (30, 10, 20, ANIMAL)], fill_holes=True)
    assert (kept, lost) == ([100], [(0, LOST_LARGE, 1)])


def test_frames_in_which_the_arena_lacks_animals_are_known():
    lost = np.array([[3, 0, LOST_SMALL, 2], [3, 1, LOST_SMALL, 1], [5, 0, LOST_LARGE, 1], [9, 1, LOST_SMALL, 1]], np.int32)
    frame, arena = np.array([3, 3, 3, 5], np.int32), np.array([0, 0, 1, 1], np.int16)
    lacking = lacks_animals(lost, frame, arena, [2, 2])
    assert lacking.tolist() == [False, True, True, True]
    small, large = sum_losses(lost, lacking)
    assert (small.blobs, small.frames.tolist(), small.lacking) == (4, [3, 9], 2)
    assert (large.blobs, large.frames.tolist(), large.lacking) == (1, [5], 1)
    assert lacks_animals(lost, frame[:0], arena[:0], [2, 2]).all()


def test_a_merge_over_the_largest_area_is_always_reported_and_the_others_where_they_are_many():
    few, many = np.arange(2), np.arange(40)
    losses = [Loss(LOST_SMALL, 2, few, 2), Loss(LOST_LARGE, 2, few, 0), Loss(LOST_BORDER, 40, many, 40)]
    words = loss_words(losses, 1000, (50, 900), 0.0)
    assert words == [
        "2 blobs in 2 of 1,000 frames were dropped because they are larger than the largest segment.area (900 px); in 0 of these frames "
        "there are fewer blobs than animals: frames 0-1. Animals in them have no position: raise it if they are animals that touch.",
        "40 blobs in 40 of 1,000 frames were dropped because they touch the border of frame or arena (segment.drop_border); in 40 of these "
        "frames there are fewer blobs than animals: frames 0-39. Animals there have no position.",
    ]
    unknown = [Loss(LOST_SMALL, 40, many, None), Loss(LOST_FAINT, 200, np.arange(200), None)]
    assert [line.partition(" blobs")[0] for line in loss_words(unknown, 1000, (50, 900), 5.0)] == ["200"]
