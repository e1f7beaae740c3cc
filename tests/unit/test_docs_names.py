"""What the documents name is there: modules and functions, commands and their options, files, rooms, and the version."""

import ast
import re
import shlex
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import herdbook
from herdbook.commands.cli import app
from tests.conftest import ROOT
from tests.support.documents import DOCUMENTS

PACKAGE = Path(herdbook.__file__).parent
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def is_there(dotted: str) -> bool:
    """Whether a name such as herdbook.load or herdbook.drawing.views.points_to_movie is a module or stands in one."""
    place, parts = PACKAGE, dotted.split(".")[1:]
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    module = place / "__init__.py"
    if parts and place.joinpath(f"{parts[0]}.py").is_file():
        module = place / f"{parts.pop(0)}.py"
    return not parts or parts[0] in defined_in(module)


def defined_in(module: Path) -> set[str]:
    found = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name) | ast.ClassDef(name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
                found.add(name)
    return found


def code_of(document: Path) -> list[str]:
    """Code of a document: what stands between backticks, and the lines of its blocks."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`]+)`", re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [" ".join(part.split()) for part in (*inline, *(line for block in blocks for line in block.splitlines()))]


def unknown_in(command: str) -> str:
    """The word of a command line that begins with herdbook which the command does not know, "" for none."""
    here: Any = typer.main.get_command(app)
    for word in shlex.split(command, comments=True)[1:]:
        options = {name for parameter in here.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
        if word.startswith("-"):
            # Other options of `run` are Snakemake's.
            if word.partition("=")[0] not in options and not here.context_settings.get("ignore_unknown_options"):
                return word
        elif hasattr(here, "commands"):
            if word not in here.commands:
                return word
            here = here.commands[word]
    return ""


@each_document
def test_modules_and_functions_exist(document: Path) -> None:
    named = set(re.findall(r"(?<![\w./])herdbook(?:\.[a-z_]\w*)+", document.read_text(encoding="utf-8"))) - {"herdbook.yaml"}
    assert [name for name in sorted(named) if not is_there(name)] == []


@each_document
def test_commands_and_their_options_exist(document: Path) -> None:
    commands = [re.sub(r"^(\$ |\.venv/bin/)", "", code) for code in code_of(document)]
    faults = {command: word for command in commands if re.match(r"herdbook [a-z-]", command) and (word := unknown_in(command))}
    assert faults == {}


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert [
        unknown_in(f"herdbook {words}") for words in ("tnue my.yaml", "tune my.yaml --wirte", "trainset mrege a b", "tune my.yaml")
    ] == [
        "tnue",
        "--wirte",
        "mrege",
        "",
    ]
    assert [is_there(name) for name in ("herdbook.movie_frame", "herdbook.drawing.views.gone", "herdbook.load")] == [False, False, True]


def test_files_that_contributors_are_led_to_exist() -> None:
    named = {code for code in code_of(ROOT / "CONTRIBUTING.md") if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", code) and "crowd" not in code}
    assert len(named) > 20
    assert [name for name in sorted(named) if not ((ROOT / name).exists() or (PACKAGE / name).exists())] == []


def test_every_room_has_a_page_and_a_place_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md") if path.stem != "index"}
    assert pages == {room: f"::: herdbook.{room}\n" for room in ROOMS}
    assert [room for room in ROOMS if f"- {room}: api/{room}.md" not in menu] == []


def test_the_picture_of_the_floors_is_that_of_the_contract() -> None:
    spec = spec_from_file_location("make_floors", ROOT / "docs" / "make_floors.py")
    assert spec
    assert spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    assert made.OUT.read_text(encoding="utf-8") == made.picture(made.floors()), "run: python docs/make_floors.py"
    assert {room for floor in made.floors() for room in floor} == set(made.IN_WORDS)


def test_the_citation_names_the_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (herdbook.__version__, "MIT")


def test_the_extra_of_the_second_command_installs_every_check() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[\[><=]", entry)[0] for entry in project["optional-dependencies"]["test"]}
    assert named >= {"codespell", "import-linter", "mkdocs-material", "mkdocstrings", "mypy", "pre-commit", "pytest", "ruff", "snakefmt"}
