"""The sections on results: scale, formats of tables, date of a movie."""

import json
from datetime import datetime

import pytest

from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment, parse_experiment

RAW = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": {"marking": "none"}}


def parsed(tmp_path, **sections):
    return parse_experiment(RAW | sections, tmp_path / "e.yaml")


@pytest.mark.parametrize(
    ("scale", "px_per_mm"),
    [
        ({"px_per_mm": 7.5}, 7.5),
        ({"points": [[10, 20], [40, 60]], "length": 25}, 2.0),
        ({"circle": [[100, 0], [0, 100], [-100, 0]], "diameter": 50}, 4.0),
        ({"circle": [[107, 3], [7, 103], [-93, 3], [7, -97]], "diameter": 40}, 5.0),
    ],
)
def test_a_scale_is_given_by_a_number_two_points_or_a_circle(tmp_path, scale, px_per_mm):
    experiment = parsed(tmp_path, scale=scale)
    assert experiment.scale.value == pytest.approx(px_per_mm)
    assert json.loads(experiment.settings("export"))["px_per_mm"] == pytest.approx(px_per_mm)


@pytest.mark.parametrize(
    ("scale", "fault"),
    [
        ({}, "exactly one of"),
        ({"px_per_mm": 3, "points": [[0, 0], [1, 1]], "length": 2}, "exactly one of"),
        ({"points": [[0, 0], [1, 1]]}, "points and length belong together"),
        ({"circle": [[0, 0], [1, 1], [0, 1]]}, "circle and diameter belong together"),
        ({"points": [[5, 5], [5, 5]], "length": 2}, "must be apart"),
        ({"circle": [[0, 0], [1, 1], [2, 2]], "diameter": 2}, "must be apart"),
        ({"circle": [[0, 0], [1, 1]], "diameter": 2}, "scale.circle"),
    ],
)
def test_an_empty_or_ambiguous_scale_is_refused(tmp_path, scale, fault):
    with pytest.raises(HerdbookError, match=fault):
        parsed(tmp_path, scale=scale)


def test_a_format_is_asked_for_once(tmp_path):
    with pytest.raises(HerdbookError, match="each of them once"):
        parsed(tmp_path, export={"formats": ["mot", "mot"]})


def test_the_date_of_a_movie_is_read_from_file_or_sheet(tmp_path):
    (tmp_path / "movies.tsv").write_text("name\tfile\tstart\nm\tm.mp4\t2026-05-17 14:03:20\nn\tn.mp4\t\n")
    (tmp_path / "e.yaml").write_text("experiment: e\nmovies: movies.tsv\nanimals: {marking: none}\n")
    experiment = load_experiment(tmp_path / "e.yaml")
    assert experiment.movies[0].start == datetime(2026, 5, 17, 14, 3, 20)
    assert json.loads(experiment.settings("export"))["starts"] == {"m": "2026-05-17T14:03:20"}
    experiment = parsed(tmp_path, movies=[{"name": "m", "file": "m.mp4", "start": "2026-05-17T14:03:20+02:00"}])
    assert json.loads(experiment.settings("export"))["starts"] == {"m": "2026-05-17T14:03:20+02:00"}
