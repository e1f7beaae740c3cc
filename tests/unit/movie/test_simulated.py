"""The simulator: reproducible by its seed, with a truth that agrees with the drawn frames."""

import csv
import json
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.geometry.ellipses import wrap_angle
from herdbook.movie.simulated.bodies import DOT_COLOURS, make_bodies, place_parts
from herdbook.movie.simulated.floor import Floor, make_floor
from herdbook.movie.simulated.paths import CONTACT_GAP, RoundArena, SimulatedPaths, measure_gaps, simulate_paths
from herdbook.movie.simulated.recording import simulate_recording
from herdbook.movie.simulated.rendering import render_frame
from herdbook.stages.simulate import main

NAMES = ["BG", "GO", "OP", "PB", "GG", "OB"]
FRAMES = 150
BODY = 37.0
ARENA = RoundArena(319.5, 239.5, 220.0, 0.5)


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def read_frames(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("recording")
    simulate_recording(folder, frames=FRAMES, number=len(NAMES), identities=NAMES, seed=4, labels_per_animal=4)
    return folder


@pytest.fixture(scope="module")
def paths() -> SimulatedPaths:
    return simulate_paths(8, 3000, 20.0, ARENA, np.random.default_rng(0), body_length_px=BODY)


def plain_floor() -> Floor:
    """A white arena without noise that fills the frame."""
    white = np.ones((120, 120), dtype=np.float32)
    return Floor(white[:, :, None].repeat(3, axis=2) * 250, white, white, np.zeros((1 << 17, 3), dtype=np.float32))


def draw(identities: list[str], x: list[float], layer: list[int], heading: float = 0.4, bend: float = 0.0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(1)
    bodies = make_bodies(identities, BODY, "colour", rng)
    same = np.ones(len(x))
    points = place_parts(bodies, np.array(x), 60 * same, heading * same, 0 * same, bend * same, 0.0)
    return render_frame(plain_floor(), bodies, points, np.array(layer), 1.0, rng)


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        simulate_recording(tmp_path / name, movies=["m"], frames=30, number=3, seed=seed, labels_per_animal=1)
    for file in ("truth.csv", "labels.csv", "m.mp4"):
        one, same, other = ((tmp_path / name / file).read_bytes() for name in ("one", "same", "other"))
        assert one == same
        assert one != other


def test_movies_have_the_given_number_of_frames_and_rate(recording: Path) -> None:
    for movie in ("movie01", "movie02"):
        with av.open(str(recording / f"{movie}.mp4")) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert stream.average_rate == 20
            assert (stream.width, stream.height) == (640, 480)
        assert len(read_frames(recording / f"{movie}.mp4")) == FRAMES
    assert {path.name for path in recording.iterdir()} == {"movie01.mp4", "movie02.mp4", "truth.csv", "labels.csv"}


def test_truth_names_every_animal_once_per_frame(recording: Path) -> None:
    rows = read_table(recording / "truth.csv")
    assert {row["identity"] for row in rows} == set(NAMES)
    keys = [(row["movie"], row["frame"], row["identity"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {int(row["frame"]) for row in rows} == set(range(FRAMES))


def test_animals_are_dark_on_the_floor_at_their_true_positions(recording: Path) -> None:
    frames = read_frames(recording / "movie01.mp4")
    rows = [row for row in read_table(recording / "truth.csv") if row["movie"] == "movie01"]
    floor = np.median(frames, axis=0).mean(axis=2)
    darker = 0
    for row in rows:
        x, y = round(float(row["x"])), round(float(row["y"]))
        grey = frames[int(row["frame"])][y - 3 : y + 4, x - 3 : x + 4].mean(axis=2)
        darker += grey.min() < 110
    assert np.median(floor[200:280, 280:360]) > 180
    assert darker == len(rows)


def test_second_movie_continues_the_first(recording: Path) -> None:
    rows = read_table(recording / "truth.csv")
    last = {row["identity"]: row for row in rows if row["movie"] == "movie01" and row["frame"] == str(FRAMES - 1)}
    first = {row["identity"]: row for row in rows if row["movie"] == "movie02" and row["frame"] == "0"}
    assert len(last.keys() & first.keys()) >= len(NAMES) - 1
    for name in last.keys() & first.keys():
        step = [float(last[name][axis]) - float(first[name][axis]) for axis in "xy"]
        assert np.hypot(*step) < BODY / 3


def test_labels_click_single_animals_apart_from_the_others(recording: Path) -> None:
    truth: dict[str, dict[str, tuple[float, float]]] = {}
    for row in read_table(recording / "truth.csv"):
        if row["movie"] == "movie01":
            truth.setdefault(row["frame"], {})[row["identity"]] = (float(row["x"]), float(row["y"]))
    labels = read_table(recording / "labels.csv")
    assert {name: sum(row["label"] == name for row in labels) for name in NAMES} == dict.fromkeys(NAMES, 4)
    for row in labels:
        assert row["movie"] == "movie01"
        place = np.array((float(row["x"]), float(row["y"])))
        for name, position in truth[row["frame"]].items():
            distance = np.hypot(*(place - position))
            assert distance < 5 if name == row["label"] else distance > 1.5 * BODY - 5


def test_truth_is_the_centroid_of_the_drawn_body() -> None:
    for bend in (-0.3, 0.0, 0.3):
        rng = np.random.default_rng(0)
        bodies = make_bodies(["a"], BODY, "none", rng)
        bodies.finish[:, :17, 1] = 0.0  # shadow, legs and antennae are no body
        at = (np.array([60.3]), np.array([58.8]), np.array([0.9]), np.zeros(1), np.array([bend]))
        image = render_frame(plain_floor(), bodies, place_parts(bodies, *at, 0.0), np.zeros(1, dtype=np.int64), 1.0, rng)
        rows, columns = np.nonzero(image.mean(axis=2) < 150)
        assert abs(columns.mean() - 60.3) < 0.4
        assert abs(rows.mean() - 58.8) < 0.4


@pytest.mark.parametrize("letter", list(DOT_COLOURS))
def test_dots_show_their_colour_at_thorax_and_abdomen(letter: str) -> None:
    heading = 0.4
    image = draw([letter + "B", "B" + letter], [35.0, 85.0], [0, 1], heading).astype(float)
    for x, along in ((35.0, 0.12), (85.0, -0.26)):
        centre = (round(x + along * BODY * np.cos(heading)), round(60 + along * BODY * np.sin(heading)))
        dot = image[centre[1] - 1 : centre[1] + 2, centre[0] - 1 : centre[0] + 2].mean(axis=(0, 1))
        hues = {name: np.array(colour) / np.linalg.norm(colour) for name, colour in DOT_COLOURS.items()}
        closest = max(hues, key=lambda name: float(hues[name] @ dot / np.linalg.norm(dot)))
        assert closest == letter


def test_the_higher_animal_covers_the_lower_one() -> None:
    both = [60.0, 60.0]
    blue_over_green, green_over_blue = draw(["BB", "GG"], both, [1, 0]), draw(["BB", "GG"], both, [0, 1])
    abdomen = (round(60 - 0.26 * BODY * np.sin(0.4)), round(60 - 0.26 * BODY * np.cos(0.4)))
    assert blue_over_green[abdomen][0] > blue_over_green[abdomen][1]
    assert green_over_blue[abdomen][1] > green_over_blue[abdomen][0]


def test_the_rim_hides_animals_outside() -> None:
    rng = np.random.default_rng(0)
    floor, bodies = make_floor(640, 480, ARENA, rng), make_bodies(["BB"], BODY, "colour", rng)
    hidden_at = ARENA.radius + 0.85 * BODY
    x, y = ARENA.x + hidden_at * np.cos(0.5), ARENA.y + hidden_at * np.sin(0.5)
    points = place_parts(bodies, np.array([x]), np.array([y]), np.array([0.5]), np.zeros(1), np.zeros(1), 0.0)
    order = np.zeros(1, dtype=np.int64)
    with_ant = render_frame(floor, bodies, points, order, 1.0, np.random.default_rng(1))
    without = render_frame(floor, bodies, points + 1000, order, 1.0, np.random.default_rng(1))
    assert np.abs(with_ant.astype(int) - without).max() <= 1


def test_animals_leave_and_return_and_are_inside_whenever_present(paths: SimulatedPaths) -> None:
    radial = np.hypot(paths.x - ARENA.x, paths.y - ARENA.y)
    assert (radial[paths.present] <= ARENA.radius).all()
    assert 0.01 < (~paths.present).mean() < 0.2
    changes = np.diff(paths.present.astype(int), axis=0)
    assert (changes < 0).sum() >= 3
    assert (changes > 0).sum() >= 3


def test_without_a_door_no_animal_leaves() -> None:
    closed = RoundArena(319.5, 239.5, 220.0, None)
    paths = simulate_paths(8, 1500, 20.0, closed, np.random.default_rng(0), body_length_px=BODY)
    assert paths.present.all()


def test_absent_animals_have_no_row(tmp_path: Path) -> None:
    simulate_recording(tmp_path, movies=["m"], frames=900, number=8, size=(304, 304), seed=0, labels_per_animal=0)
    rows = read_table(tmp_path / "truth.csv")
    assert 0 < 900 * 8 - len(rows) < 900 * 8 * 0.3
    radial = [np.hypot(float(row["x"]) - 151.5, float(row["y"]) - 151.5) for row in rows]
    assert max(radial) <= 0.46 * 304 + 0.01


def test_steps_and_turns_are_small(paths: SimulatedPaths) -> None:
    both = paths.present[1:] & paths.present[:-1]
    assert np.hypot(np.diff(paths.x, axis=0), np.diff(paths.y, axis=0))[both].max() < BODY / 3
    assert np.abs(wrap_angle(np.diff(paths.heading, axis=0)))[both].max() < 0.5


def test_animals_rest_and_walk_forwards(paths: SimulatedPaths) -> None:
    dx, dy = np.diff(paths.x, axis=0), np.diff(paths.y, axis=0)
    speed = np.hypot(dx, dy)
    assert 0.15 < (speed[paths.present[1:]] < 0.3).mean() < 0.6
    walking = (speed > 1.0) & paths.present[1:] & paths.present[:-1]
    assert np.median(np.cos(np.arctan2(dy, dx) - paths.heading[1:])[walking]) > 0.99


def test_animals_touch_and_climb_over_each_other(paths: SimulatedPaths) -> None:
    pairs = np.triu_indices(8, 1)
    gaps = np.stack([measure_gaps(*at, BODY) for at in zip(paths.x, paths.y, paths.heading, strict=True)])
    gaps[~(paths.present[:, :, None] & paths.present[:, None, :])] = np.inf
    touching = gaps < CONTACT_GAP * BODY
    assert 0.1 < touching.any(axis=2)[paths.present].mean() < 0.25
    centres = np.hypot(paths.x[:, :, None] - paths.x[:, None], paths.y[:, :, None] - paths.y[:, None])
    over = (centres < 0.3 * BODY)[:, pairs[0], pairs[1]]
    per_minute = (np.diff(over.astype(int), axis=0) > 0).sum() / (3000 / 20 / 60)
    assert per_minute > 4
    assert (np.diff(paths.layer, axis=0) != 0).any()


def test_every_frame_has_a_full_drawing_order(paths: SimulatedPaths) -> None:
    assert (np.sort(paths.layer, axis=1) == np.arange(8)).all()


def test_gap_of_parallel_bodies_is_their_distance() -> None:
    gaps = measure_gaps(np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.full(2, np.arctan2(-3.0, 4.0)), BODY)
    assert gaps[0, 1] == pytest.approx(5.0)
    assert np.isinf(gaps[0, 0])


@pytest.mark.parametrize("marking", ["none", "texture"])
def test_unmarked_individuals_have_a_pattern_but_no_colour(marking: str) -> None:
    bodies = make_bodies(["one", "two"], BODY, marking, np.random.default_rng(0))
    assert (bodies.finish[:, -2:, 1] == 0).all()
    assert np.abs(bodies.pattern[0] - bodies.pattern[1]).mean() > 0.1


def test_with_texture_individuals_differ_only_in_their_pattern() -> None:
    bodies = make_bodies(["one", "two"], BODY, "texture", np.random.default_rng(0))
    for looks in (bodies.length, bodies.radii, bodies.paint, bodies.finish):
        assert (looks[0] == looks[1]).all()


def test_unmarked_individuals_differ_in_size() -> None:
    bodies = make_bodies(["one", "two"], BODY, "none", np.random.default_rng(0))
    assert bodies.length[0] != bodies.length[1]
    assert (np.abs(bodies.length / BODY - 1) <= 0.08).all()


def test_command_line_takes_settings_and_seed(tmp_path: Path) -> None:
    settings = {"movies": ["a"], "frames": 20, "number": 2, "labels_per_animal": 1, "marking": "none", "seed": 1}
    main(["--out", str(tmp_path / "cli"), "--settings", json.dumps(settings), "--seed", "9"])
    simulate_recording(tmp_path / "call", movies=["a"], frames=20, number=2, labels_per_animal=1, marking="none", seed=9)
    assert (tmp_path / "cli" / "truth.csv").read_bytes() == (tmp_path / "call" / "truth.csv").read_bytes()
    assert {row["identity"] for row in read_table(tmp_path / "cli" / "truth.csv")} == {"ant01", "ant02"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"identities": ["BG", "BG"], "number": 2}, "different names"),
        ({"identities": ["BG", "XG"], "number": 2}, "two letters"),
        ({"movies": ["a", "a"]}, "movies"),
        ({"marking": "stripes"}, "stripes"),
        ({"size": (641, 480)}, "even"),
        ({"number": 40}, "36"),
        ({"frames": 3}, "away from all others"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match=message):
        simulate_recording(tmp_path, **settings)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", [{"frame": 3}, {"frames": "many"}])
def test_command_line_names_a_wrong_setting(settings: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--out", str(tmp_path), "--settings", json.dumps(settings)])
    assert stop.value.code == 2
    assert next(iter(settings)) in capsys.readouterr().err
