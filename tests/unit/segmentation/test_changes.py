"""Changes of the scene are found in sampled frames, and nothing else is taken for one; drawn scenes whose truth is known."""

import cv2
import numpy as np
import pytest

from herdbook.segmentation.changes import Progress, change_ends, find_changes
from herdbook.segmentation.registration import Motion

SIZE, FRAMES = (320, 240), 60
MARGIN = 60


@pytest.fixture(scope="module")
def bedding():
    """Ground with grain, larger than the frame."""
    grain = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 1, (SIZE[1] + 2 * MARGIN, SIZE[0] + 2 * MARGIN)), (0, 0), 3)
    return 180 + 20 * grain / grain.std()


@pytest.fixture(scope="module")
def dish():
    """A light dish with a rim on a dark table."""
    image = np.full((SIZE[1] + 2 * MARGIN, SIZE[0] + 2 * MARGIN), 100.0)
    for level, thickness in ((190.0, -1), (235.0, 2)):
        cv2.ellipse(image, (SIZE[0] // 2 + MARGIN, SIZE[1] // 2 + MARGIN), (150, 110), 0, 0, 360, level, thickness, cv2.LINE_AA)
    return image


def film(ground, *, light=lambda t: 1.0, moved=lambda t: (0.0, 0.0), turned=lambda t: 0.0, walk=lambda t: t, animals=3, noise=1.0):
    """Frames of animals on a ground, uint8; light, movement and turn (degrees) of the picture, and clock of the animals, by frame."""
    rng = np.random.default_rng(5)
    frames = []
    for t in range(FRAMES):
        scene = ground.copy()
        for animal in range(animals):
            angle = 2 * np.pi * (walk(t) / (17 + 3 * animal) + animal / animals)
            x = MARGIN + (animal + 0.5) * SIZE[0] / animals + 0.3 * SIZE[0] / animals * np.sin(angle)
            y = MARGIN + SIZE[1] / 2 + 80 * np.cos(1.3 * angle)
            cv2.ellipse(scene, (round(x), round(y)), (12, 6), float(np.degrees(angle)), 0, 360, 60.0, -1, cv2.LINE_AA)
        matrix = cv2.getRotationMatrix2D((SIZE[0] / 2 + MARGIN, SIZE[1] / 2 + MARGIN), turned(t), 1.0)
        matrix[:, 2] += moved(t)
        view = cv2.warpAffine(scene, matrix, scene.shape[::-1])[MARGIN:-MARGIN, MARGIN:-MARGIN] * light(t)
        frames.append(np.clip(np.rint(view + rng.normal(0, noise, view.shape)), 0, 255).astype(np.uint8))
    return frames


def find(frames, fps=25.0):
    return find_changes(frames, np.arange(len(frames)) / fps, 0)


@pytest.mark.parametrize("start", [4, 12, 30, 56], ids=lambda start: f"at_{start}")
@pytest.mark.parametrize("shift", [(6.0, 4.0), (1.0, 0.0), (-40.0, 15.0)], ids=str)
def test_a_pushed_camera_is_found_with_its_frame_and_its_shift(bedding, start, shift):
    (found,) = find(film(bedding, moved=lambda t: shift if t >= start else (0, 0)))
    assert (found.last_before, found.first_after) == (start - 1, start)
    assert found.motion is not None
    assert found.motion.at(160, 120) == pytest.approx(shift, abs=0.2)


def test_a_dish_that_is_pushed_by_one_pixel_is_found(dish):
    (found,) = find(film(dish, moved=lambda t: (1.0, 0.0) if t >= 40 else (0, 0)))
    assert (found.last_before, found.first_after) == (39, 40)
    assert found.motion is not None
    assert found.motion.at(160, 120) == pytest.approx((1, 0), abs=0.2)


def test_a_push_of_a_dish_with_a_strong_edge_is_no_other_light(dish):
    (found,) = find(film(dish, moved=lambda t: (24.0, 10.0) if t >= 30 else (0, 0)))
    assert found.motion is not None
    assert found.share < 0.05
    assert abs(found.light) < 2


def test_a_camera_that_is_turned_is_found(bedding):
    (found,) = find(film(bedding, turned=lambda t: 1.5 * (t >= 25)))
    assert (found.last_before, found.first_after) == (24, 25)
    assert found.motion is not None
    assert found.motion.turn_deg == pytest.approx(-1.5, abs=0.1)  # the axis of rows points downwards


SIDE = np.linspace(1.0, 0.45, SIZE[0])[None]
SHADOW = np.where((np.arange(SIZE[1])[:, None] < 90) & (np.arange(SIZE[0])[None] < 130), 0.7, 1.0)


@pytest.mark.parametrize("start", [4, 20, 56])
@pytest.mark.parametrize("light", [0.8, SIDE, SHADOW], ids=["dimmed", "from one side", "shadow"])
def test_another_light_is_found_with_its_frame(bedding, start, light):
    (found,) = find(film(bedding, light=lambda t: light if t >= start else 1.0))
    assert (found.last_before, found.first_after) == (start - 1, start)
    assert found.motion is None


def test_a_fade_is_found_from_its_beginning_to_its_end(bedding):
    (found,) = find(film(bedding, light=lambda t: 1 - 0.4 * np.clip((t - 25) / 12, 0, 1)), fps=6)
    assert abs(found.last_before - 25) <= 1
    assert abs(found.first_after - 37) <= 1


def test_several_changes_are_all_found(bedding):
    lamp = film(bedding, light=lambda t: 1.0 if t < 20 or t >= 41 else 0.7)
    assert [(one.last_before, one.first_after) for one in find(lamp)] == [(19, 20), (40, 41)]


def still(t):
    return 0


def start_together(t):
    return 9 * (t >= 30)


@pytest.mark.parametrize("walk", [float, still, start_together], ids=["walk", "rest", "start together"])
@pytest.mark.parametrize("animals", [1, 3, 12])
def test_animals_are_no_change_of_the_scene(bedding, dish, walk, animals):
    plain = np.full_like(bedding, 200)
    assert [find(film(ground, walk=walk, animals=animals)) for ground in (bedding, dish, plain)] == [[], [], []]


@pytest.mark.parametrize("fps", [0.2, 6.0])
def test_light_that_drifts_is_no_change(bedding, fps):
    assert find(film(bedding, light=lambda t: 1 - 0.15 * t / FRAMES), fps=fps) == []


def test_light_that_drifts_for_a_while_is_no_change(bedding):
    assert find(film(bedding, light=lambda t: 1 - 0.15 * min(t, 25) / 25), fps=0.2) == []


def test_light_that_flickers_is_no_change(bedding):
    levels = 1 + 0.02 * np.random.default_rng(9).normal(size=FRAMES)
    assert find(film(bedding, light=lambda t: levels[t])) == []


def test_black_frames_are_passed_over(bedding):
    frames = film(bedding, moved=lambda t: (6.0, 4.0) if t >= 30 else (0, 0))
    frames[:4] = [np.zeros_like(frames[0])] * 4
    assert [(one.last_before, one.first_after) for one in find(frames)] == [(29, 30)]


@pytest.mark.parametrize("number", [1, 5])
def test_few_frames_tell_nothing(bedding, number):
    assert find(film(bedding)[:number]) == []


def test_a_movement_in_reduced_images_is_that_of_the_frame():
    small = Motion(np.array([[1.0, 0, 2], [0, 1, -1]]))
    assert small.scaled(4).at(100, 50) == pytest.approx((8, -4))
    turned = Motion(cv2.getRotationMatrix2D((79.5, 59.5), 3.0, 1.0))
    # The centre of an image of 160 x 120 px is that of one of 640 x 480.
    assert turned.scaled(4).at(319.5, 239.5) == pytest.approx((0, 0), abs=1e-9)


def test_the_ends_of_a_change_do_not_move_with_flicker():
    gone = np.concatenate([np.zeros(20), np.linspace(0.2, 0.8, 4), np.ones(20)])
    assert change_ends(gone, 0.0) == (19, 24)
    flickering = gone + 0.1 * np.random.default_rng(1).normal(size=44)
    first, end = change_ends(flickering, 0.1)
    assert 19 <= first <= 21
    assert 22 <= end <= 25


@pytest.mark.parametrize(("frames", "step"), [(12, 5), (40, 1.5), (60, 1), (60, 0.5), (100, 0.5), (200, 0.3)])
def test_one_large_animal_that_walks_over_an_empty_ground_is_no_change(frames, step):
    # It has all the structure of the frame, and from one moment to another the whole of it moves alike.
    film = []
    for number in range(frames):
        image = np.full((64, 96), 200, np.uint8)
        x = int(4 + abs((step * number) % 144 - 72))
        image[24:36, x : x + 20] = 50
        film.append(image)
    assert find(film, 20.0) == []


@pytest.mark.parametrize(("expected", "counts"), [(140, True), (159, True), (121, True), (161, False), (119, False)])
def test_progress_is_read_where_the_level_changes_by_about_what_is_expected(expected, counts):
    # The change of 40 levels may differ from what is expected by half of it.
    before, after = np.full((16, 16), 100, np.uint8), np.full((16, 16), 140, np.uint8)
    found = Progress.between(before, after, np.full((16, 16), float(expected)), 1)
    assert (found is not None) == counts
    if found is not None:
        assert [found.of(image) for image in (before, np.full((16, 16), 130, np.uint8), after)] == [0, 0.75, 1]
