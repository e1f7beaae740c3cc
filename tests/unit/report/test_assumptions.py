"""The assumptions on which the expected error rests: each holds where nothing is wrong, and fails, with its cause, where it does not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.index import Index
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.report.assumptions import (
    FAILS,
    HOLDS,
    UNTESTED,
    Assumption,
    Given,
    check_assumptions,
    failing,
    read_expected_error,
    same_places,
    told_first,
    withheld,
)
from tests.support.page_cases import write_page
from tests.support.report_cases import write_recording

ORIGIN = Provenance("test", 1, "{}")
ORDER, LOOKS = "movies follow each other in this order, without a break", "each animal looks the same in all movies"
FEWER, MORE = "no more animals than animals.number", "no fewer animals than animals.number"


def given(numbers=(3,), names=("a", "b", "c"), arenas=()):
    return Given({"day": ["m1", "m2"]}, list(numbers), list(arenas), list(names))


@pytest.fixture
def files(tmp_path):
    """Three animals in two movies that follow each other, of different content."""
    found = write_recording(tmp_path, ["a", "b", "c"], 40, movie="m1", more=("m2",))
    change(found, "tracklets", "m2", Tracklets, seam_animals=3, seam_moved=0.1, seam_usual=0.3)
    contradict(found, 3, 0)
    return found


def change(files, kind, name, artifact, **values):
    path = files[kind][name]
    found = artifact.load(path)
    for key, value in values.items():
        setattr(found, key, value)
    found.save(path, ORIGIN)


def contradict(files, pairs, contradicted):
    columns = {"seam_pairs": np.array([[0, 0], [0, pairs]]), "seam_contradicted": np.array([[0, 0], [0, contradicted]])}
    columns["seam_expected"] = np.array([[0, 0], [0, 0.03]])
    change(files, "identities", "day", Identities, **columns)


def states(given, files):
    return {one.name: one for one in check_assumptions(given, files)}


def moved_apart(files):
    """The second movie is not the first one again."""
    change(files, "index", "m2", Index, movie_fingerprint="another")


def only_failing(found):
    return [name for name, one in found.items() if one.state == FAILS]


def test_nothing_fails_where_nothing_is_wrong(files, monkeypatch):
    monkeypatch.setattr("herdbook.report.assumptions.same_places", lambda *_: False)
    found = states(given(), files)
    assert only_failing(found) == []
    assert [found[name].state for name in (FEWER, MORE, ORDER, LOOKS)] == [HOLDS] * 4
    assert told_first(list(found.values()), named=True) == []


def test_more_animals_than_the_number_withhold_the_error(files):
    one = states(given((2,), ("a", "b")), files)[FEWER]
    assert one.state == FAILS
    assert one.withholds
    assert "shows up to 3 animals at once" in one.cause
    assert "the 2 of animals.number" in one.cause


def test_a_number_that_is_never_reached_fails_only_where_animals_are_apart_often_enough(files):
    found = states(given((4,)), files)
    assert found[MORE].state == UNTESTED
    for movie in ("m1", "m2"):
        # In the middle of each movie two animals are one blob, so that there are four spells without.
        spans = {"first": [0, 0, 0, 15, 30], "last": [39, 14, 14, 29, 39], "size": [1, 1, 1, 2, 1], "arena": [0] * 5}
        columns = {name: np.array(values, np.float32 if name == "size" else np.int32) for name, values in spans.items()}
        change(files, "tracklets", movie, Tracklets, **columns)
    found = states(given((4,)), files)
    assert found[MORE].state == FAILS
    assert "never shows more than 3 animals at once" in found[MORE].cause
    assert states(given(), files)[MORE].state == HOLDS


def test_animals_without_a_name_are_told_but_withhold_nothing(files):
    one = states(given((4,)), files)["each animal has a name"]
    assert (one.state, one.withholds) == (FAILS, False)
    assert one.cause == "There are 4 animals, but 3 names: 1 has none."
    assert states(given(), files)["each animal has a name"].state == HOLDS


def test_a_broken_seam_is_told_and_one_that_cannot_be_compared_too(files):
    change(files, "tracklets", "m2", Tracklets, seam_animals=3, seam_moved=1.5, seam_usual=0.3, seam_broken=True)
    one = states(given(), files)[ORDER]
    assert one.state == FAILS
    assert one.cause.startswith("The end of m1 does not fit the beginning of m2: 3 blobs are 1.5 body lengths apart")
    change(files, "tracklets", "m2", Tracklets, seam_animals=0, seam_broken=False)
    assert states(given(), files)[ORDER].state == UNTESTED


def test_looks_that_were_exchanged_withhold_the_error(files):
    contradict(files, 3, 2)
    one = states(given(), files)[LOOKS]
    assert (one.state, one.withholds) == (FAILS, True)
    assert "of 3 animals that are followed from m1 into m2 by their place, 2 have another name there" in one.cause.lower()
    contradict(files, 3, 1)
    assert states(given(), files)[LOOKS].state == HOLDS
    contradict(files, 0, 0)
    assert states(given(), files)[LOOKS].state == UNTESTED


def test_a_change_of_the_scene_is_told(files):
    columns = {"change": np.array([[20, 20]]), "change_shift": np.array([[7.0, 0.0]]), "change_turn": np.zeros(1)}
    columns |= {"change_light": np.zeros(1), "change_share": np.zeros(1)}
    assert states(given(), files)["camera and light stay"].state == HOLDS
    change(files, "background", "m1", Background, **columns)
    one = states(given(), files)["camera and light stay"]
    assert one.state == FAILS
    assert "m1" in one.cause


@pytest.mark.parametrize(("fps", "state"), [(10.2, HOLDS), (12.0, FAILS)])
def test_rates_that_differ_are_told(files, fps, state):
    change(files, "index", "m2", Index, fps=fps)
    assert states(given(), files)["movies of a recording have one frame rate"].state == state


def test_a_movie_given_twice_is_found_by_its_blobs_even_if_the_file_differs(files):
    name = "each movie was filmed once"
    moved_apart(files)
    assert states(given(), files)[name].cause == "The movies m1 and m2 are the same."
    places = [np.array([[k, k]], float) for k in range(0, 40, 2)]
    assert same_places(places, [place + 0.5 for place in places])
    assert not same_places(places, [place + 3 for place in places])
    assert not same_places([places[0]] * 20, [places[0]] * 20)


def test_an_arena_without_animals_is_named(files):
    one = states(given((3, 1), arenas=("left", "right")), files)[MORE]
    assert one.state == FAILS
    assert one.cause == "No animal is ever seen in arena right in recording day."


def test_what_fails_is_said_first_on_the_page_and_kept_for_programmes(tmp_path):
    page = write_page(tmp_path, ["a", "b"], 40).read_text(encoding="utf-8")
    assert "cannot be told" not in page
    assert read_expected_error(tmp_path) == ([], True)
    folder = tmp_path / "fewer"
    page = write_page(folder, ["a", "b", "c"], 40, animals={"marking": "marked", "identities": ["a", "b"], "labels": "l.csv"})
    text = page.read_text(encoding="utf-8")
    assert text.index("shows up to 3 animals at once") < text.index("with marks were followed")
    assert "How many positions are another animal&#39;s cannot be told" in text
    assert "are expected to be another" not in text
    causes, told = read_expected_error(folder)
    assert (len(causes), told) == (1, False)
    notes = (folder / "report" / "notes.txt").read_text(encoding="utf-8").splitlines()
    assert notes[0] == causes[0]
    (folder / "report" / "expected_error.json").write_text("[]")
    with pytest.raises(HerdbookError, match="expected_error"):
        read_expected_error(folder)


def test_only_what_withholds_withholds():
    told, lacking = Assumption("one", "", FAILS, "First.", withholds=False), Assumption("two", "", FAILS, "Second.")
    assert told_first([told], named=True) == ["First."]
    assert told_first([told, lacking], named=True) == [
        "First.",
        "Second.",
        "How many positions are another animal's cannot be told, because this does not hold: two.",
    ]
    assert told_first([lacking], named=False) == ["Second."]
    assert withheld([told, lacking]) == [lacking]
    assert failing([replace(told, state=HOLDS), replace(lacking, state=UNTESTED)]) == []
    assert json.dumps(told.name)
