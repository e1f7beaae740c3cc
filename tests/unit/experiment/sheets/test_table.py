"""The reader of users' tables: valid cells are returned with their type and line, and exactly the faulty ones are reported."""

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.table import (
    FRAME,
    NUMBER,
    NUMBER_OR_EMPTY,
    PX,
    PX_OR_EMPTY,
    TEXT,
    WHOLE,
    Column,
    Kind,
    make_rows,
    read_rows,
)
from herdbook.system.cells import as_cell

NAMES = ["A", "B é", 'C, "c"']
COLUMNS = (Column("name", among=NAMES), Column("frame", FRAME), Column("x", PX), Column("y", PX_OR_EMPTY), Column("note"))
HEADER = [column.name for column in COLUMNS]
FAULTY = {
    "name": ["", "D", "a", "x" * 3000],
    "frame": ["", "-1", "1.5", "nan", "x", "9" * 5000],
    "x": ["", "nan", "inf", "1e9", "-1e400", "1,500", "1.234,5"],
    "y": ["left", "inf", "-1e9"],
}
property_test = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def lines_of(rows: list[list[Any]]) -> tuple[str, list[int]]:
    """The text of a table, texts as Herdbook writes them, and the line in which each row ends."""
    file, ends = io.StringIO(newline=""), []
    for row in [HEADER, *rows]:
        csv.writer(file, lineterminator="\n").writerow([as_cell(value) if isinstance(value, str) else value for value in row])
        ends.append(file.getvalue().count("\n"))
    return file.getvalue(), ends[1:]


def message_of(path: Path, **options: Any) -> str:
    with pytest.raises(HerdbookError) as caught:
        read_rows(path, options.get("columns", COLUMNS), options.get("make", dict))
    return str(caught.value)


places = st.floats(-1e9, 1e9, exclude_min=True, exclude_max=True)
notes = st.text(alphabet="aé ,;\"'\n\t0-", max_size=8).map(str.strip)
good_rows = st.tuples(st.sampled_from(NAMES), st.integers(0, 10**12), places, places | st.just(math.nan), notes)


@property_test
@given(rows=st.lists(good_rows, max_size=5))
def test_good_rows_come_back_with_their_types_and_lines(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    text, ends = lines_of([[name, frame, x, "" if math.isnan(y) else y, note] for name, frame, x, y, note in rows])
    found = read_rows(table(tmp_path, text), COLUMNS, dict)
    assert repr(found) == repr([{"line": line, **dict(zip(HEADER, row, strict=True))} for line, row in zip(ends, rows, strict=True)])


@property_test
@given(data=st.data(), faulty=st.lists(st.sets(st.sampled_from(list(FAULTY))), min_size=1, max_size=2))
def test_every_faulty_cell_is_named_and_no_other(tmp_path: Path, data: st.DataObject, faulty: list[set[str]]) -> None:
    rows = []
    for names in faulty:
        good = dict(zip(HEADER, ["A", 7, 1.5, "", "two\nlines"], strict=True))
        rows.append(list((good | {name: data.draw(st.sampled_from(FAULTY[name])) for name in sorted(names)}).values()))
    text, ends = lines_of(rows)
    expected = {(str(line), name) for line, names in zip(ends, faulty, strict=True) for name in names}
    if not expected:
        assert len(read_rows(table(tmp_path, text), COLUMNS, dict)) == len(rows)
        return
    message = message_of(table(tmp_path, text))
    assert set(re.findall(r"^  line (\d+): (?:there is no )?(\w+)", message, re.MULTILINE)) == expected
    assert ("one fault" if len(expected) == 1 else f"{len(expected)} faults") in message
    assert len(message) < 250 * (1 + len(expected)), "a long cell is shown in part"


@property_test
@given(content=st.binary(max_size=60), with_header=st.booleans())
def test_whatever_a_file_holds_only_herdbook_errors_come_out(tmp_path: Path, content: bytes, with_header: bool) -> None:
    path = table(tmp_path, ",".join(HEADER).encode() + b"\n" + content if with_header else content)
    found, message = [], f"{path}: "
    try:
        found = read_rows(path, COLUMNS, dict)
    except HerdbookError as error:
        message = str(error)
    assert message.startswith(f"{path}: ")
    assert all(row["name"] in NAMES and row["frame"] >= 0 and abs(row["x"]) < 1e9 for row in found)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        *((TEXT, "", ""), (WHOLE, "-3", -3), (FRAME, "0", 0), (FRAME, "12", 12), (NUMBER, "1e400", math.inf)),
        *((NUMBER_OR_EMPTY, "", math.nan), (PX, "-0.4", -0.4), (PX, "9.99e8", 9.99e8), (PX_OR_EMPTY, "", math.nan)),
        *((PX_OR_EMPTY, "NaN", math.nan), (PX_OR_EMPTY, "12", 12.0)),
    ],
)
def test_a_cell_becomes_the_value_of_its_kind(tmp_path: Path, kind: Kind, cell: str, value: Any) -> None:
    (found,) = read_rows(table(tmp_path, f"id,c\n1,{cell}\n"), [Column("id"), Column("c", kind)], dict)
    assert repr(found["c"]) == repr(value)


