"""What is said of changes of the scene."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.segmentation.transitions import arena_sentences, change_sentences, locate_change, steps_between

LUMA = np.full((1, 4, 6), 160, np.uint8)
STILL = Background(LUMA, LUMA[..., None].repeat(3, 3), np.zeros(1, np.int64), LUMA, LUMA[..., None].repeat(3, 3), np.ones(1), 10)
# The picture moves at frame 50; from frame 80 to frame 89 only the light changes.
CHANGED = replace(
    STILL,
    change=np.array([[50, 50], [80, 90]]),
    change_shift=np.array([[4.0, -2.5], [np.nan, np.nan]]),
    change_turn=np.array([0.0, np.nan]),
    change_light=np.array([0.0, 31.0]),
    change_share=np.array([0.0, 0.75]),
)


def test_each_change_is_told_with_its_frames():
    assert change_sentences(STILL) == []
    assert change_sentences(CHANGED) == [
        "the scene changes at frame 50: the picture moves by +4.0 px in x and -2.5 px in y.",
        "the scene changes at frame 80 until frame 89; blobs in these frames are less sure: 75 % of the picture become lighter or darker, "
        "by 31 levels.",
    ]


@pytest.mark.parametrize(("arenas", "words"), [(["north"], "the arena north is in pixels, and does"), (["a", "b"], "the arenas a, b are")])
def test_arenas_do_not_fit_after_the_picture_has_moved(arenas, words):
    (told,) = arena_sentences(CHANGED, arenas)
    assert told.startswith(words)
    assert "not fit from frame 50 on: the picture has moved by +4.0 px in x and -2.5 px in y" in told
    assert arena_sentences(STILL, arenas) == arena_sentences(CHANGED, []) == []


def located(step, gone):
    """The transition in a movie of which every `step`-th frame was sampled; the change is between samples 3 and 4, `gone` at a frame."""
    change = SimpleNamespace(last_before=3, first_after=4, noise=0.005, progress=SimpleNamespace(of=lambda luma: luma))
    return locate_change(change, np.arange(0, 10 * step, step), lambda frames: [SimpleNamespace(luma=gone(frame)) for frame in frames])


@pytest.mark.parametrize(("step", "at"), [(1, 4), (100, 357), (100_000, 312_345)])
def test_a_sudden_change_is_located_to_the_frame(step, at):
    found = located(step, lambda frame: float(frame >= at))
    assert (found.last_before, found.first, found.first_after) == (at - 1, at, at)
    assert len(found.frames) == len(found.gone) == 0


def test_a_fade_is_located_with_its_course():
    found = located(100, lambda frame: float(np.clip((frame - 340) / 40, 0, 1)))
    assert abs(found.last_before - 340) <= 2
    assert abs(found.first_after - 380) <= 2
    assert found.frames.tolist() == list(range(found.first, found.first_after))
    assert found.gone == pytest.approx((found.frames - 340) / 40)


def test_a_fade_has_steps_in_which_the_scene_of_after_has_its_share():
    before, after = np.full((8, 8), 100, np.uint8), np.full((8, 8), 180, np.uint8)
    frames = np.arange(10, 29)
    fade = SimpleNamespace(first=10, last_before=9, first_after=29, frames=frames, gone=(frames - 9) / 20)
    steps = list(steps_between(fade, before, after))
    assert len(steps) > 3
    assert steps[-1][1] == 1
    for frame, share in steps:
        assert share == pytest.approx((frame - 9) / 20, abs=1 / len(steps))
    sudden = SimpleNamespace(first=10, last_before=9, first_after=10, frames=frames[:0], gone=frames[:0])
    assert list(steps_between(sudden, before, after)) == [(10, 1.0)]
