"""Intervals of a movie: only they are decoded, nothing is known outside of them, and nothing joins one to the next."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands.check import check_experiment
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.tracking import PropagateSection
from herdbook.geometry.intervals import interval_of, join_intervals, tracked_intervals
from herdbook.identity import recording as recording_graph
from herdbook.identity.graph import Graph, gap_edges
from herdbook.movie import reading as movie
from herdbook.segmentation import scenes, stretches
from herdbook.smoothing import frames as frame_source
from herdbook.stages import propagate, tracklets, trainset
from herdbook.tracklets.counting import SizeModel, count_animals
from tests.support.classifier_cases import settings_of, write_background
from tests.support.identity_cases import Body, Track, arguments, write_evidence
from tests.support.identity_cases import write_movie as write_artifacts
from tests.support.stage_chain import Chain

SIZE, GROUND, ANIMAL, FRAMES = (160, 120), 200, 60, 60
SPANS = [[4, 20], [23, 41], [50, 57]]
INSIDE = [frame for first, end in SPANS for frame in range(first, end)]


def walking(t: int) -> list[tuple[float, float, float, float, float]]:
    """Two animals side by side that walk to and fro."""
    return [(80 + 50 * np.cos(t / 10), 40, 12, 5, 0), (80 + 50 * np.cos(t / 10), 80, 12, 5, 0)]


@pytest.fixture
def chain(tmp_path, write_movie, draw):
    """An experiment on the drawn movie, or on some of its frames."""

    def make(*, folder="run", frames=range(FRAMES), intervals=SPANS, **sections):
        images = [np.where(draw(walking(t), SIZE), ANIMAL, GROUND).astype(np.uint8) for t in frames]
        movie = write_movie(f"{folder}.mp4", images, pixel_format="gray", keyframe_interval=10)
        return Chain(tmp_path / folder, movie, **{"segment": {"area": [5, 10_000], "intervals": intervals}} | sections)

    return make


@pytest.fixture
def decoded(monkeypatch):
    """Numbers of the frames that the stages read, by stage."""
    seen: dict[str, list[int]] = {}

    def watch(stage, module, name):
        real = getattr(module, name)

        def read(*arguments: Any, **options: Any):
            for frame in real(*arguments, **options):
                seen.setdefault(stage, []).append(frame.index)
                yield frame

        monkeypatch.setattr(module, name, read)

    watch("background", scenes, "read_frame_samples")
    watch("segment", movie, "read_frames")
    watch("smooth", frame_source, "read_frames")
    return seen


# Numbers


def test_every_frame_knows_its_interval():
    spans = np.array(SPANS)
    assert interval_of([0, 3, 4, 19, 20, 22, 23, 56, 57, 99], spans).tolist() == [-1, -1, 0, 0, -1, -1, 1, 2, -1, -1]
    assert int(interval_of(30, spans)) == 1
    assert interval_of([], spans).shape == (0,)


def test_intervals_that_follow_each_other_become_one():
    assert join_intervals(np.array([[0, 5], [7, 9], [9, 12], [12, 13], [20, 30]])).tolist() == [[0, 5], [7, 13], [20, 30]]
    assert join_intervals(np.array([[3, 5]])).tolist() == [[3, 5]]


def test_without_intervals_the_whole_movie_is_tracked():
    assert tracked_intervals([], 30, "m").tolist() == [[0, 30]]
    assert tracked_intervals([[3, 30]], 30, "m").tolist() == [[3, 30]]


# Experiment file


def experiment(folder: Path, intervals: Any, **movie: Any):
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"} | movie, {"name": "n", "file": "n.mp4"}]}
    return parse_experiment(raw | {"animals": {"marking": "none"}, "segment": {"intervals": intervals}}, folder / "e.yaml")


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([[5, 5]], "[5, 5] contains no frame"),
        ([[9, 3]], "[9, 3] contains no frame"),
        ([[10, 20], [0, 5]], "[10, 20] and [0, 5] must be in order"),
        ([[0, 10], [9, 20]], "[0, 10] and [9, 20] must be in order, with frames between them"),
        ([[0, 10], [10, 20]], "join intervals that overlap or touch"),
        ([[-1, 10]], "greater than or equal to 0"),
        ([[0]], "segment.intervals.0"),
    ],
)
def test_intervals_are_in_order_and_apart(tmp_path, intervals, expected):
    with pytest.raises(HerdbookError) as caught:
        experiment(tmp_path, intervals)
    assert expected in str(caught.value)


def test_a_movie_may_have_intervals_of_its_own(tmp_path):
    found = experiment(tmp_path, [], override={"segment": {"intervals": [[3, 9]]}})
    assert json.loads(found.settings("segment", "m"))["intervals"] == [[3, 9]]
    assert json.loads(found.settings("segment", "n"))["intervals"] == []
    assert json.loads(found.settings("background", "m"))["intervals"] == {"m": [[3, 9]]}
    assert json.loads(found.settings("background", "n"))["intervals"] == {}


def test_a_background_hears_of_the_intervals_of_its_own_movies_only(tmp_path):
    raw = {
        "experiment": "e",
        "movies": [
            {"name": name, "file": f"{name}.mp4", "recording": recording, "override": {"segment": {"intervals": [[0, k]]}}}
            for k, (name, recording) in enumerate([("a", "day1"), ("b", "day1"), ("c", "day2")], 1)
        ],
        "animals": {"marking": "none"},
        "background": {"scope": "recording"},
    }
    found = parse_experiment(raw, tmp_path / "e.yaml")
    assert json.loads(found.settings("background", "day1"))["intervals"] == {"a": [[0, 1]], "b": [[0, 2]]}
    assert json.loads(found.settings("background", "day2"))["intervals"] == {"c": [[0, 3]]}


@pytest.mark.parametrize("stage", ["background", "segment"])
def test_an_interval_beyond_the_movie_is_reported_with_its_length(chain, capsys, stage):
    chain(intervals=[]).run("index", "background")
    late = chain(intervals=[[0, 5], [40, 61]])
    with pytest.raises(SystemExit):
        late.run(stage)
    message = capsys.readouterr().err
    assert "run.mp4: segment.intervals: [40, 61] extends beyond the movie, which has 60 frames" in message
    (fault,) = check_experiment(late.experiment).faults
    assert fault.startswith("movie m: segment.intervals: [40, 61] extends beyond the movie, which has 60 frames")


# Decoding and blobs


def test_nothing_is_decoded_nor_found_outside_of_the_intervals(chain, decoded):
    made = chain()
    blobs = Blobs.load(made.run("index", "background", "segment"))
    assert decoded["segment"] == INSIDE
    assert decoded["background"] == INSIDE  # fewer frames than it wants
    assert blobs.frame.tolist() == sorted(INSIDE * 2)
    assert (blobs.frames, blobs.intervals.tolist()) == (FRAMES, SPANS)


def test_a_few_samples_of_the_background_lie_inside_the_intervals_too(chain, decoded):
    chain(background={"frames": 10}).run("index", "background")
    assert len(decoded["background"]) == 10
    assert set(decoded["background"]) <= set(INSIDE)
    assert {int(k) for k in interval_of(decoded["background"], np.array(SPANS))} == {0, 1, 2}


def test_windows_of_the_background_without_a_tracked_frame_are_left_out(chain, decoded):
    made = chain(intervals=[[0, 10], [50, 60]], background={"scope": "window", "window_s": 1})  # 20 frames
    assert Blobs.load(made.run("index", "background", "segment")).frame.tolist() == sorted([*range(10), *range(50, 60)] * 2)
    assert decoded["background"] == [*range(10), *range(50, 60)]


def test_blobs_inside_the_intervals_are_those_of_the_whole_movie(chain):
    whole, part = (
        Blobs.load(chain(folder=name, intervals=spans).run("index", "background", "segment")) for name, spans in (("a", []), ("b", SPANS))
    )
    inside = interval_of(whole.frame, np.array(SPANS)) >= 0
    for name in set(Blobs.columns) - {"image"}:
        assert np.array_equal(getattr(part, name), getattr(whole, name)[inside]), name


def test_the_number_of_threads_changes_no_byte(chain, monkeypatch):
    monkeypatch.setattr(stretches, "STRETCH_FRAMES", 5)
    made = chain()
    one = made.run("index", "background", "segment").read_bytes()
    assert made.run("segment", threads=2).read_bytes() == one
    assert len(stretches.stretches(np.arange(FRAMES) % 10 == 0, np.array(SPANS))) > len(SPANS)


def test_a_stretch_never_leaves_its_interval(rng):
    for _ in range(20):
        borders = np.sort(rng.choice(5000, 8, replace=False)).reshape(4, 2)
        parts = stretches.stretches(rng.random(5000) < 0.01, borders)
        frames = np.concatenate([np.arange(*part) for part in parts])
        assert np.array_equal(frames, np.concatenate([np.arange(*span) for span in borders]))
        assert all((borders[:, 0] <= first).any() for first, _ in parts)
        assert (interval_of([first for first, _ in parts], borders) == interval_of([end - 1 for _, end in parts], borders)).all()


# Tracklets and names


def test_no_tracklet_and_no_edge_spans_a_gap(chain):
    found = Tracklets.load(chain(tracklets={"bridge": 20}).run("index", "background", "segment", "tracklets"))
    assert sorted(zip(found.first.tolist(), found.last.tolist(), strict=True)) == sorted([(a, b - 1) for a, b in SPANS] * 2)
    assert len(found.edges) == 0
    whole = chain(folder="whole", intervals=[], tracklets={"bridge": 20})
    assert len(Tracklets.load(whole.run("index", "background", "segment", "tracklets"))) == 2


def test_movies_meet_only_where_both_are_tracked(chain, tmp_path, stage_settings):
    early, late = chain(folder="a", intervals=[[0, 40]]), chain(folder="b", intervals=[[10, 60]])
    whole = chain(folder="c", intervals=[])
    for made in (early, late, whole):
        made.run("index", "background", "segment")
    for previous, made, edges in ((early, whole, 0), (whole, late, 0), (late, whole, 2), (whole, early, 2)):
        files = {"blobs": made.at("segment"), "previous": previous.at("segment"), "out": tmp_path / "t.h5"}
        options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
        tracklets.main([*options, "--settings", stage_settings("tracklets", tracklets={"max_step": 150})])
        assert len(Tracklets.load(tmp_path / "t.h5").border_edges) == edges


@pytest.mark.parametrize(("span", "free"), [((30, 60), True), ((31, 59), False)])
def test_an_animal_comes_and_goes_for_free_with_an_interval(span, free):
    first, last = (np.array([frame]) for frame in span)
    dim, nothing = np.array([0.7]), np.zeros((0, 2), np.int64)
    found, _ = count_animals(
        dim, first, last, nothing, np.zeros((1, 2), bool), number=None, intervals=np.array([[0, 20], [30, 61], [70, 90]]), sizes=SizeModel()
    )
    assert found.tolist() == [int(free)]


def test_as_many_animals_as_there_are_may_be_in_every_interval():
    first, last = np.array([0, 0, 30]), np.array([19, 19, 59])
    counted = (first, last, np.zeros((0, 2), np.int64), np.zeros((3, 2), bool))
    found, _ = count_animals(np.array([1.0, 1, 1.6]), *counted, number=2, intervals=np.array([[0, 20], [30, 60]]), sizes=SizeModel())
    assert found.tolist() == [1, 1, 2]


@pytest.fixture
def name_animals(tmp_path):
    """Who is in which tracklet, from the evidence of each."""

    def run(tracks, evidence, **more):
        blobs, found = write_artifacts(tmp_path, "m", tracks, frames=20, **more)
        classes = write_evidence(tmp_path, "m", ["A", "B"], evidence)
        section = PropagateSection().model_dump() | {"identities": ["A", "B"], "homes": [["A", "B"]], "marking": "marked"}
        section |= {"numbers": [2], "groups": [{}]}
        propagate.main(arguments({"blobs": [blobs], "tracklets": [found], "evidence": [classes], "out": tmp_path / "day.h5"}, section))
        names = Identities.load(tmp_path / "day.h5")
        return {int(t): names.individuals[i] for t, i in zip(names.tracklet, names.individual, strict=True)}

    return run


HALVES = [(0, 9), (12, 20)]
NEAR = [Track(0, 8, (Body(30, 30),)), Track(12, 19, (Body(32, 30),)), Track(0, 19, (Body(120, 90),))]
FAR = [Track(0, 8, (Body(30, 30),)), Track(12, 19, (Body(120, 90),))]


def test_a_place_gives_no_name_after_a_gap(name_animals):
    assert name_animals(NEAR, [{"A": 9, "B": -9}, None, {"B": 9, "A": -9}]) == {0: "A", 1: "A", 2: "B"}
    parted = [*NEAR[:2], Track(0, 8, (Body(120, 90),)), Track(12, 19, (Body(120, 90),))]
    assert name_animals(parted, [{"A": 9, "B": -9}, None, {"B": 9, "A": -9}, None], intervals=HALVES) == {0: "A", 2: "B"}


def test_evidence_names_an_animal_wherever_it_is_after_a_gap(name_animals):
    evidence = [{"A": 9, "B": -9}, {"A": 3, "B": -9}]
    assert name_animals(FAR, evidence) == {0: "A"}
    assert name_animals(FAR, evidence, intervals=HALVES) == {0: "A", 1: "A"}
    swapped = [Track(12, 19, (Body(30, 30),)), Track(12, 19, (Body(120, 90),))]
    both = [Track(0, 8, (Body(30, 30),)), Track(0, 8, (Body(120, 90),)), *swapped]
    evidence = [{"A": 9, "B": -9}, {"B": 9, "A": -9}, {"B": 1, "A": -1}, {"A": 1, "B": -1}]
    assert name_animals(both, evidence, intervals=HALVES) == {0: "A", 1: "B", 2: "B", 3: "A"}


def test_gaps_in_time_lie_within_a_part():
    first, last, place = np.array([0, 12, 12]), np.array([8, 19, 19]), np.zeros((3, 2))
    graph = Graph(
        first, last, np.ones(3, np.int64), np.zeros((0, 2), np.int64), place, place, *np.zeros((2, 3, 2), bool), np.array([0, 1, 0])
    )
    assert gap_edges(graph, gap_frames=9, body_length_px=10, reach_px_per_frame=1)[0].tolist() == [[0, 2]]


def test_a_recording_goes_on_where_one_movie_ends_and_the_next_begins(tmp_path):
    kept = [
        write_artifacts(tmp_path, "a", FAR[:1], frames=9),
        write_artifacts(tmp_path, "b", [Track(0, 8, (Body(30, 30),))], frames=20, intervals=[(0, 9), (12, 20)]),
    ]
    found = recording_graph.join_movies([Tracklets.load(t) for _, t in kept], [Blobs.load(b) for b, _ in kept], [None]).graph
    assert found.free.tolist() == [[True, False], [False, True]]
    assert found.part.tolist() == [0, 0]


def test_a_label_outside_of_the_intervals_is_noted(tmp_path):
    both = [Track(0, 8, (Body(30, 30),)), Track(0, 8, (Body(120, 90),))]
    blobs, found = write_artifacts(tmp_path, "m", both, frames=20, intervals=HALVES)
    table = tmp_path / "labels.csv"
    table.write_text("movie,frame,x,y,label\nm,0,30,30,A\nm,0,120,90,B\nm,10,30,30,A\n")
    files = {"labels": table, "blobs": [blobs], "tracklets": [found], "background": [write_background(tmp_path, "m")]}
    trainset.main(arguments(files | {"out": tmp_path / "set.h5"}, settings_of("trainset", ["A", "B"])))
    assert TrainingSet.load(tmp_path / "set.h5").notes == ["line 4 (m, frame 10, A): the frame is outside of segment.intervals"]


# Positions


ALL = ("index", "background", "segment", "tracklets", "propagate", "smooth")


@pytest.mark.parametrize("method", ["lkrstc", "none"])
def test_each_interval_has_the_positions_of_a_movie_of_its_own(chain, decoded, tmp_path, method):
    cv2.imwrite(str(tmp_path / "empty.png"), np.full(SIZE[::-1], GROUND, np.uint8))
    # 7 frames: longer than a gap, as long as the last interval.
    section = {"smooth": {"method": method, "window_s": 0.35}, "background": {"file": str(tmp_path / "empty.png")}}
    whole = Trajectories.load(chain(**section).run(*ALL))
    # Some stretches are read twice: how well flow and blobs agree is measured first.
    assert sorted(set(decoded.get("smooth", []))) == (INSIDE if method == "lkrstc" else [])
    assert sorted(set(whole.frame.tolist())) == INSIDE
    for first, end in SPANS:
        alone = Trajectories.load(chain(folder=f"from{first}", frames=range(first, end), intervals=[], **section).run(*ALL))
        mine = (whole.frame >= first) & (whole.frame < end)
        ours = np.lexsort((whole.y_raw[mine], whole.frame[mine]))
        theirs = np.lexsort((alone.y_raw, alone.frame))
        for name in ("x", "y", "x_raw", "y_raw", "source"):
            assert np.array_equal(getattr(whole, name)[mine][ours], getattr(alone, name)[theirs]), name


def test_no_position_is_filled_in_between_two_intervals_of_one_animal(chain):
    made = chain(intervals=[[0, 10], [12, 30]], smooth={"window_s": 0.4})
    found = Tracklets.load(made.run("index", "background", "segment", "tracklets"))
    assert (found.tracklet_kind == SINGLE).all()
    names = np.array([0, 1, 0, 1], np.int32)
    order = np.lexsort((names, np.arange(4)))
    columns = (np.zeros(4, np.int32), np.arange(4, dtype=np.int32)[order], names[order], np.ones(4, np.float32), np.zeros(4, np.uint8))
    made.run("propagate")
    counts = np.ones(4, np.int16), np.array([0, 4])
    Identities(["m"], ["A", "B"], *columns, *counts, gap=0.0).save(made.at("propagate"), Provenance("propagate", 1))
    positions = Trajectories.load(made.run("smooth"))
    assert sorted(set(positions.frame.tolist())) == [*range(10), *range(12, 30)]


def test_a_window_longer_than_an_interval_is_reported_with_it(chain, capsys):
    made = chain(smooth={"window_s": 0.4})  # 8 frames
    with pytest.raises(SystemExit):
        made.run(*ALL)
    assert "at most the 7 frames of the interval [50, 57]" in capsys.readouterr().err


# Report


def test_shares_in_the_report_are_of_the_tracked_frames(chain):
    made = chain(animals={"marking": "marked", "identities": ["A", "B"], "labels": "labels.csv"}, smooth={"window_s": 0.2})
    found = Tracklets.load(made.run("index", "background", "segment", "tracklets"))
    upper = Blobs.load(made.at("segment")).y[found.blob_rows()[0][found.blob_rows()[1][:-1]]] < 60
    evidence = [{"A": 9, "B": -9} if up else {"B": 9, "A": -9} for up in upper]
    write_evidence(made.folder, "m", ["A", "B"], evidence)
    made.run("propagate", "smooth", "export", "report")
    html = (made.folder / "report" / "report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))
    assert f"in {FRAMES} frames, {len(INSIDE)} tracked" in text
    assert "100 % of the animals" in text
    assert f" m m {FRAMES} {len(INSIDE)} " in text
