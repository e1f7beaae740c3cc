"""Frames of another brightness than the background."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.segmentation.segmenter import Segmenter

GROUND = 120


@pytest.mark.parametrize(("shift", "usable"), [(58, True), (62, False), (-5, True), (-40, False)])
@pytest.mark.parametrize("polarity", ["dark", "bright"])
def test_a_shift_away_from_the_animals_may_be_half_of_the_brightness(stage_settings, polarity, shift, usable):
    luma = np.full((1, 60, 80), GROUND, np.uint8)
    bgr, noise = luma[..., None].repeat(3, axis=3), np.full(luma.shape, 8, np.uint8)
    empty = Background(luma, bgr, np.zeros(1, np.int64), noise, noise[..., None].repeat(3, axis=3), np.ones(1), 10)
    section = {"area": (1, 1000), "polarity": polarity, "difference": 20, "flicker": False}
    segmenter = Segmenter(empty, json.loads(stage_settings("segment", arenas=[], segment=section)), full_range=True)
    level = GROUND + (shift if polarity == "dark" else -shift)
    frame = SimpleNamespace(index=0, luma=np.full((60, 80), level, np.uint8))
    assert (segmenter.blobs(frame) is not None) == usable