@pytest.mark.parametrize(
    ("kind", "cell", "fault"),
    [
        (WHOLE, "1.5", "c must be a whole number, found '1.5'"),
        (FRAME, "1e3", "c must be a whole number from 0, found '1e3'"),
        (FRAME, "-1", "c must be a whole number from 0, found '-1'"),
        (NUMBER, "", "c must be a number, found ''"),
        (NUMBER_OR_EMPTY, "x", "c must be a number, or empty, found 'x'"),
        (PX, "1e9", "c must be a number of px below 1e9, found '1e9'"),
        (PX_OR_EMPTY, "-inf", "c must be a number of px below 1e9, or empty, found '-inf'"),
        (Kind("yes or no", {"yes": True, "no": False}.__getitem__), "maybe", "c must be yes or no, found 'maybe'"),
    ],
)
def test_a_cell_of_another_kind_is_refused(tmp_path: Path, kind: Kind, cell: str, fault: str) -> None:
    path = table(tmp_path, f"id,c\n1,{cell}\n")
    assert message_of(path, columns=[Column("id"), Column("c", kind)]) == f"{path}: one fault in the table:\n  line 2: {fault}"


def test_a_name_that_does_not_exist_is_reported_with_the_nearest(tmp_path: Path) -> None:
    path = table(tmp_path, "movie,name\nm1,\nm3,worker\nm2,wroker\n")
    columns = [Column("movie", among=["m1", "m2"]), Column("name", among=["worker", "queen"], listed="groups")]
    assert message_of(path, columns=columns).splitlines()[1:] == [
        "  line 2: there is no name '' among groups; known are: worker, queen",
        "  line 3: there is no movie 'm3'; did you mean 'm2'?",
        "  line 4: there is no name 'wroker' among groups; did you mean 'worker'?",
    ]


def test_cells_that_are_not_needed_have_no_value_whatever_they_hold(tmp_path: Path) -> None:
    columns = [Column("kind"), Column("x", PX, needed=lambda cells: cells["kind"] == "place"), Column("note", optional=True)]
    rows = read_rows(table(tmp_path, "kind,x,note\nplace,3,\nnone,?,far\n"), columns, dict)
    assert rows == [{"line": 2, "kind": "place", "x": 3.0}, {"line": 3, "kind": "none", "note": "far"}]
    assert read_rows(table(tmp_path, "kind,x\nplace,3\n"), columns, dict) == [{"line": 2, "kind": "place", "x": 3.0}]
    assert "line 2: x must be a number" in message_of(table(tmp_path, "kind,x\nplace,?\n"), columns=columns)


def test_values_that_do_not_fit_together_are_a_fault_of_their_line(tmp_path: Path) -> None:
    def make(line: int, first: int, last: int) -> int:
        if last < first:
            raise ValueError(f"{last} is before {first}")
        return last - first

    path = table(tmp_path, "first,last\n1,3\n3,1\n2,x\n")
    message = message_of(path, columns=[Column("first", FRAME), Column("last", FRAME)], make=make)
    assert message.splitlines()[1:] == ["  line 3: 1 is before 3", "  line 4: last must be a whole number from 0, found 'x'"]


def test_ten_faults_are_reported_and_the_others_counted(tmp_path: Path) -> None:
    message = message_of(table(tmp_path, ",".join(HEADER) + "\n" + "A,x,1,2,\n" * 25))
    assert "25 faults" in message
    assert "line 11:" in message
    assert "line 12:" not in message
    assert "and 15 more" in message


