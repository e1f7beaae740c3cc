import math

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.drawing import marks as drawing
from herdbook.drawing.colours import as_bgr, individual_colours
from herdbook.drawing.tracked_movie import clock_time
from herdbook.stages import overlay
from tests.support.drawn_points import write_points
from tests.support.tracked_movie_files import GREY, read_movie, run_movie_stage, write_tracked_movie

STYLE = drawing.Style.for_height(480)
RED = (0, 0, 255)
NAMES = ("Ä1", "b")


def positions(frames):
    """Two animals that walk right, far from each other."""
    x = 40.0 + 2 * np.arange(frames)
    return np.stack([np.stack([x, np.full(frames, 60.0)], 1), np.stack([x, np.full(frames, 150.0)], 1)], 1)


def write_inputs(folder, *, frames=20, **options):
    truth = positions(frames)
    write_tracked_movie(folder, truth, names=NAMES, **options)
    return truth


def run(folder, **section):
    return read_movie(run_movie_stage(overlay, folder, "out/m.mp4", **section))


def changed(image, least=60):
    """Where a frame differs from the plain grey of the movie."""
    return np.abs(image.astype(int) - GREY).max(axis=-1) > least


def test_overlay_shows_each_animal_in_its_colour_where_it_is(tmp_path):
    truth = write_inputs(tmp_path)
    movie, rate, _ = run(tmp_path)
    assert movie.shape == (20, 200, 200, 3)
    assert rate == pytest.approx(20)
    for number in (0, 10, 19):
        for (x, y), colour in zip(truth[number], as_bgr(individual_colours(NAMES)), strict=True):
            spot = movie[number, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3).mean(axis=0)
            assert np.abs(spot - colour).max() < 60
    assert np.abs(movie[10, 90:120, 60:180].astype(int) - GREY).max() < 12


def test_trail_is_as_long_as_asked(tmp_path):
    truth = write_inputs(tmp_path)
    movie, _, _ = run(tmp_path, trail_s=0.5)
    columns = np.flatnonzero(changed(movie[19, 58:63]).any(axis=0))
    assert abs(columns.min() - truth[19 - 10, 0, 0]) <= 4


def test_only_what_is_asked_for_is_drawn(tmp_path):
    truth = write_inputs(tmp_path, heading=-math.pi / 2)
    x, y = truth[19, 0].astype(int)
    # Some of the frame that only this part is drawn on.
    places = {
        "names": np.s_[y - 4 : y + 5, x + 9 : x + 20],
        "trails": np.s_[y - 1 : y + 2, x - 30 : x - 10],
        "outlines": np.s_[y - 1 : y + 2, x + 3],
        "marks": np.s_[185:200, 0:100],
        "time": np.s_[2:14, 2:60],
    }
    for part in places:
        movie, _, _ = run(tmp_path, show=[part])
        drawn = {other for other, place in places.items() if changed(movie[19][place]).any()}
        assert drawn == ({part, "outlines"} if part == "marks" else {part}), part
    movie, _, _ = run(tmp_path, show=[])
    assert not changed(movie, 20).any()


BODY = np.array([[-12.0, -14], [12, -14]])


def write_body_points(folder, truth, names=NAMES, **columns):
    """Two points above each animal, a line between them."""
    write_points(folder / "points.h5", truth[:, :, None] + BODY, list(names), ["nose", "tail"], **columns)


def test_body_points_and_their_lines_are_drawn_in_the_colours_of_the_animals(tmp_path):
    truth = write_inputs(tmp_path)
    write_body_points(tmp_path, truth)
    movie, _, _ = run(tmp_path, points="points.h5", show=["points"])
    for number in (0, 19):
        for place, colour in zip(truth[number], as_bgr(individual_colours(NAMES)), strict=True):
            for x, y in (*(place + BODY), place + np.array([0, -14])):
                spot = movie[number, round(y), round(x)].astype(int)
                assert np.abs(spot - colour).max() < 110
                assert np.abs(spot - GREY).max() > 60
            assert not changed(movie[number, int(place[1]) - 4 : int(place[1]) + 5, int(place[0]) - 8 : int(place[0]) + 9]).any()
    plain, _, _ = run(tmp_path, points="points.h5", show=["points"], skeleton=[])
    x, y = (truth[19, 0] + (0, -14)).astype(int)
    assert changed(movie[19, y, x], 60).all()
    assert not changed(plain[19, y, x], 60).any()


