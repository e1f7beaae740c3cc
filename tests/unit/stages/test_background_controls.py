"""Every control of the background, on movies whose empty scene is known."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.commands.check import check_experiment
from herdbook.experiment.model import Experiment
from herdbook.movie.simulated.bodies import make_bodies, place_parts
from herdbook.movie.simulated.floor import make_floor
from herdbook.movie.simulated.paths import RoundArena
from herdbook.movie.simulated.rendering import render_frame
from herdbook.segmentation.noise import pixel_noise
from herdbook.segmentation.scenes import time_windows
from herdbook.stages import background, index, segment
from tests.support.segment_files import runs_contain

SIZE, GROUND = (160, 120), 160
GREY = {"codec": "ffv1", "pixel_format": "gray"}  # full range: luma is grey


@pytest.fixture
def make(tmp_path, write_movie, stage_settings):
    """Index and background of a movie of images; further files by option, keys of the section by name."""

    def build(images, *, options=GREY, image=None, polarity="dark", **section):
        movie = write_movie("m.mkv", images, **options)
        times, out = tmp_path / "m.h5", tmp_path / "background" / "m.h5"
        index.main(["--movie", str(movie), "--out", str(times), "--settings", stage_settings("index")])
        settings = stage_settings("background", background=section, segment={"polarity": polarity})
        files = {"movie": movie, "index": times, "reference": times, "out": out} | ({"image": image} if image else {})
        background.main([*(part for name, path in files.items() for part in (f"--{name}", str(path))), "--settings", settings])
        return Background.load(out)

    return build


def passing(draw, ground=GROUND, frames=30):
    masks = [draw([(20 + 4 * t, 40, 12, 5, 20), (140 - 4 * t, 80, 12, 5, 0)], SIZE) for t in range(frames)]
    return [np.where(mask, 50, ground).astype(np.uint8) for mask in masks]


@pytest.mark.parametrize(("statistic", "expected"), [("median", 160), ("mode", 165), ("mean", 159), ("max", 166), ("min", 150)])
def test_each_statistic_combines_the_frames_in_its_way(make, rng, statistic, expected):
    levels = np.array([150] * 5 + [157] * 5 + [160] * 2 + [165] * 8 + [166] * 2)
    images = rng.permuted(np.tile(levels, (*SIZE[::-1], 1)), axis=2).astype(np.uint8)
    assert (make(list(np.moveaxis(images, 2, 0)), statistic=statistic).luma == expected).all()


def test_the_number_of_frames_is_that_of_the_settings(make, draw):
    assert make(passing(draw), frames=7).frames_used == 7


# An image of the empty scene


def test_an_image_stands_in_for_the_background(make, draw, tmp_path, rng):
    scene = rng.integers(140, 180, SIZE[::-1], dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "empty.png"), scene)
    found = make(passing(draw), image=tmp_path / "empty.png", file="empty.png")
    assert np.array_equal(found.luma, scene[None])
    assert np.array_equal(found.bgr, np.repeat(scene[None, :, :, None], 3, axis=3))


def test_a_colour_image_gives_the_colours_and_the_luma_of_the_movie(make, tmp_path):
    colour = np.full((*SIZE[::-1], 3), (200, 120, 40), np.uint8)
    cv2.imwrite(str(tmp_path / "empty.png"), colour)
    movie = [np.full((*SIZE[::-1], 3), (90, 90, 90), np.uint8)] * 3
    found = make(movie, options={"pixel_format": "yuv444p"}, image=tmp_path / "empty.png", file="empty.png")
    assert np.array_equal(found.bgr, colour[None])
    assert (found.luma == 16 + round((0.114 * 200 + 0.587 * 120 + 0.299 * 40) * 219 / 255)).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros((120, 161), np.uint8), "the image is 161 x 120 px, but the movie is 160 x 120 px"),
        ("no image", "cannot be read as an image"),
        (None, "cannot be read as an image"),
    ],
    ids=["size", "text", "missing"],
)
def test_an_image_that_does_not_fit_is_a_clear_error(make, draw, tmp_path, capsys, content, words):
    path = tmp_path / "empty.png"
    if isinstance(content, np.ndarray):
        cv2.imwrite(str(path), content)
    elif content:
        path.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        make(passing(draw), image=path, file=str(path))
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert words in message
    assert "empty.png" in message
    assert not (tmp_path / "background" / "m.h5").exists()


# Windows of time


def test_light_that_drifts_has_a_background_per_window(make, draw):
    levels = np.linspace(120, 180, 80).round().astype(int)
    images = [np.where(image == 50, 50, level).astype(np.uint8) for image, level in zip(passing(draw, frames=80), levels, strict=True)]
    found = make(images, scope="window", window_s=1.0, frames=20)  # 20 frames per second
    assert found.first_frame.tolist() == [0, 20, 40, 60]
    assert found.frames_used == 80
    for (start, stop), luma in zip(pairwise([0, 20, 40, 60, 80]), found.luma, strict=True):
        assert abs(float(np.median(luma)) - np.median(levels[start:stop])) <= 1
        assert np.ptp(luma) <= 16  # the levels of a window, no animal


@pytest.mark.parametrize(("window_s", "starts"), [(0.7, [0, 7, 14]), (0.9, [0, 10]), (2.0, [0]), (100.0, [0])])
def test_windows_share_the_time_evenly(window_s, starts):
    n = 20
    whole = Index(np.arange(n), np.arange(n) / 10, np.ones(n, bool), 8, 8, 10.0, "h264", True, True, "f")
    assert time_windows(whole, window_s) == list(pairwise([*starts, n]))


def test_a_window_without_frames_is_none():
    times = np.r_[np.arange(10) / 10, 50 + np.arange(10) / 10]
    gap = Index(np.arange(20), times, np.ones(20, bool), 8, 8, 10.0, "h264", True, True, "f")
    assert time_windows(gap, 5.0) == [(0, 10), (10, 20)]


# Noise


@pytest.mark.parametrize(("polarity", "level"), [("dark", 60), ("bright", 230), ("either", 60)])
def test_noise_is_that_of_the_empty_scene_however_long_an_animal_rests(rng, polarity, level):
    sigma = np.where(np.arange(80) < 40, 1.0, 4.0)
    frames = np.clip(np.rint(GROUND + sigma * rng.standard_normal((100, 60, 80))), 0, 255).astype(np.uint8)
    frames[:60, 20:40, 10:70] = level
    noise = pixel_noise(list(frames), np.full((60, 80), GROUND, np.uint8), polarity)
    assert np.median(noise[:, :36]) == pytest.approx(1.0, abs=0.15)
    assert np.median(noise[:, 44:]) == pytest.approx(4.0, abs=0.5)
    assert np.median(noise[22:38, 44:68]) == pytest.approx(4.0, abs=0.8)


def test_noise_is_at_least_half_a_level():
    still = np.full((12, 16, 3), GROUND, np.uint8)
    assert (pixel_noise([still] * 10, still) == 0.5).all()


def test_the_artifact_holds_the_noise_of_each_window(make, rng):
    images = [np.clip(GROUND + sd * rng.standard_normal(SIZE[::-1]), 0, 255).astype(np.uint8) for sd in [1.0] * 40 + [5.0] * 40]
    found = make(images, scope="window", window_s=2.0, frames=40)
    assert [float(np.median(noise)) / 8 for noise in found.luma_noise] == pytest.approx([1.0, 5.0], rel=0.15)
    assert np.array_equal(found.bgr_noise[..., 1], found.luma_noise)


# Frames that are left out


def test_black_frames_are_left_out_and_reported(make, draw, capsys):
    images = passing(draw)
    for frame in (0, 1, 2, 17):
        images[frame] = np.zeros_like(images[frame])
    found = make(images, statistic="min", polarity="bright")
    assert found.frames_used == 26
    assert found.luma.min() == 50
    assert "4 of 30 sampled frames are black, broken or unlike the others" in capsys.readouterr().err


# Animals that rest


def resting_ants(frames=100, rest=0.6):
    """Rendered frames of ants of which each rests for most of the movie and walks before or after it, with their places (frames, n, 2)."""
    rng = np.random.default_rng(5)
    arena = RoundArena(239.5, 179.5, 170.0, None)
    floor = make_floor(480, 360, arena, rng)
    bodies = make_bodies(["BB", "GG", "OO", "PP"], 32.0, "colour", rng)
    place = np.array([[150.0, 110.0], [330.0, 110.0], [150.0, 250.0], [330.0, 250.0]])
    heading = np.array([0.3, 2.0, -2.2, -0.6])
    # Two ants rest first and two last; they walk on circles that begin and end where they rest.
    early = np.array([True, False, True, False])
    turn = np.arange(frames)[:, None] - np.where(early, rest * frames, 0)
    turn = np.clip(turn / ((1 - rest) * frames), 0, 1) * 2 * np.pi
    angle = heading + turn
    truth = place + 22 * np.stack([np.sin(angle) - np.sin(heading), np.cos(heading) - np.cos(angle)], axis=2)
    images = []
    for t in range(frames):
        points = place_parts(bodies, truth[t, :, 0], truth[t, :, 1], angle[t], np.full(4, 0.1 * t), np.zeros(4), t / 20)
        images.append(render_frame(floor, bodies, points, np.arange(4), 1.0, rng))
    return images, truth


@pytest.fixture(scope="module")
def rested():
    return resting_ants()


@pytest.mark.parametrize("resting", [True, False])
def test_animals_that_rest_most_of_the_time_are_found_in_all_frames(make, rested, tmp_path, stage_settings, resting):
    images, truth = rested
    moved = np.linalg.norm(np.diff(truth, axis=0), axis=2) > 0.1
    assert (moved.mean(axis=0) < 0.42).all()
    make(images, options={"pixel_format": "yuv444p"}, resting=resting)
    files = {"movie": "m.mkv", "index": "m.h5", "background": "background/m.h5", "out": "segment/m.h5"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
    segment.main([*options, "--settings", stage_settings("segment", segment={"area": [100, 2000]})])
    blobs = Blobs.load(tmp_path / "segment" / "m.h5")
    found = np.zeros(truth.shape[:2], bool)
    with open_blob_images(blobs.path) as stored:
        runs, offsets = stored.runs(0, len(blobs))
    for blob, frame in enumerate(blobs.frame):
        for animal, (x, y) in enumerate(truth[frame]):
            found[frame, animal] |= runs_contain(runs[offsets[blob] : offsets[blob + 1]], x, y)
    if resting:
        assert found.all()
        assert np.bincount(blobs.frame, minlength=len(images)).tolist() == [4] * len(images)
        assert blobs.area.min() > 0.75 * np.median(blobs.area)
    else:
        assert found.mean() < 0.7


def test_an_image_that_does_not_fit_is_found_before_the_run(tmp_path, write_movie):
    movie = write_movie("m.mkv", [np.full((80, 96), 90, np.uint8)] * 3)
    keys = {"experiment": "e", "movies": [{"name": "m", "file": str(movie)}], "animals": {"marking": "none"}}
    for name, shape in (("right", (80, 96)), ("wrong", (80, 100))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros(shape, np.uint8))
    faults = {
        name: check_experiment(Experiment.model_validate(keys | {"background": {"file": str(tmp_path / f"{name}.png")}})).faults
        for name in ("right", "wrong")
    }
    assert faults["right"] == []
    assert ["the image is 100 x 80 px, but the movie is 96 x 80 px" in fault for fault in faults["wrong"]] == [True]