def test_a_row_without_a_cell_is_reported_by_its_name() -> None:
    with pytest.raises(HerdbookError, match=r"entry 4: missing frame, y; found name, x, note"):
        make_rows(Path("t.json"), [(4, {"name": "A", "x": "1", "note": ""})], COLUMNS, dict, unit="entry")


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    text = "\ufeffnote, y,x,frame,name,comment\r\n, 2,1.5 ,3,A,good,more\r\n"
    assert read_rows(table(tmp_path, text), COLUMNS, dict) == [{"line": 2, "name": "A", "frame": 3, "x": 1.5, "y": 2.0, "note": ""}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "missing columns name, frame, x, y, note; found nothing (comma-separated)"),
        ("name;frame;x\n", "missing columns y, note; found name, frame, x (semicolon-separated)"),
        ("name frame x y note\n", "missing columns name, frame, x, y, note; found name frame x y note (comma-separated)"),
        ("sep=|\nname,frame,x,y,note\n", "missing columns name, frame, x, y, note; found name,frame,x,y,note ('|'-separated)"),
        ("\0", "missing columns name"),
        ("name,frame,x,y,note\nA".encode("utf-16")[:-1], "not a readable text table ('utf-16-le' codec"),
        ('name,frame,x,y,note\nA,1,2,3,"two\nB,2,3,4,\n', "not a readable text table (unexpected end of data, line 3)"),
        ("name,frame,x,y,note,x\n", "the column x is there 2 times. Delete or rename the others."),
        ("name,frame,x,y,note\n" + "A" * 200_000, "not a readable text table (field larger"),
    ],
)
def test_a_file_that_is_no_such_table_is_reported(tmp_path: Path, content: str | bytes, expected: str) -> None:
    path = table(tmp_path, content)
    assert message_of(path).startswith(f"{path}: {expected}")


def test_a_missing_table_is_reported_with_what_it_should_hold(tmp_path: Path) -> None:
    expected = "there is no such file. Expected a table with the columns name, frame, x, y, note."
    for path in (tmp_path / "none.csv", tmp_path):
        assert message_of(path) == f"{path}: {expected}"


LABELS = (Column("movie", among=["m"]), Column("frame", FRAME), Column("x", PX), Column("y", PX), Column("label", among=["A", "Käfer"]))
PLAIN = "movie,frame,x,y,label\nm,10,33.5,20.25,A\nm,20,30,40,Käfer\n"
SEMICOLONS = PLAIN.replace(",", ";").replace(".", ",")
SAVED = {
    "commas": PLAIN.encode(),
    "semicolons, decimal commas": SEMICOLONS.encode(),
    "semicolons, decimal points": PLAIN.replace(",", ";").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "tabs, decimal commas": SEMICOLONS.replace(";", "\t").encode(),
    "commas, quoted decimal commas": PLAIN.replace("33.5", '"33,5"').replace("20.25", '"20,25"').encode(),
    "a first line that names the separator": b"sep=;\r\n" + SEMICOLONS.replace("\n", "\r\n").encode(),
    "a quoted line that names another separator": ('"sep=|"\n' + PLAIN.replace(",", "|")).encode(),
    "UTF-8 with a mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": SEMICOLONS.encode("utf-16"),
    "UTF-16, big-endian, with a mark": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "UTF-16 without a mark": PLAIN.replace(",", "\t").encode("utf-16-le"),
    "UTF-32": PLAIN.encode("utf-32"),
    "Windows-1252": SEMICOLONS.encode("cp1252"),
    "decomposed letters": PLAIN.replace("ä", "a\u0308").encode(),
    "whole numbers as 10.0": PLAIN.replace(",10,", ",10.0,").replace("20,30,40", "20.00,30.0,40.0").encode(),
    "whole numbers as 10,0": SEMICOLONS.replace(";10;", ";10,0;").replace("20;30", "20,00;30").encode(),
    "empty rows": (PLAIN.replace("\nm,20", "\n,,,,\n\nm,20") + ",,,,\n  ,,,,\n").encode(),
    "empty columns at the end": PLAIN.replace("\n", ",,\n").encode(),
    "lines of old Macs": PLAIN.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("how", SAVED)
def test_a_table_is_read_however_a_program_saves_it(tmp_path: Path, how: str) -> None:
    rows = read_rows(table(tmp_path, SAVED[how]), LABELS, dict)
    assert [list(row.values())[1:] for row in rows] == [["m", 10, 33.5, 20.25, "A"], ["m", 20, 30.0, 40.0, "Käfer"]]


def test_lines_are_those_of_the_file_also_below_a_line_that_names_the_separator(tmp_path: Path) -> None:
    message = message_of(table(tmp_path, "sep=;\nmovie;frame;x;y;label\n;;;;\nm;1;2;3;B\n"), columns=LABELS)
    assert "line 4: there is no label 'B'" in message


def test_names_that_look_alike_are_one_name_in_the_spelling_of_the_experiment(tmp_path: Path) -> None:
    spelled = "Ka\u0308fer"
    (row,) = read_rows(table(tmp_path, "label\nKäfer\n"), [Column("label", among=[spelled])], dict)
    assert row["label"] == spelled


TWICE = {
    "a comma of thousands": ('m,"1,234",2,3,A', "line 2: frame can be read in two ways: '1,234' is 1.234 or 1234"),
    "a comma in a table of decimal points": ('m,1,"1,234",20.5,A', "line 2: x can be read in two ways: '1,234' is 1.234 or 1234"),
    "a point beside decimal commas": ("m;1;1.234;20,5;A", "line 2: x can be read in two ways: '1.234' is 1.234 or 1234"),
    "a point of thousands among semicolons": ("m;1.000;2;3;A", "line 2: frame can be read in two ways: '1.000' is 1.000 or 1000"),
    "decimal commas that separate cells": ("m,10,33,5,20,25,A", "line 2: its 7 cells can be read in two ways under a header of 5"),
}


@pytest.mark.parametrize("how", TWICE)
def test_what_can_be_read_in_two_ways_is_refused_and_both_are_shown(tmp_path: Path, how: str) -> None:
    row, expected = TWICE[how]
    header = "movie,frame,x,y,label".replace(",", ";" if ";" in row else ",")
    assert expected in message_of(table(tmp_path, f"{header}\n{row}\n"), columns=LABELS)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("m;1;1,234;2;A\n", [1.234]),
        ("m;1;1,234;0,5;A\n", [1.234]),
        ("m;1;1.234;20.5;A\n", [1.234]),
        ("m;1;1234,5;1,234;A\n", [1234.5]),
    ],
)
def test_a_number_with_three_decimals_is_read_where_the_table_tells_its_mark(tmp_path: Path, rows: str, expected: list[float]) -> None:
    found = read_rows(table(tmp_path, f"movie;frame;x;y;label\n{rows}"), LABELS, dict)
    assert [row["x"] for row in found] == expected


