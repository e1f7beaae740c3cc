"""Names found again after an answer are those that the stage finds, though no contact is followed twice."""

import shutil

import numpy as np
import pytest

from herdbook.app.live import Live
from herdbook.app.reviewing import ways
from herdbook.app.reviewing.answers import facts_of, undo, write_facts
from herdbook.app.reviewing.naming import Naming
from herdbook.app.saving.journal import NothingToUndoError
from herdbook.app.watching.reviewed import is_reviewed, result_of, reviewed_path
from herdbook.artifacts.propagate import Identities
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from herdbook.stages import propagate
from tests.support.crossing_run import BETWEEN, places, write_crossing


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_crossing(tmp_path_factory.mktemp("crossing"))


@pytest.fixture
def file(made, tmp_path):
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / made.name


@pytest.fixture
def live(file):
    found = Live(file)
    yield found
    found.close()


def middle(animal, **changes):
    x, y = places(BETWEEN)[animal]
    return {"movie": "m", "frame": BETWEEN, "x": x, "y": y, "fact": "is", "name": animal} | changes


def columns(path):
    found = Identities.load(path)
    return {name: getattr(found, name) for name in ("movie", "tracklet", "individual", "confidence", "how")}


def test_without_answers_nothing_changes(file):
    before = result_of(load_experiment(file), "m")
    answer = Naming(file, "m").name()
    assert answer["changed"] == 0
    assert answer["frames"] == 3 * 160
    after = result_of(load_experiment(file), "m")
    assert after != before
    for name, values in columns(before).items():
        np.testing.assert_array_equal(columns(after)[name], values)


def test_after_an_answer_names_are_those_of_the_stage(file, live, monkeypatch, tmp_path):
    naming = Naming(file, "m")
    naming.name(keep=False)
    followed = []
    monkeypatch.setattr(ways, "follow_through", lambda *given: followed.append(given) or [])
    write_facts(live, facts_of(live, [middle("A")]))
    answer = naming.name()
    assert answer["changed"] >= 140
    assert answer["wrong"] < 80
    assert not followed
    experiment = load_experiment(file)
    out = tmp_path / "again.h5"
    given = {"blobs": "segment", "tracklets": "tracklets", "evidence": "classify"}
    options = [part for name, stage in given.items() for part in (f"--{name}", str(experiment.artifact(stage, "m")))]
    settings = experiment.settings("propagate")
    propagate.main([*options, "--facts", experiment.animals.facts, "--out", str(out), "--settings", settings])
    for name, values in columns(out).items():
        np.testing.assert_array_equal(columns(reviewed_path(experiment, "m"))[name], values)
    assert out.with_suffix(".doubtful.csv").read_text() == reviewed_path(experiment, "m").with_suffix(".doubtful.csv").read_text()


def test_ways_are_remembered_by_the_next_process(file, monkeypatch):
    Naming(file, "m").name(keep=False)
    monkeypatch.setattr(ways, "follow_through", lambda *given: pytest.fail("followed again"))
    Naming(file, "m").name()


def test_facts_that_contradict_each_other_are_told(file, live):
    write_facts(live, facts_of(live, [middle("A")]))
    write_facts(live, facts_of(live, [middle("A", x=places(BETWEEN)["C"][0], y=places(BETWEEN)["C"][1])]))
    with pytest.raises(HerdbookError, match="at the same time"):
        Naming(file, "m").name()


def test_results_of_a_later_run_count_again(file):
    experiment = load_experiment(file)
    Naming(file, "m").name()
    assert is_reviewed(experiment, "m")
    run = experiment.artifact("propagate", "m")
    shutil.copy(run, run.with_suffix(".copy"))
    run.with_suffix(".copy").replace(run)
    assert not is_reviewed(experiment, "m")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"movie": "n"}, "no movie"),
        ({"frame": 160}, "no frame 160"),
        ({"frame": True}, "not understood"),
        ({"frame": "80"}, "not understood"),
        ({"x": float("nan")}, "not understood"),
        ({"x": 500}, "outside of the picture"),
        ({"fact": "maybe"}, "not understood"),
        ({"name": "Q"}, "none of the animals"),
        ({"fact": "absent"}, "not understood"),
        ({"fact": "absent", "last": 500}, "not understood"),
    ],
)
def test_answers_that_make_no_sense_are_refused(live, change, message):
    with pytest.raises(HerdbookError, match=message):
        facts_of(live, [middle("A", **change)])


def test_the_same_answer_twice_is_one_row(live, file):
    write_facts(live, facts_of(live, [middle("A")]))
    with pytest.raises(HerdbookError, match="already"):
        write_facts(live, facts_of(live, [middle("A")]))
    assert (file.parent / "facts.csv").read_text().count("\n") == 2
    undo(live)
    with pytest.raises(NothingToUndoError):
        undo(live)


def test_a_table_of_another_experiment_is_left_alone(live, file):
    other = file.parent / "facts.csv"
    other.write_text("movie,frame,x,y,fact,name,last\nz,1,2,3,is,Z,\n")
    write_facts(live, facts_of(live, [middle("A")]))
    assert other.read_text().count("\n") == 2
    assert load_experiment(file).animals.facts == str((file.parent / "e_facts.csv").resolve())


def test_the_draft_stays_a_draft_when_a_table_is_named(live):
    live.file.set_draft({"segment.difference": 41})
    write_facts(live, facts_of(live, [middle("A")]))
    assert live.file.values()["segment"]["difference"] == 30
    assert live.file.draft == {"segment.difference": 41}
    assert live.file.values()["animals"]["facts"] == "facts.csv"
