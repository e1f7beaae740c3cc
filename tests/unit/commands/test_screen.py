"""Names with control signs or markup on the screen."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import herdbook
from herdbook.commands.cli import app
from herdbook.commands.screen import add_row, echo, show, text_table
from herdbook.errors import HerdbookError, printable

HOSTILE = "A\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202e[red]b[/red] [link=file:///x]c[/link] \ud800"
SHOWN = "A\\u001b]0;owned\\u0007\\u001b[2J\\u000d\\u009b31m\\u202e[red]b[/red] [link=file:///x]c[/link] \\ud800"
ROOT = Path(herdbook.__file__).parent


def test_control_signs_are_written_out_and_line_breaks_stay() -> None:
    assert printable(HOSTILE) == SHOWN
    assert printable("two\n\tlines, é 蟻") == "two\n\tlines, é 蟻"


def test_no_message_of_a_fault_commands_the_terminal() -> None:
    assert str(HerdbookError(f"{HOSTILE}: there is no such animal")) == f"{SHOWN}: there is no such animal"


def test_texts_and_cells_are_shown_as_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    echo(HOSTILE)
    table = text_table(HOSTILE, "[bold]images", title=HOSTILE)
    add_row(table, HOSTILE, "[/]", style="bold")
    show(table)
    out = capsys.readouterr().out
    assert out.count(SHOWN) == 4
    assert "[bold]images" in out
    assert "[/]" in out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)


def test_a_command_says_who_is_missing_without_control_signs(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_text('{experiment: e, movies: [{name: "m\\e[2J[red]", file: none.mp4}], animals: {marking: none}}', encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(file)])
    assert "m\\u001b[2J[red]" in done.output
    assert "\x1b[2J" not in done.output


@pytest.mark.parametrize("room", ["commands", "stages"])
def test_only_the_module_of_the_screen_prints(room: str) -> None:
    printing = re.compile(r"\b(typer\.echo|print|Console|Table|secho)\(")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / room).rglob("*.py"))
        if printing.search(path.read_text(encoding="utf-8").replace("page.Table(", "").replace(" Table(header", ""))
    ]
    assert found == ["commands/screen.py"] * (room == "commands")
