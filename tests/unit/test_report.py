import json
import re
from base64 import b64decode
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from herdbook import page, plots, report
from herdbook.artifacts import (
    ASSUMED,
    FROM_INTERPOLATED,
    FROM_MERGED,
    FROM_RESOLVED,
    FROM_SINGLE,
    LABELLED,
    Background,
    Blobs,
    Evidence,
    Identities,
    Index,
    Tracklets,
    Trajectories,
)
from herdbook.doubts import Doubt, write_doubts
from herdbook.store import Provenance, columns_writer
from herdbook.summaries import (
    MISSING,
    Tracks,
    bin_ranges,
    count_how_known,
    count_sources,
    expected_error,
    frame_bins,
    mean_confidence,
    sum_individuals,
    timeline_matrix,
    track_lines,
)

ODD = '<b>"Ä" & $x_1$</b>'
FRAMES, FPS = 40, 20.0


def tracks_of(names, rows):
    """Tracks from rows (frame, individual, source)."""
    frame, individual, source = np.array(sorted(rows), np.int64).reshape(-1, 3).T
    x = 10 * frame.astype(np.float32)
    return Tracks(names, frame, individual, x, x + 1, source.astype(np.uint8), np.full(len(frame), 0.5, np.float32))


def provenance(stage):
    return Provenance(stage, 1, json.dumps({"key of": stage}), 1, {})


def write_movie(folder, movie, names, frames=FRAMES, empty=False):
    """One movie with an animal per name, each alone in its blob and its tracklet in all frames, on its own row of the picture."""
    animals = 0 if empty else len(names)
    time_s = np.arange(frames) / FPS
    Index(np.arange(frames), time_s, np.ones(frames, bool), 120, 80, FPS, "h264", False, False, "f").save(
        folder / "index" / f"{movie}.h5", provenance("index")
    )
    grey = np.full((80, 120), 120, np.uint8)
    luma, bgr = grey[None], np.repeat(grey[None, ..., None], 3, axis=3)
    scene = Background(luma, bgr, np.zeros(1, np.int64), luma, bgr, np.ones(1), 10)
    scene.save(folder / "background" / f"{movie}.h5", provenance("background"))
    frame = np.repeat(np.arange(frames, dtype=np.int32), animals)
    who = np.tile(np.arange(animals, dtype=np.int32), frames)
    x, y = 10.0 + 2 * frame, 10.0 + 8 * who
    with columns_writer(folder / "segment" / f"{movie}.h5", Blobs.kind, provenance("segment")) as writer:
        writer.append("frame", frame)
        writer.put("intervals", np.array([[0, frames]], np.int64))
        for name, value in {"frames": frames, "width": 120, "height": 80, "fps": FPS}.items():
            writer.attribute(name, value)
    ones = np.ones(animals, np.int32)
    Tracklets(
        frames, who, 0 * ones, (frames - 1) * ones, ones.astype(np.int16), ones.astype(np.float32), np.zeros(animals, np.uint8),
        np.zeros(animals, np.int16), ones.astype(np.float32), np.zeros((0, 2), np.int32), np.zeros(0, np.float32),
        np.zeros((0, 2), np.int64),
    ).save(folder / "tracklets" / f"{movie}.h5", provenance("tracklets"))  # fmt: skip
    scores = np.zeros((animals, len(names)), np.float32)
    Evidence(names, scores, 7 * ones, -ones.astype(np.int16), np.zeros(0, np.int64), scores[:0]).save(
        folder / "classify" / f"{movie}.h5", provenance("classify")
    )
    confidence, source = np.full(len(frame), 0.75, np.float32), np.zeros(len(frame), np.uint8)
    flow = confidence * 0, confidence < 0
    Trajectories([] if empty else names, frames, frame, who, x, y, x, y, confidence * 0, confidence, source, *flow).save(
        folder / "smooth" / f"{movie}.h5", provenance("smooth")
    )
    return [(movie, f, t, names[w], a, b, 0.0, 0.75, "single") for f, t, w, a, b in zip(frame, time_s[frame], who, x, y, strict=True)]


