import contextlib
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from herdbook.errors import HerdbookError
from herdbook.tables.scoring import Score, format_score, load_trajectories, load_truth, score_as_dict, score_trajectories
from tests.conftest import ROOT

SCORER = ROOT.parent / "shared" / "tools" / "score.py"
RADIUS = 20.0


def table(positions: np.ndarray, names: list[str], movie: str = "m", frames: np.ndarray | None = None):
    """Tidy table of the finite positions (frames, individuals, 2)."""
    frames = np.arange(len(positions)) if frames is None else frames
    f, i = np.nonzero(np.isfinite(positions[..., 0]))
    return pd.DataFrame(
        {
            "movie": movie,
            "frame": frames[f],
            "individual": np.array(names)[i],
            "x": positions[f, i, 0],
            "y": positions[f, i, 1],
        }
    )


def walk(rng: np.random.Generator, n_frames: int, n: int, size: float = 160.0) -> np.ndarray:
    """Random walks folded into a square, so crowded that animals meet all the time."""
    path = rng.uniform(0, size, (1, n, 2)) + np.cumsum(rng.normal(0, 6, (n_frames, n, 2)), axis=0)
    return np.abs((path + size) % (2 * size) - size)


def tracked(rng: np.random.Generator, true: np.ndarray, n_false: int = 2) -> np.ndarray:
    """A bad tracker: noise, gaps, swapped stretches and false tracks."""
    n_frames, n, _ = true.shape
    found = np.concatenate([true, walk(rng, n_frames, n_false)], axis=1)
    found += rng.normal(0, 5, found.shape)
    for _ in range(6):
        a, b = rng.choice(n + n_false, 2, replace=False)
        first, last = np.sort(rng.integers(0, n_frames, 2))
        found[first:last, [a, b]] = found[first:last, [b, a]]
    found[rng.random(found.shape[:2]) < 0.15] = np.nan
    return found


def crowded_tables(seed: int, n_frames: int = 120, n: int = 5, n_false: int = 2):
    rng = np.random.default_rng(seed)
    true = walk(rng, n_frames, n)
    found = tracked(rng, true, n_false)
    true[rng.random(true.shape[:2]) < 0.1] = np.nan
    true[7] = np.nan
    return table(found, [f"t{k}" for k in range(n + n_false)]), table(true, [f"a{k}" for k in range(n)])


def designed_tables():
    """Swap, gap, false track, and everything at once, on four lines 30 px apart."""
    frames = np.arange(60)
    true = np.stack([np.stack([frames * 2.0, np.full(60, 30.0 * k) + 0.01 * k**2], axis=1) for k in range(4)], axis=1)
    names = [f"a{k}" for k in range(4)]
    truth = table(true, names)
    swapped = true.copy()
    swapped[30:, [0, 1]] = swapped[30:, [1, 0]]
    gap = true.copy()
    gap[20:40, 2] = np.nan
    false = np.concatenate([true, true[:, :1] + [7.0, 3.0]], axis=1)
    fragments = np.full((60, 8, 2), np.nan)
    fragments[:25, :4], fragments[25:, 4:] = true[:25] + 1.5, true[25:] - 1.5
    return {
        "swap": (table(swapped, names), truth),
        "gap": (table(gap, names), truth),
        "false track": (table(false, [*names, "x"]), truth),
        "fragments": (table(fragments, [f"f{k}" for k in range(8)]), truth),
        "one animal lost": (table(true[:, :3], names[:3]), truth),
    }


def random_and_designed_tables():
    cases = {f"crowd {seed}": crowded_tables(seed) for seed in range(6)}
    cases["more animals than tracks"] = tuple(
        t if k else t[t["individual"].isin(["t0", "t2", "t3"])] for k, t in enumerate(crowded_tables(11, n=6))
    )
    cases |= designed_tables()
    return [pytest.param(*tables, id=name) for name, tables in cases.items()]


def frames_of(predicted: pd.DataFrame, truth: pd.DataFrame):
    """Per judged frame: identity numbers and positions of both sides, as the reference metrics take them."""
    true_names, names = sorted(truth["individual"].unique()), sorted(predicted["individual"].unique())
    by_frame = dict(list(predicted.groupby("frame")))
    for frame, true in truth.groupby("frame"):
        found = by_frame.get(frame, predicted.iloc[:0])
        ids = [np.searchsorted(true_names, true["individual"]), np.searchsorted(names, found["individual"])]
        points = [side[["x", "y"]].to_numpy(float) for side in (true, found)]
        order = [np.argsort(side) for side in ids]
        ids = [np.asarray(side[o], int) for side, o in zip(ids, order, strict=True)]
        points = [side[o] for side, o in zip(points, order, strict=True)]
        distance = np.sqrt(((points[0][:, None] - points[1][None]) ** 2).sum(axis=2))
        yield ids[0], ids[1], distance


