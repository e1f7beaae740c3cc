"""Mutants of the source code: one small change each, drawn by chance. What is the share that some test notices?

    pip install cosmic-ray
    python benchmarks/mutants.py
    python benchmarks/mutants.py --count 60 --rooms identity tracklets

Cosmic Ray makes the mutants: operators, comparisons, numbers and conditions are replaced, loops and jumps left out. Each runs the tests of
its room, and those of the stages that call it, in a copy of the project. A mutant whose tests fail or do not end is killed. The survivors
are printed. What each mutant came to is kept in --log, from where a second call goes on; the figures go into results/trust_mutants.json
and docs/trust.md. The draw depends on the code and on the seed alone.
"""

import argparse
import ast
import difflib
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "herdbook"
# The tests that the mutants of a room have to pass: those of the room, and those of stages that take seconds.
TESTS = {
    "identity": ["identity", "stages/test_propagate.py", "stages/test_groups.py"],
    "tracklets": ["tracklets", "identity/test_recording.py", "stages/test_tracklets.py"],
    "segmentation": ["segmentation", "stages/test_segment_controls.py", "stages/test_segment.py"],
    "smoothing": ["smoothing"],
    "classifier": ["classifier", "stages/test_trainset.py"],
    "artifacts": ["artifacts", "test_job_records.py", "stages/test_segment.py", "stages/test_tracklets.py"],
}
# A decorator that compiles or caches changes no result; names of variables would have to be chosen by hand.
LEFT_OUT = re.compile("RemoveDecorator|VariableReplacer|VariableInserter|ExceptionReplacer")
# The tests of a mutant may take this many times the CPU time that they take without it, and so many seconds more; and they do not wait
# for longer than this. On a busy machine the time on the clock says little.
MOST_SHARE, MORE_CPU_S, WAITING_S = 2.0, 30.0, 3600
# Loaded before a process is forked for each mutant, which saves their start.
PRELOADED = ("numpy", "scipy.optimize", "scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial", "numba", "cv2", "av", "h5py", "pandas",
             "pydantic", "hypothesis", "pytest", "_pytest.assertion.rewrite", "ortools.graph.python.min_cost_flow")  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """The `occurrence`-th place in a file (relative to the package) at which an operator of Cosmic Ray can change it, and its `line`."""

    file: str
    line: int
    operator: str
    occurrence: int


def draw_mutants(rooms: Sequence[str], seed: int) -> Iterator[Mutant]:
    """All places in the rooms in a random order, at each of them one mutant that changes what is run."""
    places: dict[tuple[str, Any], list[Mutant]] = {}
    for path in sorted(path for room in rooms for path in (PACKAGE / room).rglob("*.py")):
        file = str(path.relative_to(PACKAGE))
        nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
        for name in sorted(name for name in operator_names() if not LEFT_OUT.search(name)):
            operator = get_operator(name)()
            positions = [place for node in nodes for place in operator.mutation_positions(node)]
            for occurrence, place in enumerate(positions):
                places.setdefault((file, place), []).append(Mutant(file, place[0][0], name, occurrence))
    dice = random.Random(seed)
    for place in dice.sample(sorted(places), len(places)):
        mutant = dice.choice(places[place])
        if _runs_otherwise(mutant):
            yield mutant


def changed(mutant: Mutant) -> tuple[str, str]:
    """The source of the file without the mutant and with it."""
    source = (PACKAGE / mutant.file).read_text(encoding="utf-8")
    return source, mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence) or source


def _runs_otherwise(mutant: Mutant) -> bool:
    """Whether a mutant can be compiled, and differs in what a right call could show.

    That are not: type hints, kinds of parameters, whether Numba keeps what it compiled, and whether two lengths are checked to be equal.
    """
    before, after = changed(mutant)
    try:
        return _seen(before) != _seen(after)
    except SyntaxError:
        return False


def _seen(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            values = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            node.args = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=values)
            node.returns, node.decorator_list = None, []
        elif isinstance(node, ast.ClassDef):
            node.decorator_list = []
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            node.value = ast.Constant(None)
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


