"""The package keeps its structure: rooms of limited size, stages that are only glue, no two classes of the same name."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import herdbook

PACKAGE = Path(herdbook.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
STAGES = [path for path in MODULES if path.parent.name == "stages" and path.name != "__init__.py"]
ROOMS = sorted({path.parent for path in MODULES})

SCRIPTS = sorted(path for path in (PACKAGE / "app" / "static").rglob("*.js") if "vendor" not in path.parts)

MOST_MODULES, MOST_LINES, LONGEST_FUNCTION, LONGEST_WORK = 20, 350, 80, 25
MOST_LINES_OF_A_SCRIPT = 300


def functions_of(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)]


def length_of(function: ast.FunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.name)
def test_a_room_holds_few_modules(room: Path) -> None:
    assert sum(path.name != "__init__.py" for path in room.glob("*.py")) <= MOST_MODULES


@pytest.mark.parametrize("room", [room for room in ROOMS if room != PACKAGE], ids=lambda path: path.name)
def test_a_room_has_a_docstring_and_re_exports_nothing(room: Path) -> None:
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_modules_and_functions_are_short() -> None:
    long_modules = [path.name for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES]
    long_functions = [f"{path.name}: {f.name}" for path in MODULES for f in functions_of(path) if length_of(f) > LONGEST_FUNCTION]
    assert (long_modules, long_functions) == ([], [])


def test_modules_of_the_page_are_short_and_say_what_they_are_for() -> None:
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8").splitlines() for path in SCRIPTS}
    long = [name for name, lines in texts.items() if len(lines) > MOST_LINES_OF_A_SCRIPT]
    silent = [name for name, lines in texts.items() if not lines[0].startswith("// ")]
    assert "app/static/main.js" in texts
    assert (long, silent) == ([], [])


@pytest.mark.parametrize("stage", STAGES, ids=lambda path: path.stem)
def test_a_stage_is_glue(stage: Path) -> None:
    (work,) = [function for function in functions_of(stage) if function.name == "_work"]
    assert length_of(work) <= LONGEST_WORK


def test_no_code_imports_a_stage() -> None:
    importing = [
        path.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("herdbook.stages"))
        or (isinstance(node, ast.Import) and any(name.name.startswith("herdbook.stages") for name in node.names))
    ]
    assert importing == []


def test_a_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
