"""The sheet of movies: valid lines become movies with their own settings, faulty ones are reported."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.movies import read_movie_sheet


def sheet_of(folder: Path, text: str) -> list[dict[str, object]]:
    path = folder / "movies.tsv"
    path.write_text(text, encoding="utf-8")
    return read_movie_sheet(path)


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


def test_a_setting_may_be_null(tmp_path: Path) -> None:
    (movie,) = sheet_of(tmp_path, "name\tfile\tstart\tsmooth.window\na\ta.mp4\t2026-05-17\tnull\n")
    assert movie["start"] == "2026-05-17"
    assert movie["override"] == {"smooth": {"window": None}}


def test_a_sheet_says_how_movies_are_read(tmp_path: Path) -> None:
    text = "name\tfile\tfps\ttimes\trotate\tstream\tbits\na\ta\t2.5\t\t90\t\t12\nb\tb.avi\t\tt/b.csv\tauto\t1\t\n"
    assert sheet_of(tmp_path, text) == [
        {"name": "a", "file": str(tmp_path / "a"), "fps": 2.5, "rotate": 90, "bits": 12},
        {"name": "b", "file": str(tmp_path / "b.avi"), "times": str(tmp_path / "t" / "b.csv"), "rotate": "auto", "stream": 1},
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name\tpath\n", "missing columns file"),
        ("name,path\n", "missing columns file; found name, path (comma-separated)"),
        ("name\tfile\tsegment.area\tsegment.area\n", "the column segment.area is there 2 times"),
        ("name\tfile\trecordin\n", "unknown column 'recordin'; did you mean 'recording'?"),
        ("name\tfile\na\ta.mp4\nb\t\n", "line 3: every movie needs a name and a file"),
        ("name\tfile\tsegment.area\na\ta.mp4\t[1, 2\n", "line 2: segment.area must be a value as in the experiment file"),
        ("name\tfile\tsegment.area\na\ta.mp4\t[1, 2\n", "found '[1, 2'"),
        ("name\tfile\tsegment.area\na\ta.mp4\t" + "[" * 50_000 + "\n", "line 2: segment.area must be a value as in the experiment file"),
    ],
    ids=[
        "column missing",
        "column missing, commas",
        "column twice",
        "column unknown",
        "no file",
        "no YAML",
        "the cell is shown",
        "too deep",
    ],
)
def test_a_faulty_sheet_is_reported(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(HerdbookError) as caught:
        sheet_of(tmp_path, text)
    assert expected in str(caught.value)


def test_all_faulty_movies_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(HerdbookError, match=r"2 faults in the table:\n  line 2: every movie(.|\n)*line 4: segment\.area"):
        sheet_of(tmp_path, "name\tfile\tsegment.area\n\ta.mp4\t\nb\tb.mp4\t\nc\tc.mp4\t]\n")


cells = st.text(alphabet=st.sampled_from("ab1.-[]{}:,\t\n\"' #&*!\0é"), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(cells, max_size=4))
def test_whatever_the_sheet_holds_only_herdbook_errors_come_out(tmp_path: Path, rows: list[str]) -> None:
    with suppress(HerdbookError):
        sheet_of(tmp_path, "name\tfile\tsegment.area\na\ta.mp4\t" + "\n".join(rows))