def test_body_points_of_a_movie_that_is_scaled_down_are_where_they_belong(tmp_path):
    truth = write_inputs(tmp_path, frames=2, size=(2560, 240))
    write_body_points(tmp_path, truth)
    movie, _, _ = run(tmp_path, points="points.h5", show=["points"])
    x, y = (truth[1, 0] + BODY[0] + 0.5) / 2 - 0.5
    assert np.abs(movie[1, round(y), round(x)].astype(int) - as_bgr(individual_colours(NAMES))[0]).max() < 110


def test_points_in_the_list_change_no_byte_of_a_movie_without_body_points(tmp_path):
    write_inputs(tmp_path)
    with_points = run_movie_stage(overlay, tmp_path, "out/m.mp4").read_bytes()
    without = run_movie_stage(overlay, tmp_path, "old/m.mp4", show=["names", "trails", "outlines", "marks", "time"])
    assert with_points == without.read_bytes()


def test_body_points_of_another_movie_or_of_other_names_are_refused(tmp_path, capsys):
    truth = write_inputs(tmp_path)
    write_body_points(tmp_path, np.concatenate([truth, truth[-1:]]))
    with pytest.raises(SystemExit):
        run(tmp_path, points="points.h5")
    assert "points.h5: 21 frames, but 20 in" in capsys.readouterr().err
    write_body_points(tmp_path, truth)
    with pytest.raises(SystemExit):
        run(tmp_path, points="points.h5", skeleton=[("nose", "tial")])
    assert "points.skeleton: there is no point 'tial'; did you mean 'tail'?" in capsys.readouterr().err
    assert not (tmp_path / "out" / "m.mp4").exists()


def test_a_fast_movie_leaves_frames_out_and_keeps_its_rate(tmp_path):
    write_inputs(tmp_path)
    movie, rate, times = run(tmp_path, speed=4)
    assert (len(movie), rate) == (5, pytest.approx(20))
    assert times == pytest.approx(np.arange(5) / 20, abs=1e-3)


def test_every_nth_frame_is_shown_when_it_was_filmed(tmp_path):
    write_inputs(tmp_path)
    movie, rate, times = run(tmp_path, every=3)
    assert (len(movie), rate) == (7, pytest.approx(20 / 3))
    assert times == pytest.approx(np.arange(7) * 3 / 20, abs=1e-3)


def test_intervals_follow_each_other_without_a_pause(tmp_path):
    truth = write_inputs(tmp_path)
    movie, _, times = run(tmp_path, intervals=[[2, 5], [15, 17]], show=["marks"])
    assert times == pytest.approx(np.arange(5) / 20, abs=1e-3)
    for image, number in zip(movie, (2, 3, 4, 15, 16), strict=True):
        columns = np.flatnonzero(changed(image[58:63], 100).any(axis=0))
        assert columns.min() - 2 <= truth[number, 0, 0] <= columns.max()
    assert len(run(tmp_path, intervals=[[0.5, 0.7]], intervals_in="s")[0]) == 4


def test_an_interval_without_a_frame_is_refused(tmp_path, capsys):
    write_inputs(tmp_path)
    with pytest.raises(SystemExit):
        run(tmp_path, intervals=[[20, 30]])
    assert "overlay.intervals: [20, 30] holds no frame of a movie of 20 frames" in capsys.readouterr().err


def test_uneven_times_of_the_frames_are_kept(tmp_path):
    time_s = np.cumsum([0.0, 0.05, 0.05, 0.4, 0.05, 0.2])
    write_inputs(tmp_path, frames=6, time_s=time_s)
    movie, _, times = run(tmp_path)
    assert len(movie) == 6
    assert times == pytest.approx(time_s, abs=1e-3)


