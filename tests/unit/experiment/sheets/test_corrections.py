"""The table of corrections: CSV and JSON are two forms of one table, with the same checks."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.corrections import COLUMNS, Correction, read_corrections

NAMES = [column.name for column in COLUMNS]
GOOD = dict(zip(NAMES, ["m1", "3", "A", "", "10.5", "20"], strict=True))


def written(folder: Path, entries: Any) -> Path:
    path = folder / "corrections.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def outcome(path: Path) -> list[str] | list[Correction]:
    """The corrections without their places, or the faults without theirs."""
    try:
        return [str((c.movie, c.frame, c.individual, c.point, c.x, c.y)) for c in read_corrections(path)]
    except HerdbookError as error:
        return [line.split(": ", 1)[1] for line in str(error).splitlines()]


cells = st.sampled_from(["", "0", "7", "-1", "1.5", "1e9", "-12.25", "nan", "inf", "m1", "B é", 'C, "c"', "1_000", "x" * 500])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cells, min_size=len(NAMES), max_size=len(NAMES)), max_size=3))
@example(rows=[["m1", "3", "A", "", "", ""], ["m1", "3", "A", "nose", "nan", ""], ["m1", "4", "A", "", "2", ""]])
def test_both_forms_are_read_and_refused_alike(tmp_path: Path, rows: list[list[str]]) -> None:
    path = tmp_path / "corrections.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([NAMES, *rows])
    assert outcome(written(tmp_path, [dict(zip(NAMES, row, strict=True)) for row in rows])) == outcome(path)


@pytest.mark.parametrize("place", [(None, None), ("", ""), (float("nan"), float("nan"))])
def test_an_animal_that_cannot_be_seen_has_no_place(tmp_path: Path, place: tuple[Any, Any]) -> None:
    (found,) = read_corrections(written(tmp_path, [GOOD | {"x": place[0], "y": place[1]}]))
    assert repr((found.x, found.y)) == "(nan, nan)"


def test_numbers_of_json_are_read_as_numbers(tmp_path: Path) -> None:
    (found,) = read_corrections(written(tmp_path, [GOOD | {"frame": 12.0, "x": 3, "y": 4.25, "point": None}]))
    assert found == Correction("m1", 12, "A", "", 3.0, 4.25, "entry 0")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"frame": 3.7}, "entry 1: frame must be a whole number from 0, found '3.7'"),
        ({"frame": float("inf")}, "entry 1: frame must be a whole number from 0, found 'inf'"),
        ({"frame": True}, "entry 1: frame must be a whole number from 0, found 'True'"),
        ({"frame": None}, "entry 1: frame must be a whole number from 0, found ''"),
        ({"x": [1]}, "entry 1: x must be a number of px below 1e9, or empty, found '[1]'"),
        ({"x": None}, "entry 1: x and y must be both given or both empty, found only y"),
        ({"y": 1e308}, "entry 1: y must be a number of px below 1e9, or empty, found '1"),
    ],
)
def test_a_faulty_entry_is_reported_with_its_number(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        read_corrections(written(tmp_path, [GOOD, GOOD | change]))
    assert "one fault" in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"3",
        b'"text"',
        b"[3]",
        b'[["movie", "m1"]]',
        b"[" * 50_000,
        b'[{"movie": ' + b"9" * 5000 + b"}]",
        '[{"é": 1}]'.encode("latin-1"),
    ],
    ids=["nothing", "number", "text", "numbers", "lists", "too deep", "too long a number", "not UTF-8"],
)
def test_json_of_another_form_is_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "corrections.json"
    path.write_bytes(content)
    with pytest.raises(HerdbookError, match=r"expected a list of objects with movie, frame|not a readable text table"):
        read_corrections(path)