class Copy:
    """A copy of the project in which mutants are tested, with the functions compiled by Numba kept from one mutant to the next."""

    def __init__(self, folder: Path) -> None:
        self.root, self._cache, self._fresh = folder / "herdbook", folder / "cache", folder / "fresh"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".*", "site", "results", "__pycache__"))
        if (ROOT.parent / "shared").exists():
            (folder / "shared").symlink_to(ROOT.parent / "shared")
        self._usual: dict[tuple[str, ...], float] = {}

    def test(self, mutant: Mutant) -> str:
        """`killed`, `endless` or `survived`."""
        files = self._tests(mutant)
        most_cpu_s = int(MOST_SHARE * self._usual_cpu_s(files) + MORE_CPU_S)
        path, (before, after) = self.root / "src" / "herdbook" / mutant.file, changed(mutant)
        # Numba does not know that a compiled function has changed with a module that its own module imports.
        shutil.rmtree(self._fresh, ignore_errors=True)
        stale = self._compiled_with(mutant.file)
        shutil.copytree(self._cache, self._fresh)
        for kept in self._fresh.rglob("*.nb?"):
            if kept.name.split(".")[0] in stale:
                kept.unlink()
        try:
            path.write_text(after, encoding="utf-8")
            status, _ = self._run(files, self._fresh, most_cpu_s)
        finally:
            path.write_text(before, encoding="utf-8")
        return "survived" if status == 0 else "endless" if -status in (signal.SIGXCPU, signal.SIGALRM) else "killed"

    def _tests(self, mutant: Mutant) -> list[str]:
        """The test files of the mutant's room, those that name its module first."""
        room = mutant.file.split("/")[0]
        unit = self.root / "tests" / "unit"
        files = [path for name in TESTS[room] for path in (sorted((unit / name).rglob("test_*.py")) or [unit / name])]
        module = mutant.file.removesuffix(".py").replace("/", ".")
        name = f"test_{Path(mutant.file).name}"
        return [str(p) for p in sorted(files, key=lambda p: (p.name != name, f"herdbook.{module} " not in p.read_text(encoding="utf-8")))]

    def _usual_cpu_s(self, files: Sequence[str]) -> float:
        """CPU time of the tests without a mutant (s). They must pass."""
        key = tuple(sorted(files))
        if key not in self._usual:
            status, self._usual[key] = self._run(files, self._cache, resource.RLIM_INFINITY)
            if status != 0:
                sys.exit(f"the tests fail without a mutant: {(self.root.parent / 'output.txt').read_text(encoding='utf-8')[-3000:]}")
        return self._usual[key]

    def _run(self, files: Sequence[str], cache: Path, most_cpu_s: int) -> tuple[int, float]:
        """The exit status of pytest in a process of its own, and its CPU time (s)."""
        child = os.fork()
        if child == 0:
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (most_cpu_s, resource.RLIM_INFINITY))
                signal.alarm(WAITING_S)
                os._exit(self._pytest(files, cache))
            finally:
                os._exit(1)
        _, code, usage = os.wait4(child, 0)
        return os.waitstatus_to_exitcode(code), usage.ru_utime + usage.ru_stime

    def _pytest(self, files: Sequence[str], cache: Path) -> int:
        output = os.open(self.root.parent / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(self.root)
        sys.path[:0] = [str(self.root / "src"), str(self.root)]
        os.environ |= {"PYTHONPATH": os.pathsep.join(sys.path[:2]), "NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        import_module("numba.core.config").CACHE_DIR = str(cache)
        return int(import_module("pytest").main(["-x", "-n", "0", "-p", "no:cacheprovider", *files]))

    def _compiled_with(self, file: str) -> set[str]:
        """Names of the modules whose compiled functions may hold something of a module: it and all that import it, through others too."""
        imports = {}
        for path in PACKAGE.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            imports[_module(path)] = set(re.findall(r"^\s*(?:from|import) (herdbook[.\w]*)", text, re.MULTILINE))
        found = {_module(PACKAGE / file)}
        while more := {module for module, named in imports.items() if named & found} - found:
            found |= more
        return {module.split(".")[-1] for module in found}


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def told(mutant: Mutant) -> str:
    """The change that a mutant makes, as the lines before and after it."""
    before, after = (source.splitlines() for source in changed(mutant))
    lines = [line for line in difflib.unified_diff(before, after, n=0, lineterm="") if line[:2] not in ("--", "++", "@@")]
    return "\n".join([f"{mutant.file}:{mutant.line}", *lines])


def main() -> None:
    """Test the mutants that are drawn, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="mutants that are drawn")
    parser.add_argument("--rooms", nargs="+", choices=TESTS, default=list(TESTS))
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--log", type=Path, default=Path("mutants.jsonl"), help="mutants that were tested, one a line")
    args = parser.parse_args()
    drawn = [mutant for mutant, _ in zip(draw_mutants(args.rooms, args.seed), range(args.count), strict=False)]
    known = [json.loads(line) for line in args.log.read_text(encoding="utf-8").splitlines()] if args.log.exists() else []
    found = {told(Mutant(**line["mutant"])): line["outcome"] for line in known}
    for name in PRELOADED:
        import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutants") as folder, args.log.open("a", encoding="utf-8") as log:
        copy = Copy(Path(folder))
        for number, mutant in enumerate(drawn):
            change = told(mutant)
            if change in found:
                continue
            found[change] = copy.test(mutant)
            print(json.dumps({"mutant": asdict(mutant), "outcome": found[change]}), file=log, flush=True)
            print(f"{number + 1} {found[change]}: {change}", flush=True)
    _keep(drawn, [found[told(mutant)] for mutant in drawn], args)


def _keep(drawn: Sequence[Mutant], outcomes: Sequence[str], args: argparse.Namespace) -> None:
    # Imports herdbook, which no process of a mutant may have loaded before.
    from trust_page import keep_result

    rows = []
    for room in args.rooms:
        mine = [outcome for mutant, outcome in zip(drawn, outcomes, strict=True) if mutant.file.startswith(f"{room}/")]
        noticed = len(mine) - mine.count("survived")
        rows.append([room, len(mine), noticed, mine.count("survived"), f"{noticed / max(len(mine), 1):.0%}"])
    survived = outcomes.count("survived")
    keep_result(
        "mutants",
        f"python benchmarks/mutants.py --count {args.count} --seed {args.seed}",
        "Mutants of the code",
        """Small changes of the source code, drawn by chance over the rooms in which results are made: an operator or a comparison replaced
        by another, a number by a neighbour, a condition turned, a loop or a jump left out. *killed*: a test of the room, or of the stages
        that call it, fails or does not end. Tests have been written for those of this draw that survived at first, so that fewer of
        another draw are killed. Some of the others change nothing that a call could show.""",
        {"tried": len(drawn), "killed": len(drawn) - survived, "survived": survived},
        [{"header": ["room", "tried", "killed", "survived", "share killed"], "rows": rows}],
    )


if __name__ == "__main__":
    main()
