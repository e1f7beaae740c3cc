"""The section on body points: how many are known, how far off they are expected to be, and the frames that show them."""

from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.artifacts.repair import RepairedPoints
from herdbook.artifacts.smooth import FROM_RESOLVED, NETWORK, Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.drawing.colours import as_bgr, individual_colours
from herdbook.report.points import pictures
from herdbook.report.points.pictures import PATCH_PX, point_pictures
from herdbook.report.points.section import bodypoints_section
from herdbook.report.points.summaries import ALONE, CONTACT, WORST, PointCounts, PointExample, read_points_of_movie, worst_example
from tests.support.drawn_points import write_points
from tests.support.page_cases import write_page
from tests.support.report_cases import place_of, write_recording

NAMES, POINTS, FRAMES = ["Ada", "Bea"], ["nose", "tail"], 30
LINKS = SimpleNamespace(times_s={"m": np.arange(30.0)}, moment=None)


def places(frames=FRAMES):
    """Two points of each of two animals, left and right of its middle."""
    middle = np.array([[place_of(k, frame) for k in range(2)] for frame in range(frames)])
    return middle[:, :, None] + np.array([[3.0, 0], [-3, 0]])


@pytest.fixture
def drawn(tmp_path):
    """A filmed recording in whose frames 10 to 19 the animals are in contact; their tails are unknown there, and from frame 25 on Bea's."""
    files = write_recording(tmp_path, NAMES, FRAMES, filmed=True)
    tracks = Trajectories.load(files["trajectories"]["m"])
    tracks.source[(tracks.frame >= 10) & (tracks.frame < 20)] = FROM_RESOLVED
    tracks.save(files["trajectories"]["m"], Provenance("smooth", 1))
    xy, error = places(), np.full((FRAMES, 2, 2), 2.0, np.float32)
    xy[10:20, :, 1] = xy[25:, 1, 1] = np.nan
    error[10:20], error[5, 1, 0] = 4.0, 30.0
    points = write_points(tmp_path / "points" / "m.h5", xy, NAMES, POINTS, source=NETWORK, expected_error=error)
    return files | {"points": {"m": points}}


def counted(files):
    counts = PointCounts()
    counts.add(read_points_of_movie(files["points"]["m"], files["trajectories"]["m"]))
    return counts


def test_points_are_counted_where_animals_have_a_position_alone_and_in_contact(drawn):
    known = counted(drawn).summary()
    assert list(known.points) == POINTS
    assert known.places.tolist() == [[40, 20], [40, 20]]
    assert known.known.tolist() == [[40, 20], [35, 0]]
    assert known.error_px[0].tolist() == [2, 4]
    assert known.error_px[1, 0] == 2
    assert np.isnan(known.error_px[1, 1])


def test_the_section_tells_each_point_and_leaves_out_what_is_not_known(drawn, tmp_path):
    section = bodypoints_section({}, LINKS, counted(drawn).summary())
    assert section.sentences == [
        "Where animals have a position, 79.2 % of their points are known: 93.8 % of animals alone, 50.0 % of those in contact."
    ]
    (table,) = section.tables
    assert table.header[1:] == (
        *("unknown, alone", "unknown, in contact", "expected error, alone (px)", "expected error, in contact (px)"),
    )
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["nose", "0 %", "0 %", "2.0", "4.0"],
        ["tail", "12.5 %", "100 %", "2.0", "–"],
    ]
    assert [cell.text for cell in section.links] == ["body_points.csv"]
    # A pose tool expects no errors, and here nobody is in contact.
    files = write_recording(tmp_path / "alone", NAMES, FRAMES)
    files |= {"points": {"m": write_points(tmp_path / "alone.h5", places(), NAMES, POINTS)}}
    assert bodypoints_section({}, LINKS, counted(files).summary()).tables[0].header == ("point", "unknown, alone")


def test_animals_under_other_names_tell_nothing(drawn, tmp_path):
    counts = counted(drawn | {"points": {"m": write_points(tmp_path / "m.h5", places(), ["track_0", "track_1"], POINTS)}})
    assert not counts.summary().points
    assert counts.examples() == []
    section = bodypoints_section({}, LINKS, counts.summary())
    assert (section.sentences, section.tables) == ([], [])


