"""What a person noted is exported with times, and explained in the data dictionary."""

import csv

import pytest

from herdbook.experiment.file import load_experiment
from herdbook.stages import export
from tests.support.crossing_run import write_crossing


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_crossing(tmp_path_factory.mktemp("crossing"))


@pytest.fixture
def exported(run, tmp_path):
    def do(*lines):
        noted = tmp_path / "noted.csv"
        noted.write_text("\n".join(["movie,first,last,individuals,event,note", *lines]) + "\n")
        experiment = load_experiment(run)
        given = {"trajectories": "smooth", "index": "index", "blobs": "segment", "tracklets": "tracklets", "identities": "propagate"}
        options = [part for name, stage in given.items() for part in (f"--{name}", str(experiment.artifact(stage, "m")))]
        tables = [str(tmp_path / name) for name in ("noted_events.csv", "data_dictionary.csv")]
        more = ["--noted", str(noted), "--out", str(tmp_path / "trajectories.csv"), "--tables", *tables]
        export.main([*options, *more, "--settings", experiment.settings("export")])
        return [list(csv.DictReader((tmp_path / name).open(newline=""))) for name in ("noted_events.csv", "data_dictionary.csv")]

    return do


def test_noted_events_have_times_and_are_explained(exported):
    events, dictionary = exported("m,40,59,B;A,meeting,in the middle", "m,10,10,,lamp on,")
    assert events == [
        {"movie": "m", "event": "lamp on", "first": "10", "last": "10", "time": "0.5", "duration": "0.05", "individuals": "", "note": ""},
        {
            **{"movie": "m", "event": "meeting", "first": "40", "last": "59", "time": "2.0", "duration": "1.0"},
            **{"individuals": "B;A", "note": "in the middle"},
        },
    ]
    explained = [row["column"] for row in dictionary if row["file"] == "noted_events.csv"]
    assert explained == list(events[0])


def test_an_event_beyond_the_end_stops_the_export(exported, capsys):
    with pytest.raises(SystemExit):
        exported("m,40,160,A,meeting,")
    assert "last is 160, but m has frames 0..159" in capsys.readouterr().err
