"""Results in Python: what herdbook.load gives is what the tables say."""

import re

import numpy as np
import pandas as pd
import pytest

import herdbook
from herdbook.errors import HerdbookError
from tests.conftest import ROOT
from tests.support.table_cases import ANIMALS, place_of, write_results

PYTHON = ROOT / "docs" / "python.md"


@pytest.fixture
def folder(tmp_path):
    return write_results(tmp_path / "results" / "demo", px_per_mm=4.0)


def test_trajectories_are_the_table_by_time_individual_and_space(folder):
    tracks = herdbook.load(folder).trajectories
    assert dict(tracks.sizes) == {"time": 40, "individual": 3, "space": 2}
    assert tracks.individual.values.tolist() == list(ANIMALS)
    assert tracks.time.values == pytest.approx(np.arange(40) / 10)
    assert tracks.movie.values.tolist() == ["a"] * 20 + ["b"] * 20
    assert set(tracks.recording.values) == {"day"}
    table = pd.read_csv(folder / "trajectories.csv")
    found = tracks.position.stack(row=("time", "individual")).transpose("row", "space")
    assert np.isfinite(found.values).all(axis=1).sum() == len(table)
    for row in table.itertuples():
        at = tracks.isel(time=row.frame + 20 * (row.movie == "b")).sel(individual=row.individual)
        assert at.position.values == pytest.approx([row.x, row.y], abs=0.005)
        assert at.confidence.item() == pytest.approx(row.confidence, abs=5e-4)
    assert tracks.position.sel(individual="A", space="x").values == pytest.approx([place_of("A", t)[0] for t in range(40)])
    assert tracks.position.sel(individual="C").isnull().all()


def test_times_go_on_through_the_third_movie_of_a_recording(tmp_path):
    folder = write_results(tmp_path / "results" / "demo", movies="abc")
    tracks = herdbook.load(folder).trajectories
    assert tracks.time.values == pytest.approx(np.arange(60) / 10)
    assert tracks.movie.values.tolist() == ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    table = pd.read_csv(folder / "trajectories.csv")
    assert table[table.movie == "c"].time.to_numpy() == pytest.approx(4 + table[table.movie == "c"].frame / 10)
    events = herdbook.load(folder).events
    contacts = events[events.kind == "contact"]
    assert list(zip(contacts.movie, contacts.frame, contacts.time, contacts.duration, strict=True)) == [
        ("a", 10, 1.0, 0.5),
        ("c", 10, 5.0, 0.5),
    ]


def test_one_recording_is_a_part_of_all(folder):
    results = herdbook.load(folder)
    assert results.recording("day").equals(results.trajectories)
    with pytest.raises(HerdbookError, match=r"no recording 'night'; there are day"):
        results.recording("night")
    with pytest.raises(HerdbookError, match=r"no movie 'z'; there are a, b"):
        results.tracks("z")


def test_tracklets_events_and_settings_are_tables(folder):
    results = herdbook.load(folder)
    for name in ("tracklets", "events"):
        table, text = getattr(results, name), pd.read_csv(folder / f"{name}.csv")
        assert table.columns.tolist() == text.columns.tolist()
        assert len(table) == len(text)
    settings = results.settings
    stages = settings[settings.file == "a"].groupby("stage").size()
    assert stages.to_dict() == {"test": 4}
    assert set(settings.key) == {"marking"}
    assert set(settings.value) == {'"marked"'}
    assert (results.px_per_mm, results.recordings) == (4.0, {"day": ["a", "b"]})


def test_without_the_table_of_the_last_stage_the_artifacts_are_enough(folder):
    before = herdbook.load(folder).trajectories
    (folder / "trajectories.h5").unlink()
    results = herdbook.load(folder)
    assert results.named
    assert np.isnan(results.px_per_mm)
    assert results.trajectories.position.equals(before.position)


def test_a_folder_without_results_is_reported(tmp_path):
    with pytest.raises(HerdbookError, match="holds no results"):
        herdbook.load(tmp_path)


def test_the_example_of_the_document_runs_and_is_right(folder, monkeypatch, capsys):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    code = re.search(r"```python\n(.*?)```", PYTHON.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert len(code.strip().splitlines()) <= 12
    monkeypatch.chdir(folder.parents[1])
    found = {}
    exec(code, found)
    assert found["speed"].mean("time").values[:2] == pytest.approx([10.0, 0.0])
    assert found["together"].index.tolist() == ["A;B"]
    assert found["together"]["sum"].iloc[0] == 0.5
    assert "A;B" in capsys.readouterr().out
