"""What every stage's command line shares: arguments, errors without a traceback, provenance."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError
from herdbook.store import Provenance, artifact_fingerprint

EXIT_USER_FAULT = 2


@dataclass(frozen=True)
class Job:
    """The arguments of one stage's job: files by name, settings (the stage's own section), threads and seed."""

    stage: str
    version: int
    files: dict[str, list[Path]]
    settings: dict[str, Any]
    threads: int

    def file(self, name: str) -> Path:
        """The one file given under this name."""
        return self.files[name][0]

    @property
    def seed(self) -> int:
        """The experiment's seed, for the stages that get one."""
        return int(self.settings.get("seed", 0))

    def provenance(self, outputs: Sequence[str] = ("out",)) -> Provenance:
        """What the artifact of this job carries about its origin; every file that is no output counts as an input."""
        inputs = {
            f"{name}/{path.name}": artifact_fingerprint(path) for name, paths in self.files.items() if name not in outputs for path in paths
        }
        settings = json.dumps(self.settings, sort_keys=True)
        return Provenance(self.stage, self.version, settings, self.seed, inputs)


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
    """Parse the command line of a stage and run it; a user's fault ends with its message and exit status 2.

    `one` names the arguments that take exactly one file, `many` those that take any number (also none), `optional` those that may
    be missing. `--settings` takes the stage's settings as JSON.
    """
    parser = argparse.ArgumentParser(prog=f"python -m herdbook.{stage}")
    for name in one:
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in optional:
        parser.add_argument(f"--{name}", type=Path, nargs="?")
    for name in many:
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[])
    parser.add_argument("--settings", default="{}", help="the stage's settings as JSON")
    parser.add_argument("--threads", type=int, default=1)
    parsed = vars(parser.parse_args(argv))
    files = {name: [parsed[name]] if isinstance(parsed[name], Path) else parsed[name] or [] for name in (*one, *optional, *many)}
    job = Job(stage, version, files, json.loads(parsed["settings"]), parsed["threads"])
    # Clusters end a job with SIGTERM, which by itself would leave half-written files.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        work(job)
    except HerdbookError as error:
        print(f"herdbook {stage}: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_FAULT)
