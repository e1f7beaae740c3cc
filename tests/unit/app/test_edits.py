"""Edits of the experiment file: nothing is lost by crashes, editors, other tabs; undo and redo give what was there."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from herdbook.app.edits import Conflict, ExperimentFile, Saved
from herdbook.app.keys import value_at, with_value
from herdbook.app.saving.journal import NothingToUndoError
from herdbook.errors import HerdbookError
from herdbook.experiment.editing.text import UneditableError, same
from tests.support.killed import each_kill, experiment

__all__ = ["each_kill", "experiment"]

Kills = Callable[[Callable[[], None]], Iterator[int]]


def save(file: ExperimentFile) -> None:
    assert isinstance(file.save(file.revision), Saved)


def test_a_draft_is_seen_by_another_tab_and_saved_with_all_comments(experiment: Path) -> None:
    before = experiment.read_text()
    one, other = ExperimentFile(experiment), ExperimentFile(experiment)
    one.set_draft({"segment.difference": 12, "movies.b.1.override.segment.intervals": [[0, 50]], "seed": 4})
    assert other.draft == {"segment.difference": 12, "movies.b.1.override.segment.intervals": [[0, 50]], "seed": 4}
    assert experiment.read_text() == before
    assert other.changes()["segment.difference"] == (25, 12)
    save(other)
    assert one.draft == {}
    gone = set(before.splitlines()) - set(experiment.read_text().splitlines())
    assert gone == {"  difference: 25   # seen on Monday", "  - {name: b.1, file: b.mp4}"}
    assert one.changed() == {"file": "ants.yaml", "revision": other.revision, "by": "app"}
    assert one.values()["movies"][1]["override"] == {"segment": {"intervals": [[0, 50]]}}


def test_a_value_of_the_file_ends_the_change(experiment: Path) -> None:
    file = ExperimentFile(experiment)
    file.set_draft({"segment.difference": 12})
    file.set_draft({"segment.difference": 25})
    assert file.draft == {}
    assert file.steps == (2, 0)


def test_undo_gives_the_same_bytes_and_survives_a_restart(experiment: Path) -> None:
    before = experiment.read_bytes()
    file = ExperimentFile(experiment)
    file.set_draft({"segment.area": [5, 10], "arenas": [{"name": "dish", "include": [{"polygon": [[0, 0], [9, 0], [9, 9]]}]}]})
    file.set_draft({"arenas.dish.name": "bowl"})
    save(file)
    after = experiment.read_bytes()
    again = ExperimentFile(experiment)
    assert again.undo() == {"arenas.dish.name": "dish"} or again.drafted_values()["arenas"][0]["name"] == "dish"
    again.undo()
    save(again)
    assert experiment.read_bytes() == before
    with pytest.raises(NothingToUndoError, match="nothing to undo"):
        again.undo()
    third = ExperimentFile(experiment)
    third.redo()
    third.redo()
    save(third)
    assert experiment.read_bytes() == after


def test_undo_refuses_where_another_change_came(experiment: Path) -> None:
    file = ExperimentFile(experiment)
    file.set_draft({"segment.difference": 12})
    save(file)
    experiment.write_text(experiment.read_text().replace("difference: 12", "difference: 13"))
    with pytest.raises(NothingToUndoError, match=r"segment\.difference is 13 now and no longer 12"):
        file.undo()
    with pytest.raises(NothingToUndoError, match="nothing to undo"):
        file.undo()


def test_an_editor_is_noticed_and_its_lines_stay(experiment: Path) -> None:
    file = ExperimentFile(experiment)
    seen = file.revision
    file.set_draft({"segment.difference": 12})
    experiment.write_text("# by hand\n" + experiment.read_text())
    assert file.changed() == {"file": "ants.yaml", "revision": file.revision, "by": "editor"}
    assert file.changed() is None
    assert isinstance(file.save(seen), Saved)
    assert experiment.read_text().startswith("# by hand\nexperiment: ants   # a name\n")
    assert "difference: 12   # seen on Monday" in experiment.read_text()


def test_both_values_of_a_conflict_are_shown(experiment: Path) -> None:
    file = ExperimentFile(experiment)
    seen = file.revision
    file.set_draft({"segment.difference": 12, "seed": 3})
    experiment.write_text(experiment.read_text().replace("25", "30"))
    answer = file.save(seen)
    assert answer == Conflict(file.revision, {"segment.difference": (30, 12)})
    assert file.conflicts() == {"segment.difference": (30, 12)}
    assert "difference: 30" in experiment.read_text()
    file.set_draft({"segment.difference": 30})
    assert isinstance(file.save(answer.revision), Saved)
    assert yaml.safe_load(experiment.read_text())["seed"] == 3
    assert "difference: 30   # seen on Monday" in experiment.read_text()


def test_an_editor_that_writes_while_the_file_is_replaced_loses_nothing(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from herdbook.app import edits

    real, times = edits.write_durably, []

    def interrupted(path: Path, data: bytes) -> None:
        if path == experiment and not times:
            times.append(1)
            with experiment.open("a") as stream:
                stream.write("# by hand\n")
        real(path, data)

    monkeypatch.setattr(edits, "write_durably", interrupted)
    file = ExperimentFile(experiment)
    file.set_draft({"segment.difference": 12})
    save(file)
    assert "# by hand\n" in experiment.read_text()
    assert "difference: 12   # seen on Monday" in experiment.read_text()


def test_what_is_not_valid_is_told_and_not_saved(experiment: Path) -> None:
    before = experiment.read_bytes()
    file = ExperimentFile(experiment)
    file.set_draft({"segment.area": [9, 3]})
    assert "segment: area: the smaller value must be first" in (file.fault() or "")
    with pytest.raises(HerdbookError, match="segment: area"):
        file.save(file.revision)
    assert (experiment.read_bytes(), file.draft) == (before, {"segment.area": [9, 3]})


def test_movies_of_a_table_are_refused_with_the_cells_to_write(experiment: Path) -> None:
    text = re.sub(r"movies:\n(  - .*\n)+", "movies: movies.tsv\n", experiment.read_text())
    experiment.write_text(text)
    with pytest.raises(UneditableError, match=r"table movies\.tsv") as error:
        ExperimentFile(experiment).set_draft({"movies.a.override.segment.difference": 9})
    assert error.value.lines == "name\tsegment.difference\na\t9"


def test_an_unknown_item_is_named(experiment: Path) -> None:
    with pytest.raises(HerdbookError, match=r"there is no 'c'; known are: a, b\.1"):
        ExperimentFile(experiment).set_draft({"movies.c.file": "x"})


def test_dates_that_are_not_changed_stay_as_they_are(experiment: Path) -> None:
    experiment.write_text(experiment.read_text().replace("b.mp4}", "b.mp4, start: 2026-05-17 14:03:20}"))
    file = ExperimentFile(experiment)
    assert file.values()["movies"][1]["start"] == "2026-05-17T14:03:20"
    file.set_draft({"movies": [*file.values()["movies"], {"name": "c", "file": "c.mp4"}]})
    file.set_draft({"movies.b.1.fps": 20})
    save(file)
    assert yaml.safe_load(experiment.read_text())["movies"][1]["fps"] == 20


KEYS = (
    "segment.difference",
    "segment.area",
    "animals.number",
    "movies.a.override",
    "movies.b.1.override.segment.intervals",
    "arenas",
    "seed",
)
VALUES: dict[str, list[Any]] = {
    "segment.difference": [None, 25, 12],
    "segment.area": [None, [1, 2], [60, 900]],
    "animals.number": [None, 6, 7],
    "movies.a.override": [None, {"segment": {"difference": 5}}, {"segment": {"intervals": [[0, 9]]}}],
    "movies.b.1.override.segment.intervals": [None, [[0, 5]], [[0, 5], [9, 12]]],
    "arenas": [None, [{"name": "x", "number": 6}], [{"name": "x", "include": [{"polygon": [[0, 0], [9, 0], [9, 9]]}]}]],
    "seed": [None, 1, 2],
}
edits_of_keys = st.sampled_from(KEYS).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(VALUES[key])))
actions = st.lists(st.one_of(edits_of_keys, st.sampled_from(["undo", "redo", "save", "restart"])), min_size=3, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions)
def test_after_any_sequence_of_edits_and_undos_the_file_equals_the_model(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "ants.yaml"
    path.write_text(
        "experiment: ants   # name\nmovies:\n  - {name: a, file: a.mp4}   # day 1\n  - name: b.1   # day 2\n    file: b.mp4\n"
        "animals: {marking: none, number: 6}   # six\n\nsegment:\n  difference: 25   # Monday\n#  area: [60, 20000]   # px\n"
    )
    file, model = ExperimentFile(path), yaml.safe_load(path.read_text())
    done: list[Any] = []
    undone: list[Any] = []
    for action in steps:
        if action == "restart":
            file = ExperimentFile(path)
        elif action == "save":
            if file.fault() is None:
                save(file)
                assert same(yaml.safe_load(path.read_text()), model)
        elif action in ("undo", "redo"):
            source, target = (done, undone) if action == "undo" else (undone, done)
            if source:
                target.append(model)
                model = source.pop()
                getattr(file, action)()
            else:
                with pytest.raises(NothingToUndoError):
                    getattr(file, action)()
        else:
            after = with_value(model, *action)
            if value_at(after, action[0]) is not value_at(model, action[0]) and not same(after, model):
                done.append(model)
                undone.clear()
            file.set_draft(dict([action]))
            model = after
        assert same(file.drafted_values(), model)
        for comment in ("# name", "# day 1", "# day 2", "# six", "# Monday", "# px"):
            assert path.read_text().count(comment) == 1


def test_a_kill_at_any_write_loses_at_most_the_step(experiment: Path, each_kill: Kills) -> None:
    file = ExperimentFile(experiment)
    file.set_draft({"seed": 3})
    for number in each_kill(lambda: ExperimentFile(experiment).set_draft({"segment.difference": number_of[0]})):
        draft = ExperimentFile(experiment).draft
        assert draft in ({"seed": 3, **before_of[0]}, {"seed": 3, "segment.difference": number_of[0]})
        before_of[0] = {key: value for key, value in draft.items() if key != "seed"}
        number_of[0] = number + 101
    assert ExperimentFile(experiment).draft == {"seed": 3, "segment.difference": number_of[0]}


number_of: list[int] = [100]
before_of: list[dict[str, Any]] = [{}]


def test_a_kill_at_any_write_of_saving_leaves_a_whole_file_and_the_draft(experiment: Path, each_kill: Kills) -> None:
    before = experiment.read_text()
    after = before.replace("25", "12")

    def work() -> None:
        file = ExperimentFile(experiment)
        file.set_draft({"segment.difference": 12})
        file.save(file.revision)

    for _ in each_kill(work):
        file = ExperimentFile(experiment)
        assert experiment.read_text() in (before, after)
        assert file.draft in ({}, {"segment.difference": 12})
        if experiment.read_text() == after:
            assert file.draft == {}
            file.set_draft({"segment.difference": 25})
            save(file)
            assert experiment.read_text() == before
    assert experiment.read_text() == after
    assert [path.name for path in experiment.parent.iterdir() if path.name.endswith((".part", ".lock"))] == []


WRITER = """
import sys
from pathlib import Path
from herdbook.app.edits import ExperimentFile, Saved
path, stage = Path(sys.argv[1]), sys.argv[2]
for k in range(12):
    file = ExperimentFile(path)
    file.set_draft({f"movies.m{k}.override.{stage}": {"every": k + 1} if stage == "index" else {"difference": k + 1}})
    assert isinstance(file.save(file.revision), Saved)
"""


def test_two_writers_lose_no_line(experiment: Path) -> None:
    movies = "".join(f"  - {{name: m{k}, file: m{k}.mp4}}   # number {k}\n" for k in range(12))
    experiment.write_text(re.sub(r"(  - .*\n)+", movies, experiment.read_text()))
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(experiment), stage]) for stage in ("index", "segment")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    found = yaml.safe_load(experiment.read_text())["movies"]
    assert [movie["override"] for movie in found] == [{"index": {"every": k + 1}, "segment": {"difference": k + 1}} for k in range(12)]
    assert all(f"# number {k}\n" in experiment.read_text() for k in range(12))
    assert ExperimentFile(experiment).draft == {}
