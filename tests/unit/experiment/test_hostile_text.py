"""Experiment files, tables and cards whose text is valid, and whose values are not of this world."""

import json
from pathlib import Path
from typing import Any

import pytest

from herdbook.classifier.cards import read_card
from herdbook.errors import HerdbookError, parsing
from herdbook.experiment.file import load_experiment
from herdbook.experiment.sheets import table
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.experiment.sheets.labels import read_labels
from herdbook.system import files
from tests.support.damage.experiments import SNIPPETS

GOOD = "experiment: e\nmovies: [{name: m, file: m.mp4}]\nanimals: {marking: none}\n"


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_strange_line_is_read_or_reported(tmp_path: Path, number: int) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(GOOD + SNIPPETS[number], encoding="utf-8")
    error = None
    try:
        load_experiment(file)
    except HerdbookError as fault:
        error = str(fault)
    assert error is None or (error.startswith(f"{file}: ") and len(error) < 4000)


def test_an_experiment_file_of_the_wrong_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "e.yaml").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(HerdbookError, match=r"e\.yaml: has 1024 MB, an experiment file has at most 16 MB"):
        load_experiment(tmp_path / "e.yaml")


@pytest.mark.parametrize("value", [10**400, "9" * 5000, "1e400", [[]], {"a": 1}])
def test_a_correction_with_a_strange_place_is_reported(tmp_path: Path, value: Any) -> None:
    entry = {"movie": "m", "frame": 1, "individual": "A", "point": "", "x": value, "y": 2}
    (tmp_path / "c.json").write_text(json.dumps([entry]), encoding="utf-8")
    with pytest.raises(HerdbookError, match=r"c\.json: .*\n? .*x must be a number of px|c\.json: expected a list"):
        read_corrections(tmp_path / "c.json")


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 100_000, '[{"movie": ' + "9" * 5000 + "}]"], ids=["digits", "deep", "digits inside"])
def test_json_that_python_cannot_take_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, encoding="utf-8")
    for read in (read_corrections, read_card):
        with pytest.raises(HerdbookError, match=r"c\.json: "):
            read(tmp_path / "c.json")


@pytest.mark.parametrize("size", [[10**6, 10**6], [0, 48], [32], "xy", [-1, 5]])
def test_a_card_of_impossible_crops_is_refused(tmp_path: Path, size: Any) -> None:
    crops = {"length_px": 40.0, "size": size, "blank": 127, "neighbours": False, "white_balance": True}
    card = {"format": 1, "classes": ["A"], "others": [], "body_length_px": 20, "chroma": 3, "prototypes": {}, "calibration": {}}
    (tmp_path / "card.json").write_text(json.dumps(card | {"crops": crops}), encoding="utf-8")
    with pytest.raises(HerdbookError, match=r"card\.json: not the card of a classifier"):
        read_card(tmp_path / "card.json")


def test_names_like_formulas_in_tables_are_those_that_were_written(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\n'=m,1,2,3,'@A\n'=m,2,-2,3,-5\n", encoding="utf-8")
    found = read_labels(tmp_path / "labels.csv", ["=m"], ["@A", "-5"])
    assert [(label.movie, label.label, label.x) for label in found] == [("=m", "@A", 2), ("=m", "-5", -2)]


def test_tables_and_json_of_the_wrong_size_are_not_read(tmp_path: Path) -> None:
    for name in ("labels.csv", "card.json"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(max(table.MOST_BYTES, files.MOST_JSON_BYTES) + (1 << 20))
    with pytest.raises(HerdbookError, match=r"labels\.csv: has 65 MB, at most 64 MB of a table are read"):
        read_labels(tmp_path / "labels.csv", [], [])
    with pytest.raises(HerdbookError, match=r"card\.json: .*it has 65 MB, at most 64 MB are read"):
        read_card(tmp_path / "card.json")


@pytest.mark.parametrize("error", [OverflowError("too large"), RecursionError("deep"), ZeroDivisionError(), MemoryError(), KeyError("x")])
def test_any_error_of_a_parser_names_the_file_and_the_remedy(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(HerdbookError, match=r"a\.x: no thing \(.+\)\. Do it again\."),
        parsing(tmp_path / "a.x", "no thing", "Do it again."),
    ):
        raise error
