"""Versions of the stages, read from their source text: importing a stage takes seconds (numba, av), reading it milliseconds."""

import ast
from importlib.util import find_spec
from pathlib import Path

from herdbook.errors import HerdbookError


def stage_version(stage: str) -> int:
    """The integer STAGE_VERSION of the module `herdbook.<stage>`, which is not imported.

    Raises HerdbookError when there is no such module or no such number in it.
    """
    spec = find_spec(f"herdbook.{stage}")
    if spec is None or spec.origin is None:
        raise HerdbookError(f"herdbook.{stage}: there is no such stage in the installed package. Install it again: pip install -e .")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name("STAGE_VERSION")], value=ast.Constant(int(version))):
                return version
    raise HerdbookError(f"{spec.origin}: expected a line such as STAGE_VERSION = 1, found none.")
