"""Shared pixels of blobs of neighbouring frames, against label images in NumPy."""

from itertools import pairwise

import numpy as np
import pytest

from herdbook.geometry.overlap import frame_overlaps
from herdbook.geometry.runs import runs_to_mask
from herdbook.segmentation.components import Labeller


def blobs_of(masks):
    """Boxes, runs, run offsets and frame offsets of the blobs of all frames, and the number of each blob at its pixels, -1 elsewhere."""
    labeller = Labeller(*masks[0].shape)
    found = [labeller.label_mask(mask) for mask in masks]
    frame_offsets = np.cumsum([0, *(len(f) for f in found)])
    runs = np.concatenate([f.runs for f in found])
    run_offsets = np.cumsum([0, *np.concatenate([np.diff(f.run_offsets) for f in found])])
    boxes = np.concatenate([np.stack([f.x0, f.y0, f.x1, f.y1], 1) for f in found])
    images = [np.full(mask.shape, -1) for mask in masks]
    for image, f, first in zip(images, found, frame_offsets, strict=False):
        for blob in range(len(f)):
            image[runs_to_mask(f.runs_of(blob), 0, 0, *image.shape[::-1])] = first + blob
    return (boxes, runs, run_offsets, frame_offsets), images


def plain_overlaps(images):
    """The same from the pixels, one by one."""
    rows = []
    for a, b in pairwise(images):
        both = (a >= 0) & (b >= 0)
        pairs, shared = np.unique(np.stack([a[both], b[both]], 1), axis=0, return_counts=True)
        rows.append(np.column_stack([pairs, shared]))
    return np.concatenate(rows)


@pytest.mark.parametrize("density", [0.1, 0.3, 0.5])
def test_overlaps_are_those_of_the_pixels(rng, density):
    masks = [rng.random((41, 57)) < density for _ in range(4)]
    masks.insert(2, np.zeros((41, 57), bool))
    blobs, images = blobs_of(masks)
    expected = plain_overlaps(images)
    assert len(expected) > 20
    assert np.array_equal(frame_overlaps(*blobs), expected)


def test_more_pairs_than_the_buffer_holds_are_all_found():
    dots = np.zeros((60, 60), bool)
    dots[::2, ::2] = True
    overlaps = frame_overlaps(*blobs_of([dots, dots])[0])
    assert np.array_equal(overlaps, np.column_stack([np.arange(900), np.arange(900, 1800), np.ones(900, int)]))


def test_a_ring_shares_nothing_with_what_lies_inside_it():
    ring, core = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    ring[3:17, 3:17] = True
    ring[5:15, 5:15] = False
    core[5:15, 5:15] = True
    assert not len(frame_overlaps(*blobs_of([ring, core])[0]))
    core[4, 10] = True
    assert frame_overlaps(*blobs_of([ring, core])[0]).tolist() == [[0, 1, 1]]


def test_blobs_that_are_a_frame_apart_are_no_pair():
    spot, empty = np.ones((6, 6), bool), np.zeros((6, 6), bool)
    assert not len(frame_overlaps(*blobs_of([spot, empty, spot])[0]))


@pytest.mark.parametrize("frames", [0, 1])
def test_too_few_frames_for_a_pair_give_none(frames):
    nothing = np.zeros((0, 4), np.int32), np.zeros((0, 3), np.int32), np.zeros(1, np.int64)
    assert frame_overlaps(*nothing, np.zeros(frames + 1, np.int64)).shape == (0, 3)