def score(predicted, truth, named=False, **settings) -> Score:
    return score_trajectories(predicted, truth, **{"named": named, "radius_px": RADIUS, "fps": 10.0, **settings})


@pytest.mark.parametrize(("predicted", "truth"), random_and_designed_tables())
def test_identity_f1_and_clear_mot_equal_motmetrics(predicted, truth):
    motmetrics = pytest.importorskip("motmetrics")
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for true_ids, ids, distance in frames_of(predicted, truth):
        accumulator.update(true_ids, ids, np.where(distance <= RADIUS, distance, np.nan))
    names = ["idf1", "idp", "idr", "mota", "num_switches"]
    expected = motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0]
    found = score(predicted, truth)
    measured = [found.idf1, found.idp, found.idr, found.mota, found.switches]
    np.testing.assert_allclose(measured, expected[names].to_numpy(float), atol=1e-9, rtol=0)


@pytest.mark.parametrize(("predicted", "truth"), random_and_designed_tables())
def test_hota_equals_trackeval(predicted, truth):
    trackeval = pytest.importorskip("trackeval")
    frames = list(frames_of(predicted, truth))
    data = {
        "num_gt_ids": truth["individual"].nunique(),
        "num_tracker_ids": predicted["individual"].nunique(),
        "num_gt_dets": sum(len(a) for a, _, _ in frames),
        "num_tracker_dets": sum(len(b) for _, b, _ in frames),
        "gt_ids": [a for a, _, _ in frames],
        "tracker_ids": [b for _, b, _ in frames],
        "similarity_scores": [np.maximum(0, 1 - distance / (2 * RADIUS)) for _, _, distance in frames],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        expected = trackeval.metrics.HOTA().eval_sequence(data)
    found = score(predicted, truth)
    for key, value in {"HOTA": found.hota, "DetA": found.deta, "AssA": found.assa}.items():
        assert value == pytest.approx(np.mean(expected[key]), abs=1e-9), key


def two_movie_tables(seed: int):
    """Tables with gaps, unknown positions, shared positions, two movies and a sheltered animal."""
    predicted, truth = [], []
    for k, movie in enumerate(("m1", "m2")):
        rng = np.random.default_rng(100 * seed + k)
        true = walk(rng, 150, 5)
        names = [f"a{i}" for i in range(5)]
        found = tracked(rng, true, n_false=1 if seed % 2 else 0)
        found[40:60, 1] = found[40:60, 0]
        predicted.append(table(found, [*names, "extra"][: found.shape[1]], movie))
        true[rng.random(true.shape[:2]) < 0.1] = np.nan
        truth.append(table(true, names, movie).assign(visible_share=rng.random(np.isfinite(true[..., 0]).sum())))
    if seed >= 4:
        predicted = [side[side["individual"].isin(["a0", "a3", "a4"])] for side in predicted]
    predicted, truth = pd.concat(predicted, ignore_index=True), pd.concat(truth, ignore_index=True)
    predicted.loc[::17, ["x", "y"]] = np.nan
    truth.loc[::23, ["x", "y"]] = np.nan
    return predicted, truth


@pytest.mark.skipif(not SCORER.exists(), reason=f"the independent scorer {SCORER} is not here")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("named", [True, False])
def test_figures_equal_the_independent_scorer(tmp_path, seed, named):
    predicted, truth = two_movie_tables(seed)
    predicted.to_csv(tmp_path / "predicted.csv", index=False)
    truth.rename(columns={"individual": "identity"}).to_csv(tmp_path / "truth.csv", index=False)
    settings = {1: {"movies": ["m2"]}, 2: {"min_visible": 0.4}, 4: {"movies": ["m1"], "min_visible": 0.7}}.get(seed, {})
    options = ["--radius", "12", "--apart", "30"] + ["--named"] * named
    options += ["--movies", ",".join(settings["movies"])] if "movies" in settings else []
    options += ["--visible", str(settings["min_visible"])] if "min_visible" in settings else []
    command = [sys.executable, str(SCORER), str(tmp_path / "predicted.csv"), str(tmp_path / "truth.csv"), *options]
    expected = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    found = score_as_dict(
        score_trajectories(
            load_trajectories(tmp_path / "predicted.csv"),
            load_truth(tmp_path / "truth.csv"),
            named=named,
            radius_px=12,
            apart_px=30,
            **settings,
        )
    )
    assert found["cells"] == expected["cells"]
    for key in ("assigned", "correct", "wrong", "off", "error", "shared"):
        assert round(found[key], 5) == expected[key], key
    assert round(found["median_px"], 2) == expected["med_px"]
    assert round(found["p95_px"], 2) == expected["p95_px"]
    for part in ("apart", "close"):
        assert {k: round(v, 5) for k, v in found[part].items()} == expected[part]


@pytest.mark.parametrize("named", [True, False])
def test_perfect_trajectories_score_one(rng, named):
    truth = table(walk(rng, 80, 4), list("abcd"))
    found = score(truth, truth, named)
    ones = "assigned correct identity_accuracy identity_accuracy_permuted covered idf1 idp idr mota hota deta assa"
    assert {key: getattr(found, key) for key in ones.split()} == pytest.approx(dict.fromkeys(ones.split(), 1.0))
    zeros = "wrong off error shared switches switches_per_animal_hour lasting_switches median_px p95_px"
    assert {key: getattr(found, key) for key in zeros.split()} == dict.fromkeys(zeros.split(), 0)
    assert found.apart.correct == found.close.correct == 1


def test_empty_prediction_scores_zero_and_has_no_distance(rng):
    truth = table(walk(rng, 20, 3), list("abc"))
    for named in (True, False):
        found = score(truth.iloc[:0], truth, named)
        zeros = "individuals assigned correct error covered idf1 idp idr mota hota switches shared"
        assert [getattr(found, key) for key in zeros.split()] == [0] * len(zeros.split())
        assert found.median_px is None
        assert found.p95_px is None
        assert "-" in format_score(found)


def parallel_pair(n_frames: int) -> np.ndarray:
    frames = np.arange(n_frames, dtype=float)
    return np.stack([np.stack([frames, np.full(n_frames, y)], axis=1) for y in (0.0, 200.0)], axis=1)


def test_two_animals_swapped_for_half_a_movie_halve_the_accuracy_but_hardly_the_mota():
    true = parallel_pair(1000)
    swapped = true.copy()
    swapped[500:] = swapped[500:, ::-1]
    found = score(table(swapped, ["a", "b"]), table(true, ["a", "b"]), named=True)
    assert found.identity_accuracy == found.correct == found.idf1 == 0.5
    assert found.wrong == found.error == 0.5
    assert found.covered == 1
    assert found.switches == 2
    assert found.mota == 1 - 2 / 2000
    assert found.deta == pytest.approx(1)
    assert found.assa == pytest.approx(1 / 3)
    assert found.switches_per_animal_hour == pytest.approx(2 / (2000 / 10 / 3600))


def test_exchanged_names_are_wrong_by_name_and_right_by_permutation():
    truth = table(parallel_pair(50), ["a", "b"])
    exchanged = table(parallel_pair(50), ["b", "a"])
    by_name = score(exchanged, truth, named=True)
    assert (by_name.identity_accuracy, by_name.identity_accuracy_permuted) == (0, 1)
    assert by_name.wrong == 1
    assert score(exchanged, truth, named=False).identity_accuracy == 1


def test_a_prediction_near_nobody_is_off_and_not_wrong():
    true = parallel_pair(10)
    found = score(table(true + np.array([0.0, 90.0]), ["a", "b"]), table(true, ["a", "b"]), named=True)
    assert (found.assigned, found.off, found.wrong, found.error, found.covered) == (1, 1, 0, 0, 0)


def meeting_pair(n_frames: int = 200, meet: tuple[int, int] = (80, 120)) -> np.ndarray:
    """Two animals 200 px apart that are 15 px apart in the frames meet[0]..meet[1] - 1."""
    true = parallel_pair(n_frames)
    true[meet[0] : meet[1], 1, 1] = 15.0
    return true


@pytest.mark.parametrize(
    ("first", "last", "lasting"),
    [(100, 200, 2), (90, 125, 0), (90, 129, 0), (90, 130, 2), (0, 200, 0)],
    ids=["for good", "repaired soon", "repaired in time", "repaired late", "only the names"],
)
def test_a_switch_lasts_if_the_names_are_still_exchanged_one_second_after_the_contact(first, last, lasting):
    true = meeting_pair()
    found = true.copy()
    found[first:last] = found[first:last, ::-1]
    result = score(table(found, ["p", "q"]), table(true, ["a", "b"]))
    assert result.lasting_switches == lasting
    assert result.lasting_switches_per_animal_hour == pytest.approx(lasting / (400 / 10 / 3600))


def test_contacts_less_than_a_second_apart_are_one():
    true = meeting_pair(meet=(80, 100))
    true[106:120, 1, 1] = 15.0
    found = true.copy()
    found[90:112] = found[90:112, ::-1]
    assert score(table(found, ["p", "q"]), table(true, ["a", "b"])).lasting_switches == 0


def test_tracks_at_one_shared_position_are_no_lasting_switch():
    true = meeting_pair()
    found = true.copy()
    found[80:, 1] = found[80:, 0] = true[80:, 0]
    assert score(table(found, ["p", "q"]), table(true, ["a", "b"])).lasting_switches == 0


def test_an_animal_covered_during_a_contact_keeps_its_contact():
    true = meeting_pair()
    truth = table(true, ["a", "b"])
    truth["visible_share"] = np.where((truth["individual"] == "b") & truth["frame"].between(80, 119), 0.0, 1.0)
    found = true.copy()
    found[100:] = found[100:, ::-1]
    result = score(table(found, ["p", "q"]), truth, min_visible=0.5)
    assert (result.cells, result.close.cells, result.lasting_switches) == (360, 0, 2)


def test_contacts_do_not_reach_across_movies():
    true, names = meeting_pair(100, (80, 100)), ["a", "b"]
    second = parallel_pair(100)
    truth = pd.concat([table(true, names, "m1"), table(second, names, "m2")])
    exchanged = pd.concat([table(true, names, "m1"), table(second[:, ::-1], names, "m2")])
    found = score(exchanged, truth, named=True)
    assert (found.switches, found.lasting_switches) == (2, 0)


def test_without_frame_rate_no_rate_and_no_lasting_switch():
    truth = table(meeting_pair(), ["a", "b"])
    found = score(truth, truth, fps=None)
    assert found.switches == 0
    assert found.switches_per_animal_hour is found.lasting_switches is found.lasting_switches_per_animal_hour is None


def test_frames_without_truth_are_not_judged():
    true = parallel_pair(100)
    annotated = np.arange(0, 100, 10)
    truth = table(true[annotated], ["a", "b"], frames=annotated)
    found = score(table(true, ["a", "b"]), truth, named=True)
    assert (found.cells, found.idp, found.mota, found.deta) == (20, 1, 1, 1)


def test_a_single_movie_may_be_named_differently():
    truth = table(parallel_pair(10), ["a", "b"], "movie01")
    assert score(truth.assign(movie=""), truth, named=True).correct == 1


def test_chunks_do_not_change_the_score(monkeypatch):
    predicted, truth = two_movie_tables(3)
    whole = score(predicted, truth)
    monkeypatch.setattr("herdbook.tables.score_pairs._PAIRS_PER_CHUNK", 7)
    assert score(predicted, truth) == whole


def test_order_of_rows_does_not_change_the_score(rng):
    predicted, truth = two_movie_tables(1)
    shuffled = [side.iloc[rng.permutation(len(side))] for side in (predicted, truth)]
    assert score(*shuffled) == score(predicted, truth)


def test_the_terminal_table_is_aligned_and_names_every_group(rng):
    predicted, truth = two_movie_tables(0)
    result = score(predicted, truth)
    text = format_score(result)
    starts = {len(line) - len(line[line.index("  ") :].lstrip()) for line in text.splitlines()}
    assert len(starts) == 1
    for word in ("IDF1", "MOTA", "HOTA", "lasting switches", "apart", "error", f"{100 * result.error:.2f}"):
        assert word in text
    assert json.loads(json.dumps(score_as_dict(result)))["apart"]["cells"] == result.apart.cells


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("frame,individual,x\n0,a,1\n", "column y is missing"),
        ("frame,x,y\n0,1,1\n", "individual or identity or id"),
        ("frame,individual,x,y\n0,a,1,1\n1,a,one,1\n", "data row 2: x is 'one', expected a finite number"),
        ("frame,individual,x,y\n0,a,inf,1\n", "data row 1: x is 'inf'"),
        ("frame,individual,x,y\n0.5,a,1,1\n", "data row 1: frame is '0.5', expected a whole number"),
        ("frame,individual,x,y\n-1,a,1,1\n", "frame is '-1'"),
        ("frame,individual,x,y\n,a,1,1\n", "data row 1: frame is"),
        ("frame,individual,x,y\n0,a,1,\n", "only one of x and y"),
        ("frame,individual,x,y\n0,,1,1\n", "individual is empty"),
        ("frame,individual,x,y\n0,a,1,1\n0,b,1,1\n0,a,2,2\n", "data row 3: 'a' has a second position in frame 0"),
        ("", "cannot be read"),
    ],
)
def test_a_faulty_table_is_refused_with_its_file_and_row(tmp_path, text, fault):
    path = tmp_path / "found.csv"
    path.write_text(text)
    with pytest.raises(HerdbookError, match=fault) as raised:
        load_trajectories(path)
    assert "found.csv" in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(HerdbookError, match=r"nowhere\.csv"):
        load_truth(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("column", ["individual", "identity", "id"])
def test_names_stay_text_and_unknown_positions_stay_unknown(tmp_path, column):
    path = tmp_path / "truth.csv"
    path.write_text(f"time,frame,{column},x,y\n0,3.0,01,1.5,2\n0,4,NA,,\n")
    for load in (load_trajectories, load_truth):
        loaded = load(path)
        assert list(loaded.columns) == ["movie", "frame", "individual", "x", "y"]
        assert loaded["individual"].tolist() == ["01", "NA"]
        assert loaded["frame"].tolist() == [3, 4]
        assert loaded["x"].isna().tolist() == [False, True]


def test_a_table_without_rows_can_be_scored(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("movie,frame,individual,x,y\n")
    assert score(load_trajectories(path), table(parallel_pair(5), ["a", "b"])).assigned == 0


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"radius_px": 0}, "radius_px is 0"),
        ({"fps": -1}, "fps is -1"),
        ({"apart_px": np.nan}, "apart_px is nan"),
        ({"movies": ["other"]}, "no movie other; it has m"),
        ({"min_visible": 0.5}, "no column visible_share"),
    ],
)
def test_impossible_settings_are_refused(settings, fault):
    truth = table(parallel_pair(5), ["a", "b"])
    with pytest.raises(HerdbookError, match=fault):
        score(truth, truth, **settings)


