"""What is left to answer, and what an answer about a contact decides."""

import os
from dataclasses import replace

import pytest

from herdbook.app.reviewing.queue import NAMES, PLACES, questions_left
from herdbook.experiment.file import parse_experiment
from herdbook.identity.doubts import Doubt, write_doubts

NAME = Doubt("m", 5, 1.0, 2.0, "is", "A", "", "A", 0.6, "B 0.40", "m", 0, "m", 9, 10, 4.0)
PLACE = replace(NAME, frame=50, name="B", assigned="B C", others="C 0.30", from_frame=45, to_frame=60, gain=9.0)


@pytest.fixture
def experiment(tmp_path):
    animals = {"marking": "marked", "identities": ["A", "B", "C"], "labels": "labels.csv"}
    found = parse_experiment({"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": animals}, tmp_path / "e.yaml")
    run = found.artifact("propagate", "m")
    run.parent.mkdir(parents=True)
    run.touch()
    write_doubts(run.with_suffix(".doubtful.csv"), [NAME])
    write_doubts(found.folder / "doubtful.csv", [PLACE, NAME])
    return found


def fact(**changes):
    return {"movie": "m", "frame": "50", "x": "1", "y": "2", "fact": "is", "name": "B", "last": ""} | changes


def kinds(experiment, *added):
    return [question.kind for question in questions_left(experiment, added)]


def test_doubts_of_both_kinds_come_once_with_most_to_gain_first(experiment):
    assert kinds(experiment) == [PLACES, NAMES]


@pytest.mark.parametrize("change", [{}, {"frame": "45"}, {"frame": "60"}, {"name": "C"}])
def test_a_fact_about_an_animal_of_a_contact_decides_its_places(experiment, change):
    assert kinds(experiment, fact(**change)) == [NAMES]


@pytest.mark.parametrize("change", [{"frame": "44"}, {"frame": "61"}, {"movie": "n"}, {"name": "A"}, {"fact": "not"}, {"frame": ""}])
def test_other_facts_do_not(experiment, change):
    assert kinds(experiment, fact(**change)) == [PLACES, NAMES]


def test_places_are_not_asked_for_while_a_run_has_not_found_them_yet(experiment):
    os.utime(experiment.folder / "doubtful.csv", (1e9, 1e9))
    assert kinds(experiment) == [NAMES]


def test_doubts_that_were_found_after_answers_replace_those_of_the_run(experiment):
    later = experiment.folder / "app" / "review" / "m.h5"
    later.parent.mkdir(parents=True)
    later.touch()
    write_doubts(later.with_suffix(".doubtful.csv"), [])
    assert kinds(experiment) == [PLACES]