def test_cut_decimal_commas_show_both_readings(tmp_path: Path) -> None:
    columns = [Column("movie"), Column("frame", FRAME), Column("x", PX_OR_EMPTY), Column("y", PX_OR_EMPTY)]
    message = message_of(table(tmp_path, "movie,frame,x,y\nm,30,33,5,20,25\nm,31,33,5\n"), columns=columns)
    assert "line 2: its 6 cells can be read in two ways under a header of 4: x 33 or 33.5, y 5 or 20.25" in message
    assert "one fault" in message


def test_a_line_that_ends_early_is_no_line_of_empty_cells(tmp_path: Path) -> None:
    columns = [Column("movie"), Column("x", PX_OR_EMPTY), Column("note", optional=True)]
    message = message_of(table(tmp_path, "movie,x,note\nm,,\nm,1\nm\n"), columns=columns)
    assert message.splitlines()[1:] == ["  line 4: the line ends before x: it has 1 cells, the header has 3"]


@pytest.mark.parametrize(
    ("text", "encoding", "readings"),
    [
        ("Käfer", "mac_roman", ("'m,KŠfer' (Windows)", "'m,Käfer' (Mac)")),
        ("Škoda", "cp1252", ("'m,Škoda' (Windows)", "'m,äkoda' (Mac)")),
        ("Fuß", "mac_roman", ("'m,Fu§' (Windows)", "'m,Fuß' (Mac)")),
    ],
)
def test_letters_that_may_be_of_windows_or_of_a_mac_are_refused(
    tmp_path: Path, text: str, encoding: str, readings: tuple[str, str]
) -> None:
    path = table(tmp_path, f"movie,label\nm,{text}\n".encode(encoding))
    message = message_of(path, columns=[Column("movie"), Column("label")])
    assert message == f"{path}: line 2 can be read in two ways: {readings[0]} or {readings[1]}. Save the table as CSV UTF-8."


def test_columns_that_two_separators_give_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "a,b;c,x;a\n1,2;3,4;5\n")
    assert "its columns can be read in 2 ways: a, b;c, x;a (comma-separated) or a,b, c,x, a (semicolon-separated)" in message_of(
        path, columns=[Column("a")]
    )
