"""The table of noted events."""

import pytest

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.noted import NOTED_COLUMNS, read_noted, refuse_frames


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "noted.csv"
        path.write_text("\n".join([",".join(NOTED_COLUMNS), *lines]) + "\n", encoding="utf-8")
        return path

    return write


def test_events_are_read_with_their_animals(table):
    events = read_noted(table("m,3,9,A; B;A,feeding,at the edge", "m,4,4,,lamp on,"), ["m"], ["A", "B"])
    assert [(e.first, e.last, e.individuals, e.event, e.note) for e in events] == [
        (3, 9, ("A", "B"), "feeding", "at the edge"),
        (4, 4, (), "lamp on", ""),
    ]


def test_all_faults_are_told_at_once(table):
    with pytest.raises(HerdbookError) as raised:
        read_noted(table("n,3,9,A,feeding,", "m,9,3,A,feeding,", "m,1,2,Q,feeding,", "m,1,2,A,,", "m,x,2,A,feeding,"), ["m"], ["A"])
    text = str(raised.value)
    assert "5 faults" in text
    for part in (
        "line 2: there is",
        "line 3: last must not be before first",
        "line 4: individuals must be names of the animals",
        "line 5: event",
        "line 6: first",
    ):
        assert part in text


def test_an_event_beyond_the_movie_is_told(table):
    path = table("m,3,10,A,feeding,")
    events = read_noted(path, None, None)
    refuse_frames(path, events, {"m": 11})
    with pytest.raises(HerdbookError, match=r"line 2: last is 10, but m has frames 0\.\.9"):
        refuse_frames(path, events, {"m": 10})