def write_experiment(folder, names=("a", "b"), movies=("m1", "m2"), **settings):
    names = list(names)
    rows = [row for movie in movies for row in write_movie(folder, movie, names, **settings)]
    animals = 0 if settings.get("empty") else len(names)
    places = np.array([(m, t) for m in range(len(movies)) for t in range(animals)], np.int32).reshape(-1, 2)
    how = np.where(places[:, 1] == 0, LABELLED, ASSUMED).astype(np.uint8)
    Identities(
        list(movies), names if animals else [], places[:, 0], places[:, 1], places[:, 1], np.ones(len(places), np.float32), how,
        np.ones(len(places), np.int16), np.arange(len(movies) + 1) * animals, 0.0,
    ).save(folder / "propagate" / "day.h5", provenance("propagate"))  # fmt: skip
    header = "movie,frame,time,individual,x,y,heading,confidence,source"
    quoted = ['"' + str(cell).replace('"', '""') + '"' for row in rows for cell in row]
    lines = [",".join(quoted[i : i + 9]) for i in range(0, len(quoted), 9)]
    (folder / "trajectories.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (folder / "train").mkdir()
    card = {
        "classes": [*names, "dirt"],
        "confusion": np.diag(np.arange(1, len(names) + 2)).tolist(),
        "accuracy": 0.97,
        "tracklet_accuracy": 0.99,
        "validation_tracklets": 12,
        "tracklet_confusion": np.eye(len(names) + 1, dtype=int).tolist(),
        "reliability": {"count": [0, 9], "confidence": [0, 0.9], "accuracy": [0, 0.8], "ece": 0.1},
        "tracklet_reliability": {"count": [0, 0], "confidence": [0, 0], "accuracy": [0, 0], "ece": None},
        "worst": [],
        "history": {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5], "accuracy": [0.5, 0.9], "val_accuracy": [0.5, 0.8]},
        "notes": ["labels.csv line 3: no blob at <12, 30>"],
    }
    (folder / "train" / "classifier.json").write_text(json.dumps(card), encoding="utf-8")
    return rows


def run(folder, *more, marking="marked", names=("a", "b"), movies=("m1", "m2"), score=None, name="Test"):
    settings = {"experiment": name, "marking": marking, "recordings": {"day": list(movies)}, "score": score, "individuals": list(names)}
    words = []
    places = {"index": "index", "background": "background", "blobs": "segment", "tracklets": "tracklets", "trajectories": "smooth"}
    places |= {"evidence": "classify"} if marking == "marked" else {}
    for option, place in {**places, "identities": "propagate"}.items():
        words += [f"--{option}", *(str(path) for path in sorted((folder / place).iterdir()))]
    words += ["--card", str(folder / "train" / "classifier.json")] if marking == "marked" else []
    out = folder / "report" / "report.html"
    report.main([*words, "--table", str(folder / "trajectories.csv"), *more, "--settings", json.dumps(settings), "--out", str(out)])
    return out.read_text(encoding="utf-8")


