"""The sections of the experiment file on movies that are written."""

import json

import pytest

from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment

MOVIES = [{"name": "m", "file": "m.mp4"}, {"name": "n", "file": "n.mp4"}]
RAW = {"experiment": "e", "movies": MOVIES, "animals": {"marking": "none"}}


def parsed(tmp_path, **sections):
    return parse_experiment(RAW | sections, tmp_path / "e.yaml")


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"overlay": {"show": ["names", "names"]}}, "each of them once"),
        ({"overlay": {"show": ["faces"]}}, "overlay.show"),
        ({"overlay": {"max_width": 641}}, "overlay.max_width"),
        ({"overlay": {"crf": 60}}, "overlay.crf"),
        ({"overlay": {"speed": 0}}, "overlay.speed"),
        ({"overlay": {"intervals": [[5, 5]]}}, r"\[5, 5\] is empty"),
        ({"mosaic": {"intervals": [[0, 10], [5, 20]]}}, "must not overlap"),
        ({"closeups": {"intervals": [[0.5, 10]]}}, "not whole numbers of frames"),
        ({"closeups": {"size": 75}}, "closeups.size"),
        ({"closeups": {"speed": 2}}, "closeups.speed: unknown key"),
    ],
)
def test_an_impossible_setting_is_refused(tmp_path, section, fault):
    with pytest.raises(HerdbookError, match=fault):
        parsed(tmp_path, **section)


def test_intervals_in_seconds_may_be_decimal_numbers(tmp_path):
    experiment = parsed(tmp_path, overlay={"intervals": [[0.5, 10], [10, 12.25]], "intervals_in": "s"})
    assert json.loads(experiment.settings("overlay", "m"))["intervals"] == [[0.5, 10.0], [10.0, 12.25]]


def test_a_single_movie_may_have_its_own_settings(tmp_path):
    movies = [MOVIES[0], MOVIES[1] | {"override": {"overlay": {"intervals": [[3, 9]]}, "closeups": {"write": True}}}]
    experiment = parsed(tmp_path, movies=movies, overlay={"trail_s": 4})
    settings = {name: json.loads(experiment.settings("overlay", name)) for name in "mn"}
    assert [settings[name]["intervals"] for name in "mn"] == [[], [[3, 9]]]
    assert settings["m"]["trail_s"] == settings["n"]["trail_s"] == 4
    assert [experiment.section("closeups", name).write for name in "mn"] == [False, True]


def test_the_length_of_the_animals_counts_only_where_it_is_used(tmp_path):
    def settings(stage, length, **section):
        animals = RAW["animals"] | {"body_length": length}
        return parsed(tmp_path, animals=animals, **{stage: section}).settings(stage, "m")

    assert settings("overlay", 30) == settings("overlay", 40)
    assert settings("closeups", 30, size=64) == settings("closeups", 40, size=64)
    assert settings("closeups", 30) != settings("closeups", 40)
    assert settings("mosaic", 30) != settings("mosaic", 40)


def test_animals_without_lasting_names_share_tiles(tmp_path):
    for animals, lasting in (({"marking": "none"}, False), ({"marking": "none", "number": 2, "keep": True}, True)):
        assert json.loads(parsed(tmp_path, animals=animals).settings("mosaic", "m"))["lasting"] is lasting
