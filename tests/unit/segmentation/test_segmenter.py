"""Segmenters that share what other settings leave as it is find what new ones find."""

import json
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.thresholds import difference_bounds

SHAPE = (72, 96)
PLATES = [
    {"name": "left", "include": [{"ellipse": {"centre": [21, 36], "axes": [20, 30], "angle": 5}}]},
    {"name": "right", "include": [{"polygon": [[47, 4], [92, 8], [90, 66], [47, 60]]}]},
    {"name": "middle", "include": [{"polygon": [[46.4, 4], [46.4, 60], [44, 60], [44, 4]]}]},
]
CHOICES: dict[str, tuple[Any, ...]] = {
    "method": ("background", "intensity"),
    "polarity": ("dark", "bright", "either"),
    "difference": (4, 10, 25.5, 60),
    "difference_noise": (None, None, 5.0),
    "intensity": ([0, 90], [120, 255], [40, 110]),
    "channel": ("grey", "grey", "blue", "colour"),
    "flat_field": (False, True),
    "flicker": (False, True),
    "blur": (0, 0, 1.5),
    "close": (0, 0, 2),
    "open": (0, 0, 1),
    "fill_holes": (False, True),
    "reduce": (1, 1, 3),
    "area": ([1, 5000], [12, 300]),
    "min_contrast": (0, 20),
    "drop_border": (False, True),
}


def crowd(rng: np.random.Generator, level: float, at: int) -> SimpleNamespace:
    """A frame of discs of many levels on uneven, noisy ground."""
    colour = np.clip(level + np.arange(SHAPE[1])[None, :, None] * 0.4 + rng.normal(0, 3, (*SHAPE, 3)), 0, 255).astype(np.uint8)
    for x, y, radius, *shade in rng.integers((0, 0, 1, 0, 0, 0), (96, 72, 9, 255, 255, 255), (9, 6)).tolist():
        cv2.circle(colour, (x, y), radius, tuple(map(int, shade)), -1)
    luma = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    return SimpleNamespace(index=at, luma=luma, bgr=lambda: colour)


def made_movie(rng: np.random.Generator) -> tuple[Background, list[SimpleNamespace]]:
    """Six frames, and their background in two windows that begin with frames 0 and 3."""
    ground = [crowd(rng, level, 0) for level in (120.0, 90.0)]
    luma, bgr = np.stack([one.luma for one in ground]), np.stack([one.bgr() for one in ground])
    noise = rng.integers(4, 40, luma.shape).astype(np.uint8)
    background = Background(luma, bgr, np.array([0, 3]), noise, np.repeat(noise[..., None], 3, axis=3), np.full(2, 2.0), 20)
    return background, [crowd(rng, 120.0 if at < 3 else 90.0, at) for at in range(6)]


def contents(found: tuple[FrameBlobs, np.ndarray] | None) -> list[Any]:
    if found is None:
        return [None]
    blobs, losses = found
    return [getattr(blobs, name).tolist() for name in FrameBlobs.__slots__] + [losses.tolist()]


@pytest.mark.parametrize("full_range", [True, False])
def test_a_retuned_segmenter_finds_the_blobs_of_a_new_one(rng, stage_settings, full_range):
    background, frames = made_movie(rng)
    retuned, counts, changes = None, set(), 0
    for _ in range(60):
        values = {key: some[rng.integers(len(some))] for key, some in CHOICES.items()}
        arenas = [[], PLATES[:1], PLATES][rng.integers(3)] if retuned is None or rng.random() < 0.2 else arenas  # noqa: F821
        animals = [{**arena, "number": 3} for arena in arenas]
        settings = json.loads(stage_settings("segment", arenas=animals, segment=drop_alternatives(values)))
        new = Segmenter(background, settings, full_range)
        before, retuned = retuned, new if retuned is None else retuned.retuned(settings)
        changes += before is not None and not np.array_equal(before.arena, retuned.arena)
        for frame in (frames[k] for k in rng.permutation(6)[:3]):
            there = contents(retuned.separate(frame))
            assert there == contents(new.separate(frame)), (values, frame.index)
            counts.add(len(there[0] or []))
    assert len(counts) > 10
    assert changes > 5


def drop_alternatives(values: dict[str, Any]) -> dict[str, Any]:
    """Of difference and difference_noise only one may be given."""
    left_out = "difference" if values["difference_noise"] is not None else "difference_noise"
    return {key: value for key, value in values.items() if key != left_out}


def test_a_retuned_segmenter_shares_its_arenas(rng, stage_settings):
    background, _ = made_movie(rng)
    settings = json.loads(stage_settings("segment", arenas=[PLATES[0]], segment={"difference": 10}))
    first = Segmenter(background, settings, True)
    assert first.retuned(settings | {"difference": 40, "blur": 2.0}).arena is first.arena
    assert first.retuned(settings | {"arenas": []}).arena is not first.arena


@pytest.mark.parametrize("polarity", ["dark", "bright", "either"])
@pytest.mark.parametrize("least", [1, 7.5, 24.0, 24.3, 200])
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3), (1, 256)])
def test_bounds_by_level_are_those_of_each_pixel(rng, polarity, least, shape):
    image = rng.integers(0, 256, shape).astype(np.uint8)
    by_level = difference_bounds(image, least, polarity)
    by_pixel = difference_bounds(image, np.full(shape, least, np.float32), polarity)
    assert np.array_equal(by_level.lowest, by_pixel.lowest)
    assert np.array_equal(by_level.highest, by_pixel.highest)