def test_the_expected_error_is_the_mean_doubt_of_the_positions_in_each_bin():
    tracks = tracks_of(["a", "b"], [(0, 0, 0), (0, 1, 0), (1, 0, 0), (5, 1, 0)])
    tracks.confidence[:] = [1.0, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(expected_error(tracks, np.array([0, 2, 4, 6])), [0.25, np.nan, 0.1], rtol=1e-6)


def test_the_page_tells_the_expected_error_and_what_is_worth_a_look(tmp_path):
    write_experiment(tmp_path)
    doubts = [Doubt("m1", 7, 20.4, 10, "is", "a", "", "a", 0.6, "b 0.35", "m1", 3, "m2", 9, 46, float(k)) for k in range(30, 0, -1)]
    doubts[1] = replace(doubts[1], assigned="", movie="<m1>")
    write_doubts(tmp_path / "doubtful.csv", doubts)
    text = unescape(run(tmp_path, "--review", str(tmp_path / "doubtful.csv")))
    assert "By their confidence, 25.0 % of the positions are expected to be wrong." in text
    assert (tmp_path / "report" / "error_day.png").exists()
    section = text[text.index("Worth a look") :]
    assert "30 spans are worth a look" in section
    assert section.count("a 0.60; b 0.35") == 20
    assert "3 to 9 of m2" in section
    assert "nobody" in section
    write_doubts(tmp_path / "doubtful.csv", [])
    assert "No span is in doubt enough" in run(tmp_path, "--review", str(tmp_path / "doubtful.csv"))


def test_timeline_shows_each_category_where_it_is():
    rows = [(f, 0, FROM_SINGLE) for f in range(4)] + [(f, 0, FROM_RESOLVED) for f in range(4, 8)]
    rows += [(0, 1, FROM_INTERPOLATED), (1, 1, FROM_INTERPOLATED), (6, 1, FROM_MERGED), (7, 1, FROM_MERGED)]
    tracks = tracks_of(["a", "b", "c"], rows)
    matrix = timeline_matrix(tracks, np.array([0, 1, 2]), np.arange(0, 9, 2))
    single, resolved, interpolated, merged = range(4)
    expected = [[single, single, resolved, resolved], [interpolated, MISSING, MISSING, merged], [MISSING] * 4]
    assert matrix.tolist() == expected
    assert timeline_matrix(tracks, np.array([1]), np.arange(0, 9, 2)).tolist() == expected[1:2]


def test_timeline_bin_takes_its_most_frequent_category_and_in_doubt_the_less_certain():
    tracks = tracks_of(["a"], [(0, 0, 0), (1, 0, 0), (2, 0, 3), (3, 0, 0), (4, 0, 3), (6, 0, 0)])
    assert timeline_matrix(tracks, np.array([0]), np.array([0, 3, 5, 7])).tolist() == [[0, 3, MISSING]]


@pytest.mark.parametrize(("frames", "most"), [(1, 900), (7, 3), (900, 900), (100_000, 900)])
def test_bins_hold_all_frames_and_none_is_empty(frames, most):
    edges = frame_bins(frames, most)
    assert edges[0] == 0
    assert edges[-1] == frames
    sizes = np.diff(edges)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1
    assert len(sizes) <= most


def test_counts_per_bin():
    assert bin_ranges(np.array([1, 3, 5, 0]), np.array([0, 3, 4])).tolist() == [[1, 0], [3, 0], [5, 0]]


def test_sources_confidence_and_ways_of_knowing_are_counted_per_individual():
    tracks = tracks_of(["a", "b"], [(0, 0, 0), (1, 0, 3), (2, 0, 3)])
    assert count_sources(tracks).tolist() == [[1, 0, 0, 2, 0], [0, 0, 0, 0, 0]]
    assert mean_confidence(tracks)[0] == 0.5
    assert np.isnan(mean_confidence(tracks)[1])
    counts = count_how_known(np.array([0, 1, 0]), np.array([LABELLED, ASSUMED, LABELLED], np.uint8), np.array([10, 5, 2]), 2)
    assert counts.tolist() == [[12, 0, 0, 0, 0], [0, 0, 0, 0, 5]]


def test_path_is_broken_at_gaps_and_thinned():
    tracks = tracks_of(["a", "b"], [(f, 0, 0) for f in range(100) if not 40 <= f < 60] + [(5, 1, 0)])
    line = track_lines(tracks, 1000)[0]
    assert np.flatnonzero(np.isnan(line[:, 0])).tolist() == [40]
    thin, single = track_lines(tracks, 20)
    assert len(thin) < 30
    assert np.isnan(thin).any(axis=1).sum() == 1
    assert np.nanmax(thin[:, 0]) == 990
    assert single.tolist() == [[50, 51]]
    assert track_lines(tracks_of([], []), 20) == []


def test_longest_fragments_are_kept_in_their_order():
    tracks = tracks_of(["a", "b", "c"], [(0, 0, 0)] + [(f, 1, 0) for f in range(3)] + [(f, 2, 0) for f in range(5)])
    assert tracks.longest(2).tolist() == [1, 2]


def test_time_runs_on_through_the_movies_of_a_recording(tmp_path):
    write_experiment(tmp_path)
    kinds = {"index": "index", "background": "background", "blobs": "segment", "tracklets": "tracklets", "trajectories": "smooth"}
    kinds |= {"evidence": "classify", "identities": "propagate"}
    files = {kind: {path.stem: path for path in (tmp_path / folder).iterdir()} for kind, folder in kinds.items()}
    recording = report.read_recording("day", ["m1", "m2"], files)
    assert recording.time_s == pytest.approx(np.arange(2 * FRAMES + 1) / FPS)
    assert recording.tracks.frame.max() == 2 * FRAMES - 1
    assert (recording.blobs == 2).all()
    assert (recording.animals == 2).all()
    assert recording.how_known.tolist() == [[2 * FRAMES, 0, 0, 0, 0], [0, 0, 0, 0, 2 * FRAMES]]
    assert (recording.tracklets, recording.tracklets_read, recording.images_read) == (4, 4, 28)
    totals = sum_individuals([recording])
    assert totals.names == ["a", "b"]
    assert totals.sources.tolist() == [[2 * FRAMES, 0, 0, 0, 0]] * 2
    assert totals.confidence == pytest.approx([0.75, 0.75])


def test_page_needs_no_other_file_and_its_pictures_lie_beside_it(tmp_path):
    write_experiment(tmp_path)
    text = run(tmp_path)
    sources = re.findall(r'<img src="([^"]*)"', text)
    assert len(sources) == 6
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    saved = {path.read_bytes() for path in (tmp_path / "report").glob("*.png")}
    assert saved == {b64decode(source.split(",")[1]) for source in sources}
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        *(
            "classifier.png",
            "counts_day.png",
            "error_day.png",
            "reliability.png",
            "report.html",
            "timeline_day.png",
            "trajectories_day.png",
        ),
    ]
    assert "http" not in text
    assert "<script" not in text
    links = re.findall(r'href="([^"]*)"', text)
    assert links == ["../overlay/m1.mp4", "../overlay/m2.mp4", "../trajectories.csv"]
    assert "no blob at &lt;12, 30&gt;" in text
    assert "&#34;key of&#34;: &#34;smooth&#34;" in text