@pytest.mark.parametrize("animals", [0, 1, 100])
@pytest.mark.parametrize("frames", [1, 3])
def test_overlay_of_any_number_of_animals(tmp_path, rng, animals, frames):
    places = rng.uniform(0, 199, (frames, animals, 2))
    write_tracked_movie(tmp_path, places)
    movie, _, _ = run(tmp_path)
    assert len(movie) == frames
    assert changed(movie[0, 20:140]).any() == bool(animals)


def test_frames_of_odd_size_grow_by_a_pixel(tmp_path):
    places = np.full((2, 1, 2), 60.0)
    write_tracked_movie(tmp_path, places, size=(151, 101), images=[np.full((101, 151, 3), GREY, np.uint8)] * 2)
    assert run(tmp_path)[0].shape == (2, 102, 152, 3)


def test_a_grey_movie_gets_colours(tmp_path):
    truth = positions(3)
    images = [np.full((200, 200), GREY, np.uint8)] * 3
    write_tracked_movie(tmp_path, truth, names=NAMES, images=images, pixel_format="gray")
    movie, _, _ = run(tmp_path)
    x, y = truth[2, 0].astype(int)
    spot = movie[2, y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(axis=0)
    assert np.abs(spot - as_bgr(individual_colours(NAMES))[0]).max() < 60
    assert np.abs(movie[2, 90:120, 60:180].astype(int) - GREY).max() < 12


def test_animals_at_the_border_are_drawn_as_far_as_they_are_inside(tmp_path):
    corners = np.array([[0.0, 0], [199, 0], [0, 199], [199, 199], [-3, 90], [203, 90]])
    write_tracked_movie(tmp_path, np.tile(corners, (2, 1, 1)))
    movie, _, _ = run(tmp_path, show=["names", "trails", "outlines", "marks"])
    assert all(changed(movie[1][place]).any() for place in (np.s_[:4, :4], np.s_[:4, -4:], np.s_[90, :12], np.s_[90, -12:]))


def test_wide_movie_is_scaled_down_with_its_positions(tmp_path):
    truth = write_inputs(tmp_path, frames=2, size=(2560, 240))
    movie, _, _ = run(tmp_path)
    assert movie.shape == (2, 120, 1280, 3)
    x, y = (truth[1, 0] + 0.5) / 2 - 0.5
    spot = movie[1, round(y), round(x)].astype(int)
    assert np.abs(spot - as_bgr(individual_colours(NAMES))[0]).max() < 90
    assert run(tmp_path, max_width=640)[0].shape == (2, 60, 640, 3)


@pytest.mark.parametrize("artifact", ["tracks", "blobs"])
def test_trajectories_of_another_movie_are_refused(tmp_path, capsys, artifact):
    write_inputs(tmp_path)
    (tmp_path / "other").mkdir()
    write_inputs(tmp_path / "other", frames=19)
    (tmp_path / "other" / f"{artifact}.h5").replace(tmp_path / f"{artifact}.h5")
    with pytest.raises(SystemExit):
        run(tmp_path)
    assert "19 frames" in capsys.readouterr().err
    assert not (tmp_path / "out" / "m.mp4").exists()


@pytest.mark.parametrize("number", [1, 2, 8, 17])
def test_names_of_animals_in_one_place_do_not_cover_each_other(number):
    anchors = np.full((number, 2), 300.0) + np.arange(number)[:, None] * 0.1
    sizes = np.tile([48, 16], (number, 1))
    corners = drawing.place_labels(anchors, sizes, (640, 480), 6.0)
    covered = np.zeros((480, 640), int)
    for (x, y), (width, height) in zip(corners, sizes, strict=True):
        covered[y + 1 : y + height - 1, x + 1 : x + width - 1] += 1
    assert covered.max() == 1


def test_names_stay_inside_of_the_frame():
    rng = np.random.default_rng(1)
    anchors = np.concatenate([rng.uniform(0, 1, (40, 2)) * (640, 480), [[0, 0], [639, 479], [-5, 200], [700, 500]]])
    sizes = np.tile([80, 16], (len(anchors), 1))
    corners = drawing.place_labels(anchors, sizes, (640, 480), 6.0)
    assert (corners >= 0).all()
    assert (corners + sizes <= (640, 480)).all()


def test_names_leave_the_legend_free():
    (corner,) = drawing.place_labels(np.array([[20.0, 470.0]]), np.array([[60, 14]]), (640, 480), 6.0, [(0, 460, 300, 480)])
    assert corner[1] + 14 <= 460


def test_long_name_in_a_small_frame_starts_inside():
    corners = drawing.place_labels(np.array([[10.0, 10.0]]), np.array([[100, 14]]), (50, 50), 4.0)
    assert corners[0, 0] == 0
    image = np.zeros((50, 50, 3), np.uint8)
    drawing.draw_label(image, drawing.make_label("a name that is too long", 12), (0, 40), drawing.WHITE)
    assert image.any()


@pytest.mark.parametrize("text", ["Ω ähre", "", "two\nlines", "g"])
def test_label_has_its_letters_inside_of_its_halo(text):
    label = drawing.make_label(text, 14)
    assert label.letters.max() > 0.5
    assert label.letters.shape == label.halo.shape
    edge = np.concatenate([label.letters[0], label.letters[-1], label.letters[:, 0], label.letters[:, -1]])
    assert edge.max() == 0


def test_marks_of_the_sources_differ():
    size = 41
    pictures = []
    for source in (FROM_SINGLE, FROM_RESOLVED, FROM_INTERPOLATED, FROM_MERGED):
        image = np.full((size, size, 3), 90, np.uint8)
        drawing.draw_mark(image, 20.0, 20.0, source, RED, drawing.Style.for_height(1600))
        pictures.append(image)
    single, resolved, interpolated, merged = pictures
    assert single[20, 20].tolist() == list(RED)
    assert resolved[20, 20].tolist() == [90, 90, 90] == merged[20, 20].tolist()
    assert interpolated[20, 20].tolist() == list(RED)
    assert (interpolated[20, 20 + 6] == 90).all()
    assert all((a != b).any() for i, a in enumerate(pictures) for b in pictures[:i])


def test_tick_points_where_the_animal_heads():
    image = np.zeros((60, 60, 3), np.uint8)
    drawing.draw_mark(image, 30.0, 30.0, FROM_SINGLE, RED, STYLE, heading=math.pi / 2)
    rows, columns = np.nonzero(image[..., 2] > 100)
    assert rows.max() > 30 + 2.5 * STYLE.radius
    assert rows.min() >= 30 - STYLE.radius - 2
    assert abs(columns.mean() - 30) < 0.5


def test_trail_is_broken_where_the_animal_was_lost():
    image = np.zeros((20, 100, 3), np.uint8)
    points = np.array([[5.0, 10], [30, 10], [70, 10], [95, 10]])
    drawing.draw_trail(image, points, np.array([1, 2, 9, 10]), RED, STYLE)
    assert image[10, 15, 2] > 100 < image[10, 85, 2]
    assert not image[10, 40:60].any()


def test_outline_is_the_rim_of_the_blob():
    image = np.full((12, 12, 3), 250, np.uint8)
    drawing.draw_outlines(image, np.array([[row, 3, 8] for row in range(2, 9)], np.int32), 1.0)
    changed = (image != 250).any(axis=2)
    expected = np.zeros((12, 12), bool)
    expected[2:9, 3:9] = True
    expected[3:8, 4:8] = False
    assert np.array_equal(changed, expected)


def test_legend_of_a_narrow_frame_takes_more_rows_and_stays_inside():
    wide, narrow = (np.zeros((300, width, 3), np.uint8) for width in (640, 130))
    boxes = [drawing.draw_legend(image, STYLE) for image in (wide, narrow)]
    assert boxes[0][1] > boxes[1][1] > 0
    assert boxes[1][2] <= 130 + STYLE.font_px


@pytest.mark.parametrize(("time_s", "text"), [(0, "0:00:00.0"), (59.96, "0:01:00.0"), (3725.04, "1:02:05.0")])
def test_clock(time_s, text):
    assert clock_time(time_s) == text
