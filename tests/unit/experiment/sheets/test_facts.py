"""What a person knows: the table of facts is read and checked, facts decide identities, contradictions are reported."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.commands.check import check_experiment
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.sheets.facts import Fact, read_facts
from tests.support.identity_cases import Body, RecordingFiles, Track, who_where

HEADER = "movie,frame,x,y,fact,name,last\n"
NAMES = ["A", "B", "C"]
LEFT, RIGHT, BELOW = Body(30, 30), Body(120, 30), Body(75, 90)


def facts_of(folder: Path, text: str) -> list[Fact]:
    path = folder / "facts.csv"
    path.write_text(text, encoding="utf-8")
    return read_facts(path, ["m1", "m2"], ["A", "worker"])


def test_facts_are_read_with_their_lines(tmp_path: Path) -> None:
    found = facts_of(tmp_path, HEADER + "m1,3,1.5,2,is,A,\n\nm2,0,0,7,not,worker,\nm1,5,,,absent,A,9\n")
    assert found[:2] == [Fact("m1", 3, 1.5, 2.0, "is", "A", 3, 2), Fact("m2", 0, 0.0, 7.0, "not", "worker", 0, 4)]
    assert (found[2].kind, found[2].frame, found[2].last, found[2].line) == ("absent", 5, 9, 5)
    assert np.isnan([found[2].x, found[2].y]).all()


def test_points_alone_need_no_last_frame_and_more_cells_do_no_harm(tmp_path: Path) -> None:
    assert facts_of(tmp_path, "movie,frame,x,y,fact,name\nm1,3,1.5,2,is,A,,B,0.4,more\n") == [Fact("m1", 3, 1.5, 2.0, "is", "A", 3, 2)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("m3,0,1,2,is,A,", "line 2: there is no movie 'm3'; did you mean"),
        ("m1,0,1,2,is,D,", "line 2: there is no name 'D' among identities and groups; known are: A, worker"),
        ("m1,0,1,2,was,A,", "line 2: fact must be one of is, not, absent, found 'was'"),
        ("m1,0,,2,is,A,", "line 2: x must be a number of px below 1e9, found ''"),
        ("m1,-1,1,2,is,A,", "line 2: frame must be a whole number from 0, found '-1'"),
        ("m1,0,nan,2,not,A,", "line 2: x must be a number of px below 1e9, found 'nan'"),
        ("m1,7,,,absent,A,", "line 2: last must be a whole number from 0, found ''"),
        ("m1,7,,,absent,A,6", "line 2: last must not be before frame, found frames 7 to 6"),
    ],
)
def test_a_faulty_fact_is_reported_with_its_line(tmp_path: Path, line: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        facts_of(tmp_path, HEADER + line + "\n")
    assert expected in str(caught.value)


cells = st.text(alphabet=st.sampled_from("A1.-[],\t\n\"' isnotabsent\0é"), max_size=16)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cells, max_size=4))
def test_whatever_the_table_holds_only_herdbook_errors_come_out(tmp_path: Path, rows: list[str]) -> None:
    with suppress(HerdbookError):
        facts_of(tmp_path, HEADER + "\n".join(rows))


@pytest.fixture
def recording(tmp_path: Path) -> RecordingFiles:
    """Three animals apart, in the second half of a movie each in a new tracklet that nothing links to the first."""
    made = RecordingFiles(tmp_path, NAMES)
    tracks = [Track(first, first + 9, (body,)) for first in (0, 15) for body in (LEFT, RIGHT, BELOW)]
    made.add(tracks, 25, [{"A": 12.0}, {"B": 12.0}, {"C": 12.0}] * 2)
    return made


def how_of(found, tracklet: int, name: str) -> str:
    row = (found.tracklet == tracklet) & (found.individual == found.individuals.index(name))
    return HOW_KNOWN[found.how[row][0]]


def test_without_facts_the_images_decide(recording: RecordingFiles) -> None:
    assert who_where(recording.identities()) == dict(enumerate("ABCABC"))


def test_a_fact_names_an_animal_and_the_others_get_other_names(recording: RecordingFiles) -> None:
    found = recording.identities(facts=["m1,4,30,30,is,B,"])
    assert who_where(found)[0] == "B"
    assert "B" not in {who_where(found).get(1), who_where(found).get(2)}
    assert how_of(found, 0, "B") == "labelled"
    assert found.confidence[found.tracklet == 0][0] > 0.999
    assert [who_where(found)[k] for k in (3, 4, 5)] == ["A", "B", "C"]


def test_a_fact_excludes_a_name(recording: RecordingFiles) -> None:
    assert who_where(recording.identities(facts=["m1,17,30,30,not,A,"])).get(3) != "A"


def test_an_animal_is_not_found_while_it_is_absent(recording: RecordingFiles) -> None:
    found = who_where(recording.identities(facts=["m1,18,,,absent,A,19"], number=3))
    assert found[0] == "A"
    assert "A" not in {found.get(k) for k in (3, 4, 5)}


def test_an_absence_of_a_later_movie_is_counted_in_its_own_frames(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, ["A"])
    for _ in range(2):
        made.add([Track(0, 9, (LEFT,))], 10, [{"A": 12.0}])
    assert [who_where(made.identities(facts=["m2,0,,,absent,A,0"]), movie) for movie in (0, 1)] == [{0: "A"}, {}]
    assert [who_where(made.identities(facts=["m1,0,,,absent,A,9"]), movie) for movie in (0, 1)] == [{}, {0: "A"}]


def test_a_fact_on_a_merged_blob_decides_only_who_is_in_it(tmp_path: Path) -> None:
    made = RecordingFiles(tmp_path, NAMES)
    both = (Body(60, 50), Body(78, 50))
    tracks = [*(Track(0, 4, (body,)) for body in (LEFT, RIGHT, BELOW)), Track(5, 9, both, animals=2), Track(5, 9, (BELOW,))]
    # C is nearly as good a partner of A as B: the fact decides.
    made.add(tracks, 10, [{"A": 9.0}, {"B": 0.5}, {"C": 0.5}, None, None], edges=[(0, 3), (1, 3), (2, 3), (1, 4), (2, 4)])
    assert who_where(made.identities(facts=["m1,7,60,50,is,B,"]))[3] == "AB"
    assert who_where(made.identities(facts=["m1,7,60,50,is,C,"]))[3] == "AC"
    assert who_where(made.identities(facts=["m1,7,60,50,not,B,"]))[3] == "AC"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (["m1,4,30,30,is,A,", "m1,6,30,30,is,B,"], ["line 2 (m1, frame 4: is A)", "line 3 (m1, frame 6: is B)", "which holds one animal"]),
        (["m1,4,30,30,is,A,", "m1,6,30,30,not,A,"], ["line 2", "line 3 (m1, frame 6: is not A)", "m1, frames 0 to 9"]),
        (["m1,4,30,30,is,A,", "m1,4,120,30,is,A,"], ["line 2", "line 3", "2 tracklets at the same time"]),
        (["m1,4,30,30,is,A,", "m1,8,,,absent,A,12"], ["line 2", "line 3 (m1, frames 8 to 12: A is absent)"]),
        (["m1,4,120,30,is,A,"], ["line 2", "the label B"]),
        (["m1,4,120,30,not,B,"], ["line 2", "the label B"]),
        (["m1,4,30,30,is,B,"], ["line 2", "the label B", "at the same time"]),
        (["m1,4,70,30,is,A,", "m1,12,30,30,not,A,"], ["line 2", "line 3", "there is no blob at (70, 30)", "put the point onto the animal"]),
        (["m1,40,30,30,is,A,"], ["line 2", "frames 0 to 24"]),
        (["m1,4,30,30,is,D,"], ["line 2", "'D'"]),
    ],
)
def test_facts_that_do_not_fit_are_reported_with_their_lines(recording: RecordingFiles, capsys, facts, expected) -> None:
    tracks = [Track(first, first + 9, (body,)) for first in (0, 15) for body in (LEFT, RIGHT, BELOW)]
    made = RecordingFiles(recording.folder, NAMES)
    made.add(tracks, 25, [{}] * 6, labelled={1: "B"})
    with pytest.raises(SystemExit):
        made.identities(facts=facts)
    message = capsys.readouterr().err
    assert "facts.csv" in message
    for words in expected:
        assert words in message


def test_a_repeated_fact_or_one_that_repeats_a_label_is_no_contradiction(recording: RecordingFiles) -> None:
    assert who_where(recording.identities(facts=["m1,4,30,30,is,A,", "m1,6,30,30,is,A,", "m1,6,120,30,not,A,"]))[0] == "A"


def test_facts_on_other_recordings_are_ignored(recording: RecordingFiles) -> None:
    assert who_where(recording.identities(facts=["elsewhere,4,30,30,is,B,"])) == dict(enumerate("ABCABC"))


def test_herdbook_check_reads_the_facts(tmp_path: Path, write_movie) -> None:
    write_movie("m1.mp4", [np.full((60, 80), 200, np.uint8)] * 10)
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\nm1,0,9,9,A\n", encoding="utf-8")
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4"}],
        "animals": {"marking": "marked", "identities": ["A"], "labels": "labels.csv", "facts": "facts.csv"},
    }
    experiment = parse_experiment(raw, tmp_path / "e.yaml")
    faults = []
    for text in ("m1,9,9,9,is,A,", "m1,10,9,9,is,A,", "m1,0,9,9,is,C,"):
        (tmp_path / "facts.csv").write_text(HEADER + text + "\n", encoding="utf-8")
        faults.append(check_experiment(experiment).faults)
    assert faults[0] == []
    assert "facts.csv, line 2: m1 has frames 0 to 9, found frame 10" in faults[1][0]
    assert "there is no name 'C' among identities and groups" in faults[2][0]
