"""Tables of people, one row at a time: on the disk at once, nothing else changed, undone by content."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.app.rows import CORRECTIONS, FACTS, LABELS, PeopleTable, RowGoneError
from herdbook.app.saving.journal import NothingToUndoError
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.labels import read_labels
from tests.support.killed import each_kill

__all__ = ["each_kill"]

TABLE = "note,movie,frame,x,y,label\nmine,a,1,2.5,3.5,BG\n\nyours,b,2,7,8,KK\n"


def row(frame: int, label: str = "BG", movie: str = "a") -> dict[str, Any]:
    return {"movie": movie, "frame": frame, "x": 10.256, "y": 20.0, "label": label}


@pytest.fixture
def table(tmp_path: Path) -> PeopleTable:
    return PeopleTable(tmp_path / "labels.csv", LABELS, tmp_path / "app")


def test_a_row_is_appended_to_a_new_table_and_read(table: PeopleTable) -> None:
    table.add(row(5))
    assert table.path.read_text() == "movie,frame,x,y,label\na,5,10.26,20,BG\n"
    (label,) = read_labels(table.path, ["a"], ["BG"])
    assert (label.frame, label.x, label.y) == (5, 10.26, 20.0)


def test_unknown_columns_order_and_other_rows_stay(table: PeopleTable) -> None:
    table.path.write_text(TABLE)
    table.add(row(5))
    table.change({"movie": "b", "frame": 2}, {"label": "BG", "x": 7.25})
    table.remove({"movie": "a", "frame": 1, "x": 2.5})
    assert table.path.read_text() == "note,movie,frame,x,y,label\n\nyours,b,2,7.25,8,BG\n,a,5,10.26,20,BG\n"
    table.undo()
    table.undo()
    table.undo()
    assert table.path.read_text() == TABLE
    table.redo()
    assert table.path.read_text() == TABLE + ",a,5,10.26,20,BG\n"


def test_the_last_of_equal_rows_is_removed(table: PeopleTable) -> None:
    table.path.write_text("movie,frame,x,y,label,by\na,1,2,3,BG,Tim\na,1,2,3,BG,Ana")
    table.remove({"movie": "a", "frame": 1})
    assert [one["by"] for one in table.rows()] == ["Tim"]
    table.undo()
    assert [one["by"] for one in table.rows()] == ["Tim", "Ana"]


@pytest.mark.parametrize(
    ("before", "added"),
    [
        ("movie;frame;x;y;label\na;1;2,5;3,5;BG\n", "a;5;10,26;20;BG\n"),
        ("sep=;\nmovie;frame;x;y;label\n", "a;5;10.26;20;BG\n"),
        ("movie\tframe\tx\ty\tlabel\r\na\t1\t2\t3\tBG\r\n", "a\t5\t10.26\t20\tBG\r\n"),
        ("\ufeffmovie,frame,x,y,label\na,1,2,3,BG", "\na,5,10.26,20,BG\n"),
        ('movie,frame,x,y,label,note\na,1,2,3,BG,"two\nlines"\n', "a,5,10.26,20,BG,\n"),
    ],
)
def test_the_table_keeps_its_marks(table: PeopleTable, before: str, added: str) -> None:
    table.path.write_bytes(before.encode())
    table.add(row(5))
    assert table.path.read_bytes() == (before + added).encode()
    assert read_labels(table.path, ["a"], ["BG"])[-1].x == 10.26
    table.remove({"frame": 5})
    assert table.path.read_bytes().rstrip() == before.encode().rstrip()
    assert table.path.read_bytes().startswith(before.encode())


def test_a_name_like_a_formula_is_a_text(table: PeopleTable) -> None:
    table.add(row(5, label="=1+1"))
    assert table.path.read_text().endswith(",'=1+1\n")
    assert table.rows()[0]["label"] == "=1+1"
    table.remove({"label": "=1+1"})
    assert table.rows() == []


def test_a_fact_brings_the_column_that_it_needs(tmp_path: Path) -> None:
    table = PeopleTable(tmp_path / "facts.csv", FACTS, tmp_path / "app")
    table.path.write_text("movie,frame,x,y,fact,name\na,1,2,3,is,BG\n")
    table.add({"movie": "a", "frame": 4, "x": float("nan"), "y": None, "fact": "absent", "name": "KK", "last": 9})
    assert table.path.read_text() == "movie,frame,x,y,fact,name,last\na,1,2,3,is,BG\na,4,,,absent,KK,9\n"
    assert [fact.last for fact in read_facts(table.path, ["a"], ["BG", "KK"])] == [1, 9]


def test_a_correction_of_the_animal_itself_has_an_empty_point(tmp_path: Path) -> None:
    table = PeopleTable(tmp_path / "corrections.csv", CORRECTIONS, tmp_path / "app")
    table.add({"movie": "a", "frame": 4, "individual": "BG", "point": "", "x": 1.0, "y": 2.0})
    assert table.path.read_text() == "movie,frame,individual,point,x,y\na,4,BG,,1,2\n"


def test_what_is_gone_is_told(table: PeopleTable) -> None:
    table.add(row(5))
    table.add(row(6))
    table.path.write_text(table.path.read_text().replace("a,6,", "a,7,"))
    with pytest.raises(RowGoneError, match=r"no row with movie a, frame 6\. It was changed"):
        table.remove({"movie": "a", "frame": 6})
    with pytest.raises(NothingToUndoError, match=r"the row a,6,10\.26,20,BG was changed since"):
        table.undo()
    table.undo()
    assert [one["frame"] for one in table.rows()] == ["7"]


def test_other_encodings_are_refused(table: PeopleTable) -> None:
    table.path.write_bytes("movie,frame,x,y,label\na,1,2,3,Bäbi\n".encode("utf-16"))
    with pytest.raises(HerdbookError, match="UTF-8"):
        table.add(row(5))


actions = st.lists(
    st.one_of(st.tuples(st.sampled_from(["add", "remove", "change"]), st.integers(0, 3)), st.sampled_from(["undo", "redo"])), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions)
def test_after_any_sequence_the_table_equals_the_model(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("rows")
    path = folder / "labels.csv"
    path.write_text(TABLE)
    model, done, undone = TABLE.splitlines(keepends=True)[1:], [], []
    for step in steps:
        table = PeopleTable(path, LABELS, folder / "app")
        before = list(model)
        if step in ("undo", "redo"):
            source, target = (done, undone) if step == "undo" else (undone, done)
            if not source:
                with pytest.raises(NothingToUndoError):
                    getattr(table, step)()
                continue
            target.append(model)
            model = source.pop()
            getattr(table, step)()
        else:
            kind, frame = step
            line = f",a,{frame},10.26,20,BG\n"
            places = [k for k, other in enumerate(model) if other.split(",")[2:3] == [str(frame)]]
            if kind == "add":
                table.add(row(frame))
                model = [*model, line]
            elif not places:
                with pytest.raises(RowGoneError):
                    table.remove({"frame": frame})
                continue
            elif kind == "remove":
                table.remove({"frame": frame})
                del (model := list(model))[places[-1]]
            else:
                table.change({"frame": frame}, {"label": "XX"})
                model = list(model)
                model[places[-1]] = model[places[-1]].rpartition(",")[0] + ",XX\n"
            done.append(before)
            undone.clear()
        assert path.read_text() == TABLE.splitlines(keepends=True)[0] + "".join(model)


def test_a_kill_at_any_write_loses_at_most_the_step(table: PeopleTable, each_kill: Callable[[Callable[[], None]], Iterator[int]]) -> None:
    table.path.write_text(TABLE)

    def work() -> None:
        one = PeopleTable(table.path, LABELS, table.path.parent / "app")
        one.add(row(5, label="LONG" * 5))
        one.remove({"movie": "b"})

    added = ",a,5,10.26,20," + "LONG" * 5 + "\n"
    for _ in each_kill(work):
        text = table.path.read_text()
        assert TABLE.replace("yours,b,2,7,8,KK\n", "") in text or TABLE in text
        rest = text.replace(TABLE, "").replace(TABLE.replace("yours,b,2,7,8,KK\n", ""), "")
        assert rest == "" or added.startswith(rest)
        # The next step takes away what was cut off.
        table.add(row(6))
        assert table.path.read_text().replace(added, "").endswith(("BG\n\n,a,6,10.26,20,BG\n", "KK\n,a,6,10.26,20,BG\n"))
        table.path.write_text(TABLE)
    assert table.path.read_text().endswith(added)


WRITER = """
import sys
from pathlib import Path
from herdbook.app.rows import LABELS, PeopleTable
path = Path(sys.argv[1])
for k in range(25):
    table = PeopleTable(path, LABELS, path.parent / "app")
    table.add({"movie": sys.argv[2], "frame": k, "x": 1, "y": 2, "label": "BG"})
    if k % 5 == 4:
        table.remove({"movie": sys.argv[2], "frame": k})
"""


def test_two_writers_lose_no_row(table: PeopleTable) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(table.path), movie]) for movie in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = [(one["movie"], int(one["frame"])) for one in table.rows()]
    assert sorted(found) == [(movie, k) for movie in ("a", "b") for k in range(25) if k % 5 != 4]