def test_odd_names_are_shown_as_they_are(tmp_path):
    names = [ODD, "_hidden"]
    rows = write_experiment(tmp_path, names, movies=("m 1",))
    truth = tmp_path / "truth.csv"
    lines = [f'm 1,{r[1]},"{r[3].replace(chr(34), chr(34) * 2)}",{r[4]},{r[5]}' for r in rows]
    truth.write_text("\n".join(["movie,frame,identity,x,y", *lines]) + "\n", encoding="utf-8")
    score = {"radius": 5.0, "apart": None}
    text = run(tmp_path, "--truth", str(truth), names=names, movies=("m 1",), name=ODD, score=score)
    assert "<b>" + '"' not in text
    assert ODD in unescape(text)
    assert "../overlay/m%201.mp4" in text
    assert json.loads((tmp_path / "report" / "score.json").read_text())["correct"] == 1


@pytest.mark.parametrize(("shift_px", "correct"), [(0, 1.0), (30, 0.5)])
def test_score_against_truth(tmp_path, shift_px, correct):
    rows = write_experiment(tmp_path)
    truth = tmp_path / "truth.csv"
    lines = [f"{r[0]},{r[1]},{r[3]},{r[4] + (shift_px if r[3] == 'a' else 0)},{r[5]}" for r in rows]
    truth.write_text("\n".join(["movie,frame,identity,x,y", *lines]) + "\n")
    text = run(tmp_path, "--truth", str(truth), score={"radius": 3.0, "apart": 5.0})
    score = json.loads((tmp_path / "report" / "score.json").read_text())
    assert score["correct"] == correct
    table = (tmp_path / "report" / "score.txt").read_text()
    assert table.strip() in unescape(text)
    assert f"{page.percent(correct)} are right (within 3 px" in text