def test_frames_of_animals_alone_in_contact_and_the_worst_are_shown(drawn):
    counts = counted(drawn)
    examples = counts.examples()
    assert [example.why for example in examples] == [ALONE, ALONE, CONTACT, CONTACT, WORST]
    assert all((10 <= example.frame < 20) == (example.why == CONTACT) for example in examples[:4])
    # All points of these are known.
    assert all(example.individual == "Ada" or example.frame < 25 for example in examples[:2])
    assert (examples[4].frame, examples[4].individual) == (5, "Bea")
    x, y = place_of(1, 5)
    assert (examples[4].x, examples[4].y) == (x, y)


def test_the_worst_moment_of_a_repair_is_shown_instead(drawn):
    movie = read_points_of_movie(drawn["points"]["m"], drawn["trajectories"]["m"])
    shape = (FRAMES, 2, 2)
    moments = np.array([[2, 0, 9, 3, 9, 9, 9, 9], [1, 20, 24, 22, 0, 2, 0, 0]], np.int32)
    repaired = RepairedPoints(
        *(NAMES, POINTS, ["a", "b", "c"], FRAMES, np.zeros(shape), np.zeros(shape), np.ones(shape, np.float32)),
        *(np.zeros(shape, np.int16), np.ones(shape, np.float32), np.zeros(shape[:2], np.int16), np.array([0, 1, -1], np.int32)),
        *(np.ones((FRAMES, 3, 2), np.uint8), np.zeros((3, 1, 6), np.int64), moments),
    )
    # The slot of the worst moment stands for nobody.
    assert repaired.worst == (2, 22, "Bea")
    assert replace(repaired, moments=moments[:1]).worst is None
    worst = worst_example(movie, 22, "Bea")
    assert (worst.frame, worst.individual) == (22, "Bea")
    assert counted(drawn).examples(worst)[-1] == worst
    assert worst_example(movie, 99, "Bea").frame == FRAMES - 1
    assert worst_example(movie, 22, "Cleo") is None


def test_points_are_drawn_where_they_are_on_the_frame(drawn, tmp_path, monkeypatch):
    taken = []
    drawn |= {"points": {"m": write_points(tmp_path / "m.h5", places(), NAMES, POINTS)}}
    plot = pictures.plot_images
    monkeypatch.setattr(pictures, "plot_images", lambda images, captions: taken.append((images, captions)) or plot(images, captions))
    x, y = place_of(1, 4)
    examples = [
        PointExample("m", 4, "Bea", x, y, ALONE),
        PointExample("m", 4, "Bea", x + 6, y, WORST),
        PointExample("m", 3, "Ada", x, y, ALONE),
    ]
    (picture,) = point_pictures(examples, drawn, {"m": 8.0}, None)
    ((images, captions),) = taken
    assert captions[1:] == ["worst: Bea\nm, frame 4", "alone: Ada\nm, frame 3"]
    assert picture.file == "body_points.png"
    assert captions[0] == "alone: Bea\nm, frame 4"
    assert [image.shape for image in images] == [(PATCH_PX, PATCH_PX, 3)] * 3
    colour = as_bgr(individual_colours(NAMES))[1]
    # A body is 8 px, so 16 px of the movie are shown. Places are rounded to whole px of the movie.
    scale = PATCH_PX / 16
    for image, column in zip([images[0]] * 3 + [images[1]], (3, 0, -3, 3 - 6), strict=True):
        x = int(PATCH_PX / 2 + column * scale)
        around = image[PATCH_PX // 2 - 20 : PATCH_PX // 2 + 20, x - 12 : x + 12].reshape(-1, 3).astype(int)
        assert np.abs(around - colour).max(axis=1).min() < 12
    assert not (np.abs(images[1][:, PATCH_PX // 2 + 20 :].astype(int) - colour).max(axis=2) < 12).any()
    assert point_pictures([], drawn, {"m": 8.0}, None) == []


def test_the_page_has_a_section_on_body_points_only_if_there_are_some(tmp_path):
    points = write_points(tmp_path / "points" / "m.h5", places(), NAMES, POINTS)
    with_points = write_page(tmp_path, NAMES, filmed=True, points=points)
    text = unescape(with_points.read_text(encoding="utf-8"))
    section = text[text.index("Body points</h2>") :]
    assert "100 % of their points are known" in section
    assert "How many are unknown" in section
    assert "Body points on frames" in section
    assert (with_points.parent / "body_points.png").stat().st_size > 1000
    assert "Body points" not in write_page(tmp_path / "none", NAMES).read_text(encoding="utf-8")