def test_nothing_left_to_judge_is_an_error():
    truth = table(parallel_pair(5), ["a", "b"]).assign(visible_share=0.1)
    with pytest.raises(HerdbookError, match="left to judge"):
        score(truth, truth, min_visible=0.5)


def test_tables_of_different_movies_are_refused():
    parts = [table(parallel_pair(5), ["a", "b"], movie) for movie in ("m1", "m2")]
    with pytest.raises(HerdbookError, match="share no movie"):
        score(parts[0].assign(movie="other"), pd.concat(parts))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


PLAIN = "movie,frame,identity,x,y\nm,0,Käfer,1.5,2.25\nm,1,Käfer,,\nm,2,B,30,4\n"
BY_PEOPLE = {
    "as it is": PLAIN.encode(),
    "semicolons, decimal commas": PLAIN.replace(",", ";").replace(".", ",").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "quoted": ('"movie",' + PLAIN.removeprefix("movie,")).encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "Windows-1252": PLAIN.encode("cp1252"),
    "a mark, frames as 1.0, empty rows": ("\ufeff" + PLAIN.replace(",1,", ",1.0,") + ",,,,\n").encode(),
    "decomposed letters": PLAIN.replace("ä", "a\u0308").encode(),
}


@pytest.mark.parametrize("how", BY_PEOPLE)
def test_the_truth_is_read_however_a_program_saves_it(tmp_path, how):
    path = tmp_path / "truth.csv"
    path.write_bytes(BY_PEOPLE[how])
    found = load_truth(path)
    assert found.fillna(-1).to_numpy().tolist() == [["m", 0, "Käfer", 1.5, 2.25], ["m", 1, "Käfer", -1, -1], ["m", 2, "B", 30, 4]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("frame;id;x;y\n0;a;1,5;one\n", "data row 1: y is 'one', expected a finite number"),
        ("frame;id;x;y\n0;a;1.234;2,5\n", r"line 2: x can be read in two ways: '1\.234' is 1\.234 or 1234"),
        ("frame,id,x,y\n0,a,1,5,2,5\n", r"line 2: its 6 cells can be read in two ways .* x 1 or 1\.5, y 5 or 2\.5"),
        ("frame,id,x,y\n0,a,1,5\n1,a\n", "line 3: the line ends before x, y"),
    ],
)
def test_a_truth_that_can_be_read_in_two_ways_is_refused(tmp_path, text, fault):
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(HerdbookError, match=fault):
        load_truth(tmp_path / "truth.csv")