def test_truth_without_settings_is_a_clear_error(tmp_path, capsys):
    write_experiment(tmp_path)
    (tmp_path / "truth.csv").write_text("movie,frame,identity,x,y\nm1,0,a,1,2\n")
    with pytest.raises(SystemExit):
        run(tmp_path, "--truth", str(tmp_path / "truth.csv"))
    assert "no section score" in capsys.readouterr().err


def test_missing_artifact_is_a_clear_error(tmp_path, capsys):
    write_experiment(tmp_path)
    with pytest.raises(SystemExit):
        run(tmp_path, movies=("m1", "m3"))
    assert "no file for 'm3'" in capsys.readouterr().err


def test_many_fragments_have_one_short_table_and_the_longest_in_the_timeline(tmp_path):
    names = [f"m1_{n}" for n in range(60)]
    write_experiment(tmp_path, names, movies=("m1",), frames=3)
    text = run(tmp_path, marking="none", names=(), movies=("m1",))
    assert "the 40 longest" in text
    assert "m1_59" not in text
    assert "classifier.png" not in [path.name for path in (tmp_path / "report").iterdir()]


@pytest.mark.parametrize("marking", ["marked", "none"])
@pytest.mark.parametrize(("animals", "frames", "empty"), [(1, 1, False), (1, 40, False), (2, 1, True), (30, 2, False)])
def test_extremes_make_a_page(tmp_path, marking, animals, frames, empty):
    names = [f"n{k}" for k in range(animals)]
    write_experiment(tmp_path, names, movies=("m1",), frames=frames, empty=empty)
    text = run(tmp_path, marking=marking, names=names if marking == "marked" else (), movies=("m1",))
    assert text.count("<img") == (3 if marking == "none" else 5 if empty else 6)
    assert "nan" not in re.sub(r'src="[^"]*"', "", text)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.99999, "99.99 %"), (1e-7, "0.01 %"), (float("nan"), "–")]
)
def test_what_is_not_all_or_nothing_never_reads_so(share, text):
    assert page.percent(share) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.05, "0.1 s"), (90, "90.0 s"), (3599, "60 min"), (7260, "2 h 01 min")])
def test_durations(seconds, text):
    assert page.duration(seconds) == text


def test_timeline_figure_has_the_matrix_and_the_names():
    matrix = np.array([[0, 1], [4, 2]], np.uint8)
    figure = plots.plot_timeline(matrix, np.array([0.0, 300, 600]), ["a", "b"], ["#ff0000", "#00ff00"])
    (axes,) = figure.axes
    assert axes.collections[0].get_array().reshape(2, 2).tolist() == matrix.tolist()
    assert axes.get_xlim() == (0, 10)
    assert axes.get_xlabel() == "time (min)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_trajectory_figure_has_the_paths_in_their_colours():
    line = np.array([[0.0, 0], [10, 20]])
    figure = plots.plot_trajectories(np.zeros((40, 60, 3), np.uint8), [line, line[:0]], ["a", "b"], ["#ff0000", "#00ff00"])
    paths, ends = figure.axes[0].collections
    assert ends.get_offsets()[0].tolist() == [10, 20]
    assert paths.get_segments()[0].tolist() == line.tolist()
    assert paths.get_colors()[0][:3].tolist() == [1, 0, 0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_confusion_figure_writes_the_numbers():
    figure = plots.plot_classifier(np.array([[5, 1], [0, 0]]), ["a", "b"], {"loss": [1.0]})
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["1", "5"]
    assert figure.axes[0].images[0].get_array()[0].tolist() == pytest.approx([5 / 6, 1 / 6])
