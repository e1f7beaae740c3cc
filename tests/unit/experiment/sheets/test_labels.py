"""The table of labels: valid labels are read, faulty lines are reported."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.labels import Label, read_labels

HEADER = "movie,frame,x,y,label\n"


def labels_of(folder: Path, text: str) -> list[Label]:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, ["m1", "m2"], ["A", "B"])


def test_labels_are_read_with_their_lines(tmp_path: Path) -> None:
    assert labels_of(tmp_path, HEADER + "m1,3,1.5,2,A\n\nm2,0,0,7,B\n") == [
        Label("m1", 3, 1.5, 2.0, "A", 2),
        Label("m2", 0, 0.0, 7.0, "B", 4),
    ]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    text = "\ufefflabel, y,x,frame,movie,comment\r\nA,2,1.5,3,m1,good\r\n"
    assert labels_of(tmp_path, text) == [Label("m1", 3, 1.5, 2.0, "A", 2)]


def test_a_table_of_a_header_alone_holds_no_labels(tmp_path: Path) -> None:
    assert labels_of(tmp_path, HEADER) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("m3,0,1,2,A", "line 2: there is no movie 'm3'; did you mean"),
        ("m1,0,1,2,C", "line 2: there is no label 'C' among identities and other_labels; known are: A, B"),
        ("m1,1.5,1,2,A", "line 2: frame must be a whole number from 0, found '1.5'"),
        ("m1,0,,2,A", "line 2: x must be a number of px below 1e9, found ''"),
        ("m1,0,1", "line 2: y must be a number of px below 1e9, found ''"),
        ("m1,-1,1,2,A", "line 2: frame must be a whole number from 0, found '-1'"),
        ("m1,0,nan,2,A", "line 2: x must be a number of px below 1e9, found 'nan'"),
    ],
)
def test_a_faulty_label_is_reported_with_its_line(tmp_path: Path, line: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, HEADER + line + "\n")
    assert expected in str(caught.value)


def test_all_faulty_labels_are_counted_and_ten_reported(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, HEADER + "m1,x,1,2,A\n" * 25)
    assert "25 faults" in str(caught.value)
    assert "line 11:" in str(caught.value)
    assert "line 12:" not in str(caught.value)
    assert "and 15 more" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "missing columns movie, frame, x, y, label; found nothing"),
        ("movie;frame;x;label\n", "missing columns y; found movie, frame, x, label (semicolon-separated)"),
        ("\0", "labels.csv"),
    ],
)
def test_a_table_without_its_columns_is_reported(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, text)
    assert expected in str(caught.value)


def test_a_missing_table_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="no such file"):
        read_labels(tmp_path / "none.csv", [], [])


cells = st.text(alphabet=st.sampled_from("ab1.-[]{}:,\t\n\"' #&*!\0é"), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cells, max_size=4))
def test_whatever_the_table_holds_only_herdbook_errors_come_out(tmp_path: Path, rows: list[str]) -> None:
    with suppress(HerdbookError):
        labels_of(tmp_path, HEADER + "\n".join(rows))
