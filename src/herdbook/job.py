"""The command line that all stages share: arguments, errors without a traceback, provenance."""

import argparse
import ast
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from herdbook.artifacts.store import Provenance, artifact_fingerprint
from herdbook.errors import EXIT_USER_FAULT, HerdbookError
from herdbook.system.files import full_disk_as_error, write_text
from herdbook.system.interrupts import end_on_signals
from herdbook.system.words import say


@dataclass(frozen=True)
class Job:
    """The arguments of one job of a stage: files by name, settings (JSON object), number of threads; the seed is one of the settings."""

    stage: str
    version: int
    files: dict[str, list[Path]]
    settings: dict[str, Any]
    threads: int

    def file(self, name: str) -> Path:
        """The only file of this argument."""
        return self.files[name][0]

    @property
    def seed(self) -> int:
        """The experiment's seed; 0 for stages without one."""
        return int(self.settings.get("seed", 0))

    def provenance(self, outputs: Sequence[str] = ("out",)) -> Provenance:
        """The origin that is stored in the artifact of this job; every file that is not an output counts as an input."""
        folder = self.file(outputs[0]).parent
        return self._provenance({name: paths for name, paths in self.files.items() if name not in outputs}, folder)

    def write_record(self, record: Path, made: Sequence[Path]) -> None:
        """Write the provenance and the fingerprint of each file in `made`, for files that cannot hold their origin themselves.

        Paths in the record are relative to its folder; files of the job that are not in `made` are its inputs.
        """
        outputs = [path for path in made if path != record]
        inputs = {name: [path for path in paths if path not in outputs] for name, paths in self.files.items() if name != "out"}
        attributes = self._provenance(inputs, record.parent).attributes()
        attributes |= {name: json.loads(attributes[name]) for name in ("settings", "inputs", "input_files")}
        attributes["outputs"] = {os.path.relpath(path, record.parent): artifact_fingerprint(path) for path in outputs}
        write_text(record, json.dumps(attributes, indent=1, ensure_ascii=False) + "\n")

    def _provenance(self, inputs: Mapping[str, Sequence[Path]], folder: Path) -> Provenance:
        named: dict[str, Path] = {}
        for option, paths in inputs.items():
            for number, path in enumerate(paths, 1):
                # Files of the same name, from several folders, are numbered.
                named[f"{option}/{path.name}" if f"{option}/{path.name}" not in named else f"{option}/{number}/{path.name}"] = path
        return Provenance(
            self.stage,
            self.version,
            json.dumps(self.settings, sort_keys=True),
            self.seed,
            {name: artifact_fingerprint(path) for name, path in named.items()},
            {name: os.path.relpath(path, folder) for name, path in named.items()},
        )


def run_stage(
    stage: str,
    version: int,
    work: Callable[[Job], None],
    *,
    one: Sequence[str] = (),
    many: Sequence[str] = (),
    optional: Sequence[str] = (),
    argv: Sequence[str] | None = None,
) -> None:
    """Parse the command line of a stage and run it; a HerdbookError ends it with its message and exit status 2.

    `one` names the arguments that take exactly one file, `many` those that take any number of files (also none), `optional` those that may
    be missing. `--settings` takes the stage's settings as JSON; - reads them from standard input, since an argument has at most 128 KiB,
    which the names of a thousand movies exceed. `--record` is the file for the record of all files listed after `--made`, for stages whose
    files cannot hold their origin themselves.
    """
    parser = argparse.ArgumentParser(prog=f"python -m herdbook.stages.{stage}")
    for name in one:
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in optional:
        parser.add_argument(f"--{name}", type=Path, nargs="?")
    for name in many:
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[])
    parser.add_argument("--settings", default="{}", help="the stage's settings as JSON, or - to read them from standard input")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--record", type=Path, help="file to write, which records the origin of the files that this job makes")
    parser.add_argument("--made", type=Path, nargs="*", default=[], help="the files that this job makes, for the record")
    parsed = vars(parser.parse_args(argv))
    files = {name: [parsed[name]] if isinstance(parsed[name], Path) else parsed[name] or [] for name in (*one, *optional, *many)}
    job = Job(stage, version, files, json.loads(sys.stdin.read() if parsed["settings"] == "-" else parsed["settings"]), parsed["threads"])
    end_on_signals()
    try:
        with full_disk_as_error():
            work(job)
            if parsed["record"]:
                job.write_record(parsed["record"], parsed["made"])
    except HerdbookError as error:
        say(f"herdbook {stage}: {error}")
        sys.exit(EXIT_USER_FAULT)


def stage_version(stage: str) -> int:
    """The integer STAGE_VERSION of the module `herdbook.stages.<stage>`, which is not imported.

    Raises HerdbookError when there is no such module or no such number in it.
    """
    spec = find_spec(f"herdbook.stages.{stage}")
    if spec is None or spec.origin is None:
        raise HerdbookError(f"herdbook.stages.{stage}: there is no such stage in the installed package. Install it again: pip install -e .")
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name("STAGE_VERSION")], value=ast.Constant(int(version))):
                return version
    raise HerdbookError(f"{spec.origin}: expected a line such as STAGE_VERSION = 1, found none.")
