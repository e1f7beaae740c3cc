"""Scores of body points: errors that are made up are counted as what they are, from files of tools and from tables."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from herdbook.bodypoints.scoring import format_point_score, score_points
from herdbook.bodypoints.tables import read_points, same_movies
from herdbook.commands.cli import app
from herdbook.errors import HerdbookError
from herdbook.formats.poses import Poses
from tests.support.walking import NAMES, in_contact, walk

ANIMALS, BODY, FPS = ("red", "green", "blue"), 60.0, 25.0


@pytest.fixture
def walked(rng):
    return walk(rng)


def poses(xy, individuals=ANIMALS, likelihood=None):
    return Poses(individuals, NAMES, xy, np.full(xy.shape[:3], np.nan) if likelihood is None else likelihood)


def scored(xy, true, **options):
    return score_points([poses(xy, **options)], [poses(true)], BODY, FPS)


def test_the_truth_has_no_errors(walked):
    found = scored(walked[0], walked[0])
    assert (found.everything.unknown, found.everything.wrong_name, found.everything.median_px, found.everything.pck) == (0, 0, 0, 1)
    assert (found.switches, found.drifts, found.jumps) == (0, 0, 0)
    assert found.alone.points + found.contact.points == found.everything.points == 600 * 18
    assert 0.05 < found.contact.points / found.everything.points < 0.5


def test_a_switch_is_one_stretch_of_many_points(walked):
    xy = walked[0].copy()
    # While all are apart.
    apart = np.flatnonzero(~in_contact(walked[1]).any(axis=1))[:40]
    xy[apart[:, None], [0, 2]] = xy[apart[:, None], [2, 0]]
    found = scored(xy, walked[0])
    stretches = 1 + int((np.diff(apart) > 1).sum())
    assert found.switches == 2 * stretches
    assert found.switches_per_hour == pytest.approx(2 * stretches / (600 / FPS / 3600))
    assert found.everything.wrong_name == pytest.approx(2 * 40 / 1800)
    assert found.jumps == 0


def test_single_points_jump_apart_and_drift_in_contact(walked):
    touching, xy = in_contact(walked[1])[:, 0] & in_contact(walked[1])[:, 1], walked[0].copy()
    far, near = np.flatnonzero(~in_contact(walked[1]).any(axis=1)), np.flatnonzero(touching)
    xy[far[5], 0, 2], xy[far[20], 1, 4] = xy[far[5], 1, 2].copy(), xy[far[20], 2, 4].copy()
    distance = np.hypot(*(walked[0][near, 0, 3] - walked[0][near, 1, 3]).T)
    clear = near[distance > 0.2 * BODY]
    run = clear[:1] + np.arange(3)
    assert touching[run].all()
    xy[run, 0, 3] = xy[run, 1, 3]
    found = scored(xy, walked[0])
    assert (found.switches, found.drifts, found.jumps) == (0, 1, 2)
    assert found.jumps_per_1000 == pytest.approx(2000 / (600 * 18))
    assert found.drifts_per_contact_s > 0
    assert found.by_point["tail"].wrong_name == pytest.approx(3 / 1800)
    assert found.by_point["nose"].wrong_name == 0


def test_unknown_and_far_points_are_shares(walked):
    xy = walked[0].copy()
    xy[::10] = np.nan
    xy[1::10, :, 0, 0] += 12
    found = scored(xy, walked[0]).everything
    assert found.unknown == pytest.approx(0.1)
    assert found.far == pytest.approx(1 / 6 / 9)
    assert found.pck == pytest.approx(1 - 1 / 54)
    assert found.wrong_name < 0.002


def test_other_names_are_matched_by_place(walked):
    found = scored(walked[0][:, [2, 0, 1]], walked[0], individuals=("a", "b", "c"))
    assert found.matched == {"red": "b", "green": "c", "blue": "a"}
    assert found.everything.median_px == 0
    assert "red: b" in format_point_score(found)


def test_what_is_told_is_compared_with_the_error(walked, rng):
    told = rng.uniform(0, 5, walked[0].shape[:3])
    xy = walked[0] + told[..., None] * [1, 0]
    tenths = scored(xy, walked[0], likelihood=told).told
    assert len(tenths) == 10
    assert [tenth.median_px for tenth in tenths] == pytest.approx([tenth.told for tenth in tenths], abs=0.05)
    assert scored(xy, walked[0]).told == []


def test_points_must_have_the_same_names(walked):
    true = Poses(ANIMALS, ("Nose", *NAMES[1:]), walked[0], np.full(walked[0].shape[:3], np.nan))
    with pytest.raises(HerdbookError, match=r"Nose, neck.*there is no 'Nose'.*nose"):
        score_points([poses(walked[0])], [true], BODY)


def test_without_a_truth_there_is_no_score(walked):
    with pytest.raises(HerdbookError, match="no point with a place"):
        scored(walked[0], np.full_like(walked[0], np.nan))


def table_of(xy, movie, name="individual"):
    frame, who, point = np.nonzero(np.isfinite(xy[..., 0]))
    place = xy[frame, who, point]
    names = {name: np.array(ANIMALS)[who], "point": np.array(NAMES)[point]}
    return pd.DataFrame({"movie": movie, "frame": frame, **names, "x": place[:, 0], "y": place[:, 1], "likelihood": 0.5})


def test_the_command_compares_tables_of_several_movies(walked, tmp_path):
    xy = walked[0].copy()
    xy[3, 1] = np.nan
    pd.concat([table_of(xy, "m1"), table_of(walked[0], "m2")]).to_csv(tmp_path / "found.csv", index=False)
    pd.concat([table_of(walked[0], "m2", "identity"), table_of(walked[0], "m1", "identity")]).to_csv(tmp_path / "true.csv", index=False)
    arguments = ["score-points", str(tmp_path / "found.csv"), str(tmp_path / "true.csv"), "--body", "60"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["everything"]["points"] == 2 * 600 * 18
    assert found["everything"]["unknown"] == pytest.approx(6 / (2 * 600 * 18))
    assert found["switches_per_hour"] is None
    done = CliRunner().invoke(app, [*arguments, "--fps", "25"])
    assert "switches  0 (0.00 per hour)" in done.output


def test_a_table_is_checked(walked, tmp_path):
    rows = table_of(walked[0][:4], "m1")
    pd.concat([rows, rows[:1]]).to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(HerdbookError, match="nose of red in frame 0 is there twice"):
        read_points(tmp_path / "twice.csv")
    rows.assign(frame=0.5).to_csv(tmp_path / "half.csv", index=False)
    with pytest.raises(HerdbookError, match=r"data row 1: frame is '0.5'"):
        read_points(tmp_path / "half.csv")
    rows.drop(columns="individual").to_csv(tmp_path / "nobody.csv", index=False)
    with pytest.raises(HerdbookError, match="column individual or identity or id is missing"):
        read_points(tmp_path / "nobody.csv")


def test_tables_of_different_movies_are_refused(walked):
    one, other = {"a": poses(walked[0]), "b": poses(walked[0])}, {"c": poses(walked[0])}
    with pytest.raises(HerdbookError, match="none is in both"):
        same_movies(one, other)
    assert same_movies({"a": one["a"]}, other) == ([one["a"]], [other["c"]])
