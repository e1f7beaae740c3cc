"""A movie whose scene changes for good has a background for each scene, and its animals are found in all of them."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.segment import Blobs
from herdbook.segmentation.transitions import motion_between
from herdbook.stages import background, index, segment

SIZE, FRAMES, START = (200, 150), 90, 63
GREY = {"codec": "ffv1", "pixel_format": "gray"}  # full range: luma is grey
GROUND = 180 + 20 * cv2.GaussianBlur(np.random.default_rng(3).normal(0, 8, (190, 240)), (0, 0), 2)


def places(rest=()):
    """Centres (frames, animals, 2) of two animals; those in `rest` stand still from the change on."""
    t = np.arange(FRAMES)[:, None]
    clock = np.concatenate([np.where(t >= START, START, t) if animal in rest else t for animal in range(2)], axis=1)
    phase = 2 * np.pi * clock / 40
    return np.stack([[50, 150] + 25 * np.sin(phase), [75, 75] + 45 * np.cos(1.3 * phase)], axis=2)


def draw(walks, *, moved=(0, 0), light=1.0, over=1):
    """Frames; from START on the picture has moved, and the light has another strength, which takes `over` frames."""
    rng, images = np.random.default_rng(4), []
    for number, animals in enumerate(walks):
        gone = np.clip((number - START + 1) / over, 0, 1)
        x, y = moved if number >= START else (0, 0)
        image = GROUND[20 - y : 170 - y, 20 - x : 220 - x].copy()
        for centre in animals:
            cv2.ellipse(image, (round(centre[0] + x), round(centre[1] + y)), (9, 5), 0, 0, 360, 50, -1)
        images.append(np.clip(image * (1 + gone * (light - 1)) + rng.normal(0, 1, image.shape), 0, 255).astype(np.uint8))
    return images


@pytest.fixture
def make(tmp_path, write_movie, stage_settings):
    """Index, background and blobs of movies that share a background; the artifacts of the last one, or what stage background raises."""

    def build(*movies, image=None, arenas=(), **section):
        paths = [write_movie(f"m{number}.mkv", images, **GREY) for number, images in enumerate(movies)]
        times = [path.with_suffix(".h5") for path in paths]
        for path, time in zip(paths, times, strict=True):
            index.main(["--movie", str(path), "--out", str(time), "--settings", stage_settings("index")])
        out, given = tmp_path / "background.h5", ["--image", str(image)] if image else []
        files = ["--movie", *map(str, paths), "--index", *map(str, times), "--reference", str(times[0]), "--out", str(out), *given]
        background.main([*files, "--settings", stage_settings("background", background=section)])
        keys = {"segment": {"area": [30, 400], "difference": 25}, "arenas": list(arenas)}
        files = ["--movie", str(paths[-1]), "--index", str(times[-1]), "--background", str(out), "--out", str(tmp_path / "segment.h5")]
        segment.main([*files, "--settings", stage_settings("segment", **keys)])
        return Background.load(out), Blobs.load(tmp_path / "segment.h5")

    return build


def found_share(blobs, walks, moved=(0, 0)):
    """Share of the animals with a blob within 3 px, before and after the change, and the number of blobs for each animal."""
    near = np.zeros(walks.shape[:2], bool)
    for number, animals in enumerate(walks):
        here = blobs.frame == number
        shown = animals + (moved if number >= START else (0, 0))
        if here.any():
            near[number] = np.hypot(blobs.x[here, None] - shown[:, 0], blobs.y[here, None] - shown[:, 1]).min(axis=0) <= 3
    return near[:START].mean(), near[START:].mean(), len(blobs.frame) / near.size


@pytest.mark.parametrize(
    "change", [{"moved": (6, 4)}, {"light": 0.7}, {"light": np.linspace(1, 0.5, 200)[None]}], ids=["push", "lamp", "side"]
)
def test_animals_are_found_on_both_sides_of_a_change(make, capsys, change):
    walks = places()
    scene, blobs = make(draw(walks, **change))
    assert scene.change.tolist() == [[START, START]]
    assert scene.first_frame.tolist() == [0, START]
    before, after, number = found_share(blobs, walks, change.get("moved", (0, 0)))
    assert (before, after) == (1, 1)
    assert number == pytest.approx(1, abs=0.03)
    assert f"the scene changes at frame {START}" in capsys.readouterr().err


def test_a_fade_has_scenes_on_its_way(make):
    walks = places()
    scene, blobs = make(draw(walks, light=0.6, over=20))
    (first, end) = scene.change[0].tolist()
    assert abs(first - START) <= 2
    assert abs(end - START - 20) <= 2
    levels = [float(np.median(image)) for image in scene.luma]
    assert len(levels) > 8
    assert all(after < before for before, after in pairwise(levels))
    before, after, number = found_share(blobs, walks)
    assert (before, after) == (1, 1)
    assert number == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("change", [{"moved": (6, 4)}, {"light": np.linspace(1, 0.5, 200)[None]}], ids=["push", "lamp"])
def test_an_animal_that_rests_through_a_whole_scene_is_not_part_of_it(make, change):
    walks = places(rest=(1,))
    _, blobs = make(draw(walks, **change))
    before, after, _ = found_share(blobs, walks, change.get("moved", (0, 0)))
    assert (before, after) == (1, 1)


def test_an_animal_that_rests_from_the_middle_on_is_no_change_of_the_scene(make):
    scene, _ = make(draw(places(rest=(0, 1))))
    assert scene.change is None
    assert scene.first_frame.tolist() == [0]


def test_arenas_that_do_not_move_with_the_picture_are_named(make, capsys):
    dish = {"name": "dish", "include": [{"ellipse": {"centre": [100, 75], "axes": [98, 73]}}]}
    make(draw(places(), moved=(6, 4)), arenas=[dish])
    message = capsys.readouterr().err
    assert f"the arena dish is in pixels, and does not fit from frame {START} on: the picture has moved by +" in message


def test_an_image_that_shows_only_one_of_two_scenes_is_refused_with_the_frame(make, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "empty.png"), GROUND[20:170, 20:220].astype(np.uint8))
    with pytest.raises(SystemExit):
        make(draw(places(), moved=(6, 4)), image=tmp_path / "empty.png", file="empty.png")
    message = capsys.readouterr().err
    assert f"m0.mkv, frame {START}: the scene changes here for good: the picture moves by +" in message
    assert "Leave out background.file" in message


def test_movies_that_share_a_background_and_do_not_fit_are_refused_with_movie_and_frame(make, capsys):
    walks = places()
    with pytest.raises(SystemExit):
        make(draw(walks)[:60], draw(walks, moved=(6, 4)), scope="recording")
    message = capsys.readouterr().err
    assert f"m1.mkv, frame {START}: the scene changes here for good" in message
    assert "background.scope: movie" in message


def test_a_movie_whose_scene_is_shifted_against_the_one_before_is_recognised():
    def scene(x, y):
        image = GROUND[20 - y : 170 - y, 20 - x : 220 - x].astype(np.uint8)[None]
        colours = np.repeat(image[..., None], 3, axis=3)
        return Background(image, colours, np.zeros(1, np.int64), image, colours, np.ones(1), 10)

    motion = motion_between(scene(0, 0), scene(5, -3), full_range=True)
    assert motion is not None
    assert motion.at(100, 75) == pytest.approx((5, -3), abs=0.1)
    assert motion_between(scene(0, 0), scene(0, 0), full_range=True) is None


def test_the_artifact_says_how_the_scene_moved(make):
    scene, _ = make(draw(places(), moved=(6, 4)))
    assert scene.frames_used <= FRAMES
    assert scene.luma.shape == (2, SIZE[1], SIZE[0])
    assert scene.change_shift[0] == pytest.approx((6, 4), abs=0.1)
    assert np.isfinite(scene.change_turn).all()
