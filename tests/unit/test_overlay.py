import math

import av
import numpy as np
import pytest

from herdbook import drawing, overlay
from herdbook.artifacts import FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE, Index, Trajectories
from herdbook.colours import as_bgr, individual_colours
from herdbook.movie import scan_movie
from herdbook.movie_write import MovieWriter
from herdbook.store import Provenance
from tests.unit.segment_files import write_segment

ORIGIN = Provenance("test", 1)
GREY = 200
STYLE = drawing.Style.for_height(480)
RED = (0, 0, 255)


def positions(frames):
    """Two animals that walk right, far from each other."""
    x = 40.0 + 2 * np.arange(frames)
    return np.stack([np.stack([x, np.full(frames, 60.0)], 1), np.stack([x, np.full(frames, 150.0)], 1)], 1)


def write_inputs(folder, *, frames=20, size=(200, 200), names=("Ä1", "b"), present=True):
    truth = positions(frames)
    with MovieWriter(folder / "m.mp4", *size, 20.0) as writer:
        for _ in range(frames):
            writer.write(np.full((size[1], size[0], 3), GREY, np.uint8))
    scan = scan_movie(folder / "m.mp4")
    facts = (scan.width, scan.height, scan.fps, scan.codec, scan.grey, scan.full_range)
    Index(scan.pts, scan.time_s, scan.keyframe, *facts, "f").save(folder / "index.h5", ORIGIN)
    animals = 2 if present else 0
    frame = np.repeat(np.arange(frames, dtype=np.int32), animals)
    x, y = truth[:, :animals].reshape(-1, 2).T
    count = len(frame)
    box = np.stack([x - 3, y - 1, x + 4, y + 2], axis=1).astype(np.int32)
    runs = np.stack([np.stack([y + d, x - 3, x + 3], axis=1) for d in (-1, 0, 1)], axis=1).reshape(-1, 3).astype(np.int16)
    columns = {
        **{"frame": frame, "x": x, "y": y, "area": np.full(count, 21, np.int32), "box": box, "moments": np.ones((count, 3))},
        **{"contrast": np.ones(count, np.float32), "intensity": np.ones(count, np.float32), "arena": np.zeros(count, np.int16)},
        "border": np.zeros(count, bool),
    }
    facts_of_movie = {"frames": frames, "width": size[0], "height": size[1], "fps": 20.0}
    write_segment(folder / "blobs.h5", columns, runs, 3 * np.arange(count + 1), provenance=ORIGIN, **facts_of_movie)
    who = np.tile(np.arange(animals, dtype=np.int32), frames)
    ones = np.ones(count, np.float32)
    source = np.full(count, FROM_SINGLE, np.uint8)
    places = (frames, frame, who, x, y, x, y, 0 * ones, ones, source, 0 * ones, ones < 0)
    Trajectories(list(names) if present else [], *places).save(folder / "tracks.h5", ORIGIN)
    return truth


def run(folder, settings='{"overlay_every": 1, "trail_s": 0.5}'):
    files = {"movie": "m.mp4", "index": "index.h5", "blobs": "blobs.h5", "trajectories": "tracks.h5", "out": "out/m.mp4"}
    overlay.main([*(word for name, file in files.items() for word in (f"--{name}", str(folder / file))), "--settings", settings])
    with av.open(str(folder / "out" / "m.mp4")) as container:
        rate = container.streams.video[0].average_rate
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]), float(rate)


def test_overlay_shows_each_animal_in_its_colour_where_it_is(tmp_path):
    truth = write_inputs(tmp_path)
    movie, rate = run(tmp_path)
    assert movie.shape == (20, 200, 200, 3)
    assert rate == pytest.approx(20)
    for number in (0, 10, 19):
        for (x, y), colour in zip(truth[number], as_bgr(individual_colours(["Ä1", "b"])), strict=True):
            spot = movie[number, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(-1, 3).mean(axis=0)
            assert np.abs(spot - colour).max() < 60
    assert np.abs(movie[10, 90:120, 60:180].astype(int) - GREY).max() < 12


def test_trail_is_as_long_as_asked(tmp_path):
    truth = write_inputs(tmp_path)
    movie, _ = run(tmp_path)
    row = movie[19, 58:63].astype(int)
    changed = np.flatnonzero((np.abs(row - GREY).max(axis=2) > 60).any(axis=0))
    assert abs(changed.min() - truth[19 - 10, 0, 0]) <= 4


def test_overlay_of_every_nth_frame_keeps_real_time_down_to_ten_frames_per_second(tmp_path):
    write_inputs(tmp_path)
    movie, rate = run(tmp_path, '{"overlay_every": 2, "trail_s": 0.5}')
    assert (len(movie), rate) == (10, pytest.approx(10))
    movie, rate = run(tmp_path, '{"overlay_every": 3, "trail_s": 0.5}')
    assert (len(movie), rate) == (7, pytest.approx(10))


@pytest.mark.parametrize("present", [True, False])
def test_overlay_of_one_frame(tmp_path, present):
    write_inputs(tmp_path, frames=1, present=present)
    assert len(run(tmp_path)[0]) == 1


def test_wide_movie_is_scaled_down_with_its_positions(tmp_path):
    truth = write_inputs(tmp_path, frames=2, size=(2560, 240))
    movie, _ = run(tmp_path)
    assert movie.shape == (2, 120, 1280, 3)
    x, y = (truth[1, 0] + 0.5) / 2 - 0.5
    spot = movie[1, round(y), round(x)].astype(int)
    assert np.abs(spot - as_bgr(individual_colours(["Ä1", "b"]))[0]).max() < 90


def test_trajectories_of_another_movie_are_refused(tmp_path, capsys):
    write_inputs(tmp_path)
    tracks = Trajectories.load(tmp_path / "tracks.h5")
    tracks.frames = 19
    tracks.save(tmp_path / "tracks.h5", ORIGIN)
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
    assert overlay.clock_time(time_s) == text
