"""What a run found, frame by frame: against the paths that the animals were drawn on."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from herdbook.app.outlines import unpack_outlines
from herdbook.app.watching.lanes import HIDDEN, UNKNOWN, UNTRACKED, lane_states, states_of
from herdbook.app.watching.positions import FramePlaces, Unknown
from herdbook.app.watching.results import RunResults, Watched
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from tests.support.numbered import walk
from tests.support.watched_run import ANIMALS, DOUBT_FRAME, DOUBT_SPAN, FRAMES, NAMELESS, write_watched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture
def results(made: Path) -> RunResults:
    return RunResults()


def watched(made: Path, results: RunResults) -> Watched:
    return results.of(load_experiment(made), "m", FRAMES)


def read(trails: bytes) -> list[tuple[int, np.ndarray]]:
    numbers, found, place = np.frombuffer(trails, np.float32), [], 0
    while place < len(numbers):
        count = int(numbers[place + 1])
        found.append((int(numbers[place]), numbers[place + 2 : place + 2 + 2 * count].reshape(count, 2)))
        place += 2 + 2 * count
    return found


@pytest.mark.parametrize("smooth", [True, False])
def test_named_animals_are_where_they_were_drawn_and_the_other_one_is_unknown(made, results, smooth, tmp_path):
    if not smooth:
        shutil.copytree(made.parent, tmp_path / "copy")
        made = tmp_path / "copy" / made.name
        shutil.rmtree(made.parent / "results" / "e" / "smooth")
    shown = watched(made, results)
    assert shown.positions == ("smooth" if smooth else "propagate")
    for frame in (10, 33, FRAMES - 1):
        head, outlines, _ = shown.on_frame(frame, outlines=True)
        tracks, truth = head["tracks"], walk(ANIMALS, frame)
        places = sorted(zip(tracks["x"], tracks["y"], strict=True), key=lambda place: place[1])
        assert np.abs(np.array(places) - truth[:NAMELESS]).max() < 1
        assert tracks["source"] == [0, 0]
        ((x, y, count, radius),) = tracks["unknown"]
        assert np.hypot(x - truth[NAMELESS][0], y - truth[NAMELESS][1]) < 1
        # Half the diagonal of 7 x 7 px.
        assert (count, radius) == (1, pytest.approx(4.9, abs=0.8))
        drawn = unpack_outlines(np.frombuffer(outlines, np.int16))
        assert sorted(blob for blob, _ in drawn) == [0, 1, 2]
        assert head["reasons"] == [-1, -1, -1]
        for (_, points), (cx, cy) in zip(sorted(drawn, key=lambda one: one[1][:, 1].mean()), truth, strict=True):
            assert np.abs(points - np.array([cx, cy])).max() <= 5
    results.close()


def test_frames_that_are_not_tracked_have_nothing(made, results):
    head, outlines, trails = watched(made, results).on_frame(3, outlines=True)
    assert (head["tracks"]["who"], head["tracks"]["unknown"], outlines, trails) == ([], [], b"", b"")


def test_trails_follow_the_animals_and_end_where_they_are(made, results):
    shown = watched(made, results)
    trails = read(shown.on_frame(50, outlines=False)[2])
    assert len(trails) == NAMELESS
    for _, points in trails:
        lane = int(np.argmin([abs(points[-1, 1] - y) for _, y in walk(ANIMALS, 50)]))
        truth = np.array([walk(ANIMALS, frame)[lane] for frame in range(50 - len(points) + 1, 51)])
        # Of 2 s at 20 frames per second, all frames since the beginning of the interval.
        assert len(points) == 41
        assert np.abs(points - truth).max() < 1.5


def test_a_doubt_is_shown_during_its_span(made, results):
    shown = watched(made, results)
    ((number, x, y),) = shown.on_frame(DOUBT_FRAME, outlines=False)[0]["tracks"]["doubts"]
    assert (number, x, y) == (0, *walk(ANIMALS, DOUBT_FRAME)[0])
    assert len(shown.on_frame(DOUBT_SPAN[0], outlines=False)[0]["tracks"]["doubts"]) == 1
    assert shown.on_frame(DOUBT_SPAN[1] + 1, outlines=False)[0]["tracks"]["doubts"] == []
    (doubt,) = shown.summary()["doubts"]
    assert (doubt["frame"], doubt["span"], doubt["text"]) == (
        *(DOUBT_FRAME, list(DOUBT_SPAN)),
        f"is {doubt['assigned']} 60%, or B 40%",
    )


def test_the_line_of_time_tells_who_may_be_the_unknown_one(made, results):
    shown = watched(made, results)
    lanes = shown.lanes(0, 10**9, 1000)
    assert (lanes["first"], lanes["end"], lanes["of"]) == (0, FRAMES, ANIMALS)
    named = "7" * 10 + "0" * 50
    assert sorted(lanes["states"]) == [named, named, "7" * 10 + "5" * 50]
    with pytest.raises(HerdbookError, match=r"frames 0\.\.59"):
        shown.lanes(70, 80, 100)


def test_without_a_run_it_is_told_what_is_missing(made, results, tmp_path):
    file = tmp_path / made.name
    file.write_text(made.read_text())
    with pytest.raises(HerdbookError, match="nothing to watch in m yet: run it first"):
        results.of(load_experiment(file), "m", FRAMES)
    shutil.copytree(made.parent / "results", tmp_path / "results")
    assert results.of(load_experiment(file), "m", FRAMES).frames == FRAMES


def test_results_of_another_movie_are_not_shown(made, results):
    with pytest.raises(HerdbookError, match="of 60 frames, the movie has 80"):
        results.of(load_experiment(made), "m", 80)


def test_new_results_are_read(made, results, tmp_path, monkeypatch):
    monkeypatch.setattr("herdbook.app.watching.results.CHECK_S", 0.0)
    shutil.copytree(made.parent, tmp_path / "copy")
    file = tmp_path / "copy" / made.name
    before = watched(file, results)
    assert watched(file, results) is before
    (file.parent / "results" / "e" / "propagate" / "m.doubtful.csv").unlink()
    after = watched(file, results)
    assert after.made != before.made
    assert after.doubts == []


def test_a_part_of_a_lane_shows_its_most_frequent_state():
    zeros = (np.zeros(4, kind) for kind in ("i4", "f4", "f4", "f4"))
    places = FramePlaces(*zeros, np.array([0, 0, 3, 1], "u1"), np.array([0, 1, 2, 3, 4, 4, 4]))
    unknown = Unknown(*(np.ones(1, kind) for kind in ("f4", "f4", "f4", "i2")), np.array([0, 0, 0, 0, 0, 1, 1]))
    states = states_of(places, unknown, 2, 6, np.array([[0, 6]]))
    assert states.tolist() == [[0, 0, 3, 1, UNKNOWN, HIDDEN], [HIDDEN] * 4 + [UNKNOWN, HIDDEN]]
    assert states_of(places, unknown, 1, 6, np.array([[0, 5]]))[0, 5] == UNTRACKED
    shown, lanes = lane_states(states, 0, 6, 2)
    assert (shown.tolist(), lanes) == ([0, 1], ["01", "66"])
    assert lane_states(states, 2, 4, 100)[1] == ["31", "66"]


def test_of_very_many_animals_those_seen_most_are_shown(monkeypatch):
    monkeypatch.setattr("herdbook.app.watching.lanes.MOST_LANES", 2)
    states = np.full((3, 4), HIDDEN, np.uint8)
    states[0, 0], states[2, :3] = 0, 1
    states[1, :2] = 0
    assert lane_states(states, 0, 4, 4)[0].tolist() == [1, 2]
