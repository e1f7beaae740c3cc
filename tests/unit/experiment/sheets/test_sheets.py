"""Labels and the sheet of movies: right tables are read as they are, faulty lines are named."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.labels import Label, read_labels
from herdbook.experiment.sheets.movies import read_movie_sheet

HEADER = "movie,frame,x,y,label\n"


def labels_of(folder: Path, text: str) -> list[Label]:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, ["m1", "m2"], ["A", "B"])


def sheet_of(folder: Path, text: str) -> list[dict[str, object]]:
    path = folder / "movies.tsv"
    path.write_text(text, encoding="utf-8")
    return read_movie_sheet(path)


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
        ("m1,0,1,2,C", "line 2: the label 'C' is not among identities or other_labels; known are: A, B"),
        ("m1,1.5,1,2,A", "line 2: frame, x and y must be numbers, found '1.5'"),
        ("m1,0,,2,A", "line 2: frame, x and y must be numbers"),
        ("m1,0,1", "line 2: frame, x and y must be numbers"),
        ("m1,-1,1,2,A", "is no place in a movie"),
        ("m1,0,nan,2,A", "is no place in a movie"),
    ],
)
def test_a_faulty_label_is_told_with_its_line(tmp_path: Path, line: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, HEADER + line + "\n")
    assert expected in str(caught.value)


def test_all_faulty_labels_are_counted_and_ten_told(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, HEADER + "m1,x,1,2,A\n" * 25)
    assert "25 faulty lines" in str(caught.value)
    assert "line 11:" in str(caught.value)
    assert "line 12:" not in str(caught.value)
    assert "and 15 more" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "missing columns movie, frame, x, y, label; found nothing"),
        ("movie;frame;x;y;label\n", "comma-separated"),
        ("\0", "labels.csv"),
    ],
)
def test_a_table_without_its_columns_is_told(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        labels_of(tmp_path, text)
    assert expected in str(caught.value)


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match="no such file"):
        read_labels(tmp_path / "none.csv", [], [])


def test_a_sheet_gives_movies_with_their_own_settings(tmp_path: Path) -> None:
    text = "name\tfile\trecording\tsegment.difference\tsegment.area\na\tv/a.mp4\tday\t12\t[5, 9]\nb\t/v/b.mp4\t\t\t\n"
    assert sheet_of(tmp_path, text) == [
        {
            "name": "a",
            "file": str(tmp_path / "v" / "a.mp4"),
            "recording": "day",
            "override": {"segment": {"difference": 12, "area": [5, 9]}},
        },
        {"name": "b", "file": "/v/b.mp4"},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name\tpath\n", "missing columns file"),
        ("name,file\n", "tab-separated"),
        ("name\tfile\trecordin\n", "unknown column 'recordin'; did you mean 'recording'?"),
        ("name\tfile\na\ta.mp4\nb\t\n", "line 3: every movie needs a name and a file"),
        ("name\tfile\tsegment.area\na\ta.mp4\t[1, 2\n", "line 2: segment.area holds '[1, 2'"),
    ],
)
def test_a_faulty_sheet_is_told(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        sheet_of(tmp_path, text)
    assert expected in str(caught.value)


cells = st.text(alphabet=st.sampled_from("ab1.-[]{}:,\t\n\"' #&*!\0é"), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cells, max_size=4))
def test_whatever_the_tables_hold_only_herdbook_errors_come_out(tmp_path: Path, rows: list[str]) -> None:
    for read, head in ((labels_of, HEADER), (sheet_of, "name\tfile\tsegment.area\na\ta.mp4\t")):
        with suppress(HerdbookError):
            read(tmp_path, head + "\n".join(rows))
